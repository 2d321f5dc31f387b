#pragma once

#include <cstdint>

#include "sim/base/function.h"

namespace npu::compute {

// The functions of vec.map over rows, in its two domains; docs/numerics.md has the rules where
// sim/base/function.h leaves a bit open. kSelect, kDequantize and kQuantize are not among them:
// they are part of reading and storing (vector_map.cpp).

template <typename T>
struct MapOperands {
  const T* a = nullptr;
  const T* b = nullptr;  ///< Unused by functions of one operand.
  T imm0 = 0, imm1 = 0;
  std::int64_t count = 0;
  T* out = nullptr;  ///< May be a.
};
void map_floats(MapFunction function, const MapOperands<float>& row);
/// kReciprocalSqrt, kExp … kGeluTanh and kPow: evaluated in fp64.
void map_real(MapFunction function, const MapOperands<float>& row);
/// Operands have at most 32 bits and a sign.
void map_integers(MapFunction function, const MapOperands<std::int64_t>& row);

/// out[i] = f(a[i], b[i]), or f(a[i]).
template <typename T, typename Function>
inline __attribute__((always_inline)) void each_pair(const MapOperands<T>& row, const Function& f) {
  for (std::int64_t i = 0; i < row.count; ++i) row.out[i] = f(row.a[i], row.b[i]);
}
template <typename T, typename Function>
inline __attribute__((always_inline)) void each_one(const MapOperands<T>& row, const Function& f) {
  for (std::int64_t i = 0; i < row.count; ++i) row.out[i] = f(row.a[i]);
}

/// NaN where an operand is one; a where neither is the larger (smaller).
[[nodiscard]] inline float larger_of(float a, float b) {
  const float largest = a < b ? b : a;
  return b != b ? b : largest;  // a NaN in a stays: it is not less
}
[[nodiscard]] inline float smaller_of(float a, float b) {
  const float smallest = b < a ? b : a;
  return b != b ? b : smallest;
}

}  // namespace npu::compute
