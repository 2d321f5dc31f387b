// Conversions between types, quantization.
#include <algorithm>
#include <cmath>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

Value convert(const Value& x, ElementType to, bool saturate) {
  if (!is_supported(to)) fail("{} tensors are not supported", name_of(to));
  if (x.type == to) return x;
  if (is_integer(x.type) && is_integer(to)) return from_integers(to, x.shape, to_integers(x));
  if (to == ElementType::kBool || is_float(to)) {
    return from_doubles(to, x.shape, to_doubles(x), saturate);
  }
  return from_doubles(to, x.shape, to_doubles(x));
}

ElementType type_attribute(const Call& call, std::string_view name, ElementType fallback) {
  const std::int64_t number = call.integer(name, static_cast<std::int64_t>(fallback));
  if (number < 0 || number >= kElementTypes) fail("{}: unknown element type {}", name, number);
  return static_cast<ElementType>(number);
}

void run_cast(Call& call) {
  if (call.text("round_mode", "up") != "up") fail("round_mode: only \"up\" is supported");
  call.set(0, convert(call.in(0), type_attribute(call, "to", ElementType::kUndefined),
                      call.integer("saturate", 1) != 0));
}

void run_cast_like(Call& call) {
  if (call.text("round_mode", "up") != "up") fail("round_mode: only \"up\" is supported");
  call.set(0, convert(call.in(0), call.in(1).type, call.integer("saturate", 1) != 0));
}

/// The same bits as another type of the same width, or of a multiple or part of it.
void run_bit_cast(Call& call) {
  const Value& x = call.in(0);
  const ElementType to = type_attribute(call, "to", ElementType::kUndefined);
  if (!is_supported(to) || bits_of(to) != bits_of(x.type) || bits_of(to) % 8 != 0) {
    fail("from {} to {} is not supported", name_of(x.type), name_of(to));
  }
  Value out = x;
  out.type = to;
  call.set(0, std::move(out));
}

/// For each element of x the index into a scale of shape `scale`: one, one per slice of the axis,
/// or one per block of `block` along the axis.
std::vector<std::int64_t> scale_indices(const Value& x, const Value& scale, std::int64_t axis,
                                        std::int64_t block) {
  std::vector<std::int64_t> at(static_cast<std::size_t>(x.size()), 0);
  if (scale.size() == 1 && block == 0) return at;
  const std::size_t along = resolve_axis(axis, x.rank());
  const std::vector<std::int64_t> strides = strides_of(x.shape);
  if (block == 0) {
    if (scale.rank() != 1 || scale.shape[0] != x.shape[along]) {
      fail("scales {} for axis {} of {}", to_string(scale.shape), along, to_string(x.shape));
    }
    for (std::size_t i = 0; i < at.size(); ++i) {
      at[i] = static_cast<std::int64_t>(i) / strides[along] % x.shape[along];
    }
    return at;
  }
  Shape expected = x.shape;
  if (block < 0) fail("block_size: {} is negative", block);
  expected[along] = (x.shape[along] + block - 1) / block;
  if (scale.shape != expected) fail("scales {} for blocks of {}", to_string(scale.shape), block);
  const std::vector<std::int64_t> scale_strides = strides_of(scale.shape);
  for (std::size_t i = 0; i < at.size(); ++i) {
    for (std::size_t d = 0; d < x.shape.size(); ++d) {
      std::int64_t k = static_cast<std::int64_t>(i) / strides[d] % x.shape[d];
      if (d == along) k /= block;
      at[i] += k * scale_strides[d];
    }
  }
  return at;
}

