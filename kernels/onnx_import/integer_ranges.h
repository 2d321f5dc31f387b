#pragma once

#include <optional>

#include "kernels/onnx_import/network.h"
#include "sim/base/tensor.h"

namespace npu::onnx_import {

/// True if the model has operators of integer networks (RequantShift, iSoftmax, …): its tensors
/// hold whole numbers though their type is a float.
[[nodiscard]] bool is_integer_network(const onnx::Graph& graph);

/// Ranges of all values of an integer network, from the constants and the ranges of the inputs
/// (int8 where none is given): every sum of products at its worst. Empty if an operator has no rule
/// or a value is no whole number; then the network stays one of floats.
[[nodiscard]] Ranges integer_ranges(const Network& network, const Ranges& inputs);

/// The narrowest of int8, uint8 and int32 that holds the range; nullopt: none.
[[nodiscard]] std::optional<DType> storage_of(const Range& range);

}  // namespace npu::onnx_import
