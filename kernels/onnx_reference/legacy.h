#pragma once

#include <cstdint>

#include "workloads/onnx/model.h"

namespace npu::onnx {

/// True for an elementwise operator of an operator set before 7 that says with its attributes
/// `broadcast` and `axis` where operand 1 lies along operand 0.
[[nodiscard]] bool has_legacy_broadcast(const Node& node, std::int64_t opset);

/// The node as today's operator sets have it: the attributes gone. Operand 1 then needs
/// legacy_shape().
[[nodiscard]] Node without_legacy_broadcast(Node node);

/// Shape of operand 1 that broadcasts by today's rule as it did by `axis`: dimensions of 1 after
/// it. @throws Error where it does not fit operand 0.
[[nodiscard]] Shape legacy_shape(const Node& node, const Shape& a, const Shape& b);

}  // namespace npu::onnx
