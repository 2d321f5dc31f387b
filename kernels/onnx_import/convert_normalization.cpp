// Softmax and normalizations.
#include <algorithm>
#include <cmath>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/tensors.h"

namespace npu::onnx_import {
namespace {

using enum MapFunction;
using graph::OpKind;
using graph::TensorId;
using onnx::ElementType;
using onnx::Value;

DType float_type(const Conversion& c) {
  const DType type = c.dtype(c.in(0).type);
  if (!is_float(type)) not_mapped("{} {}", name_of(type), c.node().op_type);
  return type;
}

/// A value laid out so that what is normalized is one dimension, the last. Before opset 13 that is
/// everything from the axis on.
struct Lines {
  TensorId tensor = graph::kAbsent;
  Order order;
  bool is_flat = false;  ///< [outer, inner] in ONNX's order.
};

Lines lines_of(Conversion& c, std::int64_t fallback_axis) {
  const Shape& shape = c.shape(0);
  const std::size_t rank = shape.size();
  const std::size_t axis =
      onnx::resolve_axis(c.attributes().integer("axis", c.opset() < 13 ? 1 : fallback_axis),
                         static_cast<std::int64_t>(rank));
  if (c.opset() < 13 && axis + 1 != rank) {
    const Shape flat = {onnx::product(shape, 0, axis), onnx::product(shape, axis, rank)};
    return {c.reshape(c.tensor(0), flat), {}, true};
  }
  const Form x = c.operand(0);
  if (x.order.back() == static_cast<int>(axis)) return {x.tensor, x.order, false};
  Order order = identity_order(rank);
  order.erase(order.begin() + static_cast<std::ptrdiff_t>(axis));
  order.push_back(static_cast<int>(axis));
  return {c.tensor(0, order), order, false};
}

void set_lines(Conversion& c, const Lines& lines, TensorId y) {
  if (lines.is_flat) return c.result(0, c.reshape(y, c.out(0).shape));
  c.result(0, y, lines.order);
}

void convert_softmax(Conversion& c) {
  (void)float_type(c);
  const Lines x = lines_of(c, -1);
  set_lines(c, x, c.add(OpKind::kSoftmax, {x.tensor}, graph::SoftmaxAttrs{}, c.like(x.tensor)));
}

/// x − m − log Σ e^(x − m), m the line's maximum.
void convert_log_softmax(Conversion& c) {
  const DType type = float_type(c);
  const Lines x = lines_of(c, -1);
  const int last = static_cast<int>(c.get(x.tensor).shape.size()) - 1;
  const TensorId top = c.reduce(ReduceFunction::kMax, x.tensor, {last});
  const TensorId centred = c.map(kSub, {x.tensor, top}, type);
  const TensorId sum = c.reduce(ReduceFunction::kSum, c.map(kExp, {centred}, type), {last});
  set_lines(c, x, c.map(kSub, {centred, c.map(kLog, {sum}, type)}, type));
}

/// 1 at the first maximum of a line.
void convert_hardmax(Conversion& c) {
  const DType type = float_type(c);
  const Lines x = lines_of(c, -1);
  const Shape& shape = c.get(x.tensor).shape;
  const int last = static_cast<int>(shape.size()) - 1;
  std::vector<std::int64_t> elements(static_cast<std::size_t>(shape.back()));
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<std::int64_t>(i);
  const Value positions = onnx::from_integers(ElementType::kInt32, {shape.back()}, elements);
  const TensorId at = c.reduce(ReduceFunction::kArgMax, x.tensor, {last});
  const TensorId is_top =
      c.map(kEqual, {c.add_constant(positions, DType::kInt32, {0}), at}, DType::kBool);
  set_lines(c, x, c.map(kCopy, {is_top}, type));
}

/// A constant [C] that broadcasts along dimension 1 of values in that order.
TensorId per_channel(Conversion& c, const std::vector<double>& elements, const Order& order) {
  Shape shape(order.size(), 1);
  const auto place = static_cast<std::size_t>(place_of(order, 1));
  shape[place] = static_cast<std::int64_t>(elements.size());
  const Value value = onnx::from_doubles(ElementType::kFloat, shape, elements);
  return c.add_constant(value, DType::kFloat32, identity_order(order.size()));
}

/// Operand i, [C], broadcast along dimension 1.
TensorId channel_operand(Conversion& c, std::size_t i, const Order& order) {
  if (const Value* value = c.constant(i); value != nullptr) {
    return per_channel(c, to_doubles(*value), order);
  }
  Shape shape(order.size(), 1);
  shape[static_cast<std::size_t>(place_of(order, 1))] = c.shape(i).at(0);
  return c.reshape(c.tensor(i), shape);
}

/// In inference: x · a + b per channel, a = scale / √(var + ε), b = bias − mean · a.
void convert_batch_norm(Conversion& c) {
  const DType type = float_type(c);
  if (c.attributes().integer("training_mode", 0) != 0) not_mapped("training_mode");
  const double epsilon = c.attributes().real("epsilon", 1e-5F);
  const Form x = c.operand(0);
  if (x.order.size() < 2) not_mapped("rank {}", x.order.size());
  std::vector<std::vector<double>> constants;
  for (std::size_t i = 1; i < 5; ++i) {
    if (c.constant(i) != nullptr) constants.push_back(to_doubles(*c.constant(i)));
  }
  if (constants.size() == 4) {
    std::vector<double> a = constants[0];
    std::vector<double> b = constants[1];
    for (std::size_t i = 0; i < a.size(); ++i) {
      a[i] /= std::sqrt(constants[3].at(i) + epsilon);
      b.at(i) -= constants[2].at(i) * a[i];
    }
    const TensorId product = c.map(kMul, {x.tensor, per_channel(c, a, x.order)}, type);
    return c.result(0, c.map(kAdd, {product, per_channel(c, b, x.order)}, type), x.order);
  }
  const DType wide = DType::kFloat32;
  const TensorId variance = c.map(kAdd, {channel_operand(c, 4, x.order)}, wide, epsilon);
  const TensorId inverse = c.map(kReciprocalSqrt, {variance}, wide);
  const TensorId a = c.map(kMul, {channel_operand(c, 1, x.order), inverse}, wide);
  const TensorId centred = c.map(kSub, {x.tensor, channel_operand(c, 3, x.order)}, wide);
  const TensorId product = c.map(kMul, {centred, a}, wide);
  c.result(0, c.map(kAdd, {product, channel_operand(c, 2, x.order)}, type), x.order);
}

/// A constant operand broadcast to the shape and as float32, or a tensor of that shape.
TensorId norm_operand(Conversion& c, std::size_t i, const Shape& shape) {
  if (const Value* value = c.constant(i); value != nullptr) {
    if (onnx::broadcast({&value->shape, &shape}) != shape) {
      not_mapped("a scale of {} for {}", to_string(value->shape), to_string(shape));
    }
    const auto at = onnx::broadcast_indices(value->shape, shape);
    const Value wide = onnx::gather_elements(*value, shape, at);
    return c.add_constant(wide, c.dtype(wide.type), identity_order(shape.size()));
  }
  if (c.shape(i) != shape)
    not_mapped("a scale of {} for {}", to_string(c.shape(i)), to_string(shape));
  return c.tensor(i);
}

/// LayerNormalization and RMSNormalization over the trailing dimensions.
void convert_trailing_norm(Conversion& c, OpKind kind) {
  (void)float_type(c);
  if (c.wants(1) || c.wants(2)) not_mapped("mean or deviation as an output");
  const Shape& shape = c.shape(0);
  const std::size_t axis = onnx::resolve_axis(c.attributes().integer("axis", -1),
                                              static_cast<std::int64_t>(shape.size()));
  const Shape inner(shape.begin() + static_cast<std::ptrdiff_t>(axis), shape.end());
  graph::NormAttrs attrs;
  attrs.axis = static_cast<int>(axis);
  attrs.epsilon = static_cast<float>(c.attributes().real("epsilon", 1e-5F));
  std::vector<TensorId> operands = {c.tensor(0), norm_operand(c, 1, inner)};
  if (kind == OpKind::kLayerNorm) {
    operands.push_back(c.has(2) ? norm_operand(c, 2, inner) : graph::kAbsent);
  }
  c.result(0, c.add(kind, operands, attrs, c.like(operands[0])));
}
void convert_layer_norm(Conversion& c) { convert_trailing_norm(c, OpKind::kLayerNorm); }
void convert_rms_norm(Conversion& c) { convert_trailing_norm(c, OpKind::kRmsNorm); }

/// Where ε is added: to the variance or to its root.
enum class Epsilon : std::uint8_t { kToVariance, kToDeviation };

/// (x − mean) / √(variance + ε) over axes of a tensor; intermediates in float32.
TensorId standardized(Conversion& c, TensorId x, const std::vector<int>& axes, double epsilon,
                      Epsilon where = Epsilon::kToVariance) {
  const DType wide = DType::kFloat32;
  double count = 1;
  for (const int a : axes) {
    count *= static_cast<double>(c.get(x).shape.at(static_cast<std::size_t>(a)));
  }
  const auto mean_of = [&](ReduceFunction fold, TensorId from) {
    return c.map(kDiv, {c.reduce(fold, from, axes)}, wide, count);
  };
  const TensorId in = c.get(x).type == wide ? x : c.map(kCopy, {x}, wide);
  const TensorId centred = c.map(kSub, {in, mean_of(ReduceFunction::kSum, in)}, wide);
  const TensorId variance = mean_of(ReduceFunction::kSumSquares, centred);
  if (where == Epsilon::kToDeviation) {
    const TensorId deviation = c.map(kSqrt, {variance}, wide);
    return c.map(kDiv, {centred, c.map(kAdd, {deviation}, wide, epsilon)}, wide);
  }
  const TensorId inverse = c.map(kReciprocalSqrt, {c.map(kAdd, {variance}, wide, epsilon)}, wide);
  return c.map(kMul, {centred, inverse}, wide);
}

void convert_instance_norm(Conversion& c) {
  const DType type = float_type(c);
  const Form x = c.operand(0);
  std::vector<int> axes;
  for (std::size_t d = 2; d < x.order.size(); ++d) axes.push_back(place_of(x.order, d));
  if (axes.empty()) not_mapped("no spatial dimension");
  const TensorId y = standardized(c, x.tensor, axes, c.attributes().real("epsilon", 1e-5F));
  const TensorId product = c.map(kMul, {y, channel_operand(c, 1, x.order)}, DType::kFloat32);
  c.result(0, c.map(kAdd, {product, channel_operand(c, 2, x.order)}, type), x.order);
}

/// x as [N, G, rest] in ONNX's order, then scale and bias per channel.
void convert_group_norm(Conversion& c) {
  const DType type = float_type(c);
  if (c.opset() < 21) not_mapped("scale and bias per group (opset {})", c.opset());
  const Shape& shape = c.shape(0);
  const std::int64_t groups = c.attributes().integer("num_groups", 1);
  if (groups < 1 || shape.at(1) % groups != 0) not_mapped("{} groups", groups);
  const std::int64_t inner = onnx::product(shape, 1, shape.size()) / groups;
  const TensorId x = c.reshape(c.tensor(0), {shape[0], groups, inner});
  const TensorId y =
      c.reshape(standardized(c, x, {2}, c.attributes().real("epsilon", 1e-5F)), shape);
  const Order order = identity_order(shape.size());
  const TensorId product = c.map(kMul, {y, channel_operand(c, 1, order)}, DType::kFloat32);
  c.result(0, c.map(kAdd, {product, channel_operand(c, 2, order)}, type));
}

/// Over the axes together, ε as the operator's definition has it (1e-9 to the deviation).
void convert_mean_variance(Conversion& c) {
  const DType type = float_type(c);
  const Form x = c.operand(0);
  const auto rank = static_cast<std::int64_t>(x.order.size());
  std::vector<int> axes;
  for (const std::int64_t a : c.attributes().integers("axes", {0, 2, 3})) {
    axes.push_back(place_of(x.order, onnx::resolve_axis(a, rank)));
  }
  std::sort(axes.begin(), axes.end());
  const TensorId y = standardized(c, x.tensor, axes, 1e-9F, Epsilon::kToDeviation);
  c.result(0, type == DType::kFloat32 ? y : c.map(kCopy, {y}, type), x.order);
}

/// x / (bias + alpha/size · Σ x² over `size` neighbouring channels)^beta.
void convert_lrn(Conversion& c) {
  const DType type = float_type(c);
  const Shape& shape = c.shape(0);
  const std::int64_t size = c.attributes().integer("size", 0);
  if (size < 1 || shape.size() < 2 || size > shape[1]) not_mapped("size {}", size);
  const std::int64_t before = (size - 1) / 2;
  const std::int64_t rest = onnx::product(shape, 2, shape.size());
  const DType wide = DType::kFloat32;
  // Channels as the image's height, everything beside them as its channels.
  const TensorId x = c.reshape(c.tensor(0), {shape[0], shape[1], 1, rest});
  graph::PadAttrs pad{{0, before, 0, 0}, {0, size - 1 - before, 0, 0}, 0};
  const TensorId squares = c.map(kMul, {x, x}, wide);
  const TensorId padded = c.add(OpKind::kPad, {squares}, pad,
                                c.like(squares, {shape[0], shape[1] + size - 1, 1, rest}));
  graph::WindowAttrs window;
  window.window.kernel_h = static_cast<int>(size);
  const TensorId mean = c.add(OpKind::kAveragePool2d, {padded}, window, c.like(squares));
  const double alpha = c.attributes().real("alpha", 1e-4F);
  const double beta = c.attributes().real("beta", 0.75);
  const double bias = c.attributes().real("bias", 1);
  const TensorId base = c.map(kAdd, {c.map(kMul, {mean}, wide, alpha)}, wide, bias);
  const TensorId divisor = c.map(kPow, {base}, wide, beta);
  c.result(0, c.reshape(c.map(kDiv, {x, divisor}, type), shape));
}

void convert_lp_norm(Conversion& c) {
  const DType type = float_type(c);
  const std::int64_t p = c.attributes().integer("p", 2);
  if (p != 1 && p != 2) not_mapped("p = {}", p);
  const Form x = c.operand(0);
  const int place =
      place_of(x.order, onnx::resolve_axis(c.attributes().integer("axis", -1),
                                           static_cast<std::int64_t>(x.order.size())));
  const DType wide = DType::kFloat32;
  TensorId norm = graph::kAbsent;
  if (p == 1) {
    norm = c.reduce(ReduceFunction::kSum, c.map(kAbs, {x.tensor}, wide), {place});
  } else {
    const TensorId squares = c.map(kMul, {x.tensor, x.tensor}, wide);
    norm = c.map(kSqrt, {c.reduce(ReduceFunction::kSum, squares, {place})}, wide);
  }
  // A line of zeros stays one.
  const TensorId is_zero = c.map(kEqual, {norm}, DType::kBool, 0);
  const TensorId divisor = c.map(kSelect, {is_zero, c.scalar(1, wide), norm}, wide);
  c.result(0, c.map(kDiv, {x.tensor, divisor}, type), x.order);
}

constexpr auto kConverters = std::to_array<Converter>({
    {"", "BatchNormalization", convert_batch_norm},
    {"", "GroupNormalization", convert_group_norm},
    {"", "Hardmax", convert_hardmax},
    {"", "InstanceNormalization", convert_instance_norm},
    {"", "LRN", convert_lrn},
    {"", "LayerNormalization", convert_layer_norm},
    {"", "LogSoftmax", convert_log_softmax},
    {"", "LpNormalization", convert_lp_norm},
    {"", "MeanVarianceNormalization", convert_mean_variance},
    {"", "RMSNormalization", convert_rms_norm},
    {"", "Softmax", convert_softmax},
});

}  // namespace

std::span<const Converter> normalization_converters() { return kConverters; }

}  // namespace npu::onnx_import
