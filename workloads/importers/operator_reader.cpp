#include <flatbuffers/minireflect.h>

#include <cstring>

#include "workloads/importers/tflite_reader.h"

namespace npu::importers {
namespace {

constexpr std::uint32_t kShownOperands = 8;  ///< Per list, in messages.
constexpr std::size_t kShownOptions = 300;   ///< Bytes of text.

/// "int8[1,4,4,2], …" straight from the file; indices may be out of range.
std::string describe_operands(const schema::SubGraph& subgraph,
                              const flatbuffers::Vector<std::int32_t>* ids) {
  std::string text;
  for (std::uint32_t i = 0; i < size_of_vector(ids); ++i) {
    if (i != 0) text += ", ";
    if (i == kShownOperands) return text + "…";
    const std::int32_t id = ids->Get(i);
    if (id < 0 || static_cast<std::uint32_t>(id) >= size_of_vector(subgraph.tensors())) {
      text += id == graph::kAbsent ? "none" : "?";
      continue;
    }
    const schema::Tensor& tensor = *subgraph.tensors()->Get(static_cast<std::uint32_t>(id));
    Shape shape;
    for (std::uint32_t d = 0; d < size_of_vector(tensor.shape()) && d < graph::kMaxRank; ++d) {
      shape.push_back(tensor.shape()->Get(d));
    }
    text += schema::EnumNameTensorType(tensor.type()) + to_string(shape);
  }
  return text;
}

/// The options table as "{ axis: 1 }".
std::string describe_options(const schema::Operator& source) {
  const auto type = source.builtin_options_type();
  if (type == schema::BuiltinOptions::NONE || source.builtin_options() == nullptr) {
    const std::uint32_t custom = size_of_vector(source.custom_options());
    return custom == 0 ? "no options" : fmt::format("{} bytes of custom options", custom);
  }
  const flatbuffers::TypeTable& unions = *schema::BuiltinOptionsTypeTable();
  for (std::size_t i = 0; i < unions.num_elems; ++i) {
    const flatbuffers::TypeCode code = unions.type_codes[i];
    if (unions.values[i] != static_cast<std::int64_t>(type) || code.sequence_ref < 0) continue;
    flatbuffers::ToStringVisitor visitor(" ");
    flatbuffers::IterateObject(static_cast<const std::uint8_t*>(source.builtin_options()),
                               unions.type_refs[code.sequence_ref](), &visitor);
    // A table of another operator may carry a long list.
    return visitor.s.size() <= kShownOptions ? visitor.s : visitor.s.substr(0, kShownOptions) + "…";
  }
  return fmt::format("options of kind {}", static_cast<int>(type));
}

}  // namespace

std::string describe_unsupported(const schema::SubGraph& subgraph, const schema::Operator& source,
                                 std::string_view name) {
  return fmt::format("{} is not supported: {}, {} to {}", name, describe_options(source),
                     describe_operands(subgraph, source.inputs()),
                     describe_operands(subgraph, source.outputs()));
}

OperatorReader::OperatorReader(graph::Graph& graph, const schema::Operator& source, int index,
                               std::string_view name, Budget& budget)
    : graph_(graph), source_(source), index_(index), name_(name) {
  const auto read = [&](const flatbuffers::Vector<std::int32_t>* ids, bool optional_allowed) {
    std::vector<graph::TensorId> result;
    budget.spend(16 + 4 * std::int64_t{size_of_vector(ids)});
    for (std::uint32_t i = 0; i < size_of_vector(ids); ++i) {
      const std::int32_t id = ids->Get(i);
      if (id == graph::kAbsent && optional_allowed) {
        result.push_back(id);
        continue;
      }
      if (id < 0 || static_cast<std::size_t>(id) >= graph.tensors.size()) {
        reject("tensor index {} is out of range, the graph has {} tensors", id,
               graph.tensors.size());
      }
      result.push_back(id);
    }
    return result;
  };
  inputs_ = read(source.inputs(), true);
  outputs_ = read(source.outputs(), false);
}

void OperatorReader::expect(std::size_t at_least, std::size_t at_most, std::size_t outputs) const {
  if (inputs_.size() < at_least || inputs_.size() > at_most) {
    reject("needs {} to {} inputs, got {}", at_least, at_most, inputs_.size());
  }
  for (std::size_t i = 0; i < at_least; ++i) {
    if (inputs_[i] == graph::kAbsent) reject("input {} is absent", i);
  }
  if (outputs_.size() != outputs) reject("needs {} outputs, got {}", outputs, outputs_.size());
}

const graph::Tensor& OperatorReader::in(std::size_t i) const {
  return graph_.tensor(inputs_.at(i));
}

const graph::Tensor& OperatorReader::out(std::size_t i) const {
  return graph_.tensor(outputs_.at(i));
}

const Shape& OperatorReader::shape(const graph::Tensor& tensor, std::size_t rank) const {
  if (tensor.shape.size() != rank) {
    reject("`{}` must have rank {}, got {}", tensor.name, rank, to_string(tensor.shape));
  }
  for (const std::int64_t d : tensor.shape) {
    if (d < 1) reject("`{}` is empty: {}", tensor.name, to_string(tensor.shape));
  }
  return tensor.shape;
}

std::vector<std::int64_t> OperatorReader::integers(std::size_t i, std::size_t at_most,
                                                   std::string_view what) const {
  const graph::Tensor& t = in(i);
  const auto count = static_cast<std::size_t>(element_count(t.shape));
  if (t.type != DType::kInt32 && t.type != DType::kInt64) {
    reject("{} must be int32 or int64, got {}", what, npu::name_of(t.type));
  }
  if (count > at_most) reject("{}: at most {} values, got {}", what, at_most, count);
  if (count != 0 && !t.is_constant) {
    reject("{} must be a constant, `{}` is computed while the network runs", what, t.name);
  }
  std::vector<std::int64_t> values(count);
  for (std::size_t k = 0; k < count; ++k) {
    if (t.type == DType::kInt64) {
      std::memcpy(&values[k], t.data.data() + 8 * k, 8);
      constexpr std::int64_t kLimit = std::int64_t{1} << 31;
      if (values[k] < -kLimit || values[k] > kLimit) {
        reject("{}: {} is out of range", what, values[k]);
      }
    } else {
      std::int32_t value = 0;
      std::memcpy(&value, t.data.data() + 4 * k, 4);
      values[k] = value;
    }
  }
  return values;
}

int OperatorReader::axis(std::int64_t value, std::size_t rank) const {
  const auto size = static_cast<std::int64_t>(rank);
  const std::int64_t resolved = value < 0 ? value + size : value;
  if (resolved < 0 || resolved >= size) {
    reject("axis {} is out of range for rank {}", value, rank);
  }
  return static_cast<int>(resolved);
}

graph::Activation OperatorReader::activation(schema::ActivationType type) const {
  switch (type) {
    case schema::ActivationType::NONE:
      return graph::Activation::kNone;
    case schema::ActivationType::RELU:
      return graph::Activation::kRelu;
    case schema::ActivationType::RELU_N1_TO_1:
      return graph::Activation::kReluN1To1;
    case schema::ActivationType::RELU6:
      return graph::Activation::kRelu6;
    default:
      reject("fused activation {} ({}) is not supported", static_cast<int>(type),
             schema::EnumNameActivationType(type));
  }
}

void OperatorReader::check_options_type(int expected) const {
  const int type = static_cast<int>(source_.builtin_options_type());
  if (type != 0 && type != expected) reject("has the options of another operator, kind {}", type);
}

void OperatorReader::add(graph::OpKind kind, std::vector<graph::TensorId> inputs,
                         std::vector<graph::TensorId> outputs, graph::Attrs attrs) {
  graph_.nodes.push_back({kind, std::move(inputs), std::move(outputs), std::move(attrs), index_});
}

}  // namespace npu::importers
