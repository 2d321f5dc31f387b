#pragma once

#include "kernels/reference/invocation.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {

/// Integer SVDF, one time step: x [B,I] int8, feature weights [F,I] int8, time weights [F,M] and
/// state [B,M·F] of one type (int8 or int16), bias [F/rank] int32 or absent, y [B,F/rank] int8. The
/// fused activation is not applied.
/// A new feature is clamped to the state's type before the state's zero point is added, and the sum
/// wraps: that is what TFLite Micro's int8 kernel computes. Source: tensorflow/tflite-micro issue
/// 2721.
struct SvdfParameters {
  int rank = 1;
  std::int32_t x_zero_point = 0;
  std::int32_t state_zero_point = 0;
  OutputStage feature;  ///< Of the feature sums into the state, without its zero point.
  OutputStage output;
};
void svdf(const SvdfParameters& parameters, const View& x, const View& feature_weights,
          const View& time_weights, const View* bias, TensorData& state, TensorData& y);

}  // namespace npu::reference
