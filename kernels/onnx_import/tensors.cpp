#include "kernels/onnx_import/tensors.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace npu::onnx_import {
namespace {

using onnx::ElementType;
using onnx::Value;

/// The value with its dimensions in the order given.
Value laid_out(const Value& value, const Order& order) {
  const Shape shape = permuted(value.shape, order);
  const std::vector<std::int64_t> strides = onnx::strides_of(value.shape);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(value.size()));
  Shape at(shape.size(), 0);
  std::int64_t index = 0;
  for (std::int64_t& entry : indices) {
    entry = index;
    for (std::size_t d = shape.size(); d-- > 0;) {
      const std::int64_t step = strides[static_cast<std::size_t>(order[d])];
      index += step;
      if (++at[d] < shape[d]) break;
      index -= step * shape[d];
      at[d] = 0;
    }
  }
  return onnx::gather_elements(value, shape, indices);
}

/// Floats that an integer type is to hold.
void check_whole(const Value& value, ElementType target) {
  for (const double e : to_doubles(value)) {
    if (e != std::floor(e)) not_mapped("{} is not a whole number", e);
    if (e < static_cast<double>(lowest_of(target)) || e > static_cast<double>(highest_of(target))) {
      not_mapped("{} is beyond {}", e, name_of(target));
    }
  }
}

}  // namespace

Order identity_order(std::size_t rank) {
  Order order(rank);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Order channels_last(std::size_t rank) {
  Order order = identity_order(rank);
  if (rank > 2) {
    order.erase(order.begin() + 1);
    order.push_back(1);
  }
  return order;
}

Shape permuted(const Shape& shape, const Order& order) {
  NPU_CHECK(shape.size() == order.size(), "an order of the shape's rank");
  Shape out;
  for (const int d : order) out.push_back(shape[static_cast<std::size_t>(d)]);
  return out;
}

int place_of(const Order& order, std::size_t axis) {
  const auto at = std::find(order.begin(), order.end(), static_cast<int>(axis));
  NPU_CHECK(at != order.end(), "an axis of the value");
  return static_cast<int>(at - order.begin());
}

ElementType element_type(DType type) {
  switch (type) {
    case DType::kInt8:
      return ElementType::kInt8;
    case DType::kUint8:
      return ElementType::kUint8;
    case DType::kInt16:
      return ElementType::kInt16;
    case DType::kInt32:
      return ElementType::kInt32;
    case DType::kInt64:
      return ElementType::kInt64;
    case DType::kFloat32:
      return ElementType::kFloat;
    case DType::kBool:
      return ElementType::kBool;
    case DType::kFloat16:
      return ElementType::kFloat16;
    case DType::kBfloat16:
      return ElementType::kBfloat16;
  }
  NPU_CHECK(false, "a type of tensors");
  return ElementType::kUndefined;
}

DType storage_of(ElementType type, const std::optional<DType>& precision) {
  switch (type) {
    case ElementType::kInt8:
      return DType::kInt8;
    case ElementType::kUint8:
      return DType::kUint8;
    case ElementType::kInt16:
      return DType::kInt16;
    case ElementType::kInt32:
    case ElementType::kInt64:  // Values that fit: converters check.
      return DType::kInt32;
    case ElementType::kBool:
      return DType::kBool;
    case ElementType::kFloat:
      return precision.value_or(DType::kFloat32);
    case ElementType::kFloat16:
      return precision.value_or(DType::kFloat16);
    case ElementType::kBfloat16:
      return precision.value_or(DType::kBfloat16);
    default:
      not_mapped("{} has no NPU type", name_of(type));
  }
}

std::vector<std::byte> bytes_in(const Value& value, DType type, const Order& order) {
  const bool moves = order != identity_order(order.size());
  const ElementType target = element_type(type);
  if (value.type == target) {
    return moves ? laid_out(value, order).bytes : value.bytes;
  }
  const Value moved = moves ? laid_out(value, order) : value;
  if (onnx::is_float(value.type) && !onnx::is_float(target)) check_whole(moved, target);
  if (onnx::is_float(target) || onnx::is_float(value.type)) {
    return onnx::from_doubles(target, moved.shape, to_doubles(moved)).bytes;
  }
  const std::vector<std::int64_t> elements = to_integers(moved);
  for (const std::int64_t e : elements) {
    if (e < lowest_of(target) || e > highest_of(target)) {
      not_mapped("{} is beyond {}", e, name_of(target));
    }
  }
  return onnx::from_integers(target, moved.shape, elements).bytes;
}

TensorData to_tensor(const Value& value, const graph::Tensor& tensor, const std::string& name) {
  try {
    return {tensor.type, tensor.shape,
            bytes_in(value, tensor.type, identity_order(value.shape.size()))};
  } catch (const NotMapped& reason) {
    fail("value \"{}\": {}", name, reason.what());
  }
}

Value to_value(const TensorData& data, const ValueType& type) {
  Value stored{element_type(data.type), type.shape, data.bytes};
  if (stored.type == type.type) return stored;
  if (onnx::is_float(type.type))
    return onnx::from_doubles(type.type, type.shape, to_doubles(stored));
  return onnx::from_integers(type.type, type.shape, to_integers(stored));
}

}  // namespace npu::onnx_import
