#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reference/graphs.h"

namespace npu::reference {
namespace {

using graph::ActivationAttrs;
using graph::OpKind;
using test::GraphBuilder;
using test::tensor;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// x -> RELU -> RESHAPE, both of a constant's shape [1,2].
GraphBuilder two_nodes(DType type) {
  GraphBuilder g;
  const auto x = g.input({type, {1, 2}, {0.5F}, {1}});
  const auto r = g.activation({type, {1, 2}, {0.5F}, {1}});
  const auto y = g.activation({type, {2}, {0.5F}, {1}});
  g.node(OpKind::kRelu, {x}, {r});
  g.node(OpKind::kReshape, {r}, {y});
  return g;
}

TEST(RunInteger, KeepsEveryTensor) {
  GraphBuilder g = two_nodes(DType::kInt8);
  const Values values =
      run_integer(g.graph(), {tensor<std::int8_t>(DType::kInt8, {1, 2}, {-9, 9})});
  ASSERT_EQ(values.tensors.size(), 3U);
  EXPECT_EQ(values.tensors[0].as<std::int8_t>()[0], -9);
  EXPECT_EQ(values.tensors[1].as<std::int8_t>()[0], 1);
  EXPECT_EQ(values.tensors[2].as<std::int8_t>()[1], 9);
  EXPECT_EQ(values.tensors[2].shape, (Shape{2}));
}

TEST(RunFloat, GivesRealValuesAndLeavesConstantsEmpty) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, {2}, {0.5F}, {1}});
  const auto c = g.constant<std::int8_t>({DType::kInt8, {2}, {0.25F, 2.0F}, {0, 1}}, {4, 4});
  const auto y = g.activation({DType::kInt8, {2}, {1.0F}, {0}});
  g.node(OpKind::kMul, {x, c}, {y}, ActivationAttrs{});
  const Values values = run_float(g.graph(), {tensor<std::int8_t>(DType::kInt8, {2}, {3, 6})});
  EXPECT_EQ(values.tensors[0].type, DType::kFloat32);
  EXPECT_EQ(test::values_of<float>(values.tensors[0]), (std::vector<float>{1.0F, 2.5F}));
  EXPECT_TRUE(values.tensors[1].bytes.empty());
  EXPECT_EQ(test::values_of<float>(values.tensors[2]), (std::vector<float>{1.0F, 15.0F}));
}

TEST(RunFloat, LimitsAResultToTheRangeOfItsType) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, {3}, {1.0F}, {0}});
  const auto y =
      g.activation({DType::kUint8, {3}, {6.0F / 255}, {0}});  // a RELU6 left to the range
  g.node(OpKind::kQuantize, {x}, {y});
  const auto real =
      test::values_of<float>(g.real({tensor<std::int8_t>(DType::kInt8, {3}, {-5, 5, 9})}));
  EXPECT_EQ(real[0], 0.0F);
  EXPECT_EQ(real[1], 5.0F);
  EXPECT_FLOAT_EQ(real[2], 6.0F);
}

TEST(RunFloat, RefusesScalesThatDoNotFitTheirAxis) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, {2, 2}});
  const auto c =
      g.constant<std::int8_t>({DType::kInt8, {2, 2}, {1, 1, 1}, {0, 0, 0}}, {1, 1, 1, 1});
  const auto y = g.activation({DType::kInt8, {2, 2}});
  g.node(OpKind::kMul, {x, c}, {y}, ActivationAttrs{});
  EXPECT_THAT(
      [&] {
        (void)g.real({tensor<std::int8_t>(DType::kInt8, {2, 2}, {1, 2, 3, 4})});
      },
      ThrowsMessage<Error>(HasSubstr("3 scales do not fit its quantized axis")));
}

TEST(RunInteger, NamesTheOperatorAndItsTypesWhenThereIsNoReference) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt16, {1, 2}});
  const auto y = g.activation({DType::kInt16, {1, 2}});
  g.node(OpKind::kHardSwish, {x}, {y});
  EXPECT_FALSE(has_integer(g.graph(), g.graph().nodes[0]));
  EXPECT_THAT(
      [&] {
        (void)g.integer({tensor<std::int16_t>(DType::kInt16, {1, 2}, {1, 2})});
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("operator #0 HARD_SWISH"),
                                 HasSubstr("no integer reference for int16 -> int16"))));
}

TEST(RunInteger, ChecksItsInputs) {
  GraphBuilder g = two_nodes(DType::kInt8);
  EXPECT_THAT([&] { (void)g.integer({}); },
              ThrowsMessage<Error>(HasSubstr("needs 1 inputs, got 0")));
  EXPECT_THAT(
      [&] {
        (void)g.integer({tensor<std::int8_t>(DType::kInt8, {2, 1}, {1, 2})});
      },
      ThrowsMessage<Error>(HasSubstr("input t0 needs int8 [1,2], got int8 [2,1]")));
  EXPECT_THAT(
      [&] {
        (void)g.real({tensor<std::uint8_t>(DType::kUint8, {1, 2}, {1, 2})});
      },
      ThrowsMessage<Error>(HasSubstr("got uint8 [1,2]")));
}

TEST(RunInteger, RefusesQuantizationThatIsNotPerTensor) {
  const auto x = tensor<std::int8_t>(DType::kInt8, {1, 2}, {1, 2});
  GraphBuilder absent = two_nodes(DType::kInt8);
  absent.graph().tensors[1].quantization.reset();
  EXPECT_THAT([&] { (void)absent.integer({x}); },
              ThrowsMessage<Error>(HasSubstr("tensor t1: needs one scale and one zero point")));
  GraphBuilder outside = two_nodes(DType::kInt8);
  outside.graph().tensors[0].quantization->zero_point[0] = 128;
  EXPECT_THAT([&] { (void)outside.integer({x}); },
              ThrowsMessage<Error>(HasSubstr("zero point must be a value of int8, got 128")));
}

TEST(Table, HasEveryOperator) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, {1, 2}});
  const auto y = g.activation({DType::kInt8, {1, 2}});
  g.node(OpKind::kTranspose, {x}, {y}, graph::TransposeAttrs{{0, 1}});
  EXPECT_TRUE(has_integer(g.graph(), g.graph().nodes[0]));
  g.graph().nodes[0].kind = static_cast<OpKind>(250);
  EXPECT_THAT([&] { (void)has_integer(g.graph(), g.graph().nodes[0]); },
              ThrowsMessage<Error>(HasSubstr("operator kind 250 has no reference")));
}

}  // namespace
}  // namespace npu::reference
