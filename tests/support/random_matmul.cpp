#include <cmath>

#include "tests/support/graph_maker.h"
#include "tests/support/random_graph.h"

namespace npu::test {
namespace {

using graph::TensorId;

/// Leading dimensions of a and b that broadcast.
void random_lead(Draw& draw, Shape& a, Shape& b) {
  for (int i = draw.small(0, 3); i > 0; --i) {
    const std::int64_t n = draw.integer(1, 5);
    a.push_back(draw.one_in(4) ? 1 : n);
    b.push_back(draw.one_in(4) ? 1 : n);
  }
  // The shorter shape leaves out leading ones.
  while (!b.empty() && b.front() == 1 && draw.one_in(2)) b.erase(b.begin());
}

Shape product_shape(const Shape& a, const Shape& b) {
  Shape y(std::max(a.size(), b.size()), 1);
  for (const Shape& s : {a, b}) {
    for (std::size_t i = 0; i < s.size(); ++i) {
      std::int64_t& d = y[y.size() - s.size() + i];
      d = std::max(d, s[i]);
    }
  }
  return y;
}

/// Scales of a constant b: one, or one per column.
graph::Quantization random_scales(Draw& draw, Affine q, bool per_column, int axis,
                                  std::int64_t columns) {
  graph::Quantization scales{{q.scale}, {q.zero_point}, 0};
  if (!per_column || columns < 2) return scales;
  scales.axis = axis;
  for (std::int64_t i = 1; i < columns; ++i) {
    scales.scale.push_back(q.scale * static_cast<float>(draw.ratio(0.3, 3)));
    scales.zero_point.push_back(q.zero_point);
  }
  return scales;
}

}  // namespace

graph::Graph random_matmul(std::mt19937_64& rng, int size) {
  using enum DType;
  Draw draw(rng);
  GraphMaker maker("matmul");
  const DType a_type = draw.any_of({kInt8, kUint8, kFloat16, kBfloat16, kFloat32});
  const bool floats = is_float(a_type);
  const DType b_type = floats ? a_type : draw.any_of({kInt8, kUint8});
  const DType y_type = floats ? draw.any_of({a_type, a_type, kFloat32})
                              : draw.any_of({kInt8, kUint8, kInt32, kInt32, kFloat32, kFloat16});
  graph::MatMulAttrs attrs;
  attrs.transpose_b = draw.one_in(2);
  if (y_type != kInt32) {
    attrs.activation = draw.activation();
    if (draw.one_in(3)) attrs.scale = static_cast<float>(draw.ratio(0.1, 2));
  }

  Shape a, b;
  random_lead(draw, a, b);
  Shape y = product_shape(a, b);
  const std::int64_t m = draw.integer(1, 2 * size);
  const std::int64_t n = draw.integer(1, 2 * size);
  const std::int64_t k = draw.integer(1, 3 * size);
  a.insert(a.end(), {m, k});
  const bool packed = b.empty() && draw.one_in(2);
  b.insert(b.end(), {attrs.transpose_b ? n : k, attrs.transpose_b ? k : n});
  y.insert(y.end(), {m, n});

  const Affine qa = draw.affine(a_type);
  const Affine qb = draw.affine(b_type);
  const TensorId ta = maker.input(a_type, a, qa);
  TensorId tb = graph::kAbsent;
  if (packed || draw.one_in(4)) {
    const int axis = static_cast<int>(b.size()) - (attrs.transpose_b ? 2 : 1);
    std::optional<graph::Quantization> q;
    const bool matrix = element_count(b) == n * k && y_type != kInt32;
    if (!floats) q = random_scales(draw, qb, matrix && draw.one_in(2), axis, n);
    tb = maker.constant(b_type, b, q, draw.bytes(b_type, element_count(b)));
  } else {
    tb = maker.input(b_type, b, qb);
  }
  TensorId bias = graph::kAbsent;
  if (draw.one_in(2)) {
    bias = maker.constant(floats ? kFloat32 : kInt32, {n}, std::nullopt,
                          draw.bytes(floats ? kFloat32 : kInt8, floats ? n : 4 * n));
  }
  Affine qy{1, 0};
  if (!is_float(y_type) && y_type != kInt32) {
    const double real = std::sqrt(static_cast<double>(k)) * spread_of(a_type, qa.zero_point) *
                        spread_of(b_type, qb.zero_point) * static_cast<double>(qa.scale) *
                        static_cast<double>(qb.scale * attrs.scale);
    qy = draw.affine(y_type, real / reach_of(y_type) * draw.ratio(0.5, 2));
  }
  const TensorId ty = maker.activation(y_type, y, qy);
  maker.node(graph::OpKind::kMatMul, {ta, tb, bias}, {ty}, attrs);
  return maker.finish({ty});
}

graph::Graph random_attention(std::mt19937_64& rng, int size) {
  using enum DType;
  Draw draw(rng);
  GraphMaker maker("attention");
  const DType type = draw.any_of({kInt8, kUint8, kFloat16, kBfloat16, kFloat32});
  const bool floats = is_float(type);
  const std::int64_t batch = draw.one_in(3) ? 2 : 1;
  const std::int64_t key_heads = draw.integer(1, 3);
  const std::int64_t heads = key_heads * draw.integer(1, 3);
  const std::int64_t keys = draw.integer(1, 3 * size);
  const std::int64_t rows = draw.one_in(3) ? 1 : draw.integer(1, keys);
  const std::int64_t depth = draw.integer(1, size);
  const std::int64_t values = draw.one_in(2) ? depth : draw.integer(1, size);
  graph::AttentionAttrs attrs;
  attrs.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(depth)));
  attrs.causal = draw.one_in(2);
  const auto operand = [&](Shape shape) {
    return maker.input(type, std::move(shape), draw.affine(type, draw.ratio(0.005, 0.05)));
  };
  const TensorId q = operand({batch, heads, rows, depth});
  const TensorId k = operand({batch, key_heads, keys, depth});
  const TensorId v = operand({batch, key_heads, keys, values});
  TensorId mask = graph::kAbsent;
  if (draw.one_in(3)) {
    const DType mask_type = draw.any_of({kFloat32, kFloat16});
    Shape shape = {draw.one_in(2) ? batch : 1, draw.one_in(2) ? heads : 1,
                   draw.one_in(2) ? rows : 1, keys};
    while (shape.size() > 1 && shape.front() == 1 && draw.one_in(2)) shape.erase(shape.begin());
    mask = maker.input(mask_type, shape, {});
  }
  const double v_scale = floats ? 1.0 : static_cast<double>(maker.tensor(v).quantization->scale[0]);
  const DType y_type =
      floats ? draw.any_of({type, type, kFloat32}) : draw.any_of({type, kInt8, kFloat32, kFloat16});
  const TensorId y =
      maker.activation(y_type, {batch, heads, rows, values}, draw.affine(y_type, v_scale));
  maker.node(graph::OpKind::kAttention, {q, k, v, mask}, {y}, attrs);
  return maker.finish({y});
}

}  // namespace npu::test
