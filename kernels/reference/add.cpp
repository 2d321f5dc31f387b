#include <algorithm>

#include "kernels/reference/broadcast.h"
#include "kernels/reference/elementwise.h"
#include "kernels/reference/operators.h"

namespace npu::reference {

using graph::ActivationAttrs;

void add(const AddParameters& p, const View& a, const View& b, TensorData& y) {
  const std::vector<std::int32_t> left = broadcast_integers(a, p.a_zero_point, y.shape);
  std::vector<std::int32_t> right = broadcast_integers(b, p.b_zero_point, y.shape);
  for (std::size_t i = 0; i < right.size(); ++i) {
    const std::int32_t first = rescale(shift_left(left[i], p.left_shift), p.a);
    const std::int32_t second = rescale(shift_left(right[i], p.left_shift), p.b);
    right[i] = p.stage.finish(p.subtract ? first - second : first + second);
  }
  store_integers(y, right);
}

namespace {

/// The three ratios of ADD (in double) and SUB (formed in float32 and then widened).
struct Ratios {
  double a, b, output;
};

template <typename Real>
Ratios ratios(float a, float b, float y, int left_shift) {
  const Real twice_max = Real{2} * static_cast<Real>(std::max(a, b));
  const Real unit = static_cast<Real>(1 << left_shift) * static_cast<Real>(y);
  return {static_cast<double>(static_cast<Real>(a) / twice_max),
          static_cast<double>(static_cast<Real>(b) / twice_max),
          static_cast<double>(twice_max / unit)};
}

bool has_integer(const graph::Graph& graph, const graph::Node& node) {
  return uniform_quantized(graph, node);
}

void run_integer(Invocation& call, bool subtract) {
  const graph::Tensor& a = call.input_tensor(0);
  const graph::Tensor& b = call.input_tensor(1);
  const graph::Tensor& y = call.output_tensor();
  AddParameters p;
  p.a_zero_point = zero_point_of(a);
  p.b_zero_point = zero_point_of(b);
  p.left_shift = y.type == DType::kInt16 ? 15 : 20;
  p.subtract = subtract;
  const Ratios r = subtract ? ratios<float>(scale_of(a), scale_of(b), scale_of(y), p.left_shift)
                            : ratios<double>(scale_of(a), scale_of(b), scale_of(y), p.left_shift);
  p.a = to_multiplier(r.a);
  p.b = to_multiplier(r.b);
  p.stage = output_stage(r.output, call.attrs<ActivationAttrs>().activation, y);
  add(p, call.input(0), call.input(1), call.output());
}

void run_float(Invocation& call, float sign) {
  const std::vector<float> a = broadcast_float(call, 0);
  const std::vector<float> b = broadcast_float(call, 1);
  const FloatRange range = activation_range(call.attrs<ActivationAttrs>().activation);
  const auto y = call.output().as<float>();
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = std::clamp(a[i] + sign * b[i], range.low, range.high);
  }
}

}  // namespace

const Operator kAdd = {has_integer, [](Invocation& call) { run_integer(call, false); },
                       [](Invocation& call) { run_float(call, 1.0F); }};
const Operator kSub = {has_integer, [](Invocation& call) { run_integer(call, true); },
                       [](Invocation& call) { run_float(call, -1.0F); }};

}  // namespace npu::reference
