#include "kernels/reference/svdf.h"

#include <gtest/gtest.h>

#include "tests/unit/reference/graphs.h"

namespace npu::reference {
namespace {

using graph::OpKind;
using graph::SvdfAttrs;
using test::GraphBuilder;
using test::tensor;
using test::values_of;

/// Two filters of rank 2 over two inputs and a memory of 2: one unit.
GraphBuilder network(DType state_type, std::int32_t state_zero_point) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, {1, 2}, {1.0F}, {1}});
  const auto f = g.constant<std::int8_t>({DType::kInt8, {2, 2}}, {1, 2, 3, -4});
  const auto t = state_type == DType::kInt8
                     ? g.constant<std::int8_t>({DType::kInt8, {2, 2}}, {5, 6, 7, 8})
                     : g.constant<std::int16_t>({DType::kInt16, {2, 2}}, {5, 6, 7, 8});
  const auto b = g.constant<std::int32_t>({DType::kInt32, {1}}, {-3});
  const auto state = g.variable({state_type, {1, 4}, {1.0F}, {state_zero_point}});
  const auto y = g.activation({DType::kInt8, {1, 1}, {1.0F}, {2}});
  g.node(OpKind::kSvdf, {x, f, t, b, state}, {y}, SvdfAttrs{2, graph::Activation::kNone});
  return g;
}

TEST(Svdf, StartsFromAnEmptyMemoryAndKeepsTheNewestFeatureLast) {
  // x − 1 = (2, 3): features 8 and −6 in the last slots; 8·6 − 6·8 − 3 = −3, plus 2.
  const auto x = tensor<std::int8_t>(DType::kInt8, {1, 2}, {3, 4});
  GraphBuilder wide = network(DType::kInt16, 0);
  const Values values = run_integer(wide.graph(), {x});
  EXPECT_EQ(values_of<std::int16_t>(values.tensors[4]), (std::vector<std::int16_t>{0, 8, 0, -6}));
  EXPECT_EQ(values_of<std::int8_t>(values.tensors[5]), (std::vector<std::int8_t>{-1}));
  // int8 state with a zero point: the same values above it.
  GraphBuilder narrow = network(DType::kInt8, 10);
  const Values shifted = run_integer(narrow.graph(), {x});
  EXPECT_EQ(values_of<std::int8_t>(shifted.tensors[4]), (std::vector<std::int8_t>{10, 18, 10, 4}));
  EXPECT_EQ(values_of<std::int8_t>(shifted.tensors[5]), (std::vector<std::int8_t>{-1}));
}

TEST(Svdf, FloatHasTheSameRealValues) {
  const auto x = tensor<std::int8_t>(DType::kInt8, {1, 2}, {3, 4});
  GraphBuilder g = network(DType::kInt16, 0);
  const Values values = run_float(g.graph(), {x});
  EXPECT_EQ(values_of<float>(values.tensors[4]), (std::vector<float>{0, 8, 0, -6}));
  EXPECT_EQ(values_of<float>(values.tensors[5]), (std::vector<float>{-3}));
}

TEST(Svdf, MovesTheWholeStateByOneElement) {
  const auto x = tensor<std::int8_t>(DType::kInt8, {1, 1}, {1});
  const auto w = tensor<std::int8_t>(DType::kInt8, {2, 1}, {7, 9});
  const auto t = tensor<std::int8_t>(DType::kInt8, {2, 2}, {1, 0, 1, 0});
  TensorData state = tensor<std::int8_t>(DType::kInt8, {1, 4}, {1, 2, 3, 4});
  TensorData y = TensorData::zeros(DType::kInt8, {1, 2});
  const OutputStage identity = {{to_multiplier(1.0)}, 0, range_of(DType::kInt8)};
  svdf({.feature = identity, .output = identity}, x, w, t, nullptr, state, y);
  EXPECT_EQ(values_of<std::int8_t>(state), (std::vector<std::int8_t>{2, 7, 4, 9}));
  EXPECT_EQ(values_of<std::int8_t>(y), (std::vector<std::int8_t>{2, 4}));
}

TEST(Svdf, AFeatureIsClampedBeforeTheZeroPointIsAddedAndThenWraps) {
  const auto x = tensor<std::int8_t>(DType::kInt8, {1, 1}, {100});
  const auto w = tensor<std::int8_t>(DType::kInt8, {2, 1}, {100, -100});
  const auto t = tensor<std::int8_t>(DType::kInt8, {2, 1}, {0, 0});
  TensorData state = TensorData::zeros(DType::kInt8, {1, 2});
  TensorData y = TensorData::zeros(DType::kInt8, {1, 2});
  const OutputStage identity = {{to_multiplier(1.0)}, 0, range_of(DType::kInt8)};
  svdf({.state_zero_point = -13, .feature = identity, .output = identity}, x, w, t, nullptr, state,
       y);
  EXPECT_EQ(values_of<std::int8_t>(state), (std::vector<std::int8_t>{114, 115}));  // −141 is 115
}

}  // namespace
}  // namespace npu::reference
