#include <algorithm>
#include <cmath>

#include "tests/support/random_layers.h"

namespace npu::test {
namespace {

using graph::OpKind;
using graph::TensorId;

/// Same shapes, a scalar, a vector along the last dimension, or any mixture of sizes and ones;
/// sometimes one operand is a constant.
graph::Graph random_binary(Draw& draw, OpKind kind, DType type, int size) {
  GraphMaker maker(std::string(graph::name_of(kind)));
  LayerMaker layers(maker, draw);
  Shape a = random_shape(draw, 1, 4, size);
  Shape b = a;
  const int style = draw.small(0, 3);
  if (style == 1) b = Shape{1};
  if (style == 2) b = Shape{a.back()};
  if (style == 3) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (draw.one_in(3)) a[i] = 1;
      if (draw.one_in(3)) b[i] = 1;
    }
  }
  const bool shared = kind == OpKind::kMaximum || kind == OpKind::kMinimum;
  const Affine qa = draw.affine(type);
  const Affine qb =
      shared ? qa : draw.affine(type, static_cast<double>(qa.scale) * draw.ratio(0.2, 5));
  TensorId first = maker.input(type, a, qa);
  TensorId second = 0;
  if (draw.one_in(4)) {
    second = maker.constant(type, b, graph::Quantization{{qb.scale}, {qb.zero_point}, 0},
                            draw.bytes(type, element_count(b)));
  } else {
    second = maker.input(type, b, qb);
  }
  if (draw.one_in(2)) std::swap(first, second);
  return maker.finish({layers.binary(kind, first, second)});
}

/// A range around the result's mean, as wide as its deviation or its zero point's reach asks for.
Affine reduced_range(Draw& draw, OpKind kind, DType type, Affine in, double count) {
  const double weight = kind == OpKind::kMean ? 1 : count;
  const double middle = type == DType::kUint8 ? 127.5 : -0.5;
  const double deviation = spread_of(DType::kInt8, 0) * (type == DType::kInt16 ? 256 : 1);
  const double scale = static_cast<double>(in.scale) * weight;
  const double mean = type == DType::kInt16 ? 0 : (middle - in.zero_point) * scale;
  const double step =
      std::max(deviation * scale / std::sqrt(count) / reach_of(type), std::abs(mean) / 100) *
      draw.ratio(0.7, 2);
  Affine q = draw.affine(type, step);
  if (type != DType::kInt16) {
    const double zero = middle - mean / step;
    q.zero_point = static_cast<std::int32_t>(std::clamp(zero, middle - 127, middle + 127));
  }
  return q;
}

graph::Graph random_reduction(Draw& draw, OpKind kind, DType type, int size) {
  GraphMaker maker(std::string(graph::name_of(kind)));
  // Rank 5 and 6 have three separate groups of kept or reduced dimensions now and then.
  Shape shape =
      draw.one_in(4) ? random_shape(draw, 5, 6, std::min(size, 6)) : random_shape(draw, 2, 4, size);
  graph::ReduceAttrs a;
  a.keep_dims = draw.one_in(2);
  if (shape.size() == 4 && draw.one_in(2)) {
    a.axes = {1, 2};
  } else {
    for (int i = 0; i < static_cast<int>(shape.size()); ++i) {
      if (draw.one_in(2)) a.axes.push_back(i);
    }
    if (a.axes.empty()) a.axes.push_back(static_cast<int>(shape.size()) - 1);
  }
  std::int64_t count = 1;
  Shape out;
  for (int i = 0; i < static_cast<int>(shape.size()); ++i) {
    const std::int64_t d = shape[static_cast<std::size_t>(i)];
    const bool reduced = std::binary_search(a.axes.begin(), a.axes.end(), i);
    if (reduced) count *= d;
    if (reduced && a.keep_dims) out.push_back(1);
    if (!reduced) out.push_back(d);
  }
  const Affine in = draw.affine(type);
  const TensorId x = maker.input(type, shape, in);
  const Affine q = reduced_range(draw, kind, type, in, static_cast<double>(count));
  const TensorId y = maker.activation(type, out, q);
  maker.node(kind, {x}, {y}, a);
  return maker.finish({y});
}

