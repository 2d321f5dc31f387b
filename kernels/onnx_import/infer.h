#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/onnx_import/network.h"
#include "kernels/onnx_reference/operators.h"

namespace npu::onnx_import {

/// What is known of an operand before the network runs.
struct Operand {
  const ValueType* type = nullptr;  ///< nullptr: absent.
  const onnx::Value* constant = nullptr;
};

/// What a shape rule sees: attributes through `call`, operands by index.
struct ShapeCall {
  const onnx::Node& node;
  const onnx::Call& call;
  std::span<const Operand> operands;

  [[nodiscard]] bool has(std::size_t i) const {
    return i < operands.size() && operands[i].type != nullptr;
  }
  /// @throws Error if the operand is absent.
  [[nodiscard]] const ValueType& in(std::size_t i) const;
  [[nodiscard]] const Shape& shape(std::size_t i) const { return in(i).shape; }
};

/// Shape rule of an operator: the types of its outputs. All operands are static. Rules of families
/// that have files of their own are in those files, listed by shape_rules_of_….
struct ShapeRule {
  std::string_view domain, op_type;
  std::vector<ValueType> (*infer)(const ShapeCall& call);
};

/// Rules of operators that are costly to evaluate or whose values must not be zero.
[[nodiscard]] std::span<const ShapeRule> general_shape_rules();
[[nodiscard]] std::span<const ShapeRule> window_shape_rules();

/// Types of a node's outputs: by its shape rule, else by evaluating it on operands that are zero
/// where they are not constant. Not static where an operand is not, or where the shape depends on
/// the values of an operand that is no constant.
/// @throws Error naming `place` for an operator that has neither rule nor reference, and for
/// operands that the rule refuses.
[[nodiscard]] std::vector<ValueType> infer(const onnx::Node& node, std::int64_t opset,
                                           std::span<const Operand> operands,
                                           const std::string& place);

}  // namespace npu::onnx_import
