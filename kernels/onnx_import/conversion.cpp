#include <algorithm>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/tensors.h"

namespace npu::onnx_import {

using graph::TensorId;

Conversion::Conversion(StageBuilder& stage, const onnx::Node& node)
    : stage_(stage), node_(node), call_(node, stage.network_.opset(node.domain), {}) {}

const ValueType& Conversion::in(std::size_t i) const {
  if (!has(i)) not_mapped("operand {} is absent", i);
  return stage_.network_.type(node_.inputs[i]);
}

const ValueType& Conversion::out(std::size_t i) const {
  return stage_.network_.type(node_.outputs.at(i));
}

const onnx::Value* Conversion::constant(std::size_t i) const {
  return has(i) ? stage_.network_.constant(node_.inputs[i]) : nullptr;
}

const onnx::Value& Conversion::need_constant(std::size_t i, std::string_view what) const {
  const onnx::Value* value = constant(i);
  if (value == nullptr) not_mapped("{}: not constant", what);
  return *value;
}

std::vector<std::int64_t> Conversion::need_integers(std::size_t i, std::string_view what) const {
  return onnx::integer_list(need_constant(i, what));
}

double Conversion::need_scalar(std::size_t i, std::string_view what) const {
  const onnx::Value& value = need_constant(i, what);
  if (value.size() != 1) not_mapped("{} has {} elements", what, value.size());
  return to_doubles(value)[0];
}

const Range& Conversion::range(const std::string& value) const {
  const auto it = stage_.network_.ranges.find(value);
  if (it == stage_.network_.ranges.end()) not_mapped("\"{}\" has no range", value);
  return it->second;
}

DType Conversion::dtype(onnx::ElementType type) const {
  return storage_of(type, stage_.options_.precision);
}

Form Conversion::operand(std::size_t i) {
  (void)in(i);
  return stage_.find(node_.inputs[i]);
}

TensorId Conversion::tensor(std::size_t i) { return tensor(i, identity_order(in(i).shape.size())); }

TensorId Conversion::tensor(std::size_t i, const Order& order) {
  (void)in(i);
  return stage_.in_order(node_.inputs[i], order).tensor;
}

TensorId Conversion::index_tensor(std::size_t i, std::int64_t size) {
  if (const onnx::Value* value = constant(i); value != nullptr) {
    std::vector<std::int64_t> positions = to_integers(*value);
    for (std::int64_t& p : positions) p += p < 0 ? size : 0;
    const auto order = identity_order(value->shape.size());
    return add_constant(onnx::from_integers(onnx::ElementType::kInt32, value->shape, positions),
                        DType::kInt32, order);
  }
  (void)in(i);
  (void)stage_.find(node_.inputs[i], true);
  return map(MapFunction::kMod, {tensor(i)}, DType::kInt32, static_cast<double>(size));
}

TensorId Conversion::quantized(std::size_t i, const Order& order,
                               const graph::Quantization& quantization) {
  if (const onnx::Value* value = constant(i); value != nullptr) {
    return add_constant(
        quantized_tensor({*value, quantization.scale, quantization.zero_point, 0}, order));
  }
  stage_.quantize(operand(i).tensor, quantization);
  return tensor(i, order);
}

const QuantizedConstant* Conversion::dequantized(std::size_t i) const {
  if (!has(i)) return nullptr;
  const auto it = stage_.network_.dequantized.find(node_.inputs[i]);
  return it != stage_.network_.dequantized.end() ? &it->second : nullptr;
}

void Conversion::add_twin(TensorId constant, graph::Tensor bytes) {
  stage_.twins_[constant] = add_constant(std::move(bytes));
}

graph::Tensor Conversion::quantized_tensor(const QuantizedConstant& constant, const Order& order) {
  graph::Tensor t;
  t.type = constant.value.type == onnx::ElementType::kInt8 ? DType::kInt8 : DType::kUint8;
  t.shape = tensor_shape(permuted(constant.value.shape, order));
  t.data = bytes_in(constant.value, t.type, order);
  t.quantization = {constant.scale, constant.zero_point, 0};
  if (constant.scale.size() > 1) t.quantization->axis = place_of(order, constant.axis);
  return t;
}

const graph::Tensor& Conversion::get(TensorId id) const { return stage_.stage_.graph.tensor(id); }

graph::Tensor Conversion::like(TensorId id) const { return like(id, get(id).shape); }

graph::Tensor Conversion::like(TensorId id, Shape shape) const {
  graph::Tensor t;
  t.type = get(id).type;
  t.shape = std::move(shape);
  return t;
}

TensorId Conversion::add_constant(graph::Tensor tensor) {
  tensor.is_constant = true;
  return stage_.add_tensor(std::move(tensor));
}

TensorId Conversion::add_constant(const onnx::Value& value, DType type, const Order& order) {
  graph::Tensor t;
  t.type = type;
  t.shape = tensor_shape(permuted(value.shape, order));
  t.data = bytes_in(value, type, order);
  return add_constant(std::move(t));
}

TensorId Conversion::add(graph::OpKind kind, std::vector<TensorId> inputs, graph::Attrs attrs,
                         graph::Tensor output) {
  return add_many(kind, std::move(inputs), std::move(attrs), {std::move(output)})[0];
}

TensorId Conversion::add_if_run(graph::OpKind kind, std::vector<TensorId> inputs,
                                graph::Attrs attrs, graph::Tensor output) {
  const TensorId id = add(kind, std::move(inputs), std::move(attrs), std::move(output));
  graph::Graph& graph = stage_.stage_.graph;
  const auto& refusal = stage_.options_.refusal;
  if (!refusal || refusal(graph, graph.nodes.back()).empty()) return id;
  graph.nodes.pop_back();
  graph.tensors.pop_back();
  return graph::kAbsent;
}

std::vector<TensorId> Conversion::add_many(graph::OpKind kind, std::vector<TensorId> inputs,
                                           graph::Attrs attrs, std::vector<graph::Tensor> outputs) {
  std::vector<TensorId> ids;
  for (graph::Tensor& t : outputs) {
    if (t.name.empty()) {
      const auto named = std::find_if(node_.outputs.begin(), node_.outputs.end(),
                                      [](const std::string& o) { return !o.empty(); });
      t.name = named != node_.outputs.end() ? *named : node_.op_type;
    }
    ids.push_back(stage_.add_tensor(std::move(t)));
  }
  stage_.stage_.graph.nodes.push_back(
      {kind, std::move(inputs), ids, std::move(attrs), stage_.source_index_});
  return ids;
}

TensorId Conversion::reshape(TensorId x, Shape shape) {
  return stage_.make_reshape(x, std::move(shape));
}

TensorId Conversion::transpose(TensorId x, const Order& permutation) {
  return stage_.make_transpose(x, permutation);
}

void Conversion::result(std::size_t i, TensorId tensor) {
  result(i, tensor, identity_order(out(i).shape.size()));
}

void Conversion::result(std::size_t i, TensorId tensor, Order order) {
  if (!wants(i)) return;
  const Shape expected = tensor_shape(permuted(out(i).shape, order));
  if (get(tensor).shape != expected) {
    not_mapped("it gives {} instead of {}", to_string(get(tensor).shape), to_string(expected));
  }
  stage_.forms_[node_.outputs[i]].push_back({tensor, std::move(order)});
}

}  // namespace npu::onnx_import
