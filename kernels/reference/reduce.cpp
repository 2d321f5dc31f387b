#include <algorithm>
#include <bit>

#include "kernels/reference/operators.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {

using graph::ReduceAttrs;

namespace {

/// Sums of x over the reduced axes, in the order of the remaining ones; sets `count` to the
/// elements of each sum.
template <typename Sum, typename T>
std::vector<Sum> sum_over(std::span<const T> x, const Shape& shape, const std::vector<int>& axes,
                          std::int64_t& count) {
  std::vector<std::size_t> strides(shape.size(), 0);
  std::size_t outputs = 1;
  count = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    if (std::find(axes.begin(), axes.end(), static_cast<int>(axis)) != axes.end()) {
      count *= shape[axis];
    } else {
      strides[axis] = outputs;
      outputs *= static_cast<std::size_t>(shape[axis]);
    }
  }
  std::vector<Sum> sums(outputs, Sum{0});
  std::vector<std::int64_t> position(shape.size(), 0);
  std::size_t offset = 0;
  for (const T value : x) {
    sums[offset] += value;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++position[axis] < shape[axis]) break;
      offset -= strides[axis] * static_cast<std::size_t>(shape[axis]);
      position[axis] = 0;
    }
  }
  return sums;
}

bool has_integer(const graph::Graph& graph, const graph::Node& node) {
  return uniform_quantized(graph, node);
}

/// The multiplier of the scales' ratio with the division by `count` folded in: shifted up by at
/// most floor(log2(count)) bits, so that it stays within 32, then divided with truncation.
Multiplier divided(Multiplier m, std::int64_t count) {
  const int log2_count = 63 - std::countl_zero(static_cast<std::uint64_t>(count));
  const int shift = std::min({log2_count, 32, 31 + m.shift});
  const std::int64_t value = (static_cast<std::int64_t>(m.value) << shift) / count;
  return {static_cast<std::int32_t>(value), m.shift - shift};
}

void run_integer(Invocation& call, bool mean) {
  const graph::Tensor& x = call.input_tensor(0);
  const graph::Tensor& y = call.output_tensor();
  std::int64_t count = 0;
  const View input = call.input(0);
  const std::vector<std::int64_t> sums = sum_over<std::int64_t, std::int32_t>(
      load_integers(input), *input.shape, call.attrs<ReduceAttrs>().axes, count);
  if (count == 0) fail("{}: reduces over no elements", graph::describe(call.node()));
  OutputStage stage =
      output_stage(static_cast<double>(scale_of(x)) / static_cast<double>(scale_of(y)),
                   graph::Activation::kNone, y);
  if (mean) stage.multipliers[0] = divided(stage.multipliers[0], count);
  std::vector<std::int32_t> out(sums.size());
  const std::int64_t zero = count * zero_point_of(x);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = stage.finish(static_cast<std::int32_t>(sums[i] - zero));
  }
  store_integers(call.output(), out);
}

void run_float(Invocation& call, bool mean) {
  std::int64_t count = 0;
  const View x = call.input(0);
  const std::vector<float> sums =
      sum_over<float, float>(x.as<float>(), *x.shape, call.attrs<ReduceAttrs>().axes, count);
  const auto y = call.output().as<float>();
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = mean ? sums[i] / static_cast<float>(count) : sums[i];
  }
}

}  // namespace

const Operator kMean = {has_integer, [](Invocation& call) { run_integer(call, true); },
                        [](Invocation& call) { run_float(call, true); }};
const Operator kSum = {has_integer, [](Invocation& call) { run_integer(call, false); },
                       [](Invocation& call) { run_float(call, false); }};

}  // namespace npu::reference
