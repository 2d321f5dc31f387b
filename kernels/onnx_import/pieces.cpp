// Pieces that converters share: MAP, REDUCE, slices, concatenations, broadcasting.
#include <algorithm>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/tensors.h"

namespace npu::onnx_import {

using graph::OpKind;
using graph::TensorId;

TensorId Conversion::map(MapFunction function, std::vector<TensorId> inputs, DType type,
                         double imm0, double imm1) {
  std::vector<const Shape*> shapes;
  shapes.reserve(inputs.size());
  for (const TensorId id : inputs) shapes.push_back(&get(id).shape);
  graph::Tensor y;
  y.type = type;
  y.shape = onnx::broadcast(shapes);
  return add(OpKind::kMap, std::move(inputs), graph::MapAttrs{function, imm0, imm1}, std::move(y));
}

TensorId Conversion::reduce(ReduceFunction function, TensorId x, std::vector<int> axes) {
  std::sort(axes.begin(), axes.end());
  graph::Tensor y = like(x);
  for (const int axis : axes) y.shape[static_cast<std::size_t>(axis)] = 1;
  if (function >= ReduceFunction::kArgMax) y.type = DType::kInt32;
  return add(OpKind::kReduce, {x}, graph::ReduceMapAttrs{function, std::move(axes), true},
             std::move(y));
}

TensorId Conversion::slice(TensorId x, Shape begin, Shape sizes) {
  if (sizes == get(x).shape) return x;
  graph::Tensor y = like(x, sizes);
  y.quantization = get(x).quantization;
  Shape stride(sizes.size(), 1);
  return add(OpKind::kStridedSlice, {x},
             graph::SliceAttrs{std::move(begin), std::move(stride), std::move(sizes)},
             std::move(y));
}

TensorId Conversion::concatenate(std::vector<TensorId> parts, int axis) {
  if (parts.size() == 1) return parts[0];
  graph::Tensor y = like(parts.at(0));
  y.quantization = get(parts[0]).quantization;
  auto& size = y.shape.at(static_cast<std::size_t>(axis));
  size = 0;
  for (const TensorId part : parts) size += get(part).shape.at(static_cast<std::size_t>(axis));
  return add(OpKind::kConcatenation, std::move(parts),
             graph::ActivationAttrs{graph::Activation::kNone, axis}, std::move(y));
}

TensorId Conversion::scalar(double value, DType type) {
  const std::vector<double> element = {value};
  return add_constant(onnx::from_doubles(element_type(type), {1}, element), type, {0});
}

Order Conversion::elementwise_order() {
  const std::size_t rank = out(0).shape.size();
  Order best = identity_order(rank);
  std::int64_t most = 0;
  for (std::size_t i = 0; i < input_count(); ++i) {
    if (!has(i) || constant(i) != nullptr || shape(i).size() != rank) continue;
    const std::int64_t size = element_count(shape(i));
    if (size > most) {
      most = size;
      best = operand(i).order;
    }
  }
  return best;
}

TensorId Conversion::broadcast_operand(std::size_t i, const Order& order) {
  const Shape& own = shape(i);
  if (own.size() == order.size()) return tensor(i, order);
  NPU_CHECK(own.size() < order.size(), "an operand of at most the result's rank");
  Shape padded(order.size() - own.size(), 1);
  padded.insert(padded.end(), own.begin(), own.end());
  if (const onnx::Value* value = constant(i); value != nullptr) {
    if (value->size() == 1) padded = {1};  // Broadcasts in any layout.
    const Order laid = padded.size() == 1 ? Order{0} : order;
    const onnx::Value wide{value->type, padded, value->bytes};
    return add_constant(wide, dtype(value->type), laid);
  }
  return transpose(reshape(tensor(i), padded), order);
}

}  // namespace npu::onnx_import
