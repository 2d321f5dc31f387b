// The general operators of NetworkBuilder, and what transformers are made of.
#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/error.h"
#include "workloads/graph/drawn_values.h"
#include "workloads/graph/network_builder.h"

namespace npu::graph {
namespace {

constexpr float kLeakySlope = 0.2F;
constexpr double kSix = 6;
/// Deviation of learned scales from 1 and of their biases from 0.
constexpr double kNormDeviation = 0.1;
/// Scores span so many times their r on either side: what is masked gets a weight of 0.
constexpr double kScoreSpan = 3;
/// Added to the score of a key that a row does not see.
constexpr double kMasked = -10'000;

/// √E f(x)² over normal x: how much of r passes the function.
double gain_of(MapFunction function) {
  if (function == MapFunction::kSilu) return 0.596;
  if (function == MapFunction::kGelu || function == MapFunction::kGeluTanh) return 0.652;
  return 1;
}

Shape broadcast(const Shape& a, const Shape& b) {
  Shape y(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    y[y.size() - 1 - i] = std::max(da, db);
  }
  return y;
}

MapFunction function_of(OpKind kind) {
  switch (kind) {
    case OpKind::kRelu:
      return MapFunction::kRelu;
    case OpKind::kRelu6:
      return MapFunction::kClip;
    case OpKind::kLeakyRelu:
      return MapFunction::kLeakyRelu;
    case OpKind::kLogistic:
      return MapFunction::kSigmoid;
    case OpKind::kTanh:
      return MapFunction::kTanh;
    case OpKind::kHardSwish:
      return MapFunction::kHardSwish;
    case OpKind::kAdd:
      return MapFunction::kAdd;
    case OpKind::kSub:
      return MapFunction::kSub;
    case OpKind::kMul:
      return MapFunction::kMul;
    case OpKind::kMaximum:
      return MapFunction::kMax;
    case OpKind::kMinimum:
      return MapFunction::kMin;
    default:
      fail("{} has no function", name_of(kind));
  }
}

}  // namespace

void NetworkBuilder::set_range(TensorId id, double r, double span) {
  r_[static_cast<std::size_t>(id)] = std::clamp(r, 0x1p-40, 0x1p40);
  if (is_quantized()) at(id).quantization = quantization_of({.r = span});
}

TensorId NetworkBuilder::map_with(const MapAttrs& attrs, const std::vector<TensorId>& x) {
  Shape y = shape(x.at(0));
  double r = gain_of(attrs.function) * r_of(x[0]);
  for (std::size_t i = 1; i < x.size(); ++i) {
    y = broadcast(y, shape(x[i]));
    r = attrs.function == MapFunction::kMul ? r * r_of(x[i]) : std::hypot(r, r_of(x[i]));
  }
  const TensorId id = node(OpKind::kMap, x, std::move(y), attrs, {.r = r});
  if (x.size() == 1) set_range(id, r, r_of(x[0]));
  return id;
}

TensorId NetworkBuilder::map(MapFunction function, const std::vector<TensorId>& x) {
  return map_with({.function = function}, x);
}

TensorId NetworkBuilder::float_unary(OpKind kind, TensorId x) {
  MapAttrs attrs{.function = function_of(kind)};
  if (kind == OpKind::kRelu6) attrs.imm1 = kSix;
  if (kind == OpKind::kLeakyRelu) attrs.imm0 = static_cast<double>(kLeakySlope);
  return map_with(attrs, {x});
}

TensorId NetworkBuilder::float_binary(OpKind kind, TensorId a, TensorId b, Activation activation) {
  const TensorId y = map(function_of(kind), {a, b});
  if (activation == Activation::kRelu) return float_unary(OpKind::kRelu, y);
  if (activation == Activation::kRelu6) return float_unary(OpKind::kRelu6, y);
  return y;
}

TensorId NetworkBuilder::float_mean(TensorId x) {
  const Shape s = image_shape(x);
  const auto size = static_cast<double>(s[1] * s[2]);
  const TensorId sum = node(OpKind::kReduce, {x}, {s[0], s[3]}, ReduceMapAttrs{.axes = {1, 2}},
                            {.r = r_of(x) * size});
  const auto share = static_cast<double>(static_cast<float>(1 / size));
  const TensorId y = map_with({.function = MapFunction::kMul, .imm0 = share}, {sum});
  set_range(y, r_of(x), r_of(x));
  return y;
}

TensorId NetworkBuilder::transpose(TensorId x, std::vector<int> permutation) {
  const Shape from = shape(x);
  Shape y;
  for (const int axis : permutation) y.push_back(from.at(static_cast<std::size_t>(axis)));
  // Dimensions of one may go anywhere.
  std::vector<int> moved;
  for (const int axis : permutation) {
    if (from[static_cast<std::size_t>(axis)] != 1) moved.push_back(axis);
  }
  if (std::is_sorted(moved.begin(), moved.end())) return reshape(x, std::move(y));
  return same_range_node(OpKind::kTranspose, {x}, std::move(y),
                         TransposeAttrs{.permutation = std::move(permutation)});
}

TensorId NetworkBuilder::matmul(TensorId a, TensorId b, bool transpose_b) {
  const Shape& sa = shape(a);
  const Shape& sb = shape(b);
  if (sa.size() < 2 || sb.size() < 2) fail("{}: MATMUL needs two dimensions", graph_.name);
  Shape y = broadcast({sa.begin(), sa.end() - 2}, {sb.begin(), sb.end() - 2});
  y.push_back(sa[sa.size() - 2]);
  y.push_back(sb[sb.size() - (transpose_b ? 2 : 1)]);
  const double r = r_of(a) * r_of(b) * std::sqrt(static_cast<double>(sa.back()));
  return node(OpKind::kMatMul, {a, b, kAbsent}, std::move(y),
              MatMulAttrs{.transpose_b = transpose_b}, {.r = r});
}

TensorId NetworkBuilder::layer_norm(TensorId x, float epsilon) {
  const Shape s = shape(x);
  const TensorId scale = add_constant("scale", {s.back()}, real_type(), kNormDeviation, 1);
  const TensorId offset = add_constant("bias", {s.back()}, real_type(), kNormDeviation);
  return node(OpKind::kLayerNorm, {x, scale, offset}, s,
              NormAttrs{.axis = static_cast<int>(s.size()) - 1, .epsilon = epsilon}, {});
}

TensorId NetworkBuilder::rms_norm(TensorId x, float epsilon) {
  const Shape s = shape(x);
  const TensorId scale = add_constant("scale", {s.back()}, real_type(), kNormDeviation, 1);
  return node(OpKind::kRmsNorm, {x, scale}, s,
              NormAttrs{.axis = static_cast<int>(s.size()) - 1, .epsilon = epsilon}, {});
}

TensorId NetworkBuilder::add_table(std::string_view role, Shape shape,
                                   const std::vector<double>& values) {
  Tensor t;
  t.type = real_type();
  t.shape = std::move(shape);
  t.is_constant = true;
  if (options_.payload == Payload::kRequired) t.data = store_floats(t.type, values);
  return add(std::move(t), role, 1);
}

TensorId NetworkBuilder::rotation(std::string_view role, TensorId x, std::int64_t rotated,
                                  std::int64_t first, double base) {
  const std::int64_t tokens = shape(x).at(1);
  std::vector<double> values;
  for (std::int64_t t = 0; options_.payload == Payload::kRequired && t < tokens; ++t) {
    for (std::int64_t i = 0; i < rotated / 2; ++i) {
      const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(rotated);
      const double angle = static_cast<double>(first + t) * std::pow(base, exponent);
      values.push_back(role == "cos" ? std::cos(angle) : std::sin(angle));
    }
  }
  return add_table(role, {tokens, 1, rotated / 2}, values);
}

TensorId NetworkBuilder::rope(TensorId x, std::int64_t rotated, std::int64_t first, double base) {
  const TensorId cosines = rotation("cos", x, rotated, first, base);
  const TensorId sines = rotation("sin", x, rotated, first, base);
  return node(OpKind::kRope, {x, cosines, sines}, shape(x), RopeAttrs{}, {.r = r_of(x)});
}

TensorId NetworkBuilder::attention(TensorId q, TensorId k, TensorId v, bool causal) {
  const Shape s = shape(q);
  const auto depth = static_cast<float>(s.at(3));
  const TensorId y =
      node(OpKind::kAttention, {q, k, v, kAbsent}, {s[0], s[1], s[2], shape(v).at(3)},
           AttentionAttrs{.scale = 1 / std::sqrt(depth), .causal = causal}, {.r = r_of(v)});
  const double keys = static_cast<double>(shape(k).at(2));
  set_range(y, r_of(v) * std::sqrt(std::exp(1.0) / std::max(keys, std::exp(1.0))), r_of(v));
  return y;
}

TensorId NetworkBuilder::input_like(TensorId x, Shape shape) {
  const TensorId id = activation(std::move(shape), {.r = r_of(x)});
  at(id).quantization = at(x).quantization;
  graph_.inputs.push_back(id);
  return id;
}

/// [M,T]: 0 where row m sees key t ≤ m + T − M, far below elsewhere.
TensorId NetworkBuilder::causal_mask(TensorId scores) {
  const Shape& s = shape(scores);
  const std::int64_t rows = s.at(s.size() - 2), keys = s.back();
  std::vector<double> values;
  for (std::int64_t m = 0; options_.payload == Payload::kRequired && m < rows; ++m) {
    for (std::int64_t t = 0; t < keys; ++t) values.push_back(t > m + keys - rows ? kMasked : 0);
  }
  if (!is_quantized()) return add_table("mask", {rows, keys}, values);
  Tensor mask;
  mask.shape = {rows, keys};
  mask.is_constant = true;
  mask.quantization = at(scores).quantization;
  for (const double value : values) mask.data.push_back(value < 0 ? std::byte{0x80} : std::byte{0});
  return add(std::move(mask), "mask", r_of(scores));
}

TensorId NetworkBuilder::attention_steps(TensorId q, const std::vector<KeyValue>& parts,
                                         bool causal) {
  const Shape s = shape(q);  // [B,H,M,D]
  const std::int64_t groups = shape(parts.at(0).k).at(1);
  if (s.size() != 4 || groups < 1 || s[1] % groups != 0) {
    fail("{}: {} heads on {} keys' heads", graph_.name, s.size() == 4 ? s[1] : 0, groups);
  }
  // The query heads that share keys are rows of one product.
  const TensorId rows = reshape(q, {s[0], groups, s[1] / groups * s[2], s[3]});
  std::vector<TensorId> scores;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    TensorId score = matmul(rows, parts[i].k, true);
    const double r = r_of(score);
    set_range(score, r, kScoreSpan * r);
    if (causal && s[2] > 1 && i + 1 == parts.size()) {
      const std::int64_t keys = shape(score).back();
      score = reshape(score, {s[0], groups, s[1] / groups, s[2], keys});
      score = map(MapFunction::kAdd, {score, causal_mask(score)});
      set_range(score, r, kScoreSpan * r);
      score = reshape(score, {s[0], groups, s[1] / groups * s[2], keys});
    }
    scores.push_back(score);
  }
  const TensorId all = scores.size() == 1 ? scores[0] : concatenation(scores, 3);
  const TensorId weights = softmax(all);
  const float beta = 1 / std::sqrt(static_cast<float>(s[3]));
  graph_.nodes.back().attrs = SoftmaxAttrs{.beta = beta};
  TensorId y = kAbsent;
  std::int64_t at_key = 0;
  for (const KeyValue& part : parts) {
    const std::int64_t keys = shape(part.v).at(2);
    const TensorId p = parts.size() == 1 ? weights : slice(weights, 3, at_key, keys);
    const TensorId sum = matmul(p, part.v, false);
    set_range(sum, r_of(sum), r_of(part.v));
    at_key += keys;
    if (y == kAbsent) {
      y = sum;
    } else {
      const double r = std::hypot(r_of(y), r_of(sum));
      y = binary(OpKind::kAdd, y, sum);
      set_range(y, r, r_of(part.v));
    }
  }
  return reshape(y, {s[0], s[1], s[2], shape(parts[0].v).at(3)});
}

}  // namespace npu::graph
