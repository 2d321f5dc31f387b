#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/reference/pool.h"
#include "tests/unit/reference/graphs.h"

namespace npu::reference {
namespace {

using graph::OpKind;
using graph::ReduceAttrs;
using graph::WindowAttrs;
using test::GraphBuilder;
using test::run_unary;
using test::tensor;
using test::TensorSpec;
using test::values_of;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr graph::Window kSame2x2 = {.kernel_h = 2,
                                    .kernel_w = 2,
                                    .stride_h = 2,
                                    .stride_w = 2,
                                    .pad_top = 0,
                                    .pad_bottom = 1,
                                    .pad_left = 0,
                                    .pad_right = 1};

TEST(AveragePool, CountsOnlyTapsInsideTheImageAndRoundsHalvesAway) {
  const auto x = tensor<std::int8_t>(DType::kInt8, {1, 3, 3, 1}, {1, 2, -5, 3, 4, -6, 7, -8, -9});
  const TensorSpec in{DType::kInt8, {1, 3, 3, 1}, {0.1F}, {50}};
  const TensorSpec out{DType::kInt8, {1, 2, 2, 1}, {0.1F}, {50}};
  // (1+2+3+4)/4 = 2.5, (−5−6)/2 = −5.5, (7−8)/2 = −0.5, −9.
  EXPECT_EQ(
      values_of<std::int8_t>(run_unary(OpKind::kAveragePool2d, in, out, x, WindowAttrs{kSame2x2})),
      (std::vector<std::int8_t>{3, -6, -1, -9}));
}

TEST(MaxPool, IgnoresWhatIsOutsideTheImage) {
  const auto x =
      tensor<std::int8_t>(DType::kInt8, {1, 3, 3, 1}, {-10, -20, -5, -30, -40, -6, -7, -8, -9});
  const TensorSpec in{DType::kInt8, {1, 3, 3, 1}};
  const TensorSpec out{DType::kInt8, {1, 2, 2, 1}};
  EXPECT_EQ(
      values_of<std::int8_t>(run_unary(OpKind::kMaxPool2d, in, out, x, WindowAttrs{kSame2x2})),
      (std::vector<std::int8_t>{-10, -5, -7, -9}));
  GraphBuilder g;
  const auto id = g.input(in);
  const auto y = g.activation(out);
  g.node(OpKind::kMaxPool2d, {id}, {y}, WindowAttrs{kSame2x2});
  EXPECT_EQ(values_of<float>(g.real({x})), (std::vector<float>{-10, -5, -7, -9}));
  g.graph().nodes[0].kind = OpKind::kAveragePool2d;
  EXPECT_EQ(values_of<float>(g.real({x})), (std::vector<float>{-25, -5.5F, -7.5F, -9}));
}

TEST(Pool, NeedsEqualQuantization) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, {1, 1, 1, 1}, {0.5F}, {0}});
  const auto y = g.activation({DType::kInt8, {1, 1, 1, 1}, {0.5F}, {1}});
  g.node(OpKind::kMaxPool2d, {x}, {y}, WindowAttrs{});
  EXPECT_FALSE(has_integer(g.graph(), g.graph().nodes[0]));
  g.graph().tensors[1].quantization->zero_point[0] = 0;
  EXPECT_TRUE(has_integer(g.graph(), g.graph().nodes[0]));
}

TEST(Pool, RefusesAWindowOutsideTheImage) {
  const auto x = tensor<std::int8_t>(DType::kInt8, {1, 1, 1, 1}, {1});
  TensorData y = TensorData::zeros(DType::kInt8, {1, 1, 1, 1});
  EXPECT_THAT([&] { average_pool_2d({.pad_top = 1}, range_of(DType::kInt8), x, y); },
              ThrowsMessage<Error>(HasSubstr("pooling window at output [0, 0] covers no input")));
}

TEST(Mean, FoldsTheDivisionIntoTheMultiplier) {
  const auto x = tensor<std::int8_t>(DType::kInt8, {2, 3}, {1, 2, 4, -1, -2, -5});
  const TensorSpec in{DType::kInt8, {2, 3}, {0.5F}, {1}};
  // Real means: (0+1+3)·0.5/3 = 0.667, (−2−3−6)·0.5/3 = −1.833; scale 0.25 and zero point
  // 10: 12.67, 2.67.
  EXPECT_EQ(values_of<std::int8_t>(run_unary(OpKind::kMean, in, {DType::kInt8, {2}, {0.25F}, {10}},
                                             x, ReduceAttrs{{1}, false})),
            (std::vector<std::int8_t>{13, 3}));
  // Over the other axis: (0−2)/2, (1−3)/2, (3−6)/2, times 0.5 / 0.25.
  EXPECT_EQ(
      values_of<std::int8_t>(run_unary(OpKind::kMean, in, {DType::kInt8, {1, 3}, {0.25F}, {10}}, x,
                                       ReduceAttrs{{0}, true})),
      (std::vector<std::int8_t>{8, 8, 7}));
}

TEST(Sum, AddsWithoutDividing) {
  const auto x = tensor<std::int8_t>(DType::kInt8, {2, 3}, {1, 2, 4, -1, -2, -5});
  const TensorSpec in{DType::kInt8, {2, 3}, {0.5F}, {1}};
  EXPECT_EQ(values_of<std::int8_t>(run_unary(OpKind::kSum, in, {DType::kInt8, {2}, {0.25F}, {10}},
                                             x, ReduceAttrs{{1}, false})),
            (std::vector<std::int8_t>{18, -12}));
}

TEST(Reduce, FloatsAndEmptyReductions) {
  GraphBuilder g;
  const auto id = g.input({DType::kInt8, {2, 2}, {0.5F}, {0}});
  const auto y = g.activation({DType::kInt8, {}, {0.5F}, {0}});
  g.node(OpKind::kMean, {id}, {y}, ReduceAttrs{{0, 1}, false});
  const auto x = tensor<std::int8_t>(DType::kInt8, {2, 2}, {1, 2, 3, 5});
  EXPECT_EQ(values_of<float>(g.real({x})), (std::vector<float>{11 * 0.125F}));
  g.graph().nodes[0].kind = OpKind::kSum;
  EXPECT_EQ(values_of<float>(g.real({x})), (std::vector<float>{5.5F}));
  g.graph().tensors[0].shape = {2, 0};
  EXPECT_THAT(
      [&] {
        (void)g.integer({tensor<std::int8_t>(DType::kInt8, {2, 0}, {})});
      },
      ThrowsMessage<Error>(HasSubstr("reduces over no elements")));
}

}  // namespace
}  // namespace npu::reference
