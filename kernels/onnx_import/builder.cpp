#include <algorithm>
#include <numeric>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/fuse_activations.h"
#include "kernels/onnx_import/fuse_quantization.h"
#include "kernels/onnx_import/integer_ranges.h"
#include "kernels/onnx_import/tensors.h"
#include "workloads/graph/node_rules.h"

namespace npu::onnx_import {
namespace {

using graph::OpKind;
using graph::TensorId;

/// A TRANSPOSE with what stays together taken together: dimensions of 1 are left out, dimensions
/// that follow each other before and after are one.
struct MergedTranspose {
  Shape shape;
  Order permutation;
};

MergedTranspose merge(const Shape& shape, const Order& permutation) {
  std::vector<std::vector<int>> runs;  // In output order; each a run of input dimensions.
  const auto next = [&](int d) {       // The next input dimension that is not 1.
    do ++d;
    while (std::cmp_less(d, shape.size()) && shape[static_cast<std::size_t>(d)] == 1);
    return d;
  };
  for (const int d : permutation) {
    if (shape[static_cast<std::size_t>(d)] == 1) continue;
    if (!runs.empty() && next(runs.back().back()) == d) {
      runs.back().push_back(d);
    } else {
      runs.push_back({d});
    }
  }
  std::vector<std::size_t> by_input(runs.size());
  std::iota(by_input.begin(), by_input.end(), std::size_t{0});
  std::sort(by_input.begin(), by_input.end(),
            [&](std::size_t a, std::size_t b) { return runs[a][0] < runs[b][0]; });
  MergedTranspose merged;
  merged.permutation.resize(runs.size());
  for (std::size_t i = 0; i < by_input.size(); ++i) {
    std::int64_t size = 1;
    for (const int d : runs[by_input[i]]) size *= shape[static_cast<std::size_t>(d)];
    merged.shape.push_back(size);
    merged.permutation[by_input[i]] = static_cast<int>(i);
  }
  return merged;
}

/// Weights that are there as floats and as bytes: one of them is not read.
void drop_unread_constants(graph::Graph& graph) {
  std::vector<bool> is_read(graph.tensors.size(), false);
  for (const graph::Node& node : graph.nodes) {
    for (const TensorId id : node.inputs) {
      if (id != graph::kAbsent) is_read[static_cast<std::size_t>(id)] = true;
    }
  }
  for (std::size_t i = 0; i < is_read.size(); ++i) {
    if (!is_read[i]) std::vector<std::byte>().swap(graph.tensors[i].data);
  }
}

}  // namespace

StageBuilder::StageBuilder(const Network& network, const ConvertOptions& options)
    : network_(network), options_(options) {
  stage_.graph.name = network.model.graph.name;
}

void StageBuilder::quantize(TensorId tensor, const graph::Quantization& quantization) {
  auto& q = stage_.graph.tensors.at(static_cast<std::size_t>(tensor)).quantization;
  if (q == quantization) return;
  if (q) not_mapped("an operand that is quantized in two ways");
  const auto is_number = [&](const graph::Node& node) {
    const auto* map = std::get_if<graph::MapAttrs>(&node.attrs);
    if (map != nullptr && map->function == MapFunction::kDequantize) return false;
    return std::ranges::count(node.inputs, tensor) + std::ranges::count(node.outputs, tensor) > 0;
  };
  if (std::ranges::any_of(stage_.graph.nodes, is_number))
    not_mapped("an operand that is quantized here and a number elsewhere");
  q = quantization;
}

void StageBuilder::check_raw(const graph::Node& node) const {
  if (node.kind == OpKind::kMap) {
    const MapFunction function = std::get<graph::MapAttrs>(node.attrs).function;
    if (function == MapFunction::kDequantize || function == MapFunction::kQuantize) return;
  } else if (node.kind < OpKind::kMap || node.kind == OpKind::kMatMul ||
             node.kind == OpKind::kGather) {
    return;
  }
  for (const TensorId id : node.inputs) {
    if (id != graph::kAbsent && stage_.graph.tensor(id).quantization) {
      not_mapped("a number that is quantized elsewhere");
    }
  }
}

TensorId StageBuilder::add_tensor(graph::Tensor tensor) {
  if (tensor.shape.size() > graph::kMaxRank) not_mapped("rank {}", tensor.shape.size());
  std::int64_t bytes = size_of(tensor.type);
  for (const std::int64_t d : tensor.shape) {
    if (d == 0) not_mapped("a tensor without elements");
    if (bytes > graph::kMaxTensorBytes / d) {
      not_mapped("a tensor of more than {} bytes", graph::kMaxTensorBytes);
    }
    bytes *= d;
  }
  stage_.graph.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(stage_.graph.tensors.size() - 1);
}

DType StageBuilder::storage(const std::string& value, onnx::ElementType type) const {
  const auto range = network_.ranges.find(value);
  if (range == network_.ranges.end() || !onnx::is_float(type)) {
    return storage_of(type, options_.precision);
  }
  const std::optional<DType> integer = storage_of(range->second);
  if (!integer) {
    not_mapped("\"{}\" may reach {} … {}, beyond int32", value, range->second.low,
               range->second.high);
  }
  return *integer;
}

const Form& StageBuilder::find(const std::string& value, bool takes_int64) {
  const auto it = forms_.find(value);
  if (it != forms_.end()) return it->second.front();
  const ValueType& type = network_.type(value);
  const Order order = identity_order(type.shape.size());
  if (network_.constant(value) != nullptr) return in_order(value, order);
  if (type.type == onnx::ElementType::kInt64 && !takes_int64) {
    not_mapped("int64 has no NPU type");
  }
  graph::Tensor input;
  input.name = value;
  input.type = storage(value, type.type);
  input.shape = tensor_shape(type.shape);
  const TensorId id = add_tensor(std::move(input));
  stage_.inputs.push_back({value, id});
  stage_.graph.inputs.push_back(id);
  return forms_[value].emplace_back(Form{id, order});
}

const Form& StageBuilder::in_order(const std::string& value, const Order& order) {
  std::vector<Form>& forms = forms_[value];
  const auto same =
      std::find_if(forms.begin(), forms.end(), [&](const Form& f) { return f.order == order; });
  if (same != forms.end()) return *same;
  if (const onnx::Value* constant = network_.constant(value); constant != nullptr) {
    graph::Tensor tensor;
    tensor.name = value;
    tensor.type = storage(value, constant->type);
    tensor.shape = tensor_shape(permuted(constant->shape, order));
    tensor.is_constant = true;
    tensor.data = bytes_in(*constant, tensor.type, order);
    return forms.emplace_back(Form{add_tensor(std::move(tensor)), order});
  }
  if (forms.empty()) {
    forms_.erase(value);
    (void)find(value);
    return in_order(value, order);
  }
  const Form base = forms.front();
  Order permutation;
  for (const int d : order) {
    const auto at = std::find(base.order.begin(), base.order.end(), d);
    NPU_CHECK(at != base.order.end(), "an order of the value's rank");
    permutation.push_back(static_cast<int>(at - base.order.begin()));
  }
  const TensorId moved = make_transpose(base.tensor, permutation);
  return forms_[value].emplace_back(Form{moved, order});
}

TensorId StageBuilder::make_reshape(TensorId x, Shape shape) {
  graph::Tensor y = stage_.graph.tensor(x);
  if (y.shape == shape) return x;
  if (y.is_constant) {
    y.shape = std::move(shape);
    return add_tensor(std::move(y));
  }
  y.shape = std::move(shape);
  const TensorId id = add_tensor(std::move(y));
  stage_.graph.nodes.push_back({OpKind::kReshape, {x}, {id}, {}, source_index_});
  return id;
}

TensorId StageBuilder::make_transpose(TensorId x, const Order& permutation) {
  const Shape shape = stage_.graph.tensor(x).shape;
  if (permutation == identity_order(permutation.size())) return x;
  const MergedTranspose merged = merge(shape, permutation);
  const Shape out = permuted(shape, permutation);
  if (merged.shape.size() < 2) return make_reshape(x, out);
  const TensorId from = make_reshape(x, merged.shape);
  graph::Tensor y = stage_.graph.tensor(from);
  NPU_CHECK(!y.is_constant, "constants are laid out when they are made");
  y.shape = permuted(merged.shape, merged.permutation);
  const TensorId id = add_tensor(std::move(y));
  stage_.graph.nodes.push_back(
      {OpKind::kTranspose, {from}, {id}, graph::TransposeAttrs{merged.permutation}, source_index_});
  return make_reshape(id, out);
}

void StageBuilder::convert(std::size_t index) {
  const onnx::Node& node = network_.model.graph.nodes.at(index);
  const bool is_integer = !node.outputs.empty() && network_.ranges.contains(node.outputs[0]);
  const Converter* converter = is_integer ? find_converter(kIntegerDomain, node.op_type) : nullptr;
  if (converter == nullptr) converter = find_converter(node.domain, node.op_type);
  if (converter == nullptr) not_mapped("no NPU form");
  if (node.outputs.empty() || node.outputs[0].empty()) not_mapped("its first output has no name");
  for (const auto* names : {&node.inputs, &node.outputs}) {
    for (const std::string& name : *names) {
      if (!name.empty() && !network_.type(name).is_static) {
        not_mapped("the shape of \"{}\" depends on values", name);
      }
    }
  }
  source_index_ = static_cast<int>(index);
  const std::size_t first = stage_.graph.nodes.size();
  try {
    Conversion conversion(*this, node);
    converter->convert(conversion);
    for (std::size_t i = first; i < stage_.graph.nodes.size(); ++i) {
      const graph::Node& made = stage_.graph.nodes[i];
      const graph::NodeView view{stage_.graph, made};
      check_operands(view);
      check_shapes(view);
      check_types(view);
      check_raw(made);
      const std::string refusal = options_.refusal ? options_.refusal(stage_.graph, made) : "";
      if (!refusal.empty()) not_mapped("{}", refusal);
    }
  } catch (const Error& error) {
    not_mapped("{}", error.what());
  } catch (const std::out_of_range&) {  // Ranks and lists that the operator's rule does not check.
    not_mapped("its operands do not fit each other");
  }
  stage_.nodes.push_back(index);
}

TensorId StageBuilder::made_by_node(TensorId x) {
  const auto makes = [&](const graph::Node& node) {
    return std::find(node.outputs.begin(), node.outputs.end(), x) != node.outputs.end();
  };
  const auto& nodes = stage_.graph.nodes;
  if (std::any_of(nodes.begin(), nodes.end(), makes)) return x;
  graph::Tensor copy = stage_.graph.tensor(x);
  const bool is_constant = copy.is_constant;
  copy.is_constant = false;
  copy.data.clear();
  const TensorId id = add_tensor(std::move(copy));
  graph::Node node{OpKind::kReshape, {x}, {id}, {}, source_index_};
  if (is_constant) {
    node.kind = OpKind::kMap;
    node.attrs = graph::MapAttrs{};
  }
  stage_.graph.nodes.push_back(std::move(node));
  return id;
}

NpuStage StageBuilder::finish(const std::vector<std::string>& outputs) {
  for (const std::string& value : outputs) {
    const Order order = identity_order(network_.type(value).shape.size());
    const TensorId id = made_by_node(in_order(value, order).tensor);
    stage_.outputs.push_back({value, id});
    std::vector<TensorId>& ids = stage_.graph.outputs;
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  fuse_activations(stage_.graph);
  fuse_quantization(stage_.graph, twins_, options_.refusal);
  verify(stage_.graph);
  drop_unread_constants(stage_.graph);
  return std::move(stage_);
}

}  // namespace npu::onnx_import
