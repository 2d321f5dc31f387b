// Convolutions and fully connected layers against plain loops over the definition, on random shapes
// and values.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "kernels/reference/mac_kernels.h"
#include "tests/unit/reference/graphs.h"

namespace npu::reference {
namespace {

using graph::Activation;
using graph::ActivationAttrs;
using graph::OpKind;
using graph::WindowAttrs;
using test::GraphBuilder;
using test::random_integers;
using test::tensor;
using test::values_of;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Types and zero points of one combination of operands.
struct Mix {
  std::string name;
  DType activation, weight;
  std::int32_t x_zero_point, w_zero_point, y_zero_point;
  std::optional<DType> bias;
};

const Mix kMixes[] = {
    {"int8", DType::kInt8, DType::kInt8, -7, 0, 3, DType::kInt32},
    {"int8_without_bias", DType::kInt8, DType::kInt8, 127, 0, -128, std::nullopt},
    {"uint8", DType::kUint8, DType::kUint8, 128, 131, 5, DType::kInt32},
    {"int16_bias64", DType::kInt16, DType::kInt8, 0, 0, 0, DType::kInt64},
    {"int16_bias32", DType::kInt16, DType::kInt8, 0, 0, 0, DType::kInt32},
    {"int16_without_bias", DType::kInt16, DType::kInt8, 0, 0, 0, std::nullopt},
};

TensorData random_tensor(DType type, const Shape& shape, std::uint32_t seed) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  switch (type) {
    case DType::kInt8:
      return tensor(type, shape, random_integers<std::int8_t>(count, -127, 127, seed));
    case DType::kUint8:
      return tensor(type, shape, random_integers<std::uint8_t>(count, 0, 255, seed));
    case DType::kInt16:
      return tensor(type, shape, random_integers<std::int16_t>(count, -32768, 32767, seed));
    case DType::kInt32:
      return tensor(type, shape, random_integers<std::int32_t>(count, -9999, 9999, seed));
    default:
      return tensor(type, shape, random_integers<std::int64_t>(count, -9999, 9999, seed));
  }
}

/// Operands with random values and a multiplier per channel.
struct Case {
  TensorData x, w, bias, y;
  MacOperands operands;

  Case(const Mix& mix, const Shape& x_shape, const Shape& w_shape, const Shape& y_shape)
      : x(random_tensor(mix.activation, x_shape, 1)),
        w(random_tensor(mix.weight, w_shape, 2)),
        y(TensorData::zeros(mix.activation, y_shape)) {
    const std::int64_t channels = y_shape.back();
    operands.x = x;
    operands.w = w;
    if (mix.bias) {
      bias = random_tensor(*mix.bias, {channels}, 3);
      operands.bias = bias;
    }
    operands.x_zero_point = mix.x_zero_point;
    operands.w_zero_point = mix.w_zero_point;
    operands.stage.zero_point = mix.y_zero_point;
    operands.stage.range = range_of(mix.activation);
    operands.stage.range.low += 9;  // as a fused activation would
    for (std::int64_t c = 0; c < channels; ++c) {
      operands.stage.multipliers.push_back(
          to_multiplier(0.003 * (1.0 + 0.37 * static_cast<double>(c))));
    }
  }

