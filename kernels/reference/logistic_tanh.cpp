#include <cmath>

#include "kernels/reference/unary.h"

namespace npu::reference {

namespace {

/// Difference from the zero point in Q4.27: multiplier s_x · 2^27, and the size from which the
/// function is saturated.
struct FixedInput {
  Multiplier multiplier;
  std::int32_t radius = 0;

  explicit FixedInput(float scale)
      : multiplier(to_multiplier(static_cast<double>(scale) * (1 << 27))) {
    if (multiplier.shift < 0) fail("input scale of LOGISTIC or TANH is too small, got {}", scale);
    radius = static_cast<std::int32_t>(
        std::floor(15.0 * (1 << 27) / static_cast<double>(std::int64_t{1} << multiplier.shift)));
  }
};

/// @param function  of Q4.27 with a result in Q0.31, brought to y by `shift` and `offset`.
void run_fixed(Invocation& call, std::int32_t (*function)(std::int32_t), int shift,
               std::int32_t offset) {
  const FixedInput input(scale_of(call.input_tensor(0)));
  const IntegerRange range = range_of(call.output().type);
  map_integers(call, [&](std::int32_t d) {
    if (d <= -input.radius) return range.low;
    if (d >= input.radius) return range.high;
    const std::int32_t real = function(rescale(d, input.multiplier));
    return range.clamp(static_cast<std::int64_t>(round_shift(real, shift)) + offset);
  });
}

bool has_integer(const graph::Graph& graph, const graph::Node& node, float scale,
                 std::int32_t zero_point) {
  const graph::Tensor& y = graph.tensor(node.outputs.at(0));
  return input_type(graph, node) == DType::kInt8 && y.type == DType::kInt8 && y.quantization &&
         y.quantization->scale.size() == 1 && y.quantization->scale[0] == scale &&
         y.quantization->zero_point.at(0) == zero_point;
}

}  // namespace

const Operator kLogistic = {[](const graph::Graph& graph, const graph::Node& node) {
                              return has_integer(graph, node, 1.0F / 256, -128);
                            },
                            [](Invocation& call) { run_fixed(call, fixed_logistic, 23, -128); },
                            [](Invocation& call) {
                              map_floats(call,
                                         [](float x) { return 1.0F / (1.0F + std::exp(-x)); });
                            }};

const Operator kTanh = {
    [](const graph::Graph& graph, const graph::Node& node) {
      return has_integer(graph, node, 1.0F / 128, 0);
    },
    [](Invocation& call) { run_fixed(call, fixed_tanh, 24, 0); },
    [](Invocation& call) { map_floats(call, [](float x) { return std::tanh(x); }); }};

}  // namespace npu::reference
