#include <algorithm>

#include "kernels/reference/broadcast.h"
#include "kernels/reference/elementwise.h"
#include "kernels/reference/operators.h"

namespace npu::reference {

using graph::ActivationAttrs;

void multiply(const MulParameters& p, const View& a, const View& b, TensorData& y) {
  const std::vector<std::int32_t> left = broadcast_integers(a, p.a_zero_point, y.shape);
  std::vector<std::int32_t> right = broadcast_integers(b, p.b_zero_point, y.shape);
  for (std::size_t i = 0; i < right.size(); ++i) {
    // |a|, |b| ≤ 2^16 for asymmetric int16: the product wraps as a 32-bit register does.
    const std::int64_t product = static_cast<std::int64_t>(left[i]) * right[i];
    right[i] = p.stage.finish(static_cast<std::int32_t>(product));
  }
  store_integers(y, right);
}

namespace {

bool has_integer(const graph::Graph& graph, const graph::Node& node) {
  return uniform_quantized(graph, node);
}

void run_integer(Invocation& call) {
  const graph::Tensor& a = call.input_tensor(0);
  const graph::Tensor& b = call.input_tensor(1);
  const graph::Tensor& y = call.output_tensor();
  const double ratio = static_cast<double>(scale_of(a)) * static_cast<double>(scale_of(b)) /
                       static_cast<double>(scale_of(y));
  const MulParameters p = {
      .a_zero_point = zero_point_of(a),
      .b_zero_point = zero_point_of(b),
      .stage = output_stage(ratio, call.attrs<ActivationAttrs>().activation, y),
  };
  multiply(p, call.input(0), call.input(1), call.output());
}

void run_float(Invocation& call) {
  const std::vector<float> a = broadcast_float(call, 0);
  const std::vector<float> b = broadcast_float(call, 1);
  const FloatRange range = activation_range(call.attrs<ActivationAttrs>().activation);
  const auto y = call.output().as<float>();
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = std::clamp(a[i] * b[i], range.low, range.high);
  }
}

}  // namespace

const Operator kMul = {has_integer, run_integer, run_float};

}  // namespace npu::reference
