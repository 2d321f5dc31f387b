// Convolutions, pooling, fully connected and SVDF.

#include "tests/unit/importers/raw_model.h"

namespace npu::test {
namespace {

using graph::Window;
using schema::TensorType;

/// 8-bit weights and no bias.
RawModel conv(int in, int kernel, int stride, int dilation, schema::Padding padding, int out) {
  RawModel m;
  m.code(3).input({1, in, in, 2}).output({1, out, out, 3});
  m.constant(TensorType::INT8, {3, kernel, kernel, 2},
             std::vector<std::uint8_t>(static_cast<std::size_t>(6 * kernel * kernel)));
  m.tensor(2).quantization->zero_point = {0};
  schema::Conv2DOptionsT o;
  o.padding = padding;
  o.stride_h = o.stride_w = stride;
  o.dilation_h = o.dilation_w = dilation;
  m.options(o);
  return m;
}

schema::Conv2DOptionsT& options_of(RawModel& m) {
  return *m.op().builtin_options.AsConv2DOptions();
}

Window window_of(const RawModel& m) {
  return std::get<graph::WindowAttrs>(m.import().nodes[0].attrs).window;
}

TEST(Conv, SamePaddingPutsTheOddUnitBehind) {
  Window w = window_of(conv(6, 3, 1, 1, schema::Padding::SAME, 6));
  EXPECT_EQ(w.pad_top, 1);
  EXPECT_EQ(w.pad_bottom, 1);
  w = window_of(conv(6, 3, 2, 1, schema::Padding::SAME, 3));  // (3 − 1) · 2 + 3 − 6 = 1
  EXPECT_EQ(w.pad_top, 0);
  EXPECT_EQ(w.pad_bottom, 1);
  EXPECT_EQ(w.pad_left, 0);
  EXPECT_EQ(w.pad_right, 1);
  w = window_of(conv(5, 2, 1, 3, schema::Padding::SAME, 5));  // Spans 4.
  EXPECT_EQ(w.pad_top, 1);
  EXPECT_EQ(w.pad_bottom, 2);
  w = window_of(conv(6, 1, 3, 1, schema::Padding::SAME, 2));
  EXPECT_EQ(w, window_of(conv(6, 1, 3, 1, schema::Padding::VALID, 2)));
}

TEST(Conv, ValidPadding) {
  const Window w = window_of(conv(7, 3, 2, 1, schema::Padding::VALID, 3));
  EXPECT_EQ(w.pad_top + w.pad_bottom + w.pad_left + w.pad_right, 0);
  EXPECT_EQ(w.stride_h, 2);
  conv(7, 3, 2, 1, schema::Padding::VALID, 4).refused("output shape must be [1,3,3,3]");
}

TEST(Conv, WidthComesBeforeHeight) {
  RawModel m = conv(6, 3, 1, 1, schema::Padding::VALID, 4);
  options_of(m).stride_w = 2;
  options_of(m).dilation_h = 2;
  m.tensor(1).shape = {1, 2, 2, 3};
  const Window w = window_of(m);
  EXPECT_EQ(w.stride_h, 1);
  EXPECT_EQ(w.stride_w, 2);
  EXPECT_EQ(w.dilation_h, 2);
  EXPECT_EQ(w.dilation_w, 1);
}

TEST(Conv, Groups) {
  RawModel m = conv(4, 1, 1, 1, schema::Padding::VALID, 4);
  m.tensor(0).shape = {1, 4, 4, 6};
  EXPECT_EQ(std::get<graph::WindowAttrs>(m.import().nodes[0].attrs).groups, 3);
  m.tensor(0).shape = {1, 4, 4, 5};
  m.refused("operator #0 CONV_2D: weights [3,1,1,2] do not fit input [1,4,4,5]");
  m.tensor(0).shape = {1, 4, 4, 4};
  m.refused("weights [3,1,1,2] do not fit input [1,4,4,4] in 2 groups");
}

TEST(Conv, DamagedOptions) {
  RawModel m = conv(6, 3, 1, 1, schema::Padding::SAME, 6);
  options_of(m).stride_h = 0;
  m.refused("stride height must be in [1, 65535], got 0");
  m = conv(6, 3, 1, 1, schema::Padding::SAME, 6);
  options_of(m).dilation_w = 1 << 30;
  m.refused("dilation width must be in [1, 65535]");
  m = conv(6, 3, 1, 65535, schema::Padding::SAME, 6);
  m.refused("padding must be at most 65535, got 131070");
  m = conv(6, 3, 1, 1, static_cast<schema::Padding>(7), 6);
  m.refused("padding 7 is neither SAME nor VALID");
  m = conv(6, 3, 1, 1, schema::Padding::SAME, 6);
  m.tensor(0).shape = {1, 36, 2};
  m.refused("`t0` must have rank 4, got [1,36,2]");
  m.tensor(0).shape = {1, 0, 6, 2};
  m.refused("`t0` is empty: [1,0,6,2]");
  m.op().inputs = {0};
  m.refused("needs 2 to 3 inputs, got 1");
}

TEST(Conv, Activations) {
  using graph::Activation;
  for (const auto& [type, expected] :
       {std::pair(schema::ActivationType::RELU, Activation::kRelu),
        std::pair(schema::ActivationType::RELU6, Activation::kRelu6),
        std::pair(schema::ActivationType::RELU_N1_TO_1, Activation::kReluN1To1)}) {
    RawModel m = conv(3, 1, 1, 1, schema::Padding::SAME, 3);
    options_of(m).activation = type;
    EXPECT_EQ(std::get<graph::WindowAttrs>(m.import().nodes[0].attrs).activation, expected);
  }
  RawModel m = conv(3, 1, 1, 1, schema::Padding::SAME, 3);
  options_of(m).activation = schema::ActivationType::TANH;
  m.refused("operator #0 CONV_2D: fused activation 4 (TANH) is not supported");
  options_of(m).activation = static_cast<schema::ActivationType>(77);
  m.refused("fused activation 77 () is not supported");
}

TEST(Conv, BiasTypeMustFit) {
  RawModel m = conv(3, 1, 1, 1, schema::Padding::SAME, 3);
  m.integers({1, 2, 3});
  options_of(m).quantized_bias_type = TensorType::INT32;
  EXPECT_NO_THROW((void)m.import());
  options_of(m).quantized_bias_type = TensorType::INT64;
  m.refused("quantized_bias_type 4 does not fit a bias of int32");
}

TEST(Depthwise, MultiplierIsCheckedAgainstTheShape) {
  RawModel m;
  m.code(4).input({1, 3, 3, 2}).output({1, 3, 3, 4});
  m.constant(TensorType::INT8, {1, 1, 1, 4}, {1, 2, 3, 4});
  m.tensor(2).quantization->zero_point = {0};
  schema::DepthwiseConv2DOptionsT o;
  o.stride_h = o.stride_w = 1;
  o.depth_multiplier = 2;
  m.options(o);
  EXPECT_EQ(std::get<graph::WindowAttrs>(m.import().nodes[0].attrs).depth_multiplier, 2);
  o.depth_multiplier = 1;
  m.options(o);
  m.refused("weights [1,1,1,4] do not fit input [1,3,3,2] with depth multiplier 1");
}

TEST(TransposeConv, OutputShapeOperand) {
  RawModel m;
  m.code(67).integers({1, 6, 6, 1});
  m.constant(TensorType::INT8, {1, 3, 3, 2}, std::vector<std::uint8_t>(18));
  m.tensor(1).quantization->zero_point = {0};
  m.input({1, 3, 3, 2}).output({1, 6, 6, 1});
  schema::TransposeConvOptionsT o;
  o.stride_h = o.stride_w = 2;
  m.options(o);
  const graph::Node node = m.import().nodes[0];
  EXPECT_EQ(node.inputs, (std::vector<graph::TensorId>{2, 1, -1}));
  const Window w = std::get<graph::WindowAttrs>(node.attrs).window;
  EXPECT_EQ(w.pad_top, 0);  // (3 − 1) · 2 + 3 − 6 = 1
  EXPECT_EQ(w.pad_bottom, 1);

  m.model.buffers[1]->data[4] = 7;
  m.refused("the output shape operand differs from output [1,6,6,1]");
  m.tensor(0).buffer = 0;
  m.subgraph().inputs.push_back(0);
  EXPECT_EQ(m.import().nodes[0].inputs, node.inputs) << "a shape fed in: the static one runs";
}

TEST(Pool, FilterAndStride) {
  RawModel m;
  m.code(17).input({1, 4, 6, 1}).output({1, 2, 2, 1});
  schema::Pool2DOptionsT o;
  o.padding = schema::Padding::VALID;
  o.filter_h = o.stride_h = 2;
  o.filter_w = o.stride_w = 3;
  m.options(o);
  const Window w = window_of(m);
  EXPECT_EQ(w.kernel_h, 2);
  EXPECT_EQ(w.kernel_w, 3);
  o.filter_w = 0;
  m.options(o);
  m.refused("operator #0 MAX_POOL_2D: kernel width must be in [1, 65535], got 0");
}

TEST(FullyConnected, ShuffledWeightsAreRefused) {
  RawModel m;
  m.code(9).input({1, 2}).constant(TensorType::INT8, {1, 2}, {1, 2}).output({1, 1});
  m.tensor(1).quantization->zero_point = {0};
  schema::FullyConnectedOptionsT o;
  m.options(o);
  EXPECT_EQ(m.import().nodes[0].inputs.size(), 3U) << "an absent bias is written as such";
  o.weights_format = schema::WeightsFormat::SHUFFLED4x16INT8;
  m.options(o);
  m.refused("weights format 1 (shuffled) is not supported");
}

TEST(Svdf, NeedsAllOperands) {
  RawModel m;
  m.code(27).input({1, 2}).input({1, 2}).input({1, 2}).output({1, 1});
  m.options(schema::SvdfOptionsT());
  m.refused("operator #0 SVDF: needs 5 inputs, got 3");
}

}  // namespace
}  // namespace npu::test
