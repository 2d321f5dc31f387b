// Matrix products.
#include <algorithm>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/quantized.h"
#include "kernels/onnx_import/tensors.h"

namespace npu::onnx_import {
namespace {

using graph::OpKind;
using graph::TensorId;
using onnx::Value;

void need_float(const Conversion& c) {
  const DType type = c.dtype(c.in(0).type);
  if (!is_float(type)) not_mapped("{} {}", name_of(type), c.node().op_type);
}

/// x[…,K] · w[K,N] (or, transposed, w[N,K]) with a constant w.
TensorId fully_connected(Conversion& c, TensorId x, const Value& w, bool transposed,
                         TensorId bias) {
  const DType type = c.get(x).type;
  const Order order = transposed ? Order{0, 1} : Order{1, 0};
  const TensorId weights = c.add_constant(w, type, order);
  if (const QuantizedConstant* from = c.dequantized(1); from != nullptr && &w == c.constant(1)) {
    const std::optional<QuantizedConstant> bytes = as_weights(*from);
    if (bytes) c.add_twin(weights, Conversion::quantized_tensor(*bytes, order));
  }
  graph::Tensor y = c.like(x);
  y.shape.back() = w.shape[transposed ? 0 : 1];
  return c.add(OpKind::kFullyConnected, {x, weights, bias}, graph::ActivationAttrs{}, std::move(y));
}

/// a[…,M,K] · b[…,K,N] (transposed: […,N,K]).
TensorId matmul(Conversion& c, TensorId a, TensorId b, bool transposed) {
  const Shape& left = c.get(a).shape;
  const Shape& right = c.get(b).shape;
  const Shape left_batch(left.begin(), left.end() - 2);
  const Shape right_batch(right.begin(), right.end() - 2);
  Shape shape = onnx::broadcast({&left_batch, &right_batch});
  shape.push_back(left[left.size() - 2]);
  shape.push_back(right[right.size() - (transposed ? 2 : 1)]);
  return c.add(OpKind::kMatMul, {a, b, graph::kAbsent}, graph::MatMulAttrs{transposed, {}},
               c.like(a, std::move(shape)));
}

/// True if the operand lies with its last two dimensions exchanged.
bool lies_transposed(Conversion& c, std::size_t operand) {
  Order order = c.operand(operand).order;
  if (order.size() < 2 || order == identity_order(order.size())) return false;
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return order == identity_order(order.size());
}

void convert_matmul(Conversion& c) {
  need_float(c);
  const Shape& a = c.shape(0);
  const Shape& b = c.shape(1);
  TensorId left = c.tensor(0);
  if (a.size() == 1) left = c.reshape(left, {1, a[0]});
  TensorId y = graph::kAbsent;
  if (const Value* w = c.constant(1); w != nullptr && b.size() == 2) {
    y = fully_connected(c, left, *w, false, graph::kAbsent);
  } else if (c.constant(1) == nullptr && lies_transposed(c, 1)) {
    y = matmul(c, left, c.operand(1).tensor, true);
  } else {
    TensorId right = c.tensor(1);
    if (b.size() == 1) right = c.reshape(right, {b[0], 1});
    y = matmul(c, left, right, false);
  }
  c.result(0, c.reshape(y, tensor_shape(c.out(0).shape)));
}

/// The constant times a number.
Value scaled(const Value& value, double factor) {
  std::vector<double> elements = to_doubles(value);
  for (double& e : elements) e *= factor;
  return onnx::from_doubles(value.type, value.shape, elements);
}

/// C times beta as a float32 bias [N], or absent where it is no constant that is alike in all rows.
TensorId row_bias(Conversion& c, std::int64_t columns, double beta) {
  const Value* bias = c.constant(2);
  if (bias == nullptr || (bias->rank() == 2 && bias->shape[0] != 1)) return graph::kAbsent;
  Value row = scaled(*bias, beta);
  if (row.size() == 1) {
    const std::vector<double> elements(static_cast<std::size_t>(columns), to_doubles(row)[0]);
    row = onnx::from_doubles(row.type, {columns}, elements);
  }
  row.shape = {row.size()};
  return c.add_constant(row, DType::kFloat32, {0});
}

/// alpha · A' · B' + beta · C.
void convert_gemm(Conversion& c) {
  need_float(c);
  const bool transposes_a = c.attributes().integer("transA", 0) != 0;
  const bool transposes_b = c.attributes().integer("transB", 0) != 0;
  const double alpha = c.attributes().real("alpha", 1);
  const double beta = c.attributes().real("beta", 1);
  const TensorId a = c.tensor(0, transposes_a ? Order{1, 0} : Order{0, 1});
  const DType type = c.get(a).type;
  TensorId bias = graph::kAbsent;
  TensorId y = graph::kAbsent;
  if (const Value* w = c.constant(1); w != nullptr) {
    bias = c.has(2) ? row_bias(c, c.out(0).shape[1], beta) : graph::kAbsent;
    y = alpha == 1 ? fully_connected(c, a, *w, transposes_b, bias)
                   : fully_connected(c, a, scaled(*w, alpha), transposes_b, bias);
  } else {
    y = matmul(c, a, c.tensor(1), transposes_b);
    if (alpha != 1) y = c.map(MapFunction::kMul, {y}, type, alpha);
  }
  if (c.has(2) && bias == graph::kAbsent) {
    TensorId added = c.broadcast_operand(2, {0, 1});
    if (beta != 1) added = c.map(MapFunction::kMul, {added}, type, beta);
    y = c.map(MapFunction::kAdd, {y, added}, type);
  }
  c.result(0, y);
}

constexpr auto kConverters = std::to_array<Converter>({
    {"", "Gemm", convert_gemm},
    {"", "MatMul", convert_matmul},
});

}  // namespace

std::span<const Converter> matmul_converters() { return kConverters; }

}  // namespace npu::onnx_import
