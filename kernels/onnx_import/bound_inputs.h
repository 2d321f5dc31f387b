#pragma once

#include <set>
#include <string>

#include "workloads/onnx/model.h"

namespace npu::onnx_import {

/// Which inputs are taken as constants where their values are known
/// (SimplifyOptions::input_values).
enum class Bound : std::uint8_t {
  kShapes,      ///< What shapes follow from: targets, axes, sizes, pads, counts.
  kParameters,  ///< Those, scales and zero points, weights of convolutions.
};

/// Inputs that a node reads as such an operand; shapes may be computed from integers on the way,
/// from inputs of one dimension at most and kMaxBoundElements numbers.
[[nodiscard]] std::set<std::string> bindable_inputs(const onnx::Model& model, Bound bound);
inline constexpr std::int64_t kMaxBoundElements = 64;

}  // namespace npu::onnx_import
