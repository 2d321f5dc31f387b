#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/onnx_import/network.h"
#include "sim/base/error.h"
#include "tests/unit/onnx_import/models.h"

namespace npu::onnx_import {
namespace {

using onnx::ElementType;
using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(const onnx::Model& model, const SimplifyOptions& options = {}) {
  try {
    (void)simplify(model, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

ModelMaker symbolic() {
  ModelMaker m;
  m.input("x", {-1, 3}).node("Relu", {"x"}, {"y"}).output("y");
  m.model().graph.inputs[0].shape[0] = {-1, "batch"};
  return m;
}

TEST(Simplify, BindsDimensionsByTheirSymbol) {
  ModelMaker m = symbolic();
  const Network n = simplify(m.model(), {.dimensions = {{"batch", 5}}, .input_shapes = {}});
  EXPECT_THAT(n.type("x").shape, ElementsAre(5, 3));
  EXPECT_THAT(n.type("y").shape, ElementsAre(5, 3));
}

TEST(Simplify, UnboundDimensionsNameInputDimensionAndOption) {
  ModelMaker m = symbolic();
  EXPECT_EQ(error_of(m.model()),
            "made.onnx: input \"x\": dimension 0 (\"batch\") has no size: give it with --dim "
            "batch=SIZE");
  m.model().graph.inputs[0].shape[0].symbol = "";
  EXPECT_EQ(error_of(m.model()),
            "made.onnx: input \"x\": dimension 0 (without a name) has no size: give it with --dim "
            "x[0]=SIZE");
  EXPECT_EQ(error_of(m.model(), {.dimensions = {{"x[0]", 2}}, .input_shapes = {}}), "");
}

TEST(Simplify, DimensionsThatDoNotExistAreErrors) {
  ModelMaker m = symbolic();
  EXPECT_EQ(error_of(m.model(), {.dimensions = {{"time", 5}}, .input_shapes = {}}),
            "--dim time: made.onnx has no open dimension of that name; open are batch");
  EXPECT_EQ(error_of(m.model(), {.dimensions = {{"batch", 0}}, .input_shapes = {}}),
            "--dim batch: must be at least 1, got 0");
  m.model().graph.inputs[0].shape[0] = {4, ""};
  EXPECT_THAT(error_of(m.model(), {.dimensions = {{"time", 5}}, .input_shapes = {}}),
              HasSubstr("all its dimensions have sizes"));
}

TEST(Simplify, OperatorSetsBeyondTheNewestAreErrors) {
  ModelMaker m(27);
  m.input("x", {1}).node("Relu", {"x"}, {"y"}).output("y");
  EXPECT_EQ(error_of(m.model()), "made.onnx: operator set 27: 1 to 26 are known");
}

TEST(Simplify, FoldsWhatDoesNotDependOnInputs) {
  ModelMaker m;
  m.input("x", {2, 3, 4})
      .node("Shape", {"x"}, {"shape"})
      .integers("two", {2})
      .node("Mul", {"shape", "two"}, {"doubled"})
      .constant("c", {}, {1})
      .node("Expand", {"c", "doubled"}, {"big"})
      .node("ReduceSum", {"big"}, {"sum"}, {{"keepdims", std::int64_t{0}}})
      .node("Add", {"x", "sum"}, {"y"})
      .output("y");
  const Network n = simplify(m.model(), {});
  ASSERT_EQ(n.model.graph.nodes.size(), 1U);
  ASSERT_NE(n.constant("sum"), nullptr);
  EXPECT_THAT(to_doubles(*n.constant("sum")), ElementsAre(4 * 6 * 8));
  EXPECT_EQ(n.constant("big"), nullptr) << "what nothing reads is dropped";
}

TEST(Simplify, RemovesCopies) {
  ModelMaker m;
  m.input("x", {2})
      .node("Identity", {"x"}, {"a"})
      .node("Dropout", {"a"}, {"b"})
      .node("Relu", {"b"}, {"c"})
      .node("Identity", {"c"}, {"y"})
      .output("y")
      .output("a");
  const Network n = simplify(m.model(), {});
  ASSERT_EQ(n.model.graph.nodes.size(), 1U);
  EXPECT_THAT(n.model.graph.nodes[0].inputs, ElementsAre("x"));
  EXPECT_EQ(n.outputs[0].value, "c");
  EXPECT_EQ(n.outputs[0].name, "y");
  EXPECT_EQ(n.outputs[1].value, "x");
}

TEST(Simplify, ShapesThatDependOnValuesAreNotStatic) {
  ModelMaker m;
  m.input("x", {4})
      .node("NonZero", {"x"}, {"i"})
      .node("Cast", {"i"}, {"y"}, {{"to", std::int64_t{1}}});
  m.output("y");
  const Network n = simplify(m.model(), {});
  EXPECT_TRUE(n.type("x").is_static);
  EXPECT_FALSE(n.type("i").is_static);
  EXPECT_FALSE(n.type("y").is_static);
}

TEST(Simplify, ShapesOfWindowsAndProducts) {
  ModelMaker m;
  m.input("x", {1, 3, 9, 9})
      .constant("w", {8, 3, 3, 3}, std::vector<double>(216, 1))
      .node("Conv", {"x", "w"}, {"c"}, {{"strides", std::vector<std::int64_t>{2, 2}}})
      .node("MaxPool", {"c"}, {"p"}, {{"kernel_shape", std::vector<std::int64_t>{2, 2}}})
      .node("GlobalAveragePool", {"p"}, {"g"})
      .node("Flatten", {"g"}, {"f"})
      .constant("m", {8, 5}, std::vector<double>(40, 1))
      .node("MatMul", {"f", "m"}, {"y"})
      .output("y");
  const Network n = simplify(m.model(), {});
  EXPECT_THAT(n.type("c").shape, ElementsAre(1, 8, 4, 4));
  EXPECT_THAT(n.type("p").shape, ElementsAre(1, 8, 3, 3));
  EXPECT_THAT(n.type("g").shape, ElementsAre(1, 8, 1, 1));
  EXPECT_THAT(n.type("y").shape, ElementsAre(1, 5));
}

TEST(Simplify, WhatDoesNotFitIsAnErrorOfItsNode) {
  ModelMaker m;
  m.input("x", {2}).input("z", {3}).node("Add", {"x", "z"}, {"y"}).output("y");
  EXPECT_EQ(error_of(m.model()), "made.onnx: node #0 Add: [2] and [3] do not broadcast");
  m.model().graph.nodes[0].inputs[1] = "nowhere";
  EXPECT_EQ(error_of(m.model()), "made.onnx: node #0 Add: no value \"nowhere\" before it");
  m.model().graph.nodes[0].op_type = "Frobnicate";
  m.model().graph.nodes[0].inputs[1] = "z";
  EXPECT_EQ(error_of(m.model()),
            "made.onnx: node #0 Frobnicate: no such operator in the CPU reference");
}

}  // namespace
}  // namespace npu::onnx_import
