#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "kernels/onnx_import/run_plan.h"
#include "kernels/reference/reference.h"
#include "tests/unit/onnx_import/models.h"

namespace npu::onnx_import {
namespace {

using onnx::ElementType;
using testing::ElementsAre;

onnx::Value counted(ElementType type, const Shape& shape) {
  std::vector<std::int64_t> elements(static_cast<std::size_t>(element_count(shape)));
  std::iota(elements.begin(), elements.end(), std::int64_t{-5});
  return onnx::from_integers(type, shape, elements);
}

/// The plan's outputs equal those of the ONNX reference on the model itself.
Plan expect_exact(onnx::Model& model, const onnx::Values& inputs) {
  const Network network = simplify(model, {});
  const Plan plan = make_plan(network, {});
  const std::vector<onnx::Value> expected = onnx::run(model, inputs);
  const std::vector<onnx::Value> got = run_plan(network, plan, inputs, run_by_reference);
  EXPECT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].shape, expected[i].shape);
    EXPECT_EQ(got[i].bytes, expected[i].bytes) << "output " << i;
  }
  return plan;
}

std::size_t count_kind(const Plan& plan, graph::OpKind kind) {
  std::size_t n = 0;
  for (const Stage& stage : plan.stages) {
    const auto* npu = std::get_if<NpuStage>(&stage);
    if (npu == nullptr) continue;
    for (const graph::Node& node : npu->graph.nodes) n += node.kind == kind ? 1 : 0;
  }
  return n;
}

TEST(Plan, TransposesThatCancelMoveNothing) {
  ModelMaker m;
  m.input("x", {2, 3, 4, 5}, ElementType::kInt8)
      .node("Transpose", {"x"}, {"a"}, {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}})
      .node("Concat", {"a", "a"}, {"b"}, {{"axis", std::int64_t{3}}})
      .node("Transpose", {"b"}, {"y"}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}})
      .output("y");
  const Plan plan = expect_exact(m.model(), {{"x", counted(ElementType::kInt8, {2, 3, 4, 5})}});
  EXPECT_EQ(plan.stages.size(), 1U);
  EXPECT_EQ(count_kind(plan, graph::OpKind::kTranspose), 0U);
  EXPECT_EQ(count_kind(plan, graph::OpKind::kConcatenation), 1U);
}

TEST(Plan, ActivationsBehindAChangeOfShapeAreFused) {
  ModelMaker m;
  m.input("x", {2, 3})
      .constant("w", {3, 4}, {1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6})
      .integers("shape", {2, 2, 2})
      .node("MatMul", {"x", "w"}, {"a"})
      .node("Reshape", {"a", "shape"}, {"b"})
      .node("Relu", {"b"}, {"y"})
      .output("y");
  const onnx::Value x =
      onnx::from_doubles(ElementType::kFloat, {2, 3}, std::vector<double>{1, -2, 3, -4, 5, -6});
  const Plan plan = expect_exact(m.model(), {{"x", x}});
  EXPECT_EQ(count_kind(plan, graph::OpKind::kMap), 0U);
  const auto& nodes = std::get<NpuStage>(plan.stages.at(0)).graph.nodes;
  EXPECT_EQ(std::get<graph::ActivationAttrs>(nodes.at(0).attrs).activation,
            graph::Activation::kRelu);
}

TEST(Plan, ActivationsBehindAChangeOfShapeThatIsReadElsewhereStay) {
  ModelMaker m;
  m.input("x", {2, 2})
      .constant("w", {2, 2}, {1, -1, 2, -2})
      .integers("shape", {4})
      .node("MatMul", {"x", "w"}, {"a"})
      .node("Reshape", {"a", "shape"}, {"b"})
      .node("Relu", {"b"}, {"y"})
      .output("y")
      .output("b");
  const onnx::Value x =
      onnx::from_doubles(ElementType::kFloat, {2, 2}, std::vector<double>{1, -2, 3, -4});
  EXPECT_EQ(count_kind(expect_exact(m.model(), {{"x", x}}), graph::OpKind::kMap), 1U);
}

