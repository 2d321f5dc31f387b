#include "kernels/reference/softmax.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/reference/interpolation.h"
#include "kernels/reference/normalization.h"
#include "kernels/reference/operators.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {

using graph::SoftmaxAttrs;

namespace {

constexpr int kInputIntegerBits = 5;          // differences in Q5.26
constexpr int kAccumulationIntegerBits = 12;  // sums in Q12.19

/// Bits of the output above its unit and its smallest value.
struct OutputFormat {
  int bits;
  std::int32_t offset;
};
OutputFormat format_of(DType type) {
  if (type == DType::kInt16) return {16, -32768};
  return {8, type == DType::kInt8 ? -128 : 0};
}

void softmax_row(const SoftmaxParameters& p, std::span<const std::int32_t> x, OutputFormat format,
                 IntegerRange range, std::span<std::int32_t> y) {
  const std::int32_t largest = *std::max_element(x.begin(), x.end());
  const auto exponential = [&](std::int32_t difference) {
    return exp_of_negative(rescale(difference, p.input), kInputIntegerBits);
  };
  std::int64_t sum = 0;
  for (const std::int32_t q : x) {
    if (q - largest >= p.smallest_difference) {
      sum += round_shift(exponential(q - largest), kAccumulationIntegerBits);
    }
  }
  // Q12.19 in a word of 32 bits without sign: TFLite's signed sum wraps to the same bits.
  if (sum > UINT32_MAX) fail("SOFTMAX: sum over {} values leaves its 13 integer bits", x.size());
  const int headroom = std::countl_zero(static_cast<std::uint32_t>(sum));
  const auto fraction = static_cast<std::int32_t>((static_cast<std::uint32_t>(sum) << headroom) -
                                                  (std::uint32_t{1} << 31));
  const std::int32_t reciprocal = reciprocal_of_one_plus(fraction);
  const int shift = kAccumulationIntegerBits - headroom + 31 - format.bits;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::int32_t difference = x[i] - largest;
    if (difference < p.smallest_difference) {
      y[i] = format.offset;
      continue;
    }
    const std::int32_t unshifted = high_multiply(reciprocal, exponential(difference));
    // Beyond 31 bits every quotient is below one half.
    const std::int32_t unclamped = shift > 31 ? 0 : round_shift(unshifted, shift);
    y[i] = range.clamp(static_cast<std::int64_t>(unclamped) + format.offset);
  }
}

/// int16 to int16: exp and reciprocal from tables, e in Q0.15, their sum in Q16.15.
class TableSoftmax {
 public:
  TableSoftmax(float beta, float scale)
      : step_(to_multiplier(static_cast<double>(scale) * static_cast<double>(beta) /
                            (10.0 / 65535.0))) {}

  void operator()(std::span<const std::int32_t> x, std::span<std::int32_t> y) const {
    const std::int32_t largest = *std::max_element(x.begin(), x.end());
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      // 0 is the last entry of the table, −10 and all below the first.
      const std::int64_t place = std::int64_t{rescale(x[i] - largest, step_)} + 32767;
      y[i] = exponentials_.at(
          static_cast<std::int32_t>(std::clamp<std::int64_t>(place, -32768, 32767)));
      sum += y[i];
    }
    if (sum > INT32_MAX) fail("SOFTMAX: sum over {} int16 values leaves Q16.15", x.size());
    // sum = 2^exponent · (1 + f), f in Q0.16 rounded to nearest.
    const int exponent = std::bit_width(static_cast<std::uint32_t>(sum)) - 1;
    const auto mantissa = static_cast<std::int32_t>(((sum << (30 - exponent)) + 8192) >> 14);
    const std::int32_t reciprocal = reciprocals_.at(std::min(mantissa - 65536, 65535) - 32768);
    for (std::int32_t& value : y) {
      const std::int64_t product = std::int64_t{value} * reciprocal;
      const std::int64_t rounded = (product + (std::int64_t{1} << (exponent - 1))) >> exponent;
      value = static_cast<std::int32_t>(std::clamp<std::int64_t>(rounded, 0, 32767));
    }
  }

 private:
  Multiplier step_;
  ChordTable exponentials_{
      -10.0F, 10.0F, [](float x) { return static_cast<float>(std::exp(static_cast<double>(x))); }};
  ChordTable reciprocals_{0.0F, 1.0F, [](float x) { return 1.0F / (1.0F + x); }};
};

