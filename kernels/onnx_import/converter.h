#pragma once

#include <fmt/format.h>

#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/onnx_import/network.h"
#include "kernels/onnx_import/plan.h"
#include "kernels/onnx_reference/operators.h"
#include "workloads/graph/graph.h"

// How an ONNX node becomes nodes of a graph. A family of operators is one file convert_<family>.cpp
// with a table of Converter rows, named in registry.cpp. A row's function reads the node through
// Conversion, adds graph nodes and sets the results:
//
//   void convert_relu(Conversion& c) {
//     const Form x = c.operand(0);  // as it lies: elementwise operators keep the layout
//     c.result(0, c.add(OpKind::kRelu, {x.tensor}, {}, c.like(x.tensor)), x.order);
//   }
//
// What has no NPU form throws NotMapped with the reason; whatever it added is dropped and the host
// runs the node.

namespace npu::onnx_import {

/// A node has no NPU form; what() is the reason that reports show ("axis: not constant").
class NotMapped final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
template <typename... Args>
[[noreturn]] void not_mapped(fmt::format_string<Args...> format, Args&&... args) {
  throw NotMapped(fmt::format(format, std::forward<Args>(args)...));
}

/// Layout of a value: dimension i of the tensor is dimension order[i] of the value. {0,1,2,3} is
/// ONNX's own order, {0,2,3,1} NHWC.
using Order = std::vector<int>;
[[nodiscard]] Order identity_order(std::size_t rank);
/// {0, 2, …, rank − 1, 1}: channels last.
[[nodiscard]] Order channels_last(std::size_t rank);
[[nodiscard]] Shape permuted(const Shape& shape, const Order& order);
/// Where dimension `axis` of the value is in a tensor of that order.
[[nodiscard]] int place_of(const Order& order, std::size_t axis);

/// A tensor that holds a value in some layout. Scalars are tensors of shape [1], order {}.
struct Form {
  graph::TensorId tensor = graph::kAbsent;
  Order order;
};

/// The graph of one stage under construction: values with the tensors that hold them. A value may
/// lie in several layouts; each is made once.
class StageBuilder {
 public:
  StageBuilder(const Network& network, const ConvertOptions& options);

  /// Adds the node with this index. @throws NotMapped; the builder is then spent.
  void convert(std::size_t index);
  /// Makes the values outputs, in this order. The builder is spent.
  [[nodiscard]] NpuStage finish(const std::vector<std::string>& outputs);

 private:
  friend class Conversion;
  /// @throws NotMapped for int64 from outside the stage, unless `takes_int64`.
  const Form& find(const std::string& value, bool takes_int64 = false);
  const Form& in_order(const std::string& value, const Order& order);
  /// Gives the tensor this quantization. @throws NotMapped
  void quantize(graph::TensorId tensor, const graph::Quantization& quantization);
  /// @throws NotMapped if a node computes with bytes that stand for real numbers.
  void check_raw(const graph::Node& node) const;
  /// The type that holds a value: in an integer network by its range.
  [[nodiscard]] DType storage(const std::string& value, onnx::ElementType type) const;
  graph::TensorId add_tensor(graph::Tensor tensor);
  /// The tensor if a node makes it, else a copy of it: inputs and constants are no outputs.
  graph::TensorId made_by_node(graph::TensorId x);
  graph::TensorId make_transpose(graph::TensorId x, const Order& permutation);
  graph::TensorId make_reshape(graph::TensorId x, Shape shape);

  const Network& network_;
  const ConvertOptions& options_;
  std::map<std::string, std::vector<Form>, std::less<>> forms_;
  NpuStage stage_;
  std::map<graph::TensorId, graph::TensorId> twins_;  ///< Bytes by float constant.
  int source_index_ = 0;
};

/// One node being converted. Operand and output indices are the node's.
class Conversion {
 public:
  Conversion(StageBuilder& stage, const onnx::Node& node);

