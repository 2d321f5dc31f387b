#include <cmath>

#include "kernels/reference/unary.h"

namespace npu::reference {

using graph::LeakyReluAttrs;

namespace {

bool has_integer(const graph::Graph& graph, const graph::Node& node) {
  return uniform_quantized(graph, node);
}

/// d ≥ 0: d · s_x / s_y; d < 0: d · s_x · alpha / s_y; both ratios in float32. A negative alpha:
/// its magnitude is applied and the result negated.
void run_integer(Invocation& call) {
  const float alpha = call.attrs<LeakyReluAttrs>().alpha;
  const float x_scale = scale_of(call.input_tensor(0));
  const graph::Tensor& y = call.output_tensor();
  const Multiplier identity = to_multiplier(static_cast<double>(x_scale / scale_of(y)));
  const Multiplier slope =
      to_multiplier(std::fabs(static_cast<double>(x_scale * alpha / scale_of(y))));
  const std::int64_t sign = alpha < 0.0F ? -1 : 1;
  const std::int32_t zero_point = zero_point_of(y);
  const IntegerRange range = range_of(y.type);
  map_integers(call, [&](std::int32_t d) {
    const std::int64_t scaled = d >= 0 ? rescale(d, identity) : sign * rescale(d, slope);
    return range.clamp(scaled + zero_point);
  });
}

void run_float(Invocation& call) {
  const float alpha = call.attrs<LeakyReluAttrs>().alpha;
  map_floats(call, [&](float x) { return x >= 0.0F ? x : x * alpha; });
}

}  // namespace

const Operator kLeakyRelu = {has_integer, run_integer, run_float};

}  // namespace npu::reference
