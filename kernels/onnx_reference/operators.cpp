#include "kernels/onnx_reference/operators.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "kernels/onnx_reference/legacy.h"

namespace npu::onnx {
namespace {

using Families = std::array<std::span<const Operator>, 17>;

const std::map<std::string_view, const Operator*>& table() {
  static const std::map<std::string_view, const Operator*> kTable = [] {
    const Families families = {
        unary_operators(),
        binary_operators(),
        reduce_operators(),
        shape_operators(),
        constant_operators(),
        index_operators(),
        matmul_operators(),
        conv_operators(),
        pool_operators(),
        normalization_operators(),
        cast_operators(),
        quantize_operators(),
        attention_operators(),
        resize_operators(),
        loss_operators(),
        selection_operators(),
        integer_network_operators(),
    };
    std::map<std::string_view, const Operator*> rows;
    for (const auto& family : families) {
      for (const Operator& op : family) {
        NPU_CHECK(rows.emplace(op.name, &op).second, "an operator is there twice");
      }
    }
    return rows;
  }();
  return kTable;
}

thread_local std::int64_t element_limit = kMaxElements;

/// True if `name` is one of the words of `list`.
bool is_listed(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    if (list.substr(0, end) == name) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace

const Value& Call::in(std::size_t index) const {
  if (!has(index)) fail("operand {} is missing", index);
  return *inputs_[index];
}

template <typename T>
const T* Call::attribute(std::string_view name) const {
  const auto it = node_.attributes.find(name);
  if (it == node_.attributes.end()) return nullptr;
  const T* value = std::get_if<T>(&it->second);
  if (value == nullptr) fail("attribute \"{}\" has the wrong type", name);
  return value;
}

std::int64_t Call::integer(std::string_view name, std::int64_t fallback) const {
  const auto* value = attribute<std::int64_t>(name);
  return value != nullptr ? *value : fallback;
}

double Call::real(std::string_view name, double fallback) const {
  const auto* value = attribute<float>(name);
  return value != nullptr ? static_cast<double>(*value) : fallback;
}

std::string Call::text(std::string_view name, std::string_view fallback) const {
  const auto* value = attribute<std::string>(name);
  return value != nullptr ? *value : std::string(fallback);
}

std::vector<std::int64_t> Call::integers(std::string_view name,
                                         std::vector<std::int64_t> fallback) const {
  const auto* value = attribute<std::vector<std::int64_t>>(name);
  if (value != nullptr) fallback = *value;
  return fallback;
}

std::vector<double> Call::reals(std::string_view name, std::vector<double> fallback) const {
  const auto* value = attribute<std::vector<float>>(name);
  if (value == nullptr) return fallback;
  return {value->begin(), value->end()};
}

const Value& Call::tensor(std::string_view name) const {
  const auto* value = attribute<Value>(name);
  if (value == nullptr) fail("attribute \"{}\" is missing", name);
  return *value;
}

const Operator* find_operator(std::string_view domain, std::string_view op_type) {
  if (!domain.empty()) return nullptr;
  const auto it = table().find(op_type);
  return it != table().end() ? it->second : nullptr;
}

std::vector<const Operator*> all_operators() {
  std::vector<const Operator*> all;
  for (const auto& [name, op] : table()) all.push_back(op);
  return all;
}

std::vector<Value> evaluate(const Node& node, std::int64_t opset,
                            const std::vector<const Value*>& inputs, const std::string& place) {
  const Operator* op = find_operator(node.domain, node.op_type);
  if (op == nullptr) fail("{}: no such operator in the CPU reference", place);
  try {
    if (inputs.size() < op->min_inputs || inputs.size() > op->max_inputs) {
      fail("takes {} to {} operands, got {}", op->min_inputs, op->max_inputs, inputs.size());
    }
    if (has_legacy_broadcast(node, opset) && inputs.size() > 1 && inputs[1] != nullptr) {
      Value aligned = *inputs[1];
      if (inputs[0] != nullptr) aligned.shape = legacy_shape(node, inputs[0]->shape, aligned.shape);
      std::vector<const Value*> operands = inputs;
      operands[1] = &aligned;
      return evaluate(without_legacy_broadcast(node), opset, operands, place);
    }
    for (const auto& [name, value] : node.attributes) {
      if (!is_listed(op->attributes, name)) fail("attribute \"{}\" is not supported", name);
    }
    Call call(node, opset, inputs);
    op->run(call);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (call.wants(i) && call.outputs()[i].type == ElementType::kUndefined) {
        fail("output {} is not supported", i);
      }
    }
    return std::move(call.outputs());
  } catch (const Error& error) {
    fail("{}: {}", place, error.what());
  }
}

Shape broadcast(const std::vector<const Shape*>& shapes) {
  std::size_t rank = 0;
  for (const Shape* s : shapes) rank = std::max(rank, s->size());
  Shape out(rank, 1);
  for (const Shape* s : shapes) {
    for (std::size_t i = 0; i < s->size(); ++i) {
      std::int64_t& dim = out[rank - s->size() + i];
      const std::int64_t other = (*s)[i];
      if (dim == 1) {
        dim = other;
      } else if (other != 1 && other != dim) {
        fail("{} and {} do not broadcast", to_string(*shapes[0]), to_string(*s));
      }
    }
  }
  checked_count(out);
  return out;
}

std::vector<std::int64_t> strides_of(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

std::vector<std::int64_t> broadcast_indices(const Shape& from, const Shape& out) {
  const std::size_t offset = out.size() - from.size();
  const std::vector<std::int64_t> from_strides = strides_of(from);
  std::vector<std::int64_t> steps(out.size(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != 1) steps[offset + i] = from_strides[i];
  }
  std::vector<std::int64_t> indices(static_cast<std::size_t>(element_count(out)));
  Shape at(out.size(), 0);
  std::int64_t index = 0;
  for (std::int64_t& entry : indices) {
    entry = index;
    for (std::size_t d = out.size(); d-- > 0;) {
      index += steps[d];
      if (++at[d] < out[d]) break;
      index -= steps[d] * out[d];
      at[d] = 0;
    }
  }
  return indices;
}

std::size_t resolve_axis(std::int64_t axis, std::int64_t rank) {
  if (axis < -rank || axis >= rank) fail("axis {} is not within rank {}", axis, rank);
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t n = 1;
  for (std::size_t i = begin; i < end; ++i) n *= shape[i];
  return n;
}

ElementLimit::ElementLimit(std::int64_t elements)
    : before_(std::exchange(element_limit, std::min(elements, kMaxElements))) {}
ElementLimit::~ElementLimit() { element_limit = before_; }

std::int64_t checked_count(const Shape& shape) {
  std::int64_t n = 1;
  for (const std::int64_t dim : shape) {
    if (dim < 0) fail("shape {} has a negative dimension", to_string(shape));
    if (dim > 0 && n > element_limit / dim) {
      fail("shape {} has more than {} elements", to_string(shape), element_limit);
    }
    n *= dim;
  }
  return n;
}

std::vector<std::int64_t> integer_list(const Value& value) {
  if (value.rank() > 1) fail("expected a list, got shape {}", to_string(value.shape));
  return to_integers(value);
}

Value int64_list(const std::vector<std::int64_t>& values) {
  return from_integers(ElementType::kInt64, {static_cast<std::int64_t>(values.size())}, values);
}

void same_type(const Value& a, const Value& b) {
  if (a.type != b.type) fail("operands of {} and {}", name_of(a.type), name_of(b.type));
}

Value gather_elements(const Value& in, Shape shape, std::span<const std::int64_t> indices) {
  Value out = Value::zeros(in.type, std::move(shape));
  const auto width = static_cast<std::size_t>(bytes_of(in.type));
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] < 0) continue;
    std::memcpy(out.bytes.data() + i * width,
                in.bytes.data() + static_cast<std::size_t>(indices[i]) * width, width);
  }
  return out;
}

}  // namespace npu::onnx
