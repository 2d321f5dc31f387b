#include "kernels/onnx_import/bound_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/onnx_import/network.h"
#include "tests/unit/onnx_import/models.h"

namespace npu::onnx_import {
namespace {

using onnx::ElementType;
using testing::ElementsAre;
using testing::IsEmpty;

onnx::Value list(const std::vector<std::int64_t>& elements) { return onnx::int64_list(elements); }

std::string error_of(const onnx::Model& model, const SimplifyOptions& options) {
  try {
    (void)simplify(model, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(BoundInputs, OperandsThatShapesFollowFrom) {
  ModelMaker m;
  m.input("x", {2, 3, 4})
      .input("target", {2}, ElementType::kInt64)
      .input("axes", {1}, ElementType::kInt64)
      .node("Reshape", {"x", "target"}, {"r"})
      .node("ReduceSum", {"r", "axes"}, {"y"})
      .output("y");
  EXPECT_THAT(bindable_inputs(m.model(), Bound::kShapes), ElementsAre("axes", "target"));
}

TEST(BoundInputs, ShapesMayBeComputedFromFewIntegers) {
  ModelMaker m;
  m.input("x", {2, 3, 4})
      .input("rows", {1}, ElementType::kInt64)
      .input("many", {kMaxBoundElements + 1}, ElementType::kInt64)
      .input("table", {1, 1}, ElementType::kInt64)
      .integers("zero", {0})
      .node("Concat", {"rows", "rows"}, {"pair"}, {{"axis", std::int64_t{0}}})
      .node("Gather", {"many", "zero"}, {"one"})
      .node("Flatten", {"table"}, {"flat"})
      .node("Squeeze", {"flat"}, {"last"})
      .node("Concat", {"pair", "one"}, {"target"}, {{"axis", std::int64_t{0}}})
      .node("Reshape", {"x", "target"}, {"y"})
      .output("y");
  EXPECT_THAT(bindable_inputs(m.model(), Bound::kShapes), ElementsAre("rows"));
}

TEST(BoundInputs, TheShapeOfATensorIsNoValueOfIt) {
  ModelMaker m;
  m.input("x", {4}, ElementType::kInt64)
      .input("like", {4}, ElementType::kInt64)
      .node("Shape", {"like"}, {"target"})
      .node("Reshape", {"x", "target"}, {"y"})
      .output("y");
  EXPECT_THAT(bindable_inputs(m.model(), Bound::kShapes), IsEmpty());
}

TEST(BoundInputs, ParametersOnlyWhereTheyAreAskedFor) {
  ModelMaker m;
  m.input("x", {1, 2, 4, 4})
      .input("w", {3, 2, 3, 3})
      .input("scale", {})
      .node("Conv", {"x", "w"}, {"c"})
      .node("QuantizeLinear", {"c", "scale"}, {"y"})
      .output("y");
  EXPECT_THAT(bindable_inputs(m.model(), Bound::kShapes), IsEmpty());
  EXPECT_THAT(bindable_inputs(m.model(), Bound::kParameters), ElementsAre("scale", "w"));
}

TEST(BoundInputs, AValueMakesTheInputAConstant) {
  ModelMaker m;
  m.input("x", {2, 3, 4})
      .input("target", {2}, ElementType::kInt64)
      .node("Reshape", {"x", "target"}, {"y"})
      .output("y");
  EXPECT_FALSE(simplify(m.model(), {}).type("y").is_static);
  SimplifyOptions options;
  options.input_values["target"] = list({4, -1});
  const Network network = simplify(m.model(), options);
  EXPECT_EQ(network.type("y").shape, (Shape{4, 6}));
  ASSERT_EQ(network.model.graph.inputs.size(), 1U);
  EXPECT_EQ(network.model.graph.inputs[0].name, "x");
  options.input_values["target"] = list({4, 3, 2});
  EXPECT_EQ(error_of(m.model(), options),
            "made.onnx: input \"target\": a tensor of [3] does not fit");
  options.input_values["target"] =
      onnx::from_integers(ElementType::kInt32, {2}, std::vector<std::int64_t>{4, 6});
  EXPECT_EQ(error_of(m.model(), options), "made.onnx: input \"target\": expected int64, got int32");
}

}  // namespace
}  // namespace npu::onnx_import