void run_quantize(Call& call) {
  const Value& x = call.in(0);
  const Value& scale = call.in(1);
  ElementType to = type_attribute(call, "output_dtype", ElementType::kUndefined);
  if (call.has(2)) to = call.in(2).type;
  if (to == ElementType::kUndefined) to = ElementType::kUint8;
  if (call.integer("precision", 0) > 1) fail("precision: only float32 is supported");
  const auto at = scale_indices(x, scale, call.integer("axis", 1), call.integer("block_size", 0));
  const std::vector<double> scales = to_doubles(scale);
  std::vector<double> zeros(scales.size(), 0);
  if (call.has(2)) zeros = to_doubles(call.in(2));
  if (zeros.size() != scales.size())
    fail("{} zero points for {} scales", zeros.size(), scales.size());
  std::vector<double> out = to_doubles(x);
  const bool rounds = is_integer(to);
  const auto low = rounds ? static_cast<double>(lowest_of(to)) : 0;
  const auto high = rounds ? static_cast<double>(highest_of(to)) : 0;
  const bool is_single = x.type == ElementType::kFloat;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto s = static_cast<std::size_t>(at[i]);
    // The quotient is rounded in the operand's precision first, as the definition divides floats.
    const double quotient =
        is_single ? static_cast<double>(static_cast<float>(out[i]) / static_cast<float>(scales[s]))
                  : out[i] / scales[s];
    out[i] =
        rounds ? std::clamp(std::nearbyint(quotient) + zeros[s], low, high) : quotient + zeros[s];
  }
  call.set(0, from_doubles(to, x.shape, out, call.integer("saturate", 1) != 0));
}

void run_dequantize(Call& call) {
  const Value& x = call.in(0);
  const Value& scale = call.in(1);
  const auto at = scale_indices(x, scale, call.integer("axis", 1), call.integer("block_size", 0));
  const std::vector<double> scales = to_doubles(scale);
  std::vector<double> zeros(scales.size(), 0);
  if (call.has(2)) zeros = to_doubles(call.in(2));
  if (zeros.size() != scales.size())
    fail("{} zero points for {} scales", zeros.size(), scales.size());
  std::vector<double> out = to_doubles(x);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto s = static_cast<std::size_t>(at[i]);
    out[i] = (out[i] - zeros[s]) * scales[s];
  }
  const ElementType to = type_attribute(call, "output_dtype", ElementType::kUndefined);
  call.set(0, from_doubles(to == ElementType::kUndefined ? scale.type : to, x.shape, out));
}

/// uint8 with the range of x, zero included. Source: ONNX operator DynamicQuantizeLinear-11.
void run_dynamic_quantize(Call& call) {
  const Value& x = call.in(0);
  const std::vector<double> elements = to_doubles(x);
  float low = 0;
  float high = 0;
  for (const double e : elements) {
    low = std::min(low, static_cast<float>(e));
    high = std::max(high, static_cast<float>(e));
  }
  const float scale = (high - low) / 255.0F;
  const float zero = scale == 0.0F ? 0.0F : std::clamp(std::nearbyint(-low / scale), 0.0F, 255.0F);
  std::vector<double> out(elements.size(), static_cast<double>(zero));
  for (std::size_t i = 0; scale != 0.0F && i < out.size(); ++i) {
    const float q = std::nearbyint(static_cast<float>(elements[i]) / scale) + zero;
    out[i] = static_cast<double>(std::clamp(q, 0.0F, 255.0F));
  }
  call.set(0, from_doubles(ElementType::kUint8, x.shape, out));
  call.set(1,
           from_doubles(ElementType::kFloat, {}, std::vector<double>{static_cast<double>(scale)}));
  call.set(2,
           from_doubles(ElementType::kUint8, {}, std::vector<double>{static_cast<double>(zero)}));
}

constexpr Operator kCasts[] = {
    {"BitCast", 1, 1, "to", run_bit_cast},
    {"Cast", 1, 1, "to saturate round_mode", run_cast},
    {"CastLike", 2, 2, "saturate round_mode", run_cast_like},
};
constexpr Operator kOperators[] = {
    {"DequantizeLinear", 2, 3, "axis block_size output_dtype", run_dequantize},
    {"DynamicQuantizeLinear", 1, 1, "", run_dynamic_quantize},
    {"QuantizeLinear", 2, 3, "axis block_size output_dtype precision saturate", run_quantize},
};

}  // namespace

std::span<const Operator> cast_operators() { return kCasts; }
std::span<const Operator> quantize_operators() { return kOperators; }

}  // namespace npu::onnx