bool has_integer(const graph::Graph& graph, const graph::Node& node) {
  const DType x = input_type(graph, node);
  const graph::Tensor& y = graph.tensor(node.outputs.at(0));
  if (npu::is_float(x)) return y.type == x;
  if (!y.quantization || y.quantization->scale.size() != 1) return false;
  const auto has_format = [&](float scale, std::int32_t zero_point) {
    // Within 0.1 %: writers store 1/65535 as well.
    return std::fabs(y.quantization->scale[0] - scale) <= 0.001F * scale &&
           y.quantization->zero_point.at(0) == zero_point;
  };
  if (x == DType::kInt8 && y.type == DType::kInt8) return has_format(1.0F / 256, -128);
  if (x == DType::kInt8 && y.type == DType::kInt16) return has_format(1.0F / 65536, -32768);
  if (x == DType::kInt16 && y.type == DType::kInt16) return has_format(1.0F / 32768, 0);
  return x == DType::kUint8 && y.type == DType::kUint8 && has_format(1.0F / 256, 0);
}

/// One row over the last axis of float32 values.
template <typename Row>
void for_each_float_row(Invocation& call, Row&& row) {
  const View x = call.input(0);
  const auto length = static_cast<std::size_t>(x.shape->empty() ? 1 : x.shape->back());
  const auto from = x.as<float>();
  const auto to = call.output().as<float>();
  for (std::size_t i = 0; i < from.size(); i += length) {
    row(from.subspan(i, length), to.subspan(i, length));
  }
}

void run_float(Invocation& call) {
  const float beta = call.attrs<SoftmaxAttrs>().beta;
  for_each_float_row(call, [&](std::span<const float> x, std::span<float> y) {
    const float largest = *std::max_element(x.begin(), x.end());
    float sum = 0.0F;
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[i] = std::exp((x[i] - largest) * beta);
      sum += y[i];
    }
    for (float& value : y) value /= sum;
  });
}

void run_log_float(Invocation& call) {
  for_each_float_row(call, [](std::span<const float> x, std::span<float> y) {
    const float largest = *std::max_element(x.begin(), x.end());
    float sum = 0.0F;
    for (const float value : x) sum += std::exp(value - largest);
    const float log_sum = std::log(sum);
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] - largest - log_sum;
  });
}

bool is_float(const graph::Graph& graph, const graph::Node& node) {
  return input_type(graph, node) == DType::kFloat32 && output_type(graph, node) == DType::kFloat32;
}

}  // namespace

SoftmaxParameters softmax_parameters(float beta, float input_scale) {
  const double real = std::min(static_cast<double>(beta) * static_cast<double>(input_scale) *
                                   (1 << (31 - kInputIntegerBits)),
                               2147483647.0);
  // Beyond 2^30 to_multiplier refuses; the ratio is split by hand there.
  SoftmaxParameters p;
  if (real >= 1073741824.0) {
    p.input = to_multiplier(real / 4);
    p.input.shift += 2;
  } else {
    p.input = to_multiplier(real);
  }
  if (p.input.shift < 0) fail("SOFTMAX: beta times input scale is too small, got {}", real);
  p.smallest_difference = -static_cast<std::int32_t>(
      std::floor(31.0 * (1 << 26) / static_cast<double>(std::int64_t{1} << p.input.shift)));
  return p;
}

namespace {

/// row(values of x, values of y) over the last axis.
template <typename Row>
void for_each_row(const View& x, TensorData& y, Row&& row) {
  const auto length = static_cast<std::size_t>(x.shape->empty() ? 1 : x.shape->back());
  const std::vector<std::int32_t> in = load_integers(x);
  std::vector<std::int32_t> out(in.size());
  for (std::size_t i = 0; i < in.size(); i += length) {
    row(std::span(in).subspan(i, length), std::span(out).subspan(i, length));
  }
  store_integers(y, out);
}

void run_integer(Invocation& call) {
  if (npu::is_float(call.input_tensor(0).type)) return softmax_of_floats(call);
  const float beta = call.attrs<SoftmaxAttrs>().beta;
  const float scale = scale_of(call.input_tensor(0));
  if (call.input(0).type == DType::kInt16) {
    for_each_row(call.input(0), call.output(), TableSoftmax(beta, scale));
  } else {
    softmax(softmax_parameters(beta, scale), call.input(0), call.output());
  }
}

}  // namespace

void softmax(const SoftmaxParameters& p, const View& x, TensorData& y) {
  for_each_row(x, y, [&](std::span<const std::int32_t> in, std::span<std::int32_t> out) {
    softmax_row(p, in, format_of(y.type), range_of(y.type), out);
  });
}

const Operator kSoftmax = {has_integer, run_integer, run_float};
const Operator kLogSoftmax = {is_float, run_log_float, run_log_float};

}  // namespace npu::reference
