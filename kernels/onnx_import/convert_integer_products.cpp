// Integer networks (Network::ranges): convolutions, matrix products and what goes with them, sums
// in int32.
#include <array>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/images.h"
#include "kernels/onnx_import/integer_ranges.h"
#include "kernels/onnx_import/windows.h"

namespace npu::onnx_import {
namespace {

using graph::OpKind;
using graph::TensorId;
using std::int64_t;

void need_int32(const Range& range) {
  if (!storage_of(range)) not_mapped("{} … {} is beyond int32", range.low, range.high);
}

/// Sums in int32, channels last.
void convert_conv(Conversion& c) {
  const Shape x_shape = c.shape(0);
  const onnx::Value& weights = c.need_constant(1, "w");
  if (x_shape.size() != 4) not_mapped("rank {}", x_shape.size());
  need_int32(c.range(c.node().outputs[0]));
  const int64_t groups = c.attributes().integer("group", 1);
  graph::WindowAttrs attrs;
  attrs.window = image_window(convolution_window(c.attributes(), x_shape, weights.shape));
  const Order order = channels_last(4);
  const TensorId x = c.tensor(0, order);
  const bool depthwise = groups > 1 && groups == x_shape[1];
  TensorId w = graph::kAbsent;
  if (depthwise) {  // [C·mult,1,h,w] to [1,h,w,C·mult]
    attrs.depth_multiplier = static_cast<int>(weights.shape[0] / groups);
    w = c.add_constant(weights, DType::kInt8, {1, 2, 3, 0});
  } else {
    attrs.groups = static_cast<int>(groups);
    w = c.add_constant(weights, DType::kInt8, order);
  }
  const TensorId bias =
      c.has(2) ? c.add_constant(c.need_constant(2, "b"), DType::kInt32, {0}) : graph::kAbsent;
  graph::Tensor y;
  y.type = DType::kInt32;
  y.shape = permuted(c.out(0).shape, order);
  c.result(0, c.add(depthwise ? OpKind::kDepthwiseConv2d : OpKind::kConv2d, {x, w, bias}, attrs, y),
           order);
}

void convert_max_pool(Conversion& c) {
  if (c.shape(0).size() != 4) not_mapped("rank {}", c.shape(0).size());
  const Order order = channels_last(4);
  const TensorId x = c.tensor(0, order);
  graph::WindowAttrs attrs;
  attrs.window = image_window(pool_window(c.attributes(), c.shape(0)));
  graph::Tensor y = c.like(x, permuted(c.out(0).shape, order));
  c.result(0, c.add(OpKind::kMaxPool2d, {x}, attrs, y), order);
}

/// a[…,M,K] times b[…,K,N] in int32.
TensorId product(Conversion& c, TensorId a, TensorId b, TensorId bias, bool transpose_b,
                 const Shape& shape) {
  need_int32(c.range(c.node().outputs[0]));
  graph::Tensor y;
  y.type = DType::kInt32;
  y.shape = shape;
  return c.add(OpKind::kMatMul, {a, b, bias}, graph::MatMulAttrs{transpose_b}, y);
}

void convert_matmul(Conversion& c) {
  const std::size_t rank = c.out(0).shape.size();
  if (c.shape(0).size() < 2 || c.shape(1).size() < 2) not_mapped("a product with a vector");
  const TensorId y = product(c, c.tensor(0), c.tensor(1), graph::kAbsent, false, c.out(0).shape);
  c.result(0, y, identity_order(rank));
}

void convert_gemm(Conversion& c) {
  const onnx::Call& call = c.attributes();
  if (call.integer("transA", 0) != 0) not_mapped("transA");
  if (call.real("alpha", 1) != 1 || call.real("beta", 1) != 1) not_mapped("alpha or beta");
  TensorId bias = graph::kAbsent;
  if (c.has(2)) {
    onnx::Value b = c.need_constant(2, "C");
    if (b.size() != c.out(0).shape[1]) not_mapped("C of shape {}", to_string(b.shape));
    b.shape = {b.size()};
    bias = c.add_constant(b, DType::kInt32, {0});
  }
  c.result(0, product(c, c.tensor(0), c.tensor(1), bias, call.integer("transB", 0) != 0,
                      c.out(0).shape));
}

/// One index: a slice without its dimension.
void convert_gather(Conversion& c) {
  const Shape& shape = c.shape(0);
  const auto axis =
      onnx::resolve_axis(c.attributes().integer("axis", 0), static_cast<int64_t>(shape.size()));
  const std::vector<int64_t> indices = c.need_integers(1, "indices");
  if (indices.size() != 1) not_mapped("{} indices", indices.size());
  const int64_t index = indices[0] < 0 ? indices[0] + shape[axis] : indices[0];
  if (index < 0 || index >= shape[axis]) not_mapped("index {} of {}", index, shape[axis]);
  graph::SliceAttrs attrs{Shape(shape.size(), 0), Shape(shape.size(), 1), shape};
  attrs.begin[axis] = index;
  attrs.sizes[axis] = 1;
  const TensorId x = c.tensor(0);
  const TensorId y = c.add(OpKind::kStridedSlice, {x}, attrs, c.like(x, attrs.sizes));
  c.result(0, c.reshape(y, c.out(0).shape));
}
constexpr auto kConverters = std::to_array<Converter>({
    {kIntegerDomain, "Conv", convert_conv},
    {kIntegerDomain, "Gather", convert_gather},
    {kIntegerDomain, "Gemm", convert_gemm},
    {kIntegerDomain, "MatMul", convert_matmul},
    {kIntegerDomain, "MaxPool", convert_max_pool},
});

}  // namespace

std::span<const Converter> integer_product_converters() { return kConverters; }

}  // namespace npu::onnx_import
