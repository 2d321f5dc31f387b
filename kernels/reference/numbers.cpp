#include "kernels/reference/numbers.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/reference/quantization.h"
#include "sim/base/half.h"

namespace npu::reference {
namespace {

struct Range {
  std::int64_t low, high;
};

Range bounds_of(DType type) {
  switch (type) {
    case DType::kInt8:
      return {INT8_MIN, INT8_MAX};
    case DType::kUint8:
    case DType::kBool:
      return {0, UINT8_MAX};
    case DType::kInt16:
      return {INT16_MIN, INT16_MAX};
    case DType::kInt32:
      return {INT32_MIN, INT32_MAX};
    default:
      fail("general operators do not store {}", name_of(type));
  }
}

template <typename T>
Integers integers_from(const View& view) {
  const auto values = view.as<T>();
  return Integers(values.begin(), values.end());
}

Numbers raw_numbers(const View& view) {
  switch (view.type) {
    case DType::kInt8:
      return integers_from<std::int8_t>(view);
    case DType::kUint8:
    case DType::kBool:
      return integers_from<std::uint8_t>(view);
    case DType::kInt16:
      return integers_from<std::int16_t>(view);
    case DType::kInt32:
      return integers_from<std::int32_t>(view);
    case DType::kInt64:
      return integers_from<std::int64_t>(view);
    case DType::kFloat32: {
      const auto values = view.as<float>();
      return Floats(values.begin(), values.end());
    }
    case DType::kFloat16:
    case DType::kBfloat16: {
      Floats out;
      const bool is_half = view.type == DType::kFloat16;
      for (const std::uint16_t bits : view.as<std::uint16_t>())
        out.push_back(is_half ? half_to_float(bits) : bfloat_to_float(bits));
      return out;
    }
  }
  return Floats();
}

bool is_real(const graph::Tensor& tensor, Quantized quantized) {
  return !is_float(tensor.type) && tensor.quantization.has_value() && quantized == Quantized::kReal;
}

/// In float inference all tensors are float32, whatever the graph says.
bool is_inference_in_floats(const graph::Tensor& tensor, DType type) {
  return type == DType::kFloat32 && tensor.type != DType::kFloat32;
}

template <typename T>
void put(TensorData& out, std::size_t i, T value) {
  std::memcpy(out.bytes.data() + i * sizeof value, &value, sizeof value);
}

/// The low bits of the value.
void put_integer(TensorData& out, std::size_t i, std::int64_t value) {
  std::memcpy(out.bytes.data() + i * static_cast<std::size_t>(size_of(out.type)), &value,
              static_cast<std::size_t>(size_of(out.type)));
}

void put_float(TensorData& out, std::size_t i, float value) {
  if (out.type == DType::kFloat32) {
    put(out, i, std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : value);
  } else {
    put(out, i, narrow_bits(static_cast<long double>(value), out.type));
  }
}

}  // namespace

std::int64_t quantized_value(float value, float scale, std::int32_t zero_point, DType type) {
  const float quotient = value / scale;
  if (std::isnan(quotient)) return 0;
  const Range range = bounds_of(type);
  const double sum = static_cast<double>(std::nearbyint(quotient)) + zero_point;
  return static_cast<std::int64_t>(
      std::clamp(sum, static_cast<double>(range.low), static_cast<double>(range.high)));
}

std::int64_t integer_value(float value, DType type) {
  if (std::isnan(value)) return 0;
  const Range range = bounds_of(type);
  return static_cast<std::int64_t>(
      std::trunc(std::clamp(static_cast<double>(value), static_cast<double>(range.low),
                            static_cast<double>(range.high))));
}

std::uint16_t narrow_bits(long double value, DType type) {
  const bool is_half = type == DType::kFloat16;
  const int fraction_bits = is_half ? 10 : 7;
  const int bias = is_half ? 15 : 127;
  const int largest_exponent = is_half ? 31 : 255;
  const auto infinity = static_cast<unsigned>(largest_exponent) << fraction_bits;
  if (std::isnan(value)) return static_cast<std::uint16_t>(infinity | 1U << (fraction_bits - 1));
  const unsigned sign = std::signbit(value) ? 0x8000U : 0;
  if (std::isinf(value)) return static_cast<std::uint16_t>(sign | infinity);
  if (value == 0) return static_cast<std::uint16_t>(sign);
  // The value in units of the last place it may have; subnormals share the smallest normal's.
  int exponent = 0;
  (void)std::frexp(value, &exponent);
  const int unit = std::max(exponent - 1, 1 - bias) - fraction_bits;
  const auto steps = static_cast<unsigned>(std::nearbyint(std::ldexp(std::fabs(value), -unit)));
  // Normal numbers have their leading bit in `steps`, which counts as one exponent.
  const auto biased = static_cast<unsigned>(unit + fraction_bits + bias - 1);
  const unsigned magnitude = (biased << fraction_bits) + steps;
  return static_cast<std::uint16_t>(sign | std::min(magnitude, infinity));
}

Numbers load_numbers(const Invocation& call, std::size_t index, Quantized quantized) {
  const graph::Tensor& tensor = call.input_tensor(index);
  const View view = call.input(index);
  Numbers values = raw_numbers(view);
  if (is_inference_in_floats(tensor, view.type)) {
    if (is_float(tensor.type) || is_real(tensor, quantized)) return values;
    Integers integers;
    for (const float v : std::get<Floats>(values))
      integers.push_back(static_cast<std::int64_t>(std::llrint(v)));
    return integers;
  }
  if (!is_real(tensor, quantized)) return values;
  const float scale = scale_of(tensor);
  const std::int32_t zero_point = zero_point_of(tensor);
  Floats real;
  for (const std::int64_t q : std::get<Integers>(values))
    real.push_back(static_cast<float>(q - zero_point) * scale);
  return real;
}

Floats to_floats(const Numbers& values) {
  if (const auto* floats = std::get_if<Floats>(&values)) return *floats;
  Floats out;
  for (const std::int64_t v : std::get<Integers>(values)) out.push_back(static_cast<float>(v));
  return out;
}

Floats load_reals(const Invocation& call, std::size_t index) {
  return to_floats(load_numbers(call, index));
}

void store_numbers(Invocation& call, const Numbers& values, Quantized quantized) {
  const graph::Tensor& tensor = call.output_tensor();
  TensorData& out = call.output();
  const bool in_floats = is_inference_in_floats(tensor, out.type);
  if (const auto* integers = std::get_if<Integers>(&values)) {
    for (std::size_t i = 0; i < integers->size(); ++i) {
      const std::int64_t v = (*integers)[i];
      if (is_real(tensor, quantized) && !in_floats) {
        put_integer(out, i,
                    quantized_value(static_cast<float>(v), scale_of(tensor), zero_point_of(tensor),
                                    tensor.type));
      } else if (out.type == DType::kFloat32) {
        put(out, i, static_cast<float>(v));
      } else if (is_float(out.type)) {
        put(out, i, narrow_bits(static_cast<long double>(v), out.type));
      } else {
        put_integer(out, i, v);
      }
    }
    return;
  }
  const Floats& floats = std::get<Floats>(values);
  for (std::size_t i = 0; i < floats.size(); ++i) {
    if (is_float(tensor.type) || (in_floats && is_real(tensor, quantized))) {
      put_float(out, i, floats[i]);
    } else if (in_floats) {
      put(out, i, static_cast<float>(integer_value(floats[i], tensor.type)));
    } else if (is_real(tensor, quantized)) {
      put_integer(out, i,
                  quantized_value(floats[i], scale_of(tensor), zero_point_of(tensor), tensor.type));
    } else {
      put_integer(out, i, integer_value(floats[i], tensor.type));
    }
  }
}

}  // namespace npu::reference
