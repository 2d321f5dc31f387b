// Rules of the general operators: every message.

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/unit/graph/sample_graphs.h"

namespace npu::test {
namespace {

using enum DType;
using enum MapFunction;

TensorId plain(GraphMaker& maker, DType type, Shape shape, bool is_input = true) {
  const TensorId id = is_input ? maker.input(type, std::move(shape), {})
                               : maker.activation(type, std::move(shape), {});
  maker.requantize(id, std::nullopt);
  return id;
}

struct Operand {
  DType type;
  Shape shape;
};

/// One operator over plain tensors; the last operand is the output.
Graph general(OpKind kind, graph::Attrs attrs, const std::vector<Operand>& operands) {
  GraphMaker maker("general");
  std::vector<TensorId> inputs;
  for (std::size_t i = 0; i + 1 < operands.size(); ++i)
    inputs.push_back(plain(maker, operands[i].type, operands[i].shape));
  const TensorId y = plain(maker, operands.back().type, operands.back().shape, false);
  maker.node(kind, inputs, {y}, std::move(attrs));
  return maker.unchecked({y});
}

Graph map(MapFunction function, const std::vector<Operand>& operands, double imm0 = 0,
          double imm1 = 0) {
  return general(OpKind::kMap, graph::MapAttrs{function, imm0, imm1}, operands);
}

TEST(VerifyGeneral, MapShapes) {
  EXPECT_NO_THROW(
      graph::verify(map(kAdd, {{kFloat32, {2, 1}}, {kFloat32, {3}}, {kFloat32, {2, 3}}})));
  expect_refused(map(kAdd, {{kFloat32, {2}}, {kFloat32, {3}}, {kFloat32, {3}}}),
                 "operator #0 MAP: shapes [2] and [3] do not broadcast");
  expect_refused(map(kAdd, {{kFloat32, {2}}, {kFloat32, {2}}, {kFloat32, {3}}}),
                 "output shape must be [2], got [3]");
  expect_refused(map(kExp, {{kFloat32, {2}}, {kFloat32, {2}}, {kFloat32, {2}}}),
                 "exp does not take 2 operands");
  expect_refused(map(kSelect, {{kBool, {2}}, {kFloat32, {2}}, {kFloat32, {2}}}),
                 "select does not take 2 operands");
}

TEST(VerifyGeneral, MapTypes) {
  expect_refused(map(kAdd, {{kInt64, {2}}, {kInt64, {2}}, {kInt64, {2}}}),
                 "tensor `t0`: int64 is not supported here");
  expect_refused(map(kAdd, {{kInt32, {2}}, {kInt32, {2}}, {kInt64, {2}}}),
                 "tensor `t2`: int64 is not supported here");
  Graph g = map(kAbs, {{kInt8, {2}}, {kFloat32, {2}}});
  g.tensors[0].quantization = graph::Quantization{{1.0F, 2.0F}, {0, 0}, 0};
  expect_refused(g, "tensor `t0`: one scale is needed, got 2");
  expect_refused(map(kShiftLeft, {{kFloat32, {2}}, {kInt32, {2}}, {kInt32, {2}}}),
                 "shift_left takes integers without quantization, tensor `t0` is float32");
  g = map(kIntegerSqrt, {{kInt8, {2}}, {kInt8, {2}}});
  g.tensors[0].quantization = graph::Quantization{{1.0F}, {0}, 0};
  expect_refused(g, "integer_sqrt takes integers without quantization, tensor `t0` is int8");
  expect_refused(map(kDequantize, {{kFloat32, {2}}, {kFloat32, {2}}}, 0.5),
                 "dequantize takes integers, got float32");
  expect_refused(map(kSelect, {{kFloat32, {2}}, {kInt8, {2}}, {kInt8, {2}}, {kInt8, {2}}}),
                 "the condition must be bool or an integer, got float32");
  expect_refused(map(kSelect, {{kBool, {2}}, {kInt8, {2}}, {kFloat32, {2}}, {kInt8, {2}}}),
                 "the values must both be integers or both be reals, got int8 and float32");
}

TEST(VerifyGeneral, Immediates) {
  EXPECT_NO_THROW(graph::verify(map(kAdd, {{kFloat32, {2}}, {kFloat32, {2}}}, 0.5)));
  EXPECT_NO_THROW(
      graph::verify(map(kClip, {{kInt32, {2}}, {kInt32, {2}}}, -2147483648.0, 2147483647.0)));
  expect_refused(map(kAdd, {{kInt32, {2}}, {kInt32, {2}}}, 0.5), "imm0 must be an int32, got 0.5");
  expect_refused(map(kClip, {{kInt8, {2}}, {kInt8, {2}}}, 0, 2147483648.0),
                 "imm1 must be an int32, got 2147483648");
  expect_refused(map(kQuantize, {{kFloat32, {2}}, {kInt8, {2}}}, 0.5, 0.25),
                 "imm1 must be an int32, got 0.25");
  for (const double scale : {0.0, -1.0, std::numeric_limits<double>::infinity()}) {
    expect_refused(map(kQuantize, {{kFloat32, {2}}, {kInt8, {2}}}, scale),
                   "the scale must be above 0, got");
  }
}

Graph reduce(ReduceFunction function, std::vector<int> axes, DType x, DType y, Shape out) {
  return general(OpKind::kReduce, graph::ReduceMapAttrs{function, std::move(axes), false},
                 {{x, {2, 3, 4}}, {y, std::move(out)}});
}

TEST(VerifyGeneral, Reduce) {
  using enum ReduceFunction;
  EXPECT_NO_THROW(graph::verify(reduce(kSum, {0, 2}, kInt32, kInt32, {3})));
  expect_refused(reduce(kSum, {}, kFloat32, kFloat32, {2, 3, 4}), "REDUCE: no axis to reduce");
  expect_refused(reduce(kSum, {3}, kFloat32, kFloat32, {2, 3}),
                 "axis 3 is out of range for shape [2,3,4]");
  expect_refused(reduce(kSum, {2, 0}, kFloat32, kFloat32, {3}), "axes must be sorted and unique");
  expect_refused(reduce(kArgMax, {0, 2}, kFloat32, kInt32, {3}), "arg_max reduces one axis, got 2");
  expect_refused(reduce(kSum, {1}, kFloat32, kFloat32, {2, 3}),
                 "output shape must be [2,4], got [2,3]");
  expect_refused(reduce(kArgMin, {1}, kFloat32, kFloat32, {2, 4}),
                 "positions are int32, got float32");
  expect_refused(reduce(kSum, {1}, kInt32, kFloat32, {2, 4}),
                 "integers reduce to integers, got float32");
}

TEST(VerifyGeneral, MatMul) {
  const auto product = [](Shape a, Shape b, Shape y, DType ta, DType tb, DType ty) {
    GraphMaker maker("matmul");
    const TensorId ia = plain(maker, ta, std::move(a));
    const TensorId ib = plain(maker, tb, std::move(b));
    const TensorId iy = plain(maker, ty, std::move(y), false);
    maker.node(OpKind::kMatMul, {ia, ib, graph::kAbsent}, {iy}, graph::MatMulAttrs{});
    return maker.unchecked({iy});
  };
  EXPECT_NO_THROW(
      graph::verify(product({5, 2, 3}, {3, 4}, {5, 2, 4}, kFloat32, kFloat32, kFloat32)));
  expect_refused(product({3}, {3, 4}, {4}, kFloat32, kFloat32, kFloat32),
                 "operands need two dimensions, got [3] and [3,4]");
  expect_refused(product({2, 3}, {4, 4}, {2, 4}, kFloat32, kFloat32, kFloat32),
                 "the inner sizes 3 and 4 differ");
  expect_refused(product({2, 3}, {3, 4}, {2, 4}, kFloat32, kFloat16, kFloat32),
                 "types float32, float16 to float32 are not supported");
  expect_refused(product({2, 3}, {3, 4}, {2, 4}, kInt16, kInt16, kInt32),
                 "types int16, int16 to int32 are not supported");
  expect_refused(product({2, 3}, {3, 4}, {2, 4}, kInt8, kInt8, kInt8),
                 "int8 without quantization has no real values");
  const auto biased = [](Shape bias, DType bias_type, DType type) {
    return general(OpKind::kMatMul, graph::MatMulAttrs{},
                   {{type, {2, 3}},
                    {type, {3, 4}},
                    {bias_type, std::move(bias)},
                    {is_float(type) ? type : kInt32, {2, 4}}});
  };
  expect_refused(biased({3}, kFloat32, kFloat32), "bias must have shape [4]");
  expect_refused(biased({4}, kFloat16, kFloat16), "bias must be float32");
  expect_refused(biased({4}, kFloat32, kInt8), "bias must be int32");
}

TEST(VerifyGeneral, Norms) {
  const auto norm = [](graph::NormAttrs a, Shape scale, Shape bias) {
    return general(OpKind::kLayerNorm, a,
                   {{kFloat32, {2, 3, 4}},
                    {kFloat32, std::move(scale)},
                    {kFloat32, std::move(bias)},
                    {kFloat32, {2, 3, 4}}});
  };
  EXPECT_NO_THROW(graph::verify(norm({1, 0}, {3, 4}, {3, 4})));
  expect_refused(norm({3, 0}, {4}, {4}), "axis 3 is out of range for shape [2,3,4]");
  expect_refused(norm({2, 0}, {3}, {4}), "scale must have shape [4], got [3]");
  expect_refused(norm({2, 0}, {4}, {3, 4}), "bias must have shape [4], got [3,4]");
  expect_refused(norm({2, -1}, {4}, {4}), "epsilon must not be negative, got -1");
  expect_refused(general(OpKind::kRmsNorm, graph::NormAttrs{0, 0},
                         {{kInt8, {2}}, {kFloat32, {2}}, {kFloat32, {2}}}),
                 "tensor `t0`: int8 without quantization has no real values");
}

TEST(VerifyGeneral, Rope) {
  const auto rope = [](const Shape& x, const Shape& cosine, const Shape& sine) {
    return general(OpKind::kRope, graph::RopeAttrs{},
                   {{kFloat32, x}, {kFloat32, cosine}, {kFloat32, sine}, {kFloat32, x}});
  };
  EXPECT_NO_THROW(graph::verify(rope({2, 3, 8}, {3, 4}, {3, 4})));
  expect_refused(rope({2, 8}, {}, {}), "operands need a dimension");
  expect_refused(rope({2, 8}, {2, 4}, {4}), "cos [2,4] and sin [4] must have one shape");
  expect_refused(rope({2, 8}, {2, 5}, {2, 5}), "5 pairs do not fit 8 dimensions");
  expect_refused(rope({2, 8}, {3, 2, 4}, {3, 2, 4}),
                 "cos and sin of shape [3,2,4] do not broadcast to [2,8]");
}

TEST(VerifyGeneral, Attention) {
  const auto attention = [](const Shape& q, const Shape& k, const Shape& v, bool causal,
                            std::optional<Shape> mask) {
    GraphMaker maker("attention");
    std::vector<TensorId> inputs;
    for (const Shape& s : {q, k, v}) inputs.push_back(plain(maker, kFloat32, s));
    inputs.push_back(mask ? plain(maker, kFloat32, *mask) : graph::kAbsent);
    const TensorId y = plain(maker, kFloat32, {q[0], q[1], q[2], v[3]}, false);
    maker.node(OpKind::kAttention, inputs, {y}, graph::AttentionAttrs{1.0F, causal});
    return maker.unchecked({y});
  };
  EXPECT_NO_THROW(
      graph::verify(attention({1, 4, 3, 8}, {1, 2, 5, 8}, {1, 2, 5, 6}, true, Shape{3, 5})));
  expect_refused(attention({1, 4, 3, 8}, {1, 3, 5, 8}, {1, 3, 5, 6}, false, {}),
                 "q [1,4,3,8], k [1,3,5,8] and v [1,3,5,6] do not fit each other");
  expect_refused(attention({1, 4, 6, 8}, {1, 2, 5, 8}, {1, 2, 5, 6}, true, {}),
                 "causal attention of 6 rows needs as many keys, got 5");
  expect_refused(attention({1, 4, 3, 8}, {1, 2, 5, 8}, {1, 2, 5, 6}, false, Shape{2, 1, 3, 5}),
                 "mask [2,1,3,5] does not broadcast to [1,4,3,5]");
}

TEST(VerifyGeneral, Gather) {
  Graph g = general(OpKind::kGather, {}, {{kFloat32, {5, 2}}, {kInt32, {3}}, {kFloat32, {3, 2}}});
  EXPECT_NO_THROW(graph::verify(g));
  g.inputs.pop_back();
  g.tensors[1].is_constant = true;
  const std::array<std::int32_t, 3> indices = {0, 4, 5};
  g.tensors[1].data.resize(sizeof indices);
  std::memcpy(g.tensors[1].data.data(), indices.data(), sizeof indices);
  expect_refused(g, "GATHER: index 5 is out of range for 5 rows");
  expect_refused(general(OpKind::kGather, {}, {{kFloat32, {}}, {kInt32, {3}}, {kFloat32, {3}}}),
                 "the table needs a dimension");
  expect_refused(general(OpKind::kGather, {}, {{kFloat32, {5}}, {kInt8, {3}}, {kFloat32, {3}}}),
                 "indices must be int32, got int8");
  expect_refused(general(OpKind::kGather, {}, {{kFloat32, {5}}, {kInt32, {3}}, {kFloat16, {3}}}),
                 "table and output must have one type and quantization");
  expect_refused(general(OpKind::kGather, {}, {{kFloat32, {5, 2}}, {kInt32, {3}}, {kFloat32, {3}}}),
                 "output shape must be [3,2], got [3]");
}

TEST(VerifyGeneral, PaddingOfWideTypesIsZero) {
  const auto pad = [](DType type, int value) {
    return general(OpKind::kPad, graph::PadAttrs{{1}, {0}, value}, {{type, {2}}, {type, {3}}});
  };
  for (const DType type : {kInt64, kFloat16, kBfloat16, kFloat32}) {
    EXPECT_NO_THROW(graph::verify(pad(type, 0)));
    expect_refused(pad(type, 1), fmt::format("{} is padded with 0 only, got 1", name_of(type)));
  }
  EXPECT_NO_THROW(graph::verify(pad(kBool, 1)));
  expect_refused(pad(kBool, 2), "value 2 is out of range for bool");
}

}  // namespace
}  // namespace npu::test
