#include <algorithm>

#include "kernels/reference/unary.h"

namespace npu::reference {

using graph::Activation;

namespace {

bool has_integer(const graph::Graph& graph, const graph::Node& node) {
  return uniform_quantized(graph, node);
}

/// y = clamp(zero point + d · s_x / s_y), the ratio formed in float32. With equal quantization the
/// rescale is the identity, so this is also the raw clamp of TFLite Micro's RELU6.
void run_integer(Invocation& call, Activation activation) {
  const float ratio = scale_of(call.input_tensor(0)) / scale_of(call.output_tensor());
  const OutputStage stage =
      output_stage(static_cast<double>(ratio), activation, call.output_tensor());
  map_integers(call, [&](std::int32_t d) { return stage.finish(d); });
}

void run_float(Invocation& call, Activation activation) {
  const FloatRange range = activation_range(activation);
  map_floats(call, [&](float x) { return std::clamp(x, range.low, range.high); });
}

}  // namespace

const Operator kRelu = {has_integer, [](Invocation& call) { run_integer(call, Activation::kRelu); },
                        [](Invocation& call) { run_float(call, Activation::kRelu); }};
const Operator kRelu6 = {has_integer,
                         [](Invocation& call) { run_integer(call, Activation::kRelu6); },
                         [](Invocation& call) { run_float(call, Activation::kRelu6); }};
const Operator kReluN1To1 = {has_integer,
                             [](Invocation& call) { run_integer(call, Activation::kReluN1To1); },
                             [](Invocation& call) { run_float(call, Activation::kReluN1To1); }};

}  // namespace npu::reference
