#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reference/graphs.h"

namespace npu::reference {
namespace {

using graph::ActivationAttrs;
using graph::OpKind;
using graph::PadAttrs;
using graph::SliceAttrs;
using graph::TransposeAttrs;
using test::GraphBuilder;
using test::run_unary;
using test::tensor;
using test::values_of;
using testing::HasSubstr;
using testing::ThrowsMessage;

using Bytes8 = std::vector<std::int8_t>;

const TensorData& two_by_three() {
  static const TensorData data = tensor<std::int8_t>(DType::kInt8, {2, 3}, {1, 2, 3, 4, 5, 6});
  return data;
}

TEST(Transpose, PermutesDimensions) {
  EXPECT_EQ(values_of<std::int8_t>(run_unary(OpKind::kTranspose, {DType::kInt8, {2, 3}},
                                             {DType::kInt8, {3, 2}}, two_by_three(),
                                             TransposeAttrs{{1, 0}})),
            (Bytes8{1, 4, 2, 5, 3, 6}));
}

TEST(Transpose, MovesElementsOfAnySize) {
  const auto x = tensor<std::int64_t>(DType::kInt64, {2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(values_of<std::int64_t>(run_unary(OpKind::kTranspose, {DType::kInt64, {2, 2}, {}, {}},
                                              {DType::kInt64, {2, 2}, {}, {}}, x,
                                              TransposeAttrs{{1, 0}})),
            (std::vector<std::int64_t>{1, 3, 2, 4}));
}

TEST(StridedSlice, StepsForwardsAndBackwards) {
  EXPECT_EQ(values_of<std::int8_t>(run_unary(OpKind::kStridedSlice, {DType::kInt8, {2, 3}},
                                             {DType::kInt8, {2, 2}}, two_by_three(),
                                             SliceAttrs{{1, 0}, {-1, 2}, {2, 2}})),
            (Bytes8{4, 6, 1, 3}));
}

TEST(StridedSlice, DropsADimension) {
  EXPECT_EQ(values_of<std::int8_t>(run_unary(OpKind::kStridedSlice, {DType::kInt8, {2, 3}},
                                             {DType::kInt8, {3}}, two_by_three(),
                                             SliceAttrs{{1, 0}, {1, 1}, {1, 3}})),
            (Bytes8{4, 5, 6}));
}

TEST(Split, GivesEveryPart) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, {2, 3}});
  const auto a = g.activation({DType::kInt8, {2, 1}});
  const auto b = g.activation({DType::kInt8, {2, 2}});
  g.node(OpKind::kSplit, {x}, {a, b}, ActivationAttrs{.axis = 1});
  const Values values = run_integer(g.graph(), {two_by_three()});
  EXPECT_EQ(values_of<std::int8_t>(values.tensors[1]), (Bytes8{1, 4}));
  EXPECT_EQ(values_of<std::int8_t>(values.tensors[2]), (Bytes8{2, 3, 5, 6}));
}

TEST(Pack, InterleavesAlongTheNewAxis) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, {3}});
  const auto z = g.input({DType::kInt8, {3}});
  const auto y = g.activation({DType::kInt8, {3, 2}});
  g.node(OpKind::kPack, {x, z}, {y}, ActivationAttrs{.axis = 1});
  const auto a = tensor<std::int8_t>(DType::kInt8, {3}, {1, 2, 3});
  const auto b = tensor<std::int8_t>(DType::kInt8, {3}, {4, 5, 6});
  EXPECT_EQ(values_of<std::int8_t>(g.integer({a, b})), (Bytes8{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(values_of<float>(g.real({a, b})), (std::vector<float>{1, 4, 2, 5, 3, 6}));
}

TEST(Pad, FillsWithTheGivenRawValue) {
  const PadAttrs attrs{{1, 0}, {0, 2}, 9};
  const Bytes8 expected = {9, 9, 9, 9, 9, 1, 2, 3, 9, 9, 4, 5, 6, 9, 9};
  EXPECT_EQ(values_of<std::int8_t>(run_unary(OpKind::kPad, {DType::kInt8, {2, 3}},
                                             {DType::kInt8, {3, 5}}, two_by_three(), attrs)),
            expected);
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, {2, 3}, {0.5F}, {9}});
  const auto y = g.activation({DType::kInt8, {3, 5}, {0.5F}, {9}});
  g.node(OpKind::kPad, {x}, {y}, attrs);
  const auto real = values_of<float>(g.real({two_by_three()}));
  for (std::size_t i = 0; i < real.size(); ++i) {
    EXPECT_EQ(real[i], 0.5F * static_cast<float>(expected[i] - 9)) << i;
  }
}

TEST(Pad, RefusesAValueOutsideTheType) {
  EXPECT_THAT(
      [] {
        (void)run_unary(OpKind::kPad, {DType::kInt8, {2, 3}}, {DType::kInt8, {2, 3}},
                        two_by_three(), PadAttrs{{0, 0}, {0, 0}, 128});
      },
      ThrowsMessage<Error>(HasSubstr("padding value must be a value of int8, got 128")));
}

/// Two operands [2,1] and [2,2] along axis 1.
GraphBuilder concatenation(DType type, float second_scale, std::int32_t second_zero_point) {
  GraphBuilder g;
  const auto a = g.input({type, {2, 1}, {0.5F}, {10}});
  const auto b = g.input({type, {2, 2}, {second_scale}, {second_zero_point}});
  const auto y = g.activation({type, {2, 3}, {0.5F}, {10}});
  g.node(OpKind::kConcatenation, {a, b}, {y}, ActivationAttrs{.axis = 1});
  return g;
}

TEST(Concatenation, CopiesOperandsOfEqualQuantization) {
  const auto a = tensor<std::int8_t>(DType::kInt8, {2, 1}, {1, 2});
  const auto b = tensor<std::int8_t>(DType::kInt8, {2, 2}, {3, 4, 5, 6});
  EXPECT_EQ(values_of<std::int8_t>(concatenation(DType::kInt8, 0.5F, 10).integer({a, b})),
            (Bytes8{1, 3, 4, 2, 5, 6}));
  EXPECT_EQ(values_of<float>(concatenation(DType::kInt8, 1.0F, 0).real({a, b})),
            (std::vector<float>{-4.5F, 3, 4, -4, 5, 6}));
}

TEST(Concatenation, RescalesUint8Only) {
  const auto a = tensor<std::uint8_t>(DType::kUint8, {2, 1}, {1, 2});
  const auto b = tensor<std::uint8_t>(DType::kUint8, {2, 2}, {3, 4, 5, 255});
  // (q − 4) · 0.25 / 0.5, halves away from zero, + 10.
  EXPECT_EQ(values_of<std::uint8_t>(concatenation(DType::kUint8, 0.25F, 4).integer({a, b})),
            (std::vector<std::uint8_t>{1, 9, 10, 2, 11, 136}));
  GraphBuilder g = concatenation(DType::kInt8, 0.25F, 4);
  EXPECT_FALSE(has_integer(g.graph(), g.graph().nodes[0]));
}

TEST(Movement, NeedsOneTypeThroughout) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, {2}});
  const auto y = g.activation({DType::kInt16, {2}});
  g.node(OpKind::kReshape, {x}, {y});
  EXPECT_FALSE(has_integer(g.graph(), g.graph().nodes[0]));
}

}  // namespace
}  // namespace npu::reference
