#pragma once

#include "kernels/onnx_import/converter.h"

namespace npu::onnx_import {

/// The elements of a value as the bytes of a type, laid out in the order given. Narrower floats
/// round to nearest even. @throws NotMapped for an integer beyond the type.
[[nodiscard]] std::vector<std::byte> bytes_in(const onnx::Value& value, DType type,
                                              const Order& order);

/// The ONNX type that a DType stores.
[[nodiscard]] onnx::ElementType element_type(DType type);

/// The type in which the NPU holds values of an ONNX type. @throws NotMapped.
[[nodiscard]] DType storage_of(onnx::ElementType type, const std::optional<DType>& precision);

/// A scalar is a tensor of one element.
[[nodiscard]] inline Shape tensor_shape(const Shape& shape) {
  return shape.empty() ? Shape{1} : shape;
}

}  // namespace npu::onnx_import