  [[nodiscard]] std::int64_t weight_at(std::int64_t index) const {
    return load_integers(w)[static_cast<std::size_t>(index)] - operands.w_zero_point;
  }
  /// The output of a channel with a sum of products.
  [[nodiscard]] std::int32_t expected(std::int64_t sum, std::int64_t channel) const {
    const auto c = static_cast<std::size_t>(channel);
    if (operands.bias) {
      sum += bias.type == DType::kInt64 ? bias.as<std::int64_t>()[c] : bias.as<std::int32_t>()[c];
    }
    const Multiplier m = operands.stage.multipliers[c];
    const bool wide = x.type == DType::kInt16 && (!operands.bias || bias.type == DType::kInt64);
    const std::int32_t scaled =
        wide ? rescale_wide(sum, m) : rescale(static_cast<std::int32_t>(sum), m);
    return operands.stage.range.clamp(std::int64_t{scaled} + operands.stage.zero_point);
  }
};

class Mac : public testing::TestWithParam<Mix> {};
INSTANTIATE_TEST_SUITE_P(Types, Mac, testing::ValuesIn(kMixes),
                         [](const auto& mix) { return mix.param.name; });

graph::Window window_3x2() {
  return {.kernel_h = 3,
          .kernel_w = 2,
          .stride_h = 2,
          .stride_w = 1,
          .dilation_h = 1,
          .dilation_w = 2,
          .pad_top = 1,
          .pad_bottom = 1,
          .pad_left = 1,
          .pad_right = 1};
}

/// Σ over taps and input channels of one output element; `weight` maps (ky, kx, channel) to a
/// weight index.
std::int64_t window_sum(const Case& c, const graph::Window& window, std::int64_t n, std::int64_t oy,
                        std::int64_t ox, std::int64_t first, std::int64_t count,
                        const std::function<std::int64_t(int, int, std::int64_t)>& weight) {
  const Shape& s = c.x.shape;
  const std::vector<std::int32_t> x = load_integers(c.x);
  std::int64_t sum = 0;
  for (int ky = 0; ky < window.kernel_h; ++ky) {
    for (int kx = 0; kx < window.kernel_w; ++kx) {
      const std::int64_t iy = oy * window.stride_h - window.pad_top + ky * window.dilation_h;
      const std::int64_t ix = ox * window.stride_w - window.pad_left + kx * window.dilation_w;
      if (iy < 0 || iy >= s[1] || ix < 0 || ix >= s[2]) continue;
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t at = ((n * s[1] + iy) * s[2] + ix) * s[3] + first + i;
        sum += (x[static_cast<std::size_t>(at)] - c.operands.x_zero_point) *
               c.weight_at(weight(ky, kx, i));
      }
    }
  }
  return sum;
}

void expect_each(const Case& c,
                 const std::function<std::int64_t(std::int64_t, std::int64_t, std::int64_t,
                                                  std::int64_t)>& sum) {
  const std::vector<std::int32_t> y = load_integers(c.y);
  const Shape& s = c.y.shape;
  std::size_t i = 0;
  for (std::int64_t n = 0; n < s[0]; ++n) {
    for (std::int64_t oy = 0; oy < s[1]; ++oy) {
      for (std::int64_t ox = 0; ox < s[2]; ++ox) {
        for (std::int64_t o = 0; o < s[3]; ++o, ++i) {
          ASSERT_EQ(y[i], c.expected(sum(n, oy, ox, o), o))
              << n << ' ' << oy << ' ' << ox << ' ' << o;
        }
      }
    }
  }
}

TEST_P(Mac, ConvolutionEqualsItsDefinition) {
  const graph::Window window = window_3x2();
  for (const std::int64_t groups : {1, 3}) {
    const std::int64_t inputs = 6 / groups;
    Case c(GetParam(), {2, 5, 6, 6}, {9, 3, 2, inputs}, {2, 3, 6, 9});
    conv_2d(window, c.operands, c.y);
    expect_each(c, [&](auto n, auto oy, auto ox, auto o) {
      return window_sum(
          c, window, n, oy, ox, o / (9 / groups) * inputs, inputs,
          [&](int ky, int kx, std::int64_t i) { return ((o * 3 + ky) * 2 + kx) * inputs + i; });
    });
  }
}

TEST_P(Mac, DepthwiseConvolutionEqualsItsDefinition) {
  const graph::Window window = window_3x2();
  for (const std::int64_t multiplier : {1, 3}) {
    const std::int64_t outputs = 5 * multiplier;
    Case c(GetParam(), {2, 5, 6, 5}, {1, 3, 2, outputs}, {2, 3, 6, outputs});
    depthwise_conv_2d(window, c.operands, c.y);
    expect_each(c, [&](auto n, auto oy, auto ox, auto o) {
      return window_sum(c, window, n, oy, ox, o / multiplier, 1,
                        [&](int ky, int kx, std::int64_t) { return (ky * 2 + kx) * outputs + o; });
    });
  }
}

TEST_P(Mac, TransposedConvolutionEqualsItsDefinition) {
  const graph::Window window = {
      .kernel_h = 3, .kernel_w = 4, .stride_h = 2, .stride_w = 3, .pad_top = 1, .pad_left = 2};
  Case c(GetParam(), {2, 3, 2, 35}, {4, 3, 4, 35}, {2, 6, 5, 4});
  transpose_conv(window, c.operands, c.y);
  const std::vector<std::int32_t> x = load_integers(c.x);
  expect_each(c, [&](auto n, auto oy, auto ox, auto o) {
    std::int64_t sum = 0;
    for (std::int64_t iy = 0; iy < 3; ++iy) {
      for (std::int64_t ix = 0; ix < 2; ++ix) {
        const std::int64_t ky = oy + 1 - iy * 2, kx = ox + 2 - ix * 3;
        if (ky < 0 || ky >= 3 || kx < 0 || kx >= 4) continue;
        for (std::int64_t i = 0; i < 35; ++i) {
          sum += (x[static_cast<std::size_t>(((n * 3 + iy) * 2 + ix) * 35 + i)] -
                  c.operands.x_zero_point) *
                 c.weight_at(((o * 3 + ky) * 4 + kx) * 35 + i);
        }
      }
    }
    return sum;
  });
}

