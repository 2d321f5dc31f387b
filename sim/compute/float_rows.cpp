#include "sim/compute/float_rows.h"

#include "sim/base/half.h"
#include "sim/compute/float_format.h"
#include "sim/compute/simd.h"

namespace npu::compute {
namespace {

/// body(i, address of element i): with a step known to the compiler where elements are dense.
template <typename T, typename Address, typename Body>
inline __attribute__((always_inline)) void for_elements(Address* at, std::int64_t step,
                                                        std::int64_t count, const Body& body) {
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
  if (step == kSize) {
    for (std::int64_t i = 0; i < count; ++i) body(i, at + i * kSize);
  } else {
    for (std::int64_t i = 0; i < count; ++i) body(i, at + i * step);
  }
}

/// out[i] = convert(element i as T)
template <typename T, typename Out, typename Convert>
inline __attribute__((always_inline)) void read(const std::byte* at, std::int64_t step,
                                                std::int64_t count, Out* out,
                                                const Convert& convert) {
  for_elements<T>(at, step, count,
                  [&](std::int64_t i, const std::byte* e) { out[i] = convert(load<T>(e)); });
}
template <typename T, typename In, typename Convert>
inline __attribute__((always_inline)) void write(const In* values, std::int64_t step,
                                                 std::int64_t count, std::byte* at,
                                                 const Convert& convert) {
  for_elements<T>(at, step, count, [&](std::int64_t i, std::byte* e) {
    store<T>(e, static_cast<T>(convert(values[i])));
  });
}

}  // namespace

NPU_VECTOR_CLONES
void load_floats(const std::byte* source, Element type, std::int64_t step, std::int64_t count,
                 float* out) {
  const auto plain = [](auto v) { return static_cast<float>(v); };
  switch (type) {
    case Element::kInt8:
      return read<std::int8_t>(source, step, count, out, plain);
    case Element::kUint8:
      return read<std::uint8_t>(source, step, count, out, plain);
    case Element::kInt16:
      return read<std::int16_t>(source, step, count, out, plain);
    case Element::kInt32:
      return read<std::int32_t>(source, step, count, out, plain);
    case Element::kFloat16:
      return read<std::uint16_t>(source, step, count, out,
                                 [](std::uint16_t v) { return half_to_float(v); });
    case Element::kBfloat16:
      return read<std::uint16_t>(source, step, count, out,
                                 [](std::uint16_t v) { return bfloat_to_float(v); });
    case Element::kFloat32:
      return read<float>(source, step, count, out, plain);
  }
}

NPU_VECTOR_CLONES
void load_integers(const std::byte* source, Element type, std::int64_t step, std::int64_t count,
                   std::int64_t* out) {
  const auto plain = [](auto v) { return std::int64_t{v}; };
  if (type == Element::kInt8) return read<std::int8_t>(source, step, count, out, plain);
  if (type == Element::kUint8) return read<std::uint8_t>(source, step, count, out, plain);
  if (type == Element::kInt16) return read<std::int16_t>(source, step, count, out, plain);
  read<std::int32_t>(source, step, count, out, plain);
}

NPU_VECTOR_CLONES
void store_floats(const float* values, Element type, std::int64_t step, std::int64_t count,
                  std::byte* out) {
  switch (type) {
    case Element::kInt8:
      return write<std::int8_t>(values, step, count, out, integer_of<std::int8_t>);
    case Element::kUint8:
      return write<std::uint8_t>(values, step, count, out, integer_of<std::uint8_t>);
    case Element::kInt16:
      return write<std::int16_t>(values, step, count, out, integer_of<std::int16_t>);
    case Element::kInt32:
      return write<std::int32_t>(values, step, count, out, integer_of<std::int32_t>);
    case Element::kFloat16:
      return write<std::uint16_t>(values, step, count, out, half_bits);
    case Element::kBfloat16:
      return write<std::uint16_t>(values, step, count, out, bfloat_bits);
    case Element::kFloat32:
      return write<std::uint32_t>(values, step, count, out, float_bits);
  }
}

NPU_VECTOR_CLONES
void store_integers(const std::int64_t* values, Element type, std::int64_t step, std::int64_t count,
                    std::byte* out) {
  const auto low = [](std::int64_t v) { return static_cast<std::uint64_t>(v); };
  switch (type) {
    case Element::kInt8:
    case Element::kUint8:
      return write<std::uint8_t>(values, step, count, out, low);
    case Element::kInt16:
      return write<std::uint16_t>(values, step, count, out, low);
    case Element::kInt32:
      return write<std::uint32_t>(values, step, count, out, low);
    case Element::kFloat16:
      return write<std::uint16_t>(values, step, count, out,
                                  [](std::int64_t v) { return half_bits(odd_float_of(v)); });
    case Element::kBfloat16:
      return write<std::uint16_t>(values, step, count, out,
                                  [](std::int64_t v) { return bfloat_bits(odd_float_of(v)); });
    case Element::kFloat32:
      return write<float>(values, step, count, out,
                          [](std::int64_t v) { return static_cast<float>(v); });
  }
}

NPU_VECTOR_CLONES
void store_quantized(const float* values, std::int32_t zero, Element type, std::int64_t step,
                     std::int64_t count, std::byte* out) {
  if (type == Element::kInt8) {
    write<std::int8_t>(values, step, count, out,
                       [zero](float v) { return quantized_of<std::int8_t>(v, zero); });
  } else if (type == Element::kUint8) {
    write<std::uint8_t>(values, step, count, out,
                        [zero](float v) { return quantized_of<std::uint8_t>(v, zero); });
  } else if (type == Element::kInt16) {
    write<std::int16_t>(values, step, count, out,
                        [zero](float v) { return quantized_of<std::int16_t>(v, zero); });
  } else {
    write<std::int32_t>(values, step, count, out,
                        [zero](float v) { return quantized_of<std::int32_t>(v, zero); });
  }
}

}  // namespace npu::compute
