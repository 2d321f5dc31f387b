// QLinearConv, QLinearMatMul: bytes to bytes, sums rescaled in fp32 as ONNX defines them.
// ConvInteger, MatMulInteger: the sums themselves.
#include <array>

#include "kernels/onnx_import/images.h"
#include "kernels/onnx_import/quantized.h"
#include "kernels/onnx_import/tensors.h"
#include "kernels/onnx_import/windows.h"

namespace npu::onnx_import {
namespace {

using graph::OpKind;
using graph::Quantization;
using graph::TensorId;
using onnx::Value;

constexpr float kWhole = 1;  ///< Scale of integers that stand for themselves.

void need_bytes(const Conversion& c, std::size_t i) {
  if (!is_byte(c.in(i).type)) not_mapped("{} {}", name_of(c.in(i).type), c.node().op_type);
}

std::int32_t zero_point(const Conversion& c, std::size_t i) {
  if (!c.has(i)) return 0;
  const std::vector<std::int64_t> zero = to_integers(c.need_constant(i, "zero point"));
  if (zero.size() != 1) not_mapped("{} zero points", zero.size());
  return static_cast<std::int32_t>(zero[0]);
}

float as_scale(double s) {
  if (!is_scale(s)) not_mapped("a scale of {}", s);
  return static_cast<float>(s);
}

/// Quantization of a tensor by a scale and a zero point, operands of the node.
Quantization steps_of(const Conversion& c, std::size_t scale, std::size_t zero) {
  return steps(as_scale(c.need_scalar(scale, "scale")), zero_point(c, zero));
}

/// Weights of a convolution, [O,C/groups,…] with spatial dimensions put in up to two.
QuantizedConstant filters(const Conversion& c, std::size_t i, const Value* scale,
                          const Value* zero) {
  QuantizedConstant constant;
  constant.value = c.need_constant(i, "weights");
  if (constant.value.rank() == 3) constant.value.shape.insert(constant.value.shape.begin() + 2, 1);
  if (constant.value.rank() != 4) not_mapped("rank {}", constant.value.rank());
  constant.scale = {kWhole};
  if (scale != nullptr) {
    constant.scale.clear();
    for (const double s : to_doubles(*scale)) constant.scale.push_back(as_scale(s));
  }
  const std::vector<std::int64_t> zeros =
      zero != nullptr ? to_integers(*zero) : std::vector<std::int64_t>{0};
  for (const std::int64_t z : zeros) constant.zero_point.push_back(static_cast<std::int32_t>(z));
  const std::size_t count = std::max(constant.scale.size(), constant.zero_point.size());
  const auto is_list = [&](std::size_t size) {
    return size == count && (size == 1 || std::cmp_equal(size, constant.value.shape[0]));
  };
  if (constant.scale.size() == 1) constant.scale.resize(count, constant.scale[0]);
  if (constant.zero_point.size() == 1) constant.zero_point.resize(count, constant.zero_point[0]);
  if (!is_list(constant.scale.size()) || !is_list(constant.zero_point.size())) {
    not_mapped("scales and zero points do not fit the weights");
  }
  std::optional<QuantizedConstant> weights = as_weights(std::move(constant));
  if (!weights) not_mapped("weights with zero points");
  return std::move(*weights);
}

/// The tensor, whose bytes stand for themselves.
TensorId raw(TensorId x, const Conversion& c) {
  if (c.get(x).quantization) not_mapped("a number that is quantized elsewhere");
  return x;
}

/// y[N,H,W,O] of operand x with the window's attributes.
void convolve(Conversion& c, std::size_t w, const Quantization& x_steps,
              const QuantizedConstant& weights, TensorId bias, graph::Rescale rescale,
              graph::Tensor y) {
  graph::WindowAttrs attrs;
  attrs.rescale = rescale;
  attrs.window = image_window(convolution_window(c.attributes(), c.shape(0), c.shape(w)));
  // Integers without zero points stand for themselves.
  const bool is_raw = rescale == graph::Rescale::kMultiplier && x_steps.zero_point[0] == 0 &&
                      weights.zero_point[0] == 0;
  const TensorId x = is_raw ? raw(image_of(c, 0), c) : image_of(c, 0, x_steps);
  const std::int64_t groups = c.attributes().integer("group", 1);
  const bool depthwise = groups > 1 && groups == c.shape(0)[1];
  if (depthwise) {
    attrs.depth_multiplier = static_cast<int>(weights.value.shape[0] / groups);
  } else {
    attrs.groups = static_cast<int>(groups);
  }
  graph::Tensor filter =
      Conversion::quantized_tensor(weights, depthwise ? Order{1, 2, 3, 0} : Order{0, 2, 3, 1});
  if (is_raw) filter.quantization.reset();
  const TensorId f = c.add_constant(std::move(filter));
  const OpKind kind = depthwise ? OpKind::kDepthwiseConv2d : OpKind::kConv2d;
  image_result(c, c.add(kind, {x, f, bias}, attrs, std::move(y)));
}

void convert_qlinear_conv(Conversion& c) {
  need_bytes(c, 0);
  need_bytes(c, 3);
  const QuantizedConstant weights =
      filters(c, 3, &c.need_constant(4, "scale"), &c.need_constant(5, "zero point"));
  graph::Tensor y = image_output(c, c.dtype(c.out(0).type));
  y.quantization = steps_of(c, 6, 7);
  const TensorId bias =
      c.has(8) ? c.add_constant(c.need_constant(8, "bias"), DType::kInt32, {0}) : graph::kAbsent;
  convolve(c, 3, steps_of(c, 1, 2), weights, bias, graph::Rescale::kFloat, std::move(y));
}

void convert_conv_integer(Conversion& c) {
  need_bytes(c, 0);
  need_bytes(c, 1);
  const Value* zero = c.has(3) ? &c.need_constant(3, "zero point") : nullptr;
  QuantizedConstant weights = filters(c, 1, nullptr, zero);
  convolve(c, 1, steps(kWhole, zero_point(c, 2)), weights, graph::kAbsent,
           graph::Rescale::kMultiplier, image_output(c, DType::kInt32));
}

/// Operand i of a product with a matrix at least: [M,K] or [K,N].
TensorId matrix(Conversion& c, std::size_t i, bool is_left, const Quantization& q) {
  const Shape& shape = c.shape(i);
  if (shape.empty()) not_mapped("a scalar");
  const Order order = identity_order(shape.size());
  const TensorId x = q == steps(kWhole, 0) ? raw(c.tensor(i, order), c) : c.quantized(i, order, q);
  if (shape.size() > 1) return x;
  return c.reshape(x, is_left ? Shape{1, shape[0]} : Shape{shape[0], 1});
}

/// The product of operands a and b in the type and quantization of y.
TensorId product(Conversion& c, TensorId a, TensorId b, graph::Tensor y) {
  const Shape& left = c.get(a).shape;
  const Shape& right = c.get(b).shape;
  const Shape left_batch(left.begin(), left.end() - 2);
  const Shape right_batch(right.begin(), right.end() - 2);
  y.shape = onnx::broadcast({&left_batch, &right_batch});
  y.shape.push_back(left[left.size() - 2]);
  y.shape.push_back(right.back());
  return c.add(OpKind::kMatMul, {a, b, graph::kAbsent}, graph::MatMulAttrs{}, std::move(y));
}

void convert_qlinear_matmul(Conversion& c) {
  need_bytes(c, 0);
  need_bytes(c, 3);
  const TensorId a = matrix(c, 0, true, steps_of(c, 1, 2));
  const TensorId b = matrix(c, 3, false, steps_of(c, 4, 5));
  graph::Tensor y;
  y.type = c.dtype(c.out(0).type);
  y.quantization = steps_of(c, 6, 7);
  c.result(0, c.reshape(product(c, a, b, std::move(y)), tensor_shape(c.out(0).shape)));
}

/// Sums over the rows of a constant b, each less the zero point: [N].
std::vector<double> column_sums(const Conversion& c, std::int32_t zero) {
  const Value& b = c.need_constant(1, "weights with a zero point that is computed");
  if (b.rank() != 2) not_mapped("weights of rank {} with a zero point that is computed", b.rank());
  const std::vector<double> elements = to_doubles(b);
  std::vector<double> sums(static_cast<std::size_t>(b.shape[1]), 0);
  for (std::size_t i = 0; i < elements.size(); ++i) sums[i % sums.size()] += elements[i] - zero;
  return sums;
}

/// Σ (a − a_zero) · (b − b_zero). A zero point of a that the network computes is taken off after
/// the product: a_zero · Σ (b − b_zero).
void convert_matmul_integer(Conversion& c) {
  need_bytes(c, 0);
  need_bytes(c, 1);
  const bool is_computed = c.has(2) && c.constant(2) == nullptr;
  const Quantization a_steps = steps(kWhole, is_computed ? 0 : zero_point(c, 2));
  const Quantization b_steps = steps(kWhole, zero_point(c, 3));
  const TensorId a = matrix(c, 0, true, a_steps);
  const TensorId b = matrix(c, 1, false, b_steps);
  graph::Tensor y;
  y.type = DType::kInt32;
  TensorId sums = product(c, a, b, std::move(y));
  if (is_computed) {
    if (onnx::product(c.shape(2), 0, c.shape(2).size()) != 1) not_mapped("a zero point per row");
    const std::vector<double> columns = column_sums(c, b_steps.zero_point[0]);
    const Value list = onnx::from_doubles(onnx::ElementType::kInt32,
                                          {static_cast<std::int64_t>(columns.size())}, columns);
    const TensorId zero = c.reshape(c.tensor(2), {1});
    const TensorId offset =
        c.map(MapFunction::kMul, {c.add_constant(list, DType::kInt32, {0}), zero}, DType::kInt32);
    sums = c.map(MapFunction::kSub, {sums, offset}, DType::kInt32);
  }
  c.result(0, c.reshape(sums, tensor_shape(c.out(0).shape)));
}

constexpr auto kConverters = std::to_array<Converter>({
    {"", "ConvInteger", convert_conv_integer},
    {"", "MatMulInteger", convert_matmul_integer},
    {"", "QLinearConv", convert_qlinear_conv},
    {"", "QLinearMatMul", convert_qlinear_matmul},
});

}  // namespace

std::span<const Converter> quantized_product_converters() { return kConverters; }

}  // namespace npu::onnx_import
