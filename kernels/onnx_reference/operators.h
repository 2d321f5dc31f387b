#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/onnx/model.h"

namespace npu::onnx {

/// What an operator sees of its node. All access checks types and throws Error without place;
/// evaluate() adds the node's.
class Call {
 public:
  Call(const Node& node, std::int64_t opset, std::vector<const Value*> inputs)
      : node_(node), opset_(opset), inputs_(std::move(inputs)) {
    outputs_.resize(node.outputs.size());
  }

  [[nodiscard]] std::int64_t opset() const { return opset_; }
  [[nodiscard]] const std::string& op() const { return node_.op_type; }
  [[nodiscard]] std::size_t input_count() const { return inputs_.size(); }
  [[nodiscard]] bool has(std::size_t index) const {
    return index < inputs_.size() && inputs_[index] != nullptr;
  }
  /// @throws Error if the operand is absent.
  [[nodiscard]] const Value& in(std::size_t index) const;

  [[nodiscard]] std::size_t output_count() const { return outputs_.size(); }
  [[nodiscard]] bool wants(std::size_t index) const {
    return index < node_.outputs.size() && !node_.outputs[index].empty();
  }
  /// Sets an output; one that the node does not have is dropped.
  void set(std::size_t index, Value value) {
    if (index < outputs_.size()) outputs_[index] = std::move(value);
  }
  [[nodiscard]] std::vector<Value>& outputs() { return outputs_; }

  [[nodiscard]] bool has_attribute(std::string_view name) const {
    return node_.attributes.contains(name);
  }
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  [[nodiscard]] double real(std::string_view name, double fallback) const;
  [[nodiscard]] std::string text(std::string_view name, std::string_view fallback) const;
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view name,
                                                   std::vector<std::int64_t> fallback) const;
  [[nodiscard]] std::vector<double> reals(std::string_view name,
                                          std::vector<double> fallback) const;
  [[nodiscard]] const Value& tensor(std::string_view name) const;

 private:
  template <typename T>
  const T* attribute(std::string_view name) const;

  const Node& node_;
  std::int64_t opset_;
  std::vector<const Value*> inputs_;
  std::vector<Value> outputs_;
};

/// One operator of the ONNX reference.
struct Operator {
  std::string_view name;
  std::size_t min_inputs, max_inputs;  ///< kMany: no upper bound.
  std::string_view attributes;         ///< The names that it reads, separated by blanks.
  void (*run)(Call& call);
};
inline constexpr std::size_t kMany = 1U << 20;

/// Rows of each family of operators.
[[nodiscard]] std::span<const Operator> unary_operators();
[[nodiscard]] std::span<const Operator> binary_operators();
[[nodiscard]] std::span<const Operator> reduce_operators();
[[nodiscard]] std::span<const Operator> shape_operators();
[[nodiscard]] std::span<const Operator> constant_operators();
[[nodiscard]] std::span<const Operator> index_operators();
[[nodiscard]] std::span<const Operator> matmul_operators();
[[nodiscard]] std::span<const Operator> conv_operators();
[[nodiscard]] std::span<const Operator> pool_operators();
[[nodiscard]] std::span<const Operator> normalization_operators();
[[nodiscard]] std::span<const Operator> cast_operators();
[[nodiscard]] std::span<const Operator> quantize_operators();
[[nodiscard]] std::span<const Operator> attention_operators();
[[nodiscard]] std::span<const Operator> resize_operators();
[[nodiscard]] std::span<const Operator> loss_operators();
[[nodiscard]] std::span<const Operator> selection_operators();
[[nodiscard]] std::span<const Operator> integer_network_operators();

/// The operator of the default domain, or nullptr.
[[nodiscard]] const Operator* find_operator(std::string_view domain, std::string_view op_type);
/// All of them, by name.
[[nodiscard]] std::vector<const Operator*> all_operators();

/// Runs one node: operand count, attribute names and everything that the operator checks.
/// @throws Error that starts with `place`.
[[nodiscard]] std::vector<Value> evaluate(const Node& node, std::int64_t opset,
                                          const std::vector<const Value*>& inputs,
                                          const std::string& place);

/// Bound of an output that an operator makes from its operands' values (Expand, Tile, Range, …).
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 31;
/// A lower bound for what this thread evaluates, as long as it lives.
class ElementLimit {
 public:
  explicit ElementLimit(std::int64_t elements);
  ~ElementLimit();
  ElementLimit(const ElementLimit&) = delete;
  ElementLimit& operator=(const ElementLimit&) = delete;

 private:
  std::int64_t before_;
};

// ---- pieces that operators share ----

/// NumPy's broadcasting of two or more shapes. @throws Error where they do not fit.
[[nodiscard]] Shape broadcast(const std::vector<const Shape*>& shapes);
/// For every element of `out`, the index into a tensor of shape `from` that broadcasts to it.
[[nodiscard]] std::vector<std::int64_t> broadcast_indices(const Shape& from, const Shape& out);
/// Row-major strides in elements.
[[nodiscard]] std::vector<std::int64_t> strides_of(const Shape& shape);
/// Axis from −rank … rank−1 to 0 … rank−1. @throws Error.
[[nodiscard]] std::size_t resolve_axis(std::int64_t axis, std::int64_t rank);
/// Product of the dimensions in [begin, end).
[[nodiscard]] std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end);
/// element_count() of a shape that operands define. @throws Error for a negative dimension or more
/// than kMaxElements elements.
std::int64_t checked_count(const Shape& shape);
/// The elements of a 1-D or scalar integer operand.
[[nodiscard]] std::vector<std::int64_t> integer_list(const Value& value);
/// A 1-D int64 tensor.
[[nodiscard]] Value int64_list(const std::vector<std::int64_t>& values);
/// @throws Error unless the types are equal.
void same_type(const Value& a, const Value& b);
/// Copies elements: out[i] = in[indices[i]]; −1 leaves zero.
[[nodiscard]] Value gather_elements(const Value& in, Shape shape,
                                    std::span<const std::int64_t> indices);

}  // namespace npu::onnx
