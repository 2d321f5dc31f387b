// What simplifying and upgrading change keeps the model's meaning.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/onnx_import/run_plan.h"
#include "sim/base/error.h"
#include "tests/unit/onnx_import/models.h"
#include "workloads/onnx/upgrade.h"

namespace npu::onnx_import {
namespace {

using onnx::ElementType;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

std::vector<double> numbers(std::size_t count) {
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(std::sin(static_cast<double>(i) + 1));
  return out;
}

/// Every node on the host.
std::vector<onnx::Value> run_on_host(const Network& network, const onnx::Values& inputs) {
  HostStage all;
  for (std::size_t i = 0; i < network.model.graph.nodes.size(); ++i) all.nodes.push_back({i, ""});
  Plan plan;
  plan.stages.emplace_back(std::move(all));
  return run_plan(network, plan, inputs, {});
}

Network expect_same(const onnx::Model& model, const onnx::Values& inputs) {
  const Network network = simplify(model, {});
  const auto expected = to_doubles(onnx::run(model, inputs).at(0));
  const auto got = to_doubles(run_on_host(network, inputs).at(0));
  EXPECT_THAT(got, Pointwise(DoubleNear(1e-5), expected));
  return network;
}

TEST(Rewriting, WhatFollowsAConvolutionPerChannelGoesIntoIt) {
  ModelMaker m;
  m.input("x", {1, 2, 4, 4}).constant("w", {3, 2, 3, 3}, numbers(54)).constant("s", {3}, {1, 2, 3});
  m.constant("v", {3}, {0.5, 1, 4}).constant("k", {3, 1, 1}, {2, -1, 0.5}).constant("t", {}, {3});
  m.node("Conv", {"x", "w", "s"}, {"c"})
      .node("BatchNormalization", {"c", "s", "s", "v", "v"}, {"n"});
  m.node("Mul", {"k", "n"}, {"p"}).node("Add", {"p", "t"}, {"y"}).output("y");
  const onnx::Values inputs = {
      {"x", onnx::from_doubles(ElementType::kFloat, {1, 2, 4, 4}, numbers(32))}};
  EXPECT_EQ(expect_same(m.model(), inputs).model.graph.nodes.size(), 1U);
}

TEST(Rewriting, AConvolutionThatOthersReadStays) {
  ModelMaker m;
  m.input("x", {1, 2, 4, 4}).constant("w", {3, 2, 3, 3}, numbers(54)).constant("k", {}, {2});
  m.node("Conv", {"x", "w"}, {"c"}).node("Mul", {"c", "k"}, {"p"}).node("Add", {"p", "c"}, {"y"});
  m.output("y");
  const onnx::Values inputs = {
      {"x", onnx::from_doubles(ElementType::kFloat, {1, 2, 4, 4}, numbers(32))}};
  EXPECT_EQ(expect_same(m.model(), inputs).model.graph.nodes.size(), 3U);
}

TEST(Rewriting, BroadcastingOfOldOperatorSets) {
  ModelMaker m(1);
  m.input("x", {1, 2, 2, 1}).constant("b", {2}, {10, 20});
  m.node("Add", {"x", "b"}, {"a"}, {{"broadcast", std::int64_t{1}}, {"axis", std::int64_t{1}}});
  m.node("Reshape", {"a"}, {"y"}, {{"shape", std::vector<std::int64_t>{4}}}).output("y");
  const onnx::Values inputs = {{"x", onnx::from_doubles(ElementType::kFloat, {1, 2, 2, 1},
                                                        std::vector<double>{1, 2, 3, 4})}};
  EXPECT_THAT(to_doubles(onnx::run(m.model(), inputs)[0]), ElementsAre(11, 12, 23, 24));
  expect_same(m.model(), inputs);
  m.model().graph.nodes[0].attributes["axis"] = std::int64_t{4};
  EXPECT_THROW((void)simplify(m.model(), {}), Error);
  m.model().graph.nodes[0].attributes["axis"] = std::int64_t{3};
  m.constant("b", {2, 2}, {1, 2, 3, 4});
  try {
    (void)simplify(m.model(), {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "made.onnx: node #0 Add: [2,2] does not lie along axis 3 of [1,2,2,1]");
  }
}

ModelMaker microsoft(const std::string& op, std::vector<std::string> inputs,
                     std::vector<std::string> outputs) {
  ModelMaker m(20);
  m.input("x", {2, 4}).input("z", {2, 4}).constant("s", {4}, {1, 2, 3, 4});
  m.node(op, std::move(inputs), std::move(outputs)).output("y");
  m.model().graph.nodes[0].domain = "com.microsoft";
  m.model().opsets["com.microsoft"] = 1;
  return m;
}

std::vector<std::string> operators_of(const onnx::Model& model) {
  std::vector<std::string> ops;
  for (const onnx::Node& node : model.graph.nodes) ops.push_back(node.domain + node.op_type);
  return ops;
}

TEST(Rewriting, OperatorsOfMicrosoft) {
  const onnx::Values inputs = {{"x", onnx::from_doubles(ElementType::kFloat, {2, 4}, numbers(8))},
                               {"z", onnx::from_doubles(ElementType::kFloat, {2, 4}, numbers(8))}};
  ModelMaker gelu = microsoft("BiasGelu", {"x", "s"}, {"y"});
  upgrade(gelu.model());
  EXPECT_THAT(operators_of(gelu.model()), ElementsAre("Add", "Gelu"));
  expect_same(gelu.model(), inputs);
  ModelMaker fast = microsoft("FastGelu", {"x"}, {"y"});
  upgrade(fast.model());
  EXPECT_THAT(operators_of(fast.model()), ElementsAre("Gelu"));
  EXPECT_EQ(std::get<std::string>(fast.model().graph.nodes[0].attributes.at("approximate")),
            "tanh");
  ModelMaker norm =
      microsoft("SkipLayerNormalization", {"x", "z", "s", "", "s"}, {"y", "", "", "sum"});
  norm.output("sum");
  upgrade(norm.model());
  EXPECT_THAT(operators_of(norm.model()), ElementsAre("Add", "Add", "LayerNormalization"));
  EXPECT_EQ(norm.model().graph.nodes[1].outputs[0], "sum");
  expect_same(norm.model(), inputs);
  ModelMaker rms = microsoft("SkipSimplifiedLayerNormalization", {"x", "z", "s"}, {"y"});
  upgrade(rms.model());
  EXPECT_THAT(operators_of(rms.model()), ElementsAre("Add", "RMSNormalization"));
  ModelMaker other = microsoft("Crystal", {"x"}, {"y"});
  upgrade(other.model());
  EXPECT_THAT(operators_of(other.model()), ElementsAre("com.microsoftCrystal"));
}

TEST(Rewriting, ModelsWithoutOperatorSetsAreOfTheFirst) {
  ModelMaker m;
  m.model().opsets.clear();
  m.model().ir_version = 3;
  upgrade(m.model());
  EXPECT_TRUE(m.model().opsets.empty());
  m.model().ir_version = 2;
  upgrade(m.model());
  EXPECT_EQ(m.model().opsets.at(""), 1);
}

}  // namespace
}  // namespace npu::onnx_import
