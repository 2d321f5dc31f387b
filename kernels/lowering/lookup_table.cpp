#include <algorithm>
#include <cmath>
#include <functional>

#include "kernels/lowering/quantize.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::Node;
using graph::OpKind;
using graph::Tensor;
using std::int32_t;

FixedMultiplier float_ratio(float numerator, float denominator) {
  return quantize_multiplier(static_cast<double>(numerator / denominator));
}

int32_t saturating_left_shift_16(int32_t v, int shift) {
  return static_cast<int32_t>(
      std::clamp<std::int64_t>(static_cast<std::int64_t>(v) << shift, -32768, 32767));
}

int32_t high_multiply_16(int32_t a, int32_t b) {
  if (a == -32768 && b == -32768) return 32767;
  return (a * b + (1 << 14)) >> 15;
}

int32_t multiplier_16(int32_t multiplier) {
  return std::min<int32_t>(
      (static_cast<int32_t>((static_cast<std::int64_t>(multiplier) + (1 << 15)) >> 16)), 32767);
}

/// x · relu6(x + 3) / 6 in 16 bits. Source: reference/tflite_format.md §14, HARD_SWISH.
std::function<int32_t(int32_t)> hard_swish(const PerTensor& x, const PerTensor& y) {
  const float high_resolution = x.scale / 128.0F;
  const FixedMultiplier out = float_ratio(high_resolution, y.scale);
  const FixedMultiplier relu = float_ratio(high_resolution, 3.0F / 32768.0F);
  if (out.shift > 0)
    fail("HARD_SWISH: output scale {} is too small for input scale {}", y.scale, x.scale);
  return [=](int32_t q) {
    const int32_t h = (q - x.zero_point) * 128;
    const int32_t pre = high_multiply_16(h, multiplier_16(out.multiplier));
    int32_t r = h;
    if (relu.shift > 0) r = saturating_left_shift_16(r, relu.shift - 1);
    r = high_multiply_16(r, multiplier_16(relu.multiplier));
    if (relu.shift > 0) r = saturating_left_shift_16(r, 1);
    if (relu.shift < 0) r = rounding_shift_right(r, -relu.shift);
    r = (r + 32768) >> 1;
    return rounding_shift_right(r * pre / 32768, -out.shift) + y.zero_point;
  };
}

/// LOGISTIC and TANH over uint8, which have no integer rule: float32, rounded to the nearest
/// output, halves away from zero. Source: TensorFlow Lite, activations.cc.
std::function<int32_t(int32_t)> float_curve(bool tanh, const PerTensor& x, const PerTensor& y) {
  const float inverse = 1.0F / y.scale;
  return [=](int32_t q) {
    const float real = x.scale * static_cast<float>(q - x.zero_point);
    const float value = tanh ? std::tanh(real) : 1.0F / (1.0F + std::exp(-real));
    return static_cast<int32_t>(std::round(value * inverse)) + y.zero_point;
  };
}

/// LOGISTIC and TANH over int8: Q4.27 argument, clipped where the function saturates.
std::function<int32_t(int32_t)> sigmoid_like(const Node& node, const Tensor& y_tensor,
                                             const PerTensor& x, const PerTensor& y,
                                             Rounding rounding) {
  const bool tanh = node.kind == OpKind::kTanh;
  const Clamp range = full_range(y_tensor.type);
  const int32_t zero = tanh ? (range.low + range.high + 1) / 2 : range.low;
  const float scale = tanh ? 1.0F / 128.0F : 1.0F / 256.0F;
  if (y.zero_point != zero || y.scale != scale) {
    fail("{}: output quantization must be ({}, {}), got ({}, {})", describe(node), scale, zero,
         y.scale, y.zero_point);
  }
  const FixedMultiplier m = quantize_multiplier(static_cast<double>(x.scale) * (1 << 27));
  if (m.shift < 0) fail("{}: input scale {} is too small", describe(node), x.scale);
  const double limit = std::floor(15.0 * (1 << 27) / std::ldexp(1.0, m.shift));
  return [=](int32_t q) {
    const int32_t d = q - x.zero_point;
    if (d <= -limit) return range.low;
    if (d >= limit) return range.high;
    const int32_t argument = rescale(d, m, rounding);
    return (tanh ? rounding_shift_right(tanh_q4(argument), 24)
                 : rounding_shift_right(logistic_q4(argument), 23)) +
           zero;
  };
}

}  // namespace

std::vector<int32_t> lookup_table(const graph::Graph& graph, const Node& node, Rounding rounding) {
  const Tensor& x_tensor = graph.tensor(node.inputs[0]);
  const Tensor& y_tensor = graph.tensor(node.outputs[0]);
  const PerTensor x = per_tensor(x_tensor);
  const PerTensor y = per_tensor(y_tensor);
  Clamp clamp = full_range(y_tensor.type);
  std::function<int32_t(int32_t)> f;
  switch (node.kind) {
    case OpKind::kLogistic:
    case OpKind::kTanh:
      f = x_tensor.type == DType::kUint8 ? float_curve(node.kind == OpKind::kTanh, x, y)
                                         : sigmoid_like(node, y_tensor, x, y, rounding);
      break;
    case OpKind::kHardSwish:
      f = hard_swish(x, y);
      break;
    case OpKind::kConcatenation: {
      const float ratio = x.scale * (1.0F / y.scale);
      const float offset = -static_cast<float>(x.zero_point) * ratio;
      f = [=](int32_t q) {
        return static_cast<int32_t>(std::round(static_cast<float>(q) * ratio + offset)) +
               y.zero_point;
      };
      break;
    }
    default: {
      FixedMultiplier positive = float_ratio(x.scale, y.scale);
      if (node.kind == OpKind::kQuantize)
        positive = quantize_multiplier(static_cast<double>(x.scale) / static_cast<double>(y.scale));
      FixedMultiplier negative = positive;
      bool negate = false;
      clamp = clamp_of(y_tensor, activation_of(node.kind));
      if (node.kind == OpKind::kLeakyRelu) {
        const float alpha = std::get<graph::LeakyReluAttrs>(node.attrs).alpha;
        negate = alpha < 0;
        negative = quantize_multiplier(std::abs(static_cast<double>(x.scale * alpha / y.scale)));
      }
      f = [=](int32_t q) {
        const int32_t d = q - x.zero_point;
        const int32_t v = rescale(d, d >= 0 ? positive : negative, rounding);
        return (negate && d < 0 ? -v : v) + y.zero_point;
      };
    }
  }
  const bool is_signed = x_tensor.type == DType::kInt8;
  std::vector<int32_t> table(256);
  for (int raw = 0; raw < 256; ++raw) {
    const int32_t q = is_signed ? static_cast<std::int8_t>(raw) : raw;
    table[static_cast<std::size_t>(raw)] = std::clamp(f(q), clamp.low, clamp.high);
  }
  return table;
}

}  // namespace npu::kernels
