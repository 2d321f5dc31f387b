#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>

#include "sim/base/error.h"
#include "tests/support/graph_maker.h"

namespace npu::graph {
namespace {

using test::GraphMaker;
using testing::HasSubstr;

/// A MATMUL of a[2,3] and a constant b[3,4].
struct Sample {
  DType a = DType::kInt8, b = DType::kInt8, y = DType::kInt8;
  Quantization scales{{0.5F}, {0}, 0};
  Shape b_shape = {3, 4};
  bool constant = true;
  MatMulAttrs attrs{};
};

std::string error_of(const Sample& s) {
  GraphMaker maker("matmul");
  const TensorId a = maker.input(s.a, {2, 3}, {0.5F, 0});
  std::optional<Quantization> q;
  if (!is_float(s.b)) q = s.scales;
  const auto bytes = static_cast<std::size_t>(element_count(s.b_shape) * size_of(s.b));
  const TensorId b = s.constant ? maker.constant(s.b, s.b_shape, q, std::vector<std::byte>(bytes))
                                : maker.input(s.b, s.b_shape, {0.5F, 0});
  const TensorId y = maker.activation(s.y, {2, 4}, {0.5F, 0});
  maker.node(OpKind::kMatMul, {a, b, kAbsent}, {y}, s.attrs);
  try {
    static_cast<void>(maker.finish({y}));
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(MatMulRules, TypesThatGoTogether) {
  EXPECT_EQ(error_of({}), "no error");
  EXPECT_EQ(error_of({.b = DType::kUint8, .y = DType::kInt32}), "no error");
  EXPECT_EQ(error_of({.y = DType::kFloat16}), "no error");
  EXPECT_EQ(error_of({.a = DType::kFloat16, .b = DType::kFloat16, .y = DType::kFloat32}),
            "no error");
  EXPECT_THAT(error_of({.a = DType::kFloat16, .b = DType::kFloat32, .y = DType::kFloat32}),
              HasSubstr("types float16, float32 to float32 are not supported"));
  EXPECT_THAT(error_of({.y = DType::kInt16}),
              HasSubstr("types int8, int8 to int16 are not supported"));
}

TEST(MatMulRules, ScaleAndActivation) {
  EXPECT_THAT(error_of({.attrs = {.scale = std::numeric_limits<float>::infinity()}}),
              HasSubstr("scale must be finite, got inf"));
  EXPECT_THAT(error_of({.y = DType::kInt32, .attrs = {.activation = Activation::kRelu}}),
              HasSubstr("int32 sums take no activation and no scale"));
  EXPECT_THAT(error_of({.y = DType::kInt32, .attrs = {.scale = 2}}),
              HasSubstr("int32 sums take no activation and no scale"));
}

TEST(MatMulRules, ScalesPerColumn) {
  const Quantization columns{{1, 2, 3, 4}, {0, 0, 0, 0}, 1};
  EXPECT_EQ(error_of({.scales = columns}), "no error");
  Quantization rows = columns;
  rows.axis = 0;
  EXPECT_THAT(error_of({.scales = rows}),
              HasSubstr("tensor #1 `t1`: 4 scales along dimension 0 of shape [3,4]"));
  Quantization uneven = columns;
  uneven.zero_point[2] = 5;
  EXPECT_THAT(error_of({.scales = uneven}),
              HasSubstr("tensor `t1`: columns must share one zero point, got 0 and 5"));
  GraphMaker maker("batched");
  const TensorId a = maker.input(DType::kInt8, {2, 2, 3}, {0.5F, 0});
  Quantization last = columns;
  last.axis = 2;
  const TensorId b = maker.constant(DType::kInt8, {2, 3, 4}, last, std::vector<std::byte>(24));
  const TensorId y = maker.activation(DType::kInt8, {2, 2, 4}, {0.5F, 0});
  maker.node(OpKind::kMatMul, {a, b, kAbsent}, {y}, MatMulAttrs{});
  try {
    static_cast<void>(maker.finish({y}));
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("tensor `t1`: only a constant matrix has a scale per column"));
  }
}

struct AttentionSample {
  DType q = DType::kFloat16, v = DType::kFloat16, y = DType::kFloat16;
  std::optional<DType> mask = std::nullopt;
  AttentionAttrs attrs{};
};

std::string attention_error_of(const AttentionSample& s) {
  GraphMaker maker("attention");
  const Shape shape = {1, 2, 4, 8};
  std::vector<TensorId> inputs;
  for (const DType type : {s.q, s.q, s.v}) inputs.push_back(maker.input(type, shape, {0.5F, 0}));
  inputs.push_back(s.mask ? maker.input(*s.mask, {4, 4}, {0.5F, 0}) : kAbsent);
  const TensorId y = maker.activation(s.y, shape, {0.5F, 0});
  maker.node(OpKind::kAttention, inputs, {y}, s.attrs);
  try {
    static_cast<void>(maker.finish({y}));
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(AttentionRules, TypesThatGoTogether) {
  EXPECT_EQ(attention_error_of(AttentionSample{}), "no error");
  EXPECT_EQ(attention_error_of({.mask = DType::kFloat32}), "no error");
  EXPECT_EQ(attention_error_of({.q = DType::kInt8, .v = DType::kInt8, .y = DType::kFloat32}),
            "no error");
  EXPECT_THAT(attention_error_of({.v = DType::kFloat32}),
              HasSubstr("types float16, float16, float32 to float16 are not supported"));
  EXPECT_THAT(attention_error_of({.y = DType::kInt8}),
              HasSubstr("types float16, float16, float16 to int8 are not supported"));
  EXPECT_THAT(attention_error_of({.mask = DType::kInt8}),
              HasSubstr("the mask must be a float, got int8"));
}

TEST(AttentionRules, Attributes) {
  EXPECT_THAT(attention_error_of({.attrs = {.scale = std::numeric_limits<float>::quiet_NaN()}}),
              HasSubstr("scale must be finite, got nan"));
  EXPECT_THAT(attention_error_of({.attrs = {.key_block = -1}}),
              HasSubstr("key_block must not be negative, got -1"));
  EXPECT_THAT(attention_error_of({.attrs = {.softmax_block = -1}}),
              HasSubstr("softmax_block must not be negative, got -1"));
}

}  // namespace
}  // namespace npu::graph
