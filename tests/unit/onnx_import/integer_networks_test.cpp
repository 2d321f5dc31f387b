// Deeploy's integer networks: ranges, and the whole network as one stage for the NPU.
#include <gtest/gtest.h>

#include "kernels/onnx_import/integer_ranges.h"
#include "kernels/onnx_import/run_plan.h"
#include "tests/support/integer_network.h"
#include "tests/support/shared.h"
#include "tests/unit/onnx_import/models.h"

namespace npu::onnx_import {
namespace {

using onnx::ElementType;

TEST(IntegerRanges, FollowSumsAtTheirWorst) {
  ModelMaker m;
  m.input("x", {1, 2}, ElementType::kFloat)
      .constant("w", {2, 2}, {3, 0, -1, 2})
      .constant("one", {}, {1})
      .node("MatMul", {"x", "w"}, {"sums"})
      .node("RequantShift", {"sums", "one", "one"}, {"y"},
            {{"div", std::int64_t{4}},
             {"n_levels_out", std::int64_t{256}},
             {"signed", std::int64_t{0}}})
      .output("y");
  SimplifyOptions options;
  options.input_ranges["x"] = {-2, 10};
  const Network network = simplify(m.model(), options);
  EXPECT_EQ(network.ranges.at("sums").low, -16);  // 3·−2 − 1·10
  EXPECT_EQ(network.ranges.at("sums").high, 32);  // 3·10 + 1·2
  EXPECT_EQ(network.ranges.at("y").high, 255);
  EXPECT_EQ(storage_of(network.ranges.at("y")), DType::kUint8);
  EXPECT_EQ(storage_of(Range{-128, 127}), DType::kInt8);
  EXPECT_EQ(storage_of(Range{-129, 127}), DType::kInt32);
  EXPECT_EQ(storage_of(Range{0, std::int64_t{1} << 31}), std::nullopt);
}

TEST(IntegerRanges, AFractionMakesItANetworkOfFloats) {
  ModelMaker m;
  m.input("x", {1, 2}, ElementType::kFloat)
      .constant("half", {}, {0.5})
      .constant("one", {}, {1})
      .node("Mul", {"x", "half"}, {"z"})
      .node("RequantShift", {"z", "one", "one"}, {"y"},
            {{"div", std::int64_t{4}},
             {"n_levels_out", std::int64_t{256}},
             {"signed", std::int64_t{0}}})
      .output("y");
  EXPECT_TRUE(simplify(m.model(), {}).ranges.empty());
}

class IntegerNetwork : public testing::TestWithParam<const char*> {};

TEST_P(IntegerNetwork, IsOneStageOfTheNpu) {
  NPUSIM_REQUIRE_SHARED();
  const test::IntegerNetworkCase c = test::load_integer_network(GetParam());
  const Network network =
      simplify(c.model, {.dimensions = {}, .input_shapes = c.shapes(), .input_ranges = c.ranges()});
  const Plan plan = make_plan(network, {});
  for (const Stage& stage : plan.stages) {
    if (const auto* host = std::get_if<HostStage>(&stage)) {
      for (const HostNode& node : host->nodes) {
        ADD_FAILURE() << onnx::describe(network.model.graph.nodes[node.node], node.node) << ": "
                      << node.reason;
      }
    }
  }
  EXPECT_EQ(plan.stages.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Deeploy, IntegerNetwork, testing::ValuesIn(test::kIntegerNetworks),
                         [](const auto& network) { return test::short_name(network.param); });

}  // namespace
}  // namespace npu::onnx_import