TEST_P(Mac, FullyConnectedEqualsItsDefinitionAtLengthsAroundTheRunOfAnInt32Sum) {
  for (const std::int64_t depth : {1, 31, 32, 33, 255, 256, 257, 1000}) {
    Case c(GetParam(), {3, depth}, {6, depth}, {3, 6});
    fully_connected(c.operands, c.y);
    const std::vector<std::int32_t> x = load_integers(c.x);
    const std::vector<std::int32_t> y = load_integers(c.y);
    for (std::int64_t b = 0; b < 3; ++b) {
      for (std::int64_t o = 0; o < 6; ++o) {
        std::int64_t sum = 0;
        for (std::int64_t k = 0; k < depth; ++k) {
          sum += (x[static_cast<std::size_t>(b * depth + k)] - c.operands.x_zero_point) *
                 c.weight_at(o * depth + k);
        }
        ASSERT_EQ(y[static_cast<std::size_t>(b * 6 + o)], c.expected(sum, o)) << depth;
      }
    }
  }
}

TEST(MacExtremes, SumsOfTheLargestProductsAreExact) {
  // 4,096 products of 2^22 exceed 32 bits; the 64-bit accumulator holds 2^34.
  const std::int64_t depth = 4096;
  const auto x = tensor(DType::kInt16, {1, depth}, std::vector<std::int16_t>(4096, -32768));
  const auto w = tensor(DType::kInt8, {1, depth}, std::vector<std::int8_t>(4096, -128));
  TensorData y = TensorData::zeros(DType::kInt16, {1, 1});
  MacOperands operands;
  operands.x = x;
  operands.w = w;
  operands.stage = {{to_multiplier(0x1p-20)}, 0, range_of(DType::kInt16)};
  fully_connected(operands, y);
  EXPECT_EQ(y.as<std::int16_t>()[0], 1 << 14);
}

TEST(MacExtremes, A32BitAccumulatorWraps) {
  const std::int64_t depth = 512;
  const auto x = tensor(DType::kInt16, {1, depth}, std::vector<std::int16_t>(512, -32768));
  const auto w = tensor(DType::kInt8, {1, depth}, std::vector<std::int8_t>(512, -128));
  const auto bias = tensor<std::int32_t>(DType::kInt32, {1}, {0});
  TensorData y = TensorData::zeros(DType::kInt16, {1, 1});
  MacOperands operands;
  operands.x = x;
  operands.w = w;
  operands.bias = bias;
  operands.stage = {{to_multiplier(0x1p-20)}, 0, range_of(DType::kInt16)};
  fully_connected(operands, y);  // 2^31 is −2^31
  EXPECT_EQ(y.as<std::int16_t>()[0], -2048);
}

/// A network of one FULLY_CONNECTED [1,3] x [2,3].
GraphBuilder small_dense(const std::vector<float>& w_scale, Activation activation,
                         float y_scale = 0.5F) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, {1, 3}, {0.5F}, {-1}});
  const auto w = g.constant<std::int8_t>(
      {DType::kInt8, {2, 3}, w_scale, std::vector<std::int32_t>(w_scale.size(), 0)},
      {1, 2, 3, -4, 5, -6});
  const auto b = g.constant<std::int32_t>({DType::kInt32, {2}, {}, {}}, {10, -20});
  const auto y = g.activation({DType::kInt8, {1, 2}, {y_scale}, {4}});
  g.node(OpKind::kFullyConnected, {x, w, b}, {y}, ActivationAttrs{activation, 0});
  return g;
}

TEST(FullyConnected, RunsInAGraph) {
  // Sums of (q + 1) · w + bias: 2+6+12+10 = 30, −8+15−24−20 = −37; times 0.5 · 0.25 / 0.5, plus 4.
  const auto x = tensor<std::int8_t>(DType::kInt8, {1, 3}, {1, 2, 3});
  EXPECT_EQ(values_of<std::int8_t>(small_dense({0.25F}, Activation::kNone).integer({x})),
            (std::vector<std::int8_t>{12, -5}));
  EXPECT_EQ(values_of<std::int8_t>(small_dense({0.25F, 0.5F}, Activation::kRelu).integer({x})),
            (std::vector<std::int8_t>{12, 4}));
}