/// An input scale that covers the interesting part of an S-curve.
double curve_scale(Draw& draw, DType type) {
  const double reach = draw.ratio(2, 16);
  return type == DType::kInt16 ? reach / 32768 : reach / 128;
}

/// Logistic and tanh fix their output.
Affine curve_output(OpKind kind, DType type) {
  if (type == DType::kInt16) return {1.0F / 32768, 0};
  const bool logistic = kind == OpKind::kLogistic;
  const std::int32_t zero_point = logistic ? -128 : 0;
  return {logistic ? 1.0F / 256 : 1.0F / 128,
          type == DType::kUint8 ? zero_point + 128 : zero_point};
}

DType other_type(Draw& draw, DType type) {
  const auto other = draw.any_of({DType::kInt8, DType::kUint8, DType::kInt16, DType::kInt32});
  return other == type ? DType::kInt16 : other;
}

graph::Graph random_unary(Draw& draw, OpKind kind, DType type, int size) {
  GraphMaker maker(std::string(graph::name_of(kind)));
  const Shape shape = random_shape(draw, 1, 4, size);
  Affine in = draw.affine(type, curve_scale(draw, type));
  DType out_type = type;
  Affine out = in;
  graph::Attrs attrs;
  switch (kind) {
    case OpKind::kLogistic:
    case OpKind::kTanh:
      // Powers of two have an exact path of their own over int16.
      if (type == DType::kInt16 && draw.one_in(3)) in = {draw.one_in(2) ? 0x1p-12F : 0x1p-11F, 0};
      out = curve_output(kind, type);
      break;
    case OpKind::kRelu:
    case OpKind::kRelu6:
    case OpKind::kReluN1To1:
      if (draw.one_in(2)) {
        out = draw.affine(type, static_cast<double>(in.scale) * draw.ratio(0.4, 1.5));
      }
      break;
    case OpKind::kLeakyRelu: {
      const double alpha = draw.ratio(0.01, 0.6);
      const bool negative = draw.one_in(4);
      attrs = graph::LeakyReluAttrs{static_cast<float>(negative ? -alpha : alpha)};
      out = draw.affine(type, static_cast<double>(in.scale) * draw.ratio(0.5, 1.5));
      break;
    }
    case OpKind::kHardSwish:
      out = draw.affine(type, static_cast<double>(in.scale) * draw.ratio(0.3, 1.2));
      break;
    case OpKind::kQuantize: {
      if (!draw.one_in(3)) out_type = other_type(draw, type);
      const double covered = static_cast<double>(in.scale) * reach_of(type) * draw.ratio(0.5, 2);
      out = draw.affine(out_type == DType::kInt32 ? DType::kInt16 : out_type,
                        covered / reach_of(out_type == DType::kInt32 ? DType::kInt16 : out_type));
      break;
    }
    default:
      break;
  }
  const TensorId x = maker.input(type, shape, in);
  const TensorId y = maker.activation(out_type, shape, out);
  maker.node(kind, {x}, {y}, attrs);
  return maker.finish({y});
}

graph::Graph random_softmax(Draw& draw, DType type, int size) {
  GraphMaker maker("softmax");
  LayerMaker layers(maker, draw);
  const double reach = draw.ratio(1, 20);
  const Affine in = draw.affine(type, reach / (type == DType::kInt16 ? 32768 : 128));
  const TensorId x = maker.input(type, random_shape(draw, 1, 4, size), in);
  const bool wider = type == DType::kInt8 && draw.one_in(4);
  const float beta = draw.one_in(3) ? static_cast<float>(draw.ratio(0.3, 3)) : 1.0F;
  return maker.finish({layers.softmax(x, wider ? DType::kInt16 : type, beta)});
}

}  // namespace

graph::Graph random_vector_layer(Draw& draw, OpKind kind, DType type, int size) {
  switch (kind) {
    case OpKind::kAdd:
    case OpKind::kSub:
    case OpKind::kMul:
    case OpKind::kMaximum:
    case OpKind::kMinimum:
      return random_binary(draw, kind, type, size);
    case OpKind::kMean:
    case OpKind::kSum:
      return random_reduction(draw, kind, type, size);
    case OpKind::kSoftmax:
      return random_softmax(draw, type, size);
    default:
      return random_unary(draw, kind, type, size);
  }
}

}  // namespace npu::test
