#pragma once

#include <array>
#include <cstdint>

#include "workloads/graph/graph.h"

namespace npu::kernels {

// Constants of the int16 functions that the vector unit interpolates. Source: TensorFlow Lite Micro
// reference kernels (integer_ops/logistic.h, tanh.h, softmax.h and their preparation).

/// Words of vec.interpolate.
struct CurveWords {
  std::int32_t multiplier = 0, shift = 0, fraction = 0, limit = 0, positive = 0, negative = 0,
               out_shift = 0;
};
/// LOGISTIC and TANH with an input scale `x_scale` and output scale 2^-15. The argument is brought
/// to steps of 1 / (3·4096): a power of two 2^-12 (TANH 2^-11 too) exactly, other scales with a
/// multiplier below 2^15 that is truncated.
[[nodiscard]] CurveWords curve_words(graph::OpKind kind, float x_scale);

/// 2^16 / (1 + exp(−i / 24)). Each sample lies half the error of the linear interpolation in the
/// middle of its interval above the function, which halves the largest error; the last one is
/// 2^16 − 1.
[[nodiscard]] std::array<std::uint16_t, 256> logistic_samples();

/// exp over [−10, 0] and 1 / (1 + x) over [0, 1] in Q0.15, sampled at the ends of 512 intervals in
/// float32 and shifted like logistic_samples().
[[nodiscard]] std::array<std::int16_t, 513> exponential_samples();
[[nodiscard]] std::array<std::int16_t, 513> reciprocal_samples();

}  // namespace npu::kernels
