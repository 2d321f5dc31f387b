#include "sim/compute/vector_rows.h"

#include "sim/compute/simd.h"

namespace npu::compute {
NPU_VECTOR_CLONES
void load_row(const std::byte* source, Element type, std::int64_t count, std::int32_t* out) {
  if (type == Element::kInt8) {
    const auto* in = reinterpret_cast<const std::int8_t*>(source);
    for (std::int64_t i = 0; i < count; ++i) out[i] = std::int32_t{in[i]};
  } else if (type == Element::kUint8) {
    const auto* in = reinterpret_cast<const std::uint8_t*>(source);
    for (std::int64_t i = 0; i < count; ++i) out[i] = in[i];
  } else if (type == Element::kInt16) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = load<std::int16_t>(source + i * 2);
  } else {
    std::memcpy(out, source, static_cast<std::size_t>(count) * sizeof(std::int32_t));
  }
}

NPU_VECTOR_CLONES
void store_row(const std::int32_t* values, Element type, std::int64_t count, std::byte* out) {
  if (size_of(type) == 1) {
    auto* to = reinterpret_cast<std::uint8_t*>(out);
    for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<std::uint8_t>(values[i]);
  } else if (type == Element::kInt16) {
    for (std::int64_t i = 0; i < count; ++i) {
      store<std::int16_t>(out + i * 2, static_cast<std::int16_t>(values[i]));
    }
  } else {
    std::memcpy(out, values, static_cast<std::size_t>(count) * sizeof(std::int32_t));
  }
}

NPU_VECTOR_CLONES
void offset_and_clamp(std::int32_t* values, std::int64_t count, std::int32_t zero, std::int32_t low,
                      std::int32_t high) {
  const std::int64_t low_before = std::int64_t{low} - zero;
  const std::int64_t high_before = std::int64_t{high} - zero;
  if (low_before >= INT32_MIN && low_before <= INT32_MAX && high_before >= INT32_MIN &&
      high_before <= INT32_MAX) {
    // Clamping first keeps the addition within 32 bits.
    const auto lower = static_cast<std::int32_t>(low_before);
    const auto upper = static_cast<std::int32_t>(high_before);
    for (std::int64_t i = 0; i < count; ++i)
      values[i] = std::min(std::max(values[i], lower), upper) + zero;
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t sum = std::int64_t{values[i]} + zero;
    values[i] =
        static_cast<std::int32_t>(std::min<std::int64_t>(std::max<std::int64_t>(sum, low), high));
  }
}

}  // namespace npu::compute