TEST(Plan, NormsRefuseScalesThatDoNotBroadcast) {
  const auto reason = [](ModelMaker& m) {
    const Plan plan = make_plan(simplify(m.model(), {}), {});
    return std::get<HostStage>(plan.stages.at(0)).nodes.at(0).reason;
  };
  ModelMaker constant;
  constant.input("x", {2, 3}).constant("s", {2, 1, 3}, {1, 2, 3, 4, 5, 6});
  constant.node("LayerNormalization", {"x", "s"}, {"y"}).output("y");
  EXPECT_EQ(reason(constant), "a scale of [2,1,3] for [3]");
  ModelMaker computed;
  computed.input("x", {2, 3}).input("s", {1});
  computed.node("LayerNormalization", {"x", "s"}, {"y"}).output("y");
  EXPECT_EQ(reason(computed), "a scale of [1] for [3]");
}

TEST(Plan, TransposesOfManyDimensionsTakeThoseTogetherThatStayTogether) {
  ModelMaker m;
  m.input("x", {2, 3, 1, 4, 2, 5}, ElementType::kInt8)
      .node("Transpose", {"x"}, {"y"}, {{"perm", std::vector<std::int64_t>{3, 4, 2, 0, 1, 5}}})
      .output("y");
  const Plan plan =
      expect_exact(m.model(), {{"x", counted(ElementType::kInt8, {2, 3, 1, 4, 2, 5})}});
  const auto& nodes = std::get<NpuStage>(plan.stages.at(0)).graph.nodes;
  ASSERT_EQ(nodes.size(), 3U);
  EXPECT_THAT(std::get<graph::TransposeAttrs>(nodes[1].attrs).permutation, ElementsAre(1, 0, 2));
}

TEST(Plan, HostAndNpuAlternate) {
  ModelMaker m;
  m.input("x", {2, 6}, ElementType::kInt8)
      .integers("shape", {3, 4})
      .node("Reshape", {"x", "shape"}, {"a"})
      .integers("zero", {0})
      .node("CumProd", {"a", "zero"}, {"b"})
      .node("Split", {"b"}, {"c", "d"}, {{"axis", std::int64_t{1}}})
      .node("Concat", {"d", "c"}, {"y"}, {{"axis", std::int64_t{0}}})
      .output("y")
      .output("a");
  m.model().opsets[""] = 26;
  m.model().graph.nodes[2].attributes.emplace("num_outputs", std::int64_t{2});
  const Plan plan = expect_exact(m.model(), {{"x", counted(ElementType::kInt8, {2, 6})}});
  ASSERT_EQ(plan.stages.size(), 3U);
  const auto& host = std::get<HostStage>(plan.stages[1]);
  ASSERT_EQ(host.nodes.size(), 1U);
  EXPECT_EQ(host.nodes[0].reason, "no NPU form");
}

TEST(Plan, ConstantsOfNpuStagesAreReleased) {
  ModelMaker m(26);
  m.input("x", {2}, ElementType::kInt8).constant("c", {2}, {1, 2}, ElementType::kInt8);
  m.integers("zero", {0}).node("Concat", {"x", "c"}, {"a"}, {{"axis", std::int64_t{0}}});
  m.node("CumProd", {"a", "zero"}, {"y"}).output("y");
  Network network = simplify(m.model(), {});
  const Plan plan = make_plan(network, {});
  release_constants(network, plan);
  EXPECT_EQ(network.constant("c"), nullptr);
  ASSERT_NE(network.constant("zero"), nullptr);
  const onnx::Values inputs = {{"x", counted(ElementType::kInt8, {2})}};
  EXPECT_THAT(to_integers(run_plan(network, plan, inputs, run_by_reference)[0]),
              ElementsAre(-5, 20, 20, 40));
}

TEST(Plan, ValuesThatNoNodeMakesAreCopied) {
  ModelMaker m;
  m.input("x", {2, 3}, ElementType::kInt8).integers("shape", {2, 3});
  m.node("Reshape", {"x", "shape"}, {"y"}).output("y");
  expect_exact(m.model(), {{"x", counted(ElementType::kInt8, {2, 3})}});
}

}  // namespace
}  // namespace npu::onnx_import
