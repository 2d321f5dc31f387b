#include "tests/golden/cmsis_nn_networks.h"

#include <algorithm>
#include <cmath>

#include "tests/support/graph_maker.h"

namespace npu::test {
namespace {

using graph::OpKind;
using graph::TensorId;
using graph::Window;
using reference::test::CmsisCase;

std::vector<std::int32_t> int32_values(const TensorData& data) {
  const auto values = data.as<std::int32_t>();
  return {values.begin(), values.end()};
}

/// Multipliers of the output stage, from scalars or from arrays with one entry per channel.
std::vector<FixedMultiplier> output_multipliers(const CmsisCase& c, std::int64_t channels) {
  for (const char* key : {"OUTPUT_MULTIPLIER", "OUTPUT_MULT"}) {
    if (c.has(key))
      return {static_cast<std::size_t>(channels), {c.value(key), c.value("OUTPUT_SHIFT")}};
  }
  const auto m = int32_values(*c.find({"output_mult", "output_multiplier"}));
  const auto shift = int32_values(*c.find({"output_shift"}));
  std::vector<FixedMultiplier> result;
  for (std::size_t i = 0; i < m.size(); ++i) result.push_back({m[i], shift.at(i)});
  return result;
}

/// Marker of channel i: exact in float32, different for each of up to 4096 channels.
float marker_scale(std::size_t i) { return (1.0F + static_cast<float>(i) / 4096.0F) / 256.0F; }
FixedMultiplier marker(std::size_t i) {
  return quantize_multiplier(static_cast<double>(marker_scale(i)));
}

/// Output padding so that the window gives `out` outputs of `in` inputs.
int padding_after(int in, int out, int kernel, int stride, int dilation, int before) {
  return std::max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - in - before);
}

/// CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED.
VectorNetwork mac(const CmsisCase& c, OpKind kind, const Shape& x_shape, const Shape& w_shape,
                  const Shape& y_shape, const graph::Attrs& attrs) {
  VectorNetwork n;
  GraphMaker maker(c.name());
  const TensorData input = c.array({"input"}, x_shape);
  const TensorData weights = c.weights(w_shape);
  const auto channels = static_cast<std::size_t>(y_shape.back());
  const bool depthwise = kind == OpKind::kDepthwiseConv2d;
  graph::Quantization scales{{}, std::vector<std::int32_t>(channels, 0), depthwise ? 3 : 0};
  for (std::size_t i = 0; i < channels; ++i) scales.scale.push_back(marker_scale(i));
  const auto multipliers = output_multipliers(c, y_shape.back());
  for (std::size_t i = 0; i < channels; ++i) n.patch.multiplier(marker(i), multipliers.at(i));
  n.patch.clamp({c.value("OUT_ACTIVATION_MIN"), c.value("OUT_ACTIVATION_MAX")});
  // One vector has a zero point that its int8 output cannot have as a tensor of a network.
  const std::int32_t zero_point = c.value("OUTPUT_OFFSET");
  if (zero_point > 127) n.patch.out_zero(zero_point);

  const TensorId x = maker.input(input.type, x_shape, {1.0F, -c.value("INPUT_OFFSET")});
  const TensorId w = maker.constant(weights.type, w_shape, scales, weights.bytes);
  TensorId bias = graph::kAbsent;
  if (const TensorData* b = c.find({"biases", "bias", "input_bias"}))
    bias = maker.constant(b->type, {y_shape.back()}, std::nullopt, b->bytes);
  const TensorId y = maker.activation(input.type, y_shape, {1.0F, std::min(zero_point, 127)});
  maker.node(kind, {x, w, bias}, {y}, attrs);
  n.steps = {{{x, input}}};
  n.graph = maker.finish({y});
  return n;
}

VectorNetwork window_mac(const CmsisCase& c) {
  const int in_h = c.value("INPUT_H"), in_w = c.value("INPUT_W");
  const int out_h = c.value("OUTPUT_H"), out_w = c.value("OUTPUT_W");
  Window window = {.kernel_h = c.value("FILTER_Y"),
                   .kernel_w = c.value("FILTER_X"),
                   .stride_h = c.value("STRIDE_Y"),
                   .stride_w = c.value("STRIDE_X"),
                   .dilation_h = c.value("DILATION_Y"),
                   .dilation_w = c.value("DILATION_X"),
                   .pad_top = c.value("PAD_Y"),
                   .pad_left = c.value("PAD_X")};
  // A transposed convolution is padded as the convolution from its output to its input.
  const bool transposed = c.has("PAD_X_WITH_OFFSET");
  window.pad_bottom =
      padding_after(transposed ? out_h : in_h, transposed ? in_h : out_h, window.kernel_h,
                    window.stride_h, window.dilation_h, window.pad_top);
  window.pad_right =
      padding_after(transposed ? out_w : in_w, transposed ? in_w : out_w, window.kernel_w,
                    window.stride_w, window.dilation_w, window.pad_left);
  const int in = c.value("IN_CH"), out = c.value("OUT_CH");
  const int filter_channels = c.value("FILTER_CH", in);
  const std::int64_t batch = c.value("INPUT_BATCHES");
  const Shape x = {batch, in_h, in_w, in}, y = {batch, out_h, out_w, out};
  graph::WindowAttrs attrs{.window = window};
  if (c.has("CH_MULT")) {
    attrs.depth_multiplier = c.value("CH_MULT");
    return mac(c, OpKind::kDepthwiseConv2d, x, {1, window.kernel_h, window.kernel_w, out}, y,
               attrs);
  }
  attrs.groups = in / filter_channels;
  return mac(c, transposed ? OpKind::kTransposeConv : OpKind::kConv2d, x,
             {out, window.kernel_h, window.kernel_w, filter_channels}, y, attrs);
}

VectorNetwork dense(const CmsisCase& c) {
  const std::int64_t n = c.value("INPUT_BATCHES"), out = c.value("OUT_CH");
  const std::int64_t depth = c.value("ACCUMULATION_DEPTH");
  return mac(c, OpKind::kFullyConnected, {n, depth}, {out, depth}, {n, out},
             graph::ActivationAttrs{});
}

VectorNetwork pooling(const CmsisCase& c) {
  const int in_h = c.value("INPUT_H"), in_w = c.value("INPUT_W");
  const int out_h = c.value("OUTPUT_H"), out_w = c.value("OUTPUT_W");
  Window window = {.kernel_h = c.value("FILTER_H"),
                   .kernel_w = c.value("FILTER_W"),
                   .stride_h = c.value("STRIDE_H"),
                   .stride_w = c.value("STRIDE_W"),
                   .pad_top = c.value("PADDING_H"),
                   .pad_left = c.value("PADDING_W")};
  window.pad_bottom =
      padding_after(in_h, out_h, window.kernel_h, window.stride_h, 1, window.pad_top);
  window.pad_right =
      padding_after(in_w, out_w, window.kernel_w, window.stride_w, 1, window.pad_left);
  const std::int64_t batch = c.value("BATCH_SIZE"), channels = c.value("INPUT_C");
  const TensorData input = c.array({"input_tensor"}, {batch, in_h, in_w, channels});
  VectorNetwork n;
  n.patch.clamp({c.value("ACTIVATION_MIN"), c.value("ACTIVATION_MAX")});
  GraphMaker maker(c.name());
  const TensorId x = maker.input(input.type, input.shape, {});
  const TensorId y = maker.activation(input.type, {batch, out_h, out_w, channels}, {});
  maker.node(c.name().starts_with("avg") ? OpKind::kAveragePool2d : OpKind::kMaxPool2d, {x}, {y},
             graph::WindowAttrs{.window = window});
  n.steps = {{{x, input}}};
  n.graph = maker.finish({y});
  return n;
}

/// A network of one operator over two activations.
VectorNetwork binary(const CmsisCase& c, OpKind kind, const TensorData& a, const TensorData& b,
                     const Shape& y_shape, Affine a_q, Affine b_q, Affine y_q) {
  VectorNetwork n;
  GraphMaker maker(c.name());
  const TensorId x0 = maker.input(a.type, a.shape, a_q);
  const TensorId x1 = maker.input(b.type, b.shape, b_q);
  const TensorId y = maker.activation(a.type, y_shape, y_q);
  const bool raw = kind == OpKind::kMaximum || kind == OpKind::kMinimum;
  maker.node(kind, {x0, x1}, {y}, raw ? graph::Attrs{} : graph::ActivationAttrs{});
  n.steps = {{{x0, a}, {x1, b}}};
  n.graph = maker.finish({y});
  return n;
}

VectorNetwork extreme(const CmsisCase& c) {
  const auto shape = [&](const std::string& which) {
    return Shape{c.value("BATCH_" + which), c.value("HEIGHT_" + which), c.value("WIDTH_" + which),
                 c.value("CHANNEL_" + which)};
  };
  const OpKind kind = c.text("LAYER_TYPE") == "maximum" ? OpKind::kMaximum : OpKind::kMinimum;
  return binary(c, kind, c.array({"input_tensor_1"}, shape("1")),
                c.array({"input_tensor_2"}, shape("2")),
                {c.value("OUTPUT_BATCH"), c.value("OUTPUT_HEIGHT"), c.value("OUTPUT_WIDTH"),
                 c.value("OUTPUT_CHANNEL")},
                {}, {}, {});
}

VectorNetwork elementwise(const CmsisCase& c) {
  const Shape shape = {c.value("DST_SIZE")};
  const FixedMultiplier out = output_multipliers(c, 1).at(0);
  const bool sum = c.has("LEFT_SHIFT");
  // ADD: 1 and 0.75 over twice the larger, and the way back from 2 · 2^−15 to the output.
  const Affine y_q{0.625F, c.value("OUTPUT_OFFSET")};
  VectorNetwork n = binary(c, sum ? OpKind::kAdd : OpKind::kMul, c.array({"input1"}, shape),
                           c.array({"input2"}, shape), shape, {1.0F, -c.value("INPUT1_OFFSET")},
                           {0.75F, -c.value("INPUT2_OFFSET")}, y_q);
  if (sum) {
    if (c.value("LEFT_SHIFT") != 15) fail("{}: left shift of int16 is 15", c.name());
    n.patch.multiplier(quantize_multiplier(0.5), {c.value("INPUT1_MULT"), c.value("INPUT1_SHIFT")});
    n.patch.multiplier(quantize_multiplier(0.375),
                       {c.value("INPUT2_MULT"), c.value("INPUT2_SHIFT")});
    n.patch.multiplier(quantize_multiplier(0x1p-14 / 0.625), out);
  } else {
    n.patch.multiplier(quantize_multiplier(0.75 / 0.625), out);
  }
  n.patch.clamp({c.value("OUT_ACTIVATION_MIN"), c.value("OUT_ACTIVATION_MAX")});
  return n;
}

VectorNetwork transposed(const CmsisCase& c) {
  VectorNetwork n;
  GraphMaker maker(c.name());
  const TensorData input = c.array({"input_tensor"}, c.list("IN_DIM"));
  const std::vector<std::int64_t> permutation = c.list("PERM");
  const TensorId x = maker.input(input.type, input.shape, {});
  const TensorId y = maker.activation(input.type, c.list("OUT_DIM"), {});
  maker.node(OpKind::kTranspose, {x}, {y},
             graph::TransposeAttrs{{permutation.begin(), permutation.end()}});
  n.steps = {{{x, input}}};
  n.graph = maker.finish({y});
  return n;
}

/// The multiplier of the vector has 24 significant bits: a float32 scale expresses it.
VectorNetwork softmax(const CmsisCase& c) {
  VectorNetwork n;
  GraphMaker maker(c.name());
  const TensorData input = c.array({"input"}, {c.value("NUM_ROWS"), c.value("ROW_SIZE")});
  const double scale =
      std::ldexp(static_cast<double>(c.value("INPUT_MULT")), c.value("INPUT_LEFT_SHIFT") - 31 - 26);
  if (static_cast<double>(static_cast<float>(scale)) != scale) fail("{}: scale", c.name());
  const TensorId x = maker.input(input.type, input.shape, {static_cast<float>(scale), 0});
  const TensorId y = maker.activation(input.type, input.shape, {1.0F / 256, -128});
  maker.node(OpKind::kSoftmax, {x}, {y}, graph::SoftmaxAttrs{});
  n.steps = {{{x, input}}};
  n.graph = maker.finish({y});
  return n;
}

VectorNetwork svdf(const CmsisCase& c) {
  const std::int64_t batch = c.value("INPUT_BATCHES"), inputs = c.value("INPUT_SIZE");
  const std::int64_t filters = c.value("FEATURE_BATCHES"), memory = c.value("TIME_BATCHES");
  const int rank = c.value("RANK");
  const std::int64_t units = filters / rank;
  const TensorData time = c.array({"weights_time"}, {filters, memory});

  VectorNetwork n;
  n.initial_state = c.array({"state"}, {batch, filters * memory});
  GraphMaker maker(c.name());
  const TensorId x = maker.input(DType::kInt8, {batch, inputs}, {1.0F, c.value("INPUT_OFFSET")});
  const TensorId feature =
      maker.constant(DType::kInt8, {filters, inputs}, graph::Quantization{{0.5F}, {0}, 0},
                     c.array({"weights_feature"}, {filters, inputs}).bytes);
  const TensorId time_weights =
      maker.constant(time.type, time.shape, graph::Quantization{{0.375F}, {0}, 0}, time.bytes);
  const TensorId bias =
      maker.constant(DType::kInt32, {units}, std::nullopt, c.array({"biases"}, {units}).bytes);
  n.state = maker.state(n.initial_state.type, n.initial_state.shape, {});
  const TensorId y =
      maker.activation(DType::kInt8, {batch, units}, {1.0F, c.value("OUTPUT_OFFSET")});
  maker.node(OpKind::kSvdf, {x, feature, time_weights, bias, n.state}, {y},
             graph::SvdfAttrs{.rank = rank});
  n.graph = maker.finish({y});

  const TensorData& sequence = *c.find({"input_sequence"});
  const std::int64_t step_bytes = batch * inputs;
  for (std::int64_t at = 0; at < std::ssize(sequence.bytes); at += step_bytes) {
    TensorData input = TensorData::zeros(DType::kInt8, {batch, inputs});
    std::copy_n(sequence.bytes.begin() + at, step_bytes, input.bytes.begin());
    n.steps.push_back({{x, std::move(input)}});
  }
  n.patch.multiplier(quantize_multiplier(0.5), {c.value("MULTIPLIER_IN"), c.value("SHIFT_1")});
  n.patch.multiplier(quantize_multiplier(0.375), {c.value("MULTIPLIER_OUT"), c.value("SHIFT_2")},
                     static_cast<int>(units));
  return n;
}

}  // namespace

std::optional<VectorNetwork> vector_network(const CmsisCase& c) {
  if (c.has("LHS_BATCH")) return std::nullopt;
  if (c.has("ACCUMULATION_DEPTH")) return dense(c);
  if (c.has("FILTER_X")) return window_mac(c);
  if (c.has("FILTER_W")) return pooling(c);
  if (c.has("LAYER_TYPE")) return extreme(c);
  if (c.has("INPUT1_OFFSET")) return elementwise(c);
  if (c.has("PERM")) return transposed(c);
  if (c.has("NUM_ROWS")) return softmax(c);
  if (c.has("TIME_BATCHES")) return svdf(c);
  fail("{}: unknown family", c.name());
}

}  // namespace npu::test
