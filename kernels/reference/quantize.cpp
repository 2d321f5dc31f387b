#include <algorithm>
#include <cmath>

#include "kernels/reference/unary.h"

namespace npu::reference {

namespace {

bool is_integer(DType type) { return is_quantized(type) || type == DType::kInt32; }

bool has_quantize(const graph::Graph& graph, const graph::Node& node) {
  const DType x = input_type(graph, node);
  return (x == DType::kFloat32 || is_integer(x)) && is_integer(output_type(graph, node));
}

bool has_dequantize(const graph::Graph& graph, const graph::Node& node) {
  return is_integer(input_type(graph, node)) && output_type(graph, node) == DType::kFloat32;
}

/// y = clamp(round(x / s_y) + zero point), the division in float32, halves away from zero.
void quantize_floats(Invocation& call) {
  const graph::Tensor& y = call.output_tensor();
  const float scale = scale_of(y);
  const std::int64_t zero_point = zero_point_of(y);
  const IntegerRange range = range_of(y.type);
  const View x = call.input(0);
  std::vector<std::int32_t> out;
  out.reserve(static_cast<std::size_t>(x.size()));
  for (const float value : x.as<float>()) {
    if (std::isnan(value)) fail("{}: input holds a NaN", graph::describe(call.node()));
    const float quotient = std::clamp(std::round(value / scale), -1e12F, 1e12F);
    out.push_back(range.clamp(static_cast<std::int64_t>(quotient) + zero_point));
  }
  store_integers(call.output(), out);
}

void run_quantize(Invocation& call) {
  if (call.input_tensor(0).type == DType::kFloat32) {
    quantize_floats(call);
    return;
  }
  const graph::Tensor& y = call.output_tensor();
  const double ratio =
      static_cast<double>(scale_of(call.input_tensor(0))) / static_cast<double>(scale_of(y));
  const OutputStage stage = output_stage(ratio, graph::Activation::kNone, y);
  map_integers(call, [&](std::int32_t d) { return stage.finish(d); });
}

void run_dequantize(Invocation& call) {
  const graph::Tensor& x = call.input_tensor(0);
  const auto scale = static_cast<double>(scale_of(x));
  const std::vector<std::int32_t> q = load_integers(call.input(0));
  const std::int64_t zero_point = zero_point_of(x);
  const auto y = call.output().as<float>();
  for (std::size_t i = 0; i < q.size(); ++i) {
    y[i] = static_cast<float>(scale * static_cast<double>(q[i] - zero_point));
  }
}

/// Real values do not change: intermediate rounding is not part of the float reference.
void pass(Invocation& call) {
  map_floats(call, [](float x) { return x; });
}

}  // namespace

const Operator kQuantize = {has_quantize, run_quantize, pass};
const Operator kDequantize = {has_dequantize, run_dequantize, pass};

}  // namespace npu::reference
