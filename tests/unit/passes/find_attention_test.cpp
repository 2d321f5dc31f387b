#include "workloads/passes/find_attention.h"

#include <gmock/gmock.h>

#include <limits>

#include "tests/unit/passes/attention_checks.h"
#include "workloads/graph/drawn_values.h"
#include "workloads/graph/network_builder.h"

namespace npu::test {
namespace {

using graph::Graph;
using graph::MapAttrs;
using graph::MatMulAttrs;
using graph::OpKind;
using graph::TensorId;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr DType kFloat = DType::kFloat32;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLowest = std::numeric_limits<float>::lowest();

/// Networks of one float type, operator by operator.
class Steps {
 public:
  explicit Steps(DType type = kFloat) : type_(type) {}

  TensorId input(Shape shape) { return maker_.input(type_, std::move(shape), {}); }
  TensorId constant(Shape shape, const std::vector<double>& values) {
    return maker_.constant(type_, std::move(shape), std::nullopt,
                           graph::store_floats(type_, values));
  }
  TensorId condition(Shape shape, const std::vector<bool>& values) {
    std::vector<std::byte> bytes;
    for (const bool value : values) bytes.push_back(value ? std::byte{1} : std::byte{0});
    return maker_.constant(DType::kBool, std::move(shape), std::nullopt, std::move(bytes));
  }
  TensorId node(OpKind kind, std::vector<TensorId> inputs, Shape shape, graph::Attrs attrs = {}) {
    return typed(type_, kind, std::move(inputs), std::move(shape), std::move(attrs));
  }
  TensorId typed(DType type, OpKind kind, std::vector<TensorId> inputs, Shape shape,
                 graph::Attrs attrs = {}) {
    const TensorId y = maker_.activation(type, std::move(shape), {});
    maker_.node(kind, std::move(inputs), {y}, std::move(attrs));
    return y;
  }
  /// A function of x (and others) with x's shape.
  TensorId map(MapFunction function, std::vector<TensorId> inputs, double imm0 = 0) {
    const Shape shape = maker_.tensor(inputs[function == MapFunction::kSelect ? 1 : 0]).shape;
    return node(OpKind::kMap, std::move(inputs), shape, MapAttrs{function, imm0, 0});
  }
  TensorId product(TensorId a, TensorId b, bool transpose_b = false, float scale = 1) {
    const Shape& sa = maker_.tensor(a).shape;
    const Shape& sb = maker_.tensor(b).shape;
    Shape y = sa;
    for (std::size_t i = 0; i + 2 < y.size() && sb.size() == y.size(); ++i)
      y[i] = std::max(sa[i], sb[i]);
    y.back() = sb[sb.size() - (transpose_b ? 2 : 1)];
    return node(OpKind::kMatMul, {a, b, graph::kAbsent}, y,
                MatMulAttrs{transpose_b, graph::Activation::kNone, scale});
  }
  TensorId softmax(TensorId x, float beta = 1) {
    return node(OpKind::kSoftmax, {x}, maker_.tensor(x).shape, graph::SoftmaxAttrs{beta});
  }
  GraphMaker& maker() { return maker_; }
  Graph finish(std::vector<TensorId> outputs) { return maker_.finish(std::move(outputs)); }

 private:
  DType type_;
  GraphMaker maker_{"steps"};
};

constexpr std::int64_t kRows = 4, kKeys = 6;

/// q[2,3,4,8], k[2,3,6,8], v[2,3,6,5].
struct Heads : Steps {
  explicit Heads(DType type = kFloat) : Steps(type) {}
  TensorId q = input({2, 3, kRows, 8}), k = input({2, 3, kKeys, 8}), v = input({2, 3, kKeys, 5});

