// Attention as exporters write it, from ONNX operators to ATTENTION.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "kernels/onnx_import/plan.h"
#include "tests/unit/onnx_import/models.h"
#include "tests/unit/passes/attention_checks.h"

namespace npu::test {
namespace {

using graph::Graph;
using graph::OpKind;
using onnx::ElementType;
using onnx_import::ModelMaker;
using testing::ElementsAre;
using testing::IsEmpty;
using Integers = std::vector<std::int64_t>;

constexpr std::int64_t kBatch = 2, kTokens = 5, kHeads = 3, kDepth = 4;
constexpr float kLowest = std::numeric_limits<float>::lowest();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The one graph of a model that runs on the NPU as a whole.
Graph imported(ModelMaker& m, std::optional<DType> precision = {}) {
  const onnx_import::Network network = onnx_import::simplify(m.model(), {});
  onnx_import::ConvertOptions options;
  options.precision = precision;
  onnx_import::Plan plan = make_plan(network, options);
  EXPECT_EQ(plan.stages.size(), 1U);
  return std::get<onnx_import::NpuStage>(plan.stages.at(0)).graph;
}

/// x[B,S,H·D] as [B,S,H,D], dimensions moved.
void split_heads(ModelMaker& m, const std::string& x, const std::string& y,
                 const Integers& permutation, std::int64_t heads = kHeads) {
  m.integers(y + ".shape", {kBatch, kTokens, heads, kDepth});
  m.node("Reshape", {x, y + ".shape"}, {y + ".split"});
  m.node("Transpose", {y + ".split"}, {y}, {{"perm", permutation}});
}

/// Inputs hq, hk, hv [B,S,H·D] as q[B,H,S,D], kt[B,H,D,S] and v[B,H,S,D].
ModelMaker heads(std::int64_t batch_of_mask = 0) {
  ModelMaker m;
  for (const char* x : {"hq", "hk", "hv"}) m.input(x, {kBatch, kTokens, kHeads * kDepth});
  if (batch_of_mask > 0) m.input("mask", {batch_of_mask, 1, 1, kTokens});
  split_heads(m, "hq", "q", {0, 2, 1, 3});
  split_heads(m, "hk", "kt", {0, 2, 3, 1});
  split_heads(m, "hv", "v", {0, 2, 1, 3});
  return m;
}

/// weights · v, heads side by side again.
Graph finished(ModelMaker& m, const std::string& scores, std::optional<DType> precision = {}) {
  m.node("Softmax", {scores}, {"w"}, {{"axis", std::int64_t{-1}}});
  m.node("MatMul", {"w", "v"}, {"context"});
  m.node("Transpose", {"context"}, {"together"}, {{"perm", Integers{0, 2, 1, 3}}});
  m.integers("out.shape", {kBatch, kTokens, kHeads * kDepth});
  m.node("Reshape", {"together", "out.shape"}, {"y"}).output("y");
  return imported(m, precision);
}

/// [1,1,S,S] as bool: where a query sees a key.
void add_causal(ModelMaker& m) {
  std::vector<double> seen;
  for (std::int64_t i = 0; i < kTokens * kTokens; ++i)
    seen.push_back(i % kTokens <= i / kTokens ? 1 : 0);
  m.constant("causal", {1, 1, kTokens, kTokens}, seen, ElementType::kBool);
}

void expect_only_attention(const Graph& g) {
  EXPECT_EQ(count_of(g, OpKind::kAttention), 1U);
  EXPECT_EQ(count_of(g, OpKind::kMatMul), 0U);
  EXPECT_EQ(count_of(g, OpKind::kSoftmax), 0U);
}

TEST(FindAttentionOnnx, BertDividesAndAddsAMask) {
  ModelMaker m = heads(kBatch);
  m.node("MatMul", {"q", "kt"}, {"s"}).constant("root", {}, {2}).node("Div", {"s", "root"}, {"d"});
  m.node("Add", {"d", "mask"}, {"masked"});
  Graph g = finished(m, "masked");
  EXPECT_THAT(run_pass(g), ElementsAre("MATMUL #6 … MATMUL #10 are ATTENTION"));
  expect_only_attention(g);
  EXPECT_EQ(count_of(g, OpKind::kMap), 0U);
  EXPECT_EQ(count_of(g, OpKind::kTranspose), 4U) << "k is moved once, to the keys' order";
  EXPECT_FLOAT_EQ(attention_attrs(g).scale, 0.5F);
  EXPECT_FALSE(attention_attrs(g).causal);
  const graph::Node& node = attention_of(g);
  EXPECT_EQ(g.tensor(node.inputs[0]).shape, (Shape{kBatch, kHeads, kTokens, kDepth}));
  EXPECT_EQ(g.tensor(node.inputs[1]).shape, (Shape{kBatch, kHeads, kTokens, kDepth}));
  EXPECT_EQ(node.inputs[3], g.inputs.back());
}

TEST(FindAttentionOnnx, NarrowPrecisions) {
  for (const DType type : {DType::kFloat16, DType::kBfloat16}) {
    ModelMaker m = heads(1);
    m.node("MatMul", {"q", "kt"}, {"s"}).constant("c", {}, {2}).node("Div", {"s", "c"}, {"d"});
    m.node("Add", {"d", "mask"}, {"masked"});
    Graph g = finished(m, "masked", type);
    EXPECT_EQ(passes::find_attention(g).size(), 1U);
    verify(g);
    expect_only_attention(g);
  }
}

TEST(FindAttentionOnnx, Gpt2SelectsByAConstantMask) {
  for (const float fill : {kLowest, -kInfinity}) {
    ModelMaker m = heads();
    m.node("MatMul", {"q", "kt"}, {"s"}).constant("root", {}, {2});
    m.node("Div", {"s", "root"}, {"d"}).constant("low", {}, {static_cast<double>(fill)});
    add_causal(m);
    m.node("Where", {"causal", "d", "low"}, {"masked"});
    Graph g = finished(m, "masked");
    EXPECT_EQ(run_pass(g).size(), 1U);
    expect_only_attention(g);
    EXPECT_TRUE(attention_attrs(g).causal);
    EXPECT_EQ(attention_of(g).inputs[3], graph::kAbsent);
  }
}

TEST(FindAttentionOnnx, Gpt2WithAPaddingMaskHasBothInTheMask) {
  for (const float fill : {kLowest, -kInfinity}) {
    ModelMaker m = heads(kBatch);
    m.node("MatMul", {"q", "kt"}, {"s"}).constant("low", {}, {static_cast<double>(fill)});
    add_causal(m);
    m.node("Where", {"causal", "s", "low"}, {"hidden"}).node("Add", {"hidden", "mask"}, {"masked"});
    Graph g = finished(m, "masked");
    EXPECT_EQ(run_pass(g).size(), 1U);
    expect_only_attention(g);
    // A finite value may stand beside another mask that hides all else: not causal then.
    EXPECT_EQ(attention_attrs(g).causal, std::isinf(fill));
    EXPECT_NE(attention_of(g).inputs[3], graph::kAbsent);
  }
}

TEST(FindAttentionOnnx, MaskedFillByTheOppositeCondition) {
  ModelMaker m = heads();
  std::vector<double> hidden;
  for (std::int64_t i = 0; i < kTokens * kTokens; ++i)
    hidden.push_back(i % kTokens > i / kTokens + 1 ? 1 : 0);
  m.constant("hidden", {kTokens, kTokens}, hidden, ElementType::kBool);
  m.constant("low", {}, {-kInfinity}).node("MatMul", {"q", "kt"}, {"s"});
  m.node("Where", {"hidden", "low", "s"}, {"masked"});
  Graph g = finished(m, "masked");
  EXPECT_EQ(run_pass(g).size(), 1U);
  EXPECT_FALSE(attention_attrs(g).causal);
  EXPECT_TRUE(g.tensor(attention_of(g).inputs[3]).is_constant);
}

TEST(FindAttentionOnnx, AComputedConditionHidesKeys) {
  for (const float fill : {-kInfinity, kLowest}) {
    ModelMaker m = heads();
    m.input("seen", {kBatch, 1, 1, kTokens}, ElementType::kBool);
    m.constant("low", {}, {static_cast<double>(fill)}).node("MatMul", {"q", "kt"}, {"s"});
    m.node("Where", {"seen", "s", "low"}, {"masked"});
    Graph g = finished(m, "masked");
    // With a finite value rows that see nothing would weigh all keys alike.
    EXPECT_EQ(run_pass(g).size(), std::isinf(fill) ? 1U : 0U);
  }
}

/// The network is one ATTENTION, which does the scaling.
void expect_scaled_attention(ModelMaker& m, float scale) {
  Graph g = finished(m, "s");
  EXPECT_EQ(run_pass(g).size(), 1U);
  expect_only_attention(g);
  EXPECT_EQ(count_of(g, OpKind::kMap), 0U);
  EXPECT_FLOAT_EQ(attention_attrs(g).scale, scale);
}

TEST(FindAttentionOnnx, VitScalesQ) {
  ModelMaker m = heads();
  m.constant("c", {}, {0.5}).node("Mul", {"q", "c"}, {"scaled"});
  m.node("MatMul", {"scaled", "kt"}, {"s"});
  expect_scaled_attention(m, 0.5F);
}

TEST(FindAttentionOnnx, SdpaScalesBothByTheRoot) {
  ModelMaker m = heads();
  m.constant("c", {1}, {std::sqrt(0.5)});
  m.node("Mul", {"q", "c"}, {"q2"}).node("Mul", {"kt", "c"}, {"kt2"});
  m.node("MatMul", {"q2", "kt2"}, {"s"});
  expect_scaled_attention(m, 0.5F);
}

TEST(FindAttentionOnnx, SdpaWithItsCausalMaskAsABias) {
  ModelMaker m = heads();
  std::vector<double> bias;
  for (std::int64_t i = 0; i < kTokens * kTokens; ++i)
    bias.push_back(i % kTokens <= i / kTokens ? 0 : -kInfinity);
  m.constant("bias", {kTokens, kTokens}, bias).node("MatMul", {"q", "kt"}, {"s"});
  m.node("Add", {"s", "bias"}, {"masked"});
  Graph g = finished(m, "masked");
  EXPECT_EQ(run_pass(g).size(), 1U);
  EXPECT_TRUE(attention_attrs(g).causal);
  EXPECT_EQ(attention_of(g).inputs[3], graph::kAbsent);
}

/// k and v with fewer heads, repeated by Expand as transformers' repeat_kv does.
void repeat_heads(ModelMaker& m, const std::string& x, const std::string& y, std::int64_t groups) {
  m.integers(y + ".axis", {2}).node("Unsqueeze", {x, y + ".axis"}, {y + ".5"});
  m.integers(y + ".to", {kBatch, groups, kHeads, kTokens, kDepth});
  m.node("Expand", {y + ".5", y + ".to"}, {y + ".copies"});
  m.integers(y + ".4", {kBatch, groups * kHeads, kTokens, kDepth});
  m.node("Reshape", {y + ".copies", y + ".4"}, {y});
}

TEST(FindAttentionOnnx, RepeatedHeadsAreGrouped) {
  constexpr std::int64_t kGroups = 2;
  ModelMaker m;
  m.input("hq", {kBatch, kTokens, kGroups * kHeads * kDepth});
  for (const char* x : {"hk", "hv"}) m.input(x, {kBatch, kTokens, kGroups * kDepth});
  split_heads(m, "hq", "q", {0, 2, 1, 3}, kGroups * kHeads);
  split_heads(m, "hk", "k1", {0, 2, 1, 3}, kGroups);
  split_heads(m, "hv", "v1", {0, 2, 1, 3}, kGroups);
  repeat_heads(m, "k1", "k", kGroups);
  repeat_heads(m, "v1", "v", kGroups);
  m.node("Transpose", {"k"}, {"kt"}, {{"perm", Integers{0, 1, 3, 2}}});
  m.constant("c", {}, {std::sqrt(0.5)});
  m.node("Mul", {"q", "c"}, {"q2"}).node("Mul", {"kt", "c"}, {"kt2"});
  m.node("MatMul", {"q2", "kt2"}, {"s"});
  m.node("Softmax", {"s"}, {"w"}, {{"axis", std::int64_t{-1}}});
  m.node("MatMul", {"w", "v"}, {"y"}).output("y");
  Graph g = imported(m);
  EXPECT_EQ(run_pass(g).size(), 1U);
  EXPECT_EQ(g.tensor(attention_of(g).inputs[1]).shape, (Shape{kBatch, kGroups, kTokens, kDepth}));
  EXPECT_EQ(count_of(g, OpKind::kMap), 0U);
  EXPECT_FLOAT_EQ(attention_attrs(g).scale, 0.5F);
}

TEST(FindAttentionOnnx, HeadsInTheBatch) {
  ModelMaker m;
  for (const char* x : {"q", "k", "v"}) m.input(x, {kBatch * kHeads, kTokens, kDepth});
  m.node("Transpose", {"k"}, {"kt"}, {{"perm", Integers{0, 2, 1}}});
  m.node("MatMul", {"q", "kt"}, {"s"}).node("Softmax", {"s"}, {"w"}, {{"axis", std::int64_t{2}}});
  m.node("MatMul", {"w", "v"}, {"y"}).output("y");
  Graph g = imported(m);
  EXPECT_EQ(run_pass(g).size(), 1U);
  EXPECT_EQ(count_of(g, OpKind::kTranspose), 0U);
}

TEST(FindAttentionOnnx, SoftmaxOverTheQueriesIsNone) {
  ModelMaker m = heads();
  m.node("MatMul", {"q", "kt"}, {"s"}).node("Softmax", {"s"}, {"w"}, {{"axis", std::int64_t{2}}});
  m.node("MatMul", {"w", "v"}, {"y"}).output("y");
  Graph g = imported(m);
  EXPECT_THAT(run_pass(g), IsEmpty());
}

TEST(FindAttentionOnnx, AScaleThatIsComputedIsNone) {
  ModelMaker m = heads();
  m.input("c", {1}).node("MatMul", {"q", "kt"}, {"s"}).node("Mul", {"s", "c"}, {"d"});
  Graph g = finished(m, "d");
  EXPECT_THAT(run_pass(g), IsEmpty());
}

}  // namespace
}  // namespace npu::test