  // ---- the node ----
  [[nodiscard]] const onnx::Node& node() const { return node_; }
  [[nodiscard]] const onnx::Call& attributes() const { return call_; }
  [[nodiscard]] std::int64_t opset() const { return call_.opset(); }
  [[nodiscard]] std::size_t input_count() const { return node_.inputs.size(); }
  [[nodiscard]] bool has(std::size_t i) const {
    return i < node_.inputs.size() && !node_.inputs[i].empty();
  }
  /// True if the output has a name; whether something reads it, the plan decides.
  [[nodiscard]] bool wants(std::size_t i) const {
    return i < node_.outputs.size() && !node_.outputs[i].empty();
  }
  /// Static type and shape. The operand must be there.
  [[nodiscard]] const ValueType& in(std::size_t i) const;
  [[nodiscard]] const ValueType& out(std::size_t i) const;
  [[nodiscard]] const Shape& shape(std::size_t i) const { return in(i).shape; }

  // ---- constant operands ----
  /// nullptr if the operand is absent or not constant.
  [[nodiscard]] const onnx::Value* constant(std::size_t i) const;
  /// @throws NotMapped "`what`: not constant".
  [[nodiscard]] const onnx::Value& need_constant(std::size_t i, std::string_view what) const;
  [[nodiscard]] std::vector<std::int64_t> need_integers(std::size_t i, std::string_view what) const;
  /// The only element of a constant. @throws NotMapped.
  [[nodiscard]] double need_scalar(std::size_t i, std::string_view what) const;

  // ---- types ----
  /// The NPU's type for values of an ONNX type. @throws NotMapped "float64 has no NPU type".
  [[nodiscard]] DType dtype(onnx::ElementType type) const;

  // ---- operands as tensors ----
  /// As it lies: no data move.
  [[nodiscard]] Form operand(std::size_t i);
  /// In ONNX's order.
  [[nodiscard]] graph::TensorId tensor(std::size_t i);
  /// In the order given: a constant is laid out when the network is converted, another value by
  /// a TRANSPOSE (none where it lies so already, a RESHAPE where only dimensions of 1 move).
  [[nodiscard]] graph::TensorId tensor(std::size_t i, const Order& order);
  /// Operand i as int32 positions along a dimension of `size`, negative ones counted from its end.
  /// The one place where int64 comes from outside a stage: what fits the dimension fits int32.
  [[nodiscard]] graph::TensorId index_tensor(std::size_t i, std::int64_t size);
  /// Operand i, bytes whose real values the quantization says, in the order given. Bytes otherwise
  /// stand for themselves. @throws NotMapped if its tensor has another quantization, or has been
  /// read as numbers.
  [[nodiscard]] graph::TensorId quantized(std::size_t i, const Order& order,
                                          const graph::Quantization& quantization);
  /// The bytes behind operand i where DequantizeLinear made it of a constant; nullptr otherwise.
  [[nodiscard]] const QuantizedConstant* dequantized(std::size_t i) const;
  /// Says that the float constant is what these bytes stand for: products may take them instead.
  void add_twin(graph::TensorId constant, graph::Tensor bytes);

  // ---- adding to the graph ----
  [[nodiscard]] const graph::Tensor& get(graph::TensorId id) const;
  /// An activation of the same type and shape; integers stand for themselves.
  [[nodiscard]] graph::Tensor like(graph::TensorId id) const;
  [[nodiscard]] graph::Tensor like(graph::TensorId id, Shape shape) const;
  /// A constant; type, shape, data and quantization are the caller's.
  [[nodiscard]] graph::TensorId add_constant(graph::Tensor tensor);
  /// A constant of bytes in the order given, its scales along the axis there.
  [[nodiscard]] static graph::Tensor quantized_tensor(const QuantizedConstant& constant,
                                                      const Order& order);
  /// A constant from a value, in the order and type given.
  [[nodiscard]] graph::TensorId add_constant(const onnx::Value& value, DType type,
                                             const Order& order);
  /// Range of an operand or a result of an integer network. @throws NotMapped if there is none.
  [[nodiscard]] const Range& range(const std::string& value) const;