TEST(FullyConnected, TheFloatBiasHasTheScaleOfTheProducts) {
  const auto x = tensor<std::int8_t>(DType::kInt8, {1, 3}, {1, 2, 3});
  EXPECT_EQ(values_of<float>(small_dense({0.25F, 0.5F}, Activation::kNone).real({x})),
            (std::vector<float>{30 * 0.125F, -37 * 0.25F}));
  EXPECT_EQ(values_of<float>(small_dense({0.25F, 0.5F}, Activation::kRelu).real({x})),
            (std::vector<float>{3.75F, 0.0F}));
}

TEST(FullyConnected, RefusesScalesThatDoNotFit) {
  const auto x = tensor<std::int8_t>(DType::kInt8, {1, 3}, {1, 2, 3});
  EXPECT_THAT(
      [&] {
        (void)small_dense({1, 1, 1}, Activation::kNone).integer({x});
      },
      ThrowsMessage<Error>(HasSubstr("needs 1 or 2 weight scales, got 3")));
  EXPECT_THAT([&] { (void)small_dense({1}, Activation::kNone, 1e-20F).integer({x}); },
              ThrowsMessage<Error>(HasSubstr("ratio of scales must be at least 0")));
  EXPECT_THAT([&] { (void)small_dense({1}, Activation::kNone, 0.0F).integer({x}); },
              ThrowsMessage<Error>(HasSubstr("scale must be positive, got 0")));
  GraphBuilder g = small_dense({1}, Activation::kNone);
  g.graph().tensors[1].quantization.reset();
  EXPECT_THAT([&] { (void)g.integer({x}); },
              ThrowsMessage<Error>(HasSubstr("weights need a scale")));
}

TEST(FullyConnected, RefusesARatioTooLargeForThe64BitAccumulator) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt16, {1, 1}, {1.0F}, {0}});
  const auto w = g.constant<std::int8_t>({DType::kInt8, {1, 1}, {1.0F}, {0}}, {1});
  const auto y = g.activation({DType::kInt16, {1, 1}, {0x1p-14F}, {0}});
  g.node(OpKind::kFullyConnected, {x, w}, {y}, ActivationAttrs{});
  EXPECT_THAT(
      [&] {
        (void)g.integer({tensor<std::int16_t>(DType::kInt16, {1, 1}, {1})});
      },
      ThrowsMessage<Error>(HasSubstr("too large for a 64-bit accumulator")));
}

TEST(FloatConvolution, ApproachesTheIntegerOne) {
  for (const OpKind kind : {OpKind::kConv2d, OpKind::kDepthwiseConv2d, OpKind::kTransposeConv}) {
    GraphBuilder g;
    const bool depthwise = kind == OpKind::kDepthwiseConv2d;
    const auto x = g.input({DType::kInt8, {1, 4, 4, 3}, {0.02F}, {5}});
    const Shape w_shape = depthwise ? Shape{1, 3, 3, 6} : Shape{6, 3, 3, 3};
    const auto w_values = random_integers<std::int8_t>(
        static_cast<std::size_t>(element_count(w_shape)), -127, 127, 4);
    const auto w = g.constant<std::int8_t>({DType::kInt8,
                                            w_shape,
                                            {0.01F, 0.02F, 0.01F, 0.03F, 0.01F, 0.02F},
                                            {0, 0, 0, 0, 0, 0},
                                            depthwise ? 3 : 0},
                                           w_values);
    const auto b =
        g.constant<std::int32_t>({DType::kInt32, {6}, {}, {}}, {900, -900, 0, 50, 7, -7});
    const auto y = g.activation({DType::kInt8, {1, 4, 4, 6}, {0.25F}, {-3}});
    g.node(kind, {x, w, b}, {y},
           WindowAttrs{{.kernel_h = 3,
                        .kernel_w = 3,
                        .pad_top = 1,
                        .pad_bottom = 1,
                        .pad_left = 1,
                        .pad_right = 1},
                       1,
                       depthwise ? 2 : 1,
                       Activation::kRelu6});
    const auto values =
        tensor(DType::kInt8, {1, 4, 4, 3}, random_integers<std::int8_t>(48, -128, 127, 5));
    const auto quantized = values_of<std::int8_t>(g.integer({values}));
    const auto real = values_of<float>(g.real({values}));
    for (std::size_t i = 0; i < real.size(); ++i) {
      ASSERT_NEAR(real[i], 0.25F * static_cast<float>(quantized[i] + 3), 0.1251F)
          << graph::name_of(kind) << ' ' << i;
    }
  }
}

}  // namespace
}  // namespace npu::reference