  TensorId scores() { return product(q, k, true); }
  Graph rest(TensorId scores, float beta = 1) {
    return finish({product(softmax(scores, beta), v)});
  }
};

/// What row m does not see of [rows, keys]: t > m + keys − rows + shift.
std::vector<bool> hidden(std::int64_t rows, std::int64_t keys, std::int64_t shift = 0) {
  std::vector<bool> values;
  for (std::int64_t m = 0; m < rows; ++m) {
    for (std::int64_t t = 0; t < keys; ++t) values.push_back(t > m + keys - rows + shift);
  }
  return values;
}

std::vector<double> as_values(const std::vector<bool>& hidden, double fill) {
  std::vector<double> values;
  for (const bool h : hidden) values.push_back(h ? fill : 0);
  return values;
}

TEST(FindAttention, Plain) {
  Heads n;
  Graph g = n.rest(n.scores());
  EXPECT_THAT(run_pass(g, 0), ElementsAre("MATMUL #0 … MATMUL #2 are ATTENTION"));
  ASSERT_EQ(g.nodes.size(), 1U);
  EXPECT_EQ(g.nodes[0].inputs, (std::vector<TensorId>{n.q, n.k, n.v, graph::kAbsent}));
  EXPECT_EQ(attention_attrs(g), graph::AttentionAttrs{});
  EXPECT_THAT(passes::find_attention(g), IsEmpty());
}

TEST(FindAttention, AllScalesAreOne) {
  Heads n;
  const TensorId q = n.map(MapFunction::kDiv, {n.q}, 4);
  const TensorId k = n.map(MapFunction::kMul, {n.k, n.constant({1, 1}, {0.5})});
  const TensorId s = n.map(MapFunction::kMul, {n.product(q, k, true, 2)}, 3);
  Graph g = n.rest(s, 2);
  EXPECT_EQ(run_pass(g).size(), 1U);
  EXPECT_EQ(g.nodes.size(), 1U);
  EXPECT_EQ(attention_attrs(g).scale, 1.5F);
}

TEST(FindAttention, AScaleThatOthersReadStays) {
  Heads n;
  const TensorId q = n.map(MapFunction::kDiv, {n.q}, 4);
  const TensorId y = n.product(n.softmax(n.product(q, n.k, true)), n.v);
  Graph g = n.finish({y, q});
  EXPECT_EQ(run_pass(g).size(), 1U);
  EXPECT_EQ(attention_attrs(g).scale, 1.0F);
  EXPECT_EQ(attention_of(g).inputs[0], q);
}

TEST(FindAttention, BetaIsAScaleUnlessAMaskStandsBeforeIt) {
  Heads free, masked, causal;
  Graph g = free.rest(free.scores(), 0.25F);
  EXPECT_EQ(run_pass(g).size(), 1U);
  EXPECT_EQ(attention_attrs(g).scale, 0.25F);
  const TensorId mask = masked.input({kKeys});
  Graph kept = masked.rest(masked.map(MapFunction::kAdd, {masked.scores(), mask}), 0.25F);
  EXPECT_THAT(run_pass(kept), IsEmpty());
  const TensorId hides = causal.constant({kRows, kKeys}, as_values(hidden(4, 6), -kInfinity));
  Graph found = causal.rest(causal.map(MapFunction::kAdd, {causal.scores(), hides}), 0.25F);
  EXPECT_EQ(run_pass(found).size(), 1U);
  EXPECT_TRUE(attention_attrs(found).causal);
}

TEST(FindAttention, AScaleBehindAMaskIsNone) {
  Heads n;
  const TensorId masked = n.map(MapFunction::kAdd, {n.scores(), n.input({kRows, kKeys})});
  Graph g = n.rest(n.map(MapFunction::kMul, {masked}, 0.5));
  EXPECT_THAT(run_pass(g), IsEmpty());
}

TEST(FindAttention, CausalIsWhatHidesExactlyThat) {
  struct Case {
    double fill;
    std::int64_t shift;
    bool causal;
  };
  for (const Case& c : {Case{-kInfinity, 0, true}, Case{kLowest, 0, true}, Case{-1e4, 0, false},
                        Case{-kInfinity, 1, false}, Case{-kInfinity, -1, false}}) {
    SCOPED_TRACE(testing::Message() << c.fill << " " << c.shift);
    Heads n;
    const TensorId mask =
        n.constant({1, 1, kRows, kKeys}, as_values(hidden(kRows, kKeys, c.shift), c.fill));
    const TensorId sum = n.node(OpKind::kMap, {mask, n.scores()}, {2, 3, kRows, kKeys},
                                MapAttrs{MapFunction::kAdd, 0, 0});
    Graph g = n.rest(sum);
    EXPECT_EQ(run_pass(g).size(), 1U);
    EXPECT_EQ(attention_attrs(g).causal, c.causal);
    EXPECT_EQ(attention_of(g).inputs[3], c.causal ? graph::kAbsent : mask);
  }
}

TEST(FindAttention, AMaskOfZerosIsNoMask) {
  Heads n;
  const TensorId zeros = n.constant({1, kKeys}, std::vector<double>(kKeys));
  Graph g = n.rest(n.map(MapFunction::kAdd, {n.scores(), zeros}));
  EXPECT_EQ(run_pass(g, 0).size(), 1U);
  EXPECT_EQ(attention_of(g).inputs[3], graph::kAbsent);
}

TEST(FindAttention, ASelectMustHide) {
  struct Case {
    DType type;
    double fill;
    std::size_t found;
  };
  for (const Case& c : {Case{kFloat, -kInfinity, 1}, Case{kFloat, kLowest, 1},
                        Case{kFloat, -1e4, 0}, Case{kFloat, 0, 0}, Case{DType::kFloat16, -65504, 0},
                        Case{DType::kFloat16, kLowest, 1}, Case{DType::kBfloat16, kLowest, 1}}) {
    SCOPED_TRACE(testing::Message() << name_of(c.type) << " " << c.fill);
    Heads n(c.type);
    const TensorId where = n.condition({1, 1, kRows, kKeys}, hidden(kRows, kKeys));
    const TensorId low = n.constant({1}, {c.fill});
    const TensorId s = n.node(OpKind::kMap, {where, low, n.scores()}, {2, 3, kRows, kKeys},
                              MapAttrs{MapFunction::kSelect, 0, 0});
    Graph g = n.rest(s);
    EXPECT_EQ(passes::find_attention(g).size(), c.found);
    verify(g);
  }
}

TEST(FindAttention, TwoMasksAreOneIfOneOnlyHides) {
  Heads both, computed;
  TensorId s = both.map(MapFunction::kAdd, {both.scores(), both.input({2, 1, 1, kKeys})});
  std::vector<double> first(kKeys);
  first[0] = kLowest;
  s = both.map(MapFunction::kAdd, {s, both.constant({kKeys}, first)});
  Graph g = both.rest(s);
  EXPECT_EQ(run_pass(g).size(), 1U);
  EXPECT_EQ(count_of(g, OpKind::kMap), 1U);
  s = computed.map(MapFunction::kAdd, {computed.scores(), computed.input({2, 1, 1, kKeys})});
  s = computed.map(MapFunction::kAdd, {s, computed.input({kKeys})});
  Graph two = computed.rest(s);
  EXPECT_THAT(run_pass(two), IsEmpty());
}

TEST(FindAttention, KeysOfOneHeadForAll) {
  Steps n;
  const TensorId q = n.input({2, 3, 4, 8}), k = n.input({2, 1, 6, 8}), v = n.input({2, 1, 6, 5});
  const TensorId s = n.map(MapFunction::kAdd, {n.product(q, k, true), n.input({2, 1, 1, 6})});
  Graph g = n.finish({n.product(n.softmax(s), v)});
  EXPECT_EQ(run_pass(g).size(), 1U);
  EXPECT_EQ(g.nodes.size(), 1U);
}

TEST(FindAttention, GroupedHeadsInFiveDimensions) {
  Steps n;
  const TensorId q = n.input({2, 2, 3, 4, 8});
  const TensorId k = n.input({2, 2, 1, 6, 8}), v = n.input({2, 2, 1, 6, 5});
  const TensorId s = n.map(MapFunction::kAdd, {n.product(q, k, true), n.input({2, 1, 1, 4, 6})});
  Graph g = n.finish({n.product(n.softmax(s), v)});
  EXPECT_EQ(run_pass(g).size(), 1U);
  EXPECT_EQ(g.tensor(attention_of(g).inputs[0]).shape, (Shape{2, 6, 4, 8}));
  EXPECT_EQ(g.tensor(attention_of(g).inputs[1]).shape, (Shape{2, 2, 6, 8}));
  EXPECT_EQ(g.tensor(attention_of(g).inputs[3]).shape, (Shape{2, 1, 4, 6}));
}

TEST(FindAttention, QueriesThatShareKeysAsRowsOfOneProduct) {
  graph::NetworkBuilder b("steps", {.type = kFloat, .payload = graph::Payload::kRequired});
  const TensorId q = b.input({1, 6, 4, 8});
  const TensorId k = b.input_like(q, {1, 2, 4, 8}), v = b.input_like(q, {1, 2, 4, 8});
  Graph g = b.finish({b.attention_steps(q, {{k, v}}, false)});
  EXPECT_EQ(run_pass(g).size(), 1U);
  // Its causal mask is −10,000, which hides nothing from ATTENTION's point of view: it stays, and
  // the scale that follows it has no place.
  graph::NetworkBuilder c("steps", {.type = kFloat, .payload = graph::Payload::kRequired});
  const TensorId x = c.input({1, 6, 4, 8});
  const TensorId y = c.input_like(x, {1, 2, 4, 8}), z = c.input_like(x, {1, 2, 4, 8});
  Graph causal = c.finish({c.attention_steps(x, {{y, z}}, true)});
  EXPECT_THAT(run_pass(causal), IsEmpty());
}

TEST(FindAttention, BatchesThatBroadcastOtherwiseAreNone) {
  Steps n;
  const TensorId q = n.input({2, 3, 4, 8}), k = n.input({1, 3, 6, 8}), v = n.input({1, 3, 6, 5});
  Graph g = n.finish({n.product(n.softmax(n.product(q, k, true)), v)});
  EXPECT_THAT(run_pass(g), IsEmpty());
  Steps apart;
  const TensorId one = apart.input({2, 1, 6, 8}), all = apart.input({2, 3, 6, 5});
  const TensorId s = apart.product(apart.input({2, 3, 4, 8}), one, true);
  Graph mixed = apart.finish({apart.product(apart.softmax(s), all)});
  EXPECT_THAT(run_pass(mixed), IsEmpty());
}

/// k[1,H,D,T] by a TRANSPOSE of [T,H·D], as the importer merges dimensions.
TEST(FindAttention, ATransposeOfMergedDimensions) {
  Steps n;
  const TensorId q = n.input({1, 3, 4, 8}), k = n.input({6, 24}), v = n.input({1, 3, 6, 5});
  const TensorId moved = n.node(OpKind::kTranspose, {k}, {24, 6}, graph::TransposeAttrs{{1, 0}});
  const TensorId columns = n.node(OpKind::kReshape, {moved}, {1, 3, 8, 6});
  Graph g = n.finish({n.product(n.softmax(n.product(q, columns)), v)});
  EXPECT_EQ(run_pass(g).size(), 1U);
  EXPECT_EQ(count_of(g, OpKind::kTranspose), 1U);
}

TEST(FindAttention, KeysThatNoTransposeMakes) {
  Steps n;
  const TensorId q = n.input({1, 3, 4, 8}), v = n.input({1, 3, 6, 5});
  Graph stored = n.finish({n.product(n.softmax(n.product(q, n.input({1, 3, 8, 6}))), v)});
  EXPECT_THAT(run_pass(stored), IsEmpty());
  // One that moves heads only: keys would have to be taken apart.
  Steps other;
  const TensorId x = other.input({1, 8, 3, 6});
  const TensorId moved =
      other.node(OpKind::kTranspose, {x}, {1, 3, 8, 6}, graph::TransposeAttrs{{0, 2, 1, 3}});
  const TensorId s = other.product(other.input({1, 3, 4, 8}), moved);
  Graph g = other.finish({other.product(other.softmax(s), other.input({1, 3, 6, 5}))});
  EXPECT_THAT(run_pass(g), IsEmpty());
}

TEST(FindAttention, WhatOthersReadIsLeftAlone) {
  for (int which = 0; which < 3; ++which) {
    Heads n;
    const TensorId s = n.scores();
    const TensorId scaled = n.map(MapFunction::kMul, {s}, 0.5);
    const TensorId w = n.softmax(scaled);
    const TensorId y = n.product(w, n.v);
    const TensorId read = which == 0 ? s : which == 1 ? scaled : w;
    Graph as_output = n.maker().unchecked({y, read});
    Graph g = as_output;
    EXPECT_THAT(run_pass(g), IsEmpty());
    Graph second = as_output;
    graph::Tensor t = second.tensor(read);
    second.tensors.push_back(t);
    const auto last = static_cast<TensorId>(second.tensors.size() - 1);
    second.nodes.push_back({OpKind::kMap, {read}, {last}, MapAttrs{MapFunction::kRelu, 0, 0}, 9});
    second.outputs = {y, last};
    EXPECT_THAT(run_pass(second), IsEmpty());
  }
}

TEST(FindAttention, BiasActivationAndScaledOutputAreLeftAlone) {
  for (int which = 0; which < 5; ++which) {
    Heads n;
    const TensorId bias = n.constant({kKeys}, std::vector<double>(kKeys, 1));
    const TensorId value_bias = n.constant({5}, std::vector<double>(5, 1));
    const auto relu = graph::Activation::kRelu;
    const auto none = graph::Activation::kNone;
    const TensorId s = n.node(OpKind::kMatMul, {n.q, n.k, which == 0 ? bias : graph::kAbsent},
                              {2, 3, kRows, kKeys}, MatMulAttrs{true, which == 1 ? relu : none, 1});
    const TensorId w = n.softmax(s);
    const TensorId y = n.node(
        OpKind::kMatMul, {w, n.v, which == 2 ? value_bias : graph::kAbsent}, {2, 3, kRows, 5},
        MatMulAttrs{false, which == 3 ? relu : none, which == 4 ? 2.0F : 1.0F});
    Graph g = n.finish({y});
    EXPECT_THAT(run_pass(g), IsEmpty()) << which;
  }
}

TEST(FindAttention, NarrowTypesBetweenWideOperandsAreLeftAlone) {
  Heads n;
  const Shape shape = {2, 3, kRows, kKeys};
  const TensorId half = n.typed(DType::kFloat16, OpKind::kMap, {n.scores()}, shape, MapAttrs{});
  const TensorId w =
      n.typed(DType::kFloat16, OpKind::kSoftmax, {half}, shape, graph::SoftmaxAttrs{});
  const TensorId wide = n.node(OpKind::kMap, {w}, shape, MapAttrs{});
  Graph g = n.finish({n.product(wide, n.v)});
  EXPECT_THAT(run_pass(g), IsEmpty());
  // The other way round is how half networks compute their softmax.
  Heads h(DType::kFloat16);
  const TensorId up = h.typed(kFloat, OpKind::kMap, {h.scores()}, shape, MapAttrs{});
  const TensorId f = h.typed(kFloat, OpKind::kSoftmax, {up}, shape, graph::SoftmaxAttrs{});
  Graph narrow = h.finish({h.product(h.node(OpKind::kMap, {f}, shape, MapAttrs{}), h.v)});
  EXPECT_EQ(passes::find_attention(narrow).size(), 1U);
  verify(narrow);
  EXPECT_EQ(narrow.nodes.size(), 1U);
}

TEST(FindAttention, BytesAreLeftAlone) {
  GraphMaker m("bytes");
  const auto byte = [&](Shape shape) {
    return m.input(DType::kInt8, std::move(shape), {0.02F, 0});
  };
  const TensorId q = byte({1, 2, 4, 8}), k = byte({1, 2, 6, 8}), v = byte({1, 2, 6, 8});
  const TensorId s = m.activation(DType::kFloat32, {1, 2, 4, 6}, {});
  m.node(OpKind::kMatMul, {q, k, graph::kAbsent}, {s}, MatMulAttrs{true, {}, 1});
  const TensorId w = m.activation(DType::kFloat32, {1, 2, 4, 6}, {});
  m.node(OpKind::kSoftmax, {s}, {w}, graph::SoftmaxAttrs{});
  const TensorId steps = m.activation(DType::kInt8, {1, 2, 4, 6}, {1.0F / 255, -128});
  m.node(OpKind::kMap, {w}, {steps}, MapAttrs{});
  const TensorId y = m.activation(DType::kInt8, {1, 2, 4, 8}, {0.02F, 0});
  m.node(OpKind::kMatMul, {steps, v, graph::kAbsent}, {y}, MatMulAttrs{});
  Graph g = m.finish({y});
  EXPECT_THAT(run_pass(g), IsEmpty());
}

TEST(FindAttention, SeveralInOneNetwork) {
  Heads n;
  const TensorId first = n.product(n.softmax(n.product(n.q, n.k, true, 0.5F)), n.k);
  const TensorId second = n.product(n.softmax(n.product(first, n.k, true, 0.25F)), n.v);
  Graph g = n.finish({second});
  EXPECT_THAT(run_pass(g, 1e-5F), ElementsAre("MATMUL #0 … MATMUL #2 are ATTENTION",
                                              "MATMUL #3 … MATMUL #5 are ATTENTION"));
  EXPECT_EQ(count_of(g, OpKind::kAttention), 2U);
}

}  // namespace
}  // namespace npu::test