  /// A node with one output; the output's name, if empty, is the ONNX node's.
  graph::TensorId add(graph::OpKind kind, std::vector<graph::TensorId> inputs, graph::Attrs attrs,
                      graph::Tensor output);
  /// The same if the NPU runs the node, else kAbsent and nothing is added: for operators that can
  /// be composed of simpler ones.
  graph::TensorId add_if_run(graph::OpKind kind, std::vector<graph::TensorId> inputs,
                             graph::Attrs attrs, graph::Tensor output);
  /// A node with several outputs.
  std::vector<graph::TensorId> add_many(graph::OpKind kind, std::vector<graph::TensorId> inputs,
                                        graph::Attrs attrs, std::vector<graph::Tensor> outputs);
  /// RESHAPE; the tensor itself if it has the shape.
  [[nodiscard]] graph::TensorId reshape(graph::TensorId x, Shape shape);
  /// TRANSPOSE: y.dim[i] = x.dim[permutation[i]]; RESHAPE where that is enough.
  [[nodiscard]] graph::TensorId transpose(graph::TensorId x, const Order& permutation);

  /// TRANSPOSE and RESHAPE aside, what most operators are made of: MAP over tensors that broadcast
  /// together, with an output of the type given.
  graph::TensorId map(MapFunction function, std::vector<graph::TensorId> inputs, DType type,
                      double imm0 = 0, double imm1 = 0);
  /// REDUCE over axes of the tensor; the output keeps them as 1.
  graph::TensorId reduce(ReduceFunction function, graph::TensorId x, std::vector<int> axes);
  /// STRIDED_SLICE with strides of 1.
  graph::TensorId slice(graph::TensorId x, Shape begin, Shape sizes);
  /// CONCATENATION; the tensor itself if it is one.
  graph::TensorId concatenate(std::vector<graph::TensorId> parts, int axis);
  /// A constant of one element, shape [1].
  [[nodiscard]] graph::TensorId scalar(double value, DType type);

  // ---- broadcasting ----
  /// Layout for the result of an elementwise operator: that of its largest operand that is no
  /// constant and has the result's rank, else ONNX's order.
  [[nodiscard]] Order elementwise_order();
  /// The operand with dimensions of 1 put before it up to the order's rank, in that order: a
  /// tensor that broadcasts where the value does.
  [[nodiscard]] graph::TensorId broadcast_operand(std::size_t i, const Order& order);

  // ---- results ----
  /// Output i lies in the tensor, in ONNX's order.
  void result(std::size_t i, graph::TensorId tensor);
  void result(std::size_t i, graph::TensorId tensor, Order order);

 private:
  StageBuilder& stage_;
  const onnx::Node& node_;
  onnx::Call call_;
};

/// One operator that has an NPU form.
struct Converter {
  std::string_view domain, op_type;
  void (*convert)(Conversion& conversion);
};

/// Domain of the rows that take precedence in integer networks (Network::ranges).
inline constexpr std::string_view kIntegerDomain = "integer network";

/// Rows of each family; registry.cpp lists them.
[[nodiscard]] std::span<const Converter> attention_converters();
[[nodiscard]] std::span<const Converter> binary_converters();
[[nodiscard]] std::span<const Converter> conv_converters();
[[nodiscard]] std::span<const Converter> gather_converters();
[[nodiscard]] std::span<const Converter> matmul_converters();
[[nodiscard]] std::span<const Converter> integer_converters();
[[nodiscard]] std::span<const Converter> integer_product_converters();
[[nodiscard]] std::span<const Converter> movement_converters();
[[nodiscard]] std::span<const Converter> normalization_converters();
[[nodiscard]] std::span<const Converter> pool_converters();
[[nodiscard]] std::span<const Converter> quantization_converters();
[[nodiscard]] std::span<const Converter> quantized_product_converters();
[[nodiscard]] std::span<const Converter> reduce_converters();
[[nodiscard]] std::span<const Converter> unary_converters();

/// nullptr if the operator has no NPU form.
[[nodiscard]] const Converter* find_converter(std::string_view domain, std::string_view op_type);
/// All of them, by name.
[[nodiscard]] std::vector<const Converter*> all_converters();

}  // namespace npu::onnx_import
