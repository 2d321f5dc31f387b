// The integer kernels against the CMSIS-NN unit-test vectors, byte for byte. The vectors give
// multipliers and shifts, so the operators' inner functions are called with them.
#include <gtest/gtest.h>

#include <functional>

#include "kernels/reference/elementwise.h"
#include "kernels/reference/mac_kernels.h"
#include "kernels/reference/pool.h"
#include "kernels/reference/softmax.h"
#include "kernels/reference/svdf.h"
#include "tests/unit/reference/cmsis_nn_case.h"
#include "tests/unit/reference/graphs.h"

namespace npu::reference {
namespace {

using test::CmsisCase;

/// Output stage from scalars or from arrays with one entry per channel.
OutputStage stage(const CmsisCase& c) {
  OutputStage s;
  s.zero_point = c.value("OUTPUT_OFFSET");
  s.range = {c.value("OUT_ACTIVATION_MIN"), c.value("OUT_ACTIVATION_MAX")};
  if (c.has("OUTPUT_MULTIPLIER")) {
    s.multipliers = {{c.value("OUTPUT_MULTIPLIER"), c.value("OUTPUT_SHIFT")}};
  } else if (c.has("OUTPUT_MULT")) {
    s.multipliers = {{c.value("OUTPUT_MULT"), c.value("OUTPUT_SHIFT")}};
  } else {
    const auto m = load_integers(*c.find({"output_mult", "output_multiplier"}));
    const auto shift = load_integers(*c.find({"output_shift"}));
    for (std::size_t i = 0; i < m.size(); ++i) s.multipliers.push_back({m[i], shift[i]});
  }
  return s;
}

using Kernel = std::function<void(const MacOperands&, TensorData&)>;

TensorData mac(const CmsisCase& c, const Shape& x_shape, const Shape& w_shape, const Shape& y_shape,
               const Kernel& kernel) {
  const TensorData x = c.array({"input"}, x_shape);
  const TensorData w = c.weights(w_shape);
  TensorData y = TensorData::zeros(x.type, y_shape);
  MacOperands operands;
  operands.x = x;
  operands.w = w;
  if (const TensorData* bias = c.find({"biases", "bias", "input_bias"})) operands.bias = *bias;
  operands.x_zero_point = -c.value("INPUT_OFFSET");
  operands.stage = stage(c);
  kernel(operands, y);
  return y;
}

TensorData window_mac(const CmsisCase& c) {
  const graph::Window window = {.kernel_h = c.value("FILTER_Y"),
                                .kernel_w = c.value("FILTER_X"),
                                .stride_h = c.value("STRIDE_Y"),
                                .stride_w = c.value("STRIDE_X"),
                                .dilation_h = c.value("DILATION_Y"),
                                .dilation_w = c.value("DILATION_X"),
                                .pad_top = c.value("PAD_Y"),
                                .pad_left = c.value("PAD_X")};
  const std::int64_t in = c.value("IN_CH"), out = c.value("OUT_CH");
  const std::int64_t n = c.value("INPUT_BATCHES");
  const Shape x = {n, c.value("INPUT_H"), c.value("INPUT_W"), in};
  const Shape y = {n, c.value("OUTPUT_H"), c.value("OUTPUT_W"), out};
  if (c.has("CH_MULT")) {
    return mac(c, x, {1, window.kernel_h, window.kernel_w, out}, y,
               [&](const auto& o, auto& result) { depthwise_conv_2d(window, o, result); });
  }
  const Shape w = {out, window.kernel_h, window.kernel_w,
                   c.value("FILTER_CH", static_cast<int>(in))};
  if (c.has("PAD_X_WITH_OFFSET")) {
    return mac(c, x, w, y, [&](const auto& o, auto& result) { transpose_conv(window, o, result); });
  }
  return mac(c, x, w, y, [&](const auto& o, auto& result) { conv_2d(window, o, result); });
}

TensorData dense(const CmsisCase& c) {
  const std::int64_t n = c.value("INPUT_BATCHES"), out = c.value("OUT_CH");
  const std::int64_t depth = c.value("ACCUMULATION_DEPTH");
  return mac(c, {n, depth}, {out, depth}, {n, out}, fully_connected);
}

TensorData pooling(const CmsisCase& c) {
  const graph::Window window = {.kernel_h = c.value("FILTER_H"),
                                .kernel_w = c.value("FILTER_W"),
                                .stride_h = c.value("STRIDE_H"),
                                .stride_w = c.value("STRIDE_W"),
                                .pad_top = c.value("PADDING_H"),
                                .pad_left = c.value("PADDING_W")};
  const std::int64_t n = c.value("BATCH_SIZE");
  const TensorData x =
      c.array({"input_tensor"}, {n, c.value("INPUT_H"), c.value("INPUT_W"), c.value("INPUT_C")});
  TensorData y =
      TensorData::zeros(x.type, {n, c.value("OUTPUT_H"), c.value("OUTPUT_W"), c.value("OUTPUT_C")});
  const IntegerRange range = {c.value("ACTIVATION_MIN"), c.value("ACTIVATION_MAX")};
  (c.name().starts_with("avg") ? average_pool_2d : max_pool_2d)(window, range, x, y);
  return y;
}

TensorData extreme(const CmsisCase& c) {
  const auto shape = [&](const std::string& which) {
    return Shape{c.value("BATCH_" + which), c.value("HEIGHT_" + which), c.value("WIDTH_" + which),
                 c.value("CHANNEL_" + which)};
  };
  const TensorData a = c.array({"input_tensor_1"}, shape("1"));
  const TensorData b = c.array({"input_tensor_2"}, shape("2"));
  TensorData y = TensorData::zeros(a.type, {c.value("OUTPUT_BATCH"), c.value("OUTPUT_HEIGHT"),
                                            c.value("OUTPUT_WIDTH"), c.value("OUTPUT_CHANNEL")});
  select_extreme(c.text("LAYER_TYPE") == "maximum", a, b, y);
  return y;
}

TensorData elementwise(const CmsisCase& c) {
  const Shape shape = {c.value("DST_SIZE")};
  const TensorData a = c.array({"input1"}, shape);
  const TensorData b = c.array({"input2"}, shape);
  TensorData y = TensorData::zeros(a.type, shape);
  const std::int32_t a_zero = -c.value("INPUT1_OFFSET"), b_zero = -c.value("INPUT2_OFFSET");
  if (c.has("LEFT_SHIFT")) {
    add({.a_zero_point = a_zero,
         .b_zero_point = b_zero,
         .left_shift = c.value("LEFT_SHIFT"),
         .a = {c.value("INPUT1_MULT"), c.value("INPUT1_SHIFT")},
         .b = {c.value("INPUT2_MULT"), c.value("INPUT2_SHIFT")},
         .stage = stage(c)},
        a, b, y);
  } else {
    multiply({a_zero, b_zero, stage(c)}, a, b, y);
  }
  return y;
}

TensorData transposed(const CmsisCase& c) {
  const TensorData x = c.array({"input_tensor"}, c.list("IN_DIM"));
  const std::vector<std::int64_t> permutation = c.list("PERM");
  return test::run_unary(graph::OpKind::kTranspose, {x.type, x.shape}, {x.type, c.list("OUT_DIM")},
                         x, graph::TransposeAttrs{{permutation.begin(), permutation.end()}});
}

TensorData softmax_rows(const CmsisCase& c) {
  const TensorData x = c.array({"input"}, {c.value("NUM_ROWS"), c.value("ROW_SIZE")});
  TensorData y = TensorData::zeros(DType::kInt8, x.shape);
  softmax({{c.value("INPUT_MULT"), c.value("INPUT_LEFT_SHIFT")}, c.value("DIFF_MIN")}, x, y);
  return y;
}

/// The output of the last time step.
TensorData svdf_steps(const CmsisCase& c) {
  const std::int64_t batch = c.value("INPUT_BATCHES"), inputs = c.value("INPUT_SIZE");
  const std::int64_t filters = c.value("FEATURE_BATCHES"), memory = c.value("TIME_BATCHES");
  const SvdfParameters p = {
      .rank = c.value("RANK"),
      .x_zero_point = c.value("INPUT_OFFSET"),
      .feature = {{{c.value("MULTIPLIER_IN"), c.value("SHIFT_1")}},
                  0,
                  {c.value("IN_ACTIVATION_MIN"), c.value("IN_ACTIVATION_MAX")}},
      .output = {{{c.value("MULTIPLIER_OUT"), c.value("SHIFT_2")}},
                 c.value("OUTPUT_OFFSET"),
                 {c.value("OUT_ACTIVATION_MIN"), c.value("OUT_ACTIVATION_MAX")}},
  };
  const TensorData& sequence = *c.find({"input_sequence"});
  const std::int64_t steps = sequence.size() / (batch * inputs);
  const TensorData feature = c.array({"weights_feature"}, {filters, inputs});
  const TensorData time = c.array({"weights_time"}, {filters, memory});
  const View bias = *c.find({"biases"});
  TensorData state = c.array({"state"}, {batch, filters * memory});
  TensorData y = TensorData::zeros(DType::kInt8, {batch, filters / p.rank});
  for (std::int64_t step = 0; step < steps; ++step) {
    TensorData x = TensorData::zeros(DType::kInt8, {batch, inputs});
    std::copy_n(sequence.bytes.begin() + step * batch * inputs, batch * inputs, x.bytes.begin());
    svdf(p, x, feature, time, &bias, state, y);
  }
  return y;
}

/// The family's runner, or null for an operator that is not in the list (BATCH_MATMUL).
TensorData (*runner(const CmsisCase& c))(const CmsisCase&) {
  if (c.has("LHS_BATCH")) return nullptr;
  if (c.has("ACCUMULATION_DEPTH")) return dense;
  if (c.has("FILTER_X")) return window_mac;
  if (c.has("FILTER_W")) return pooling;
  if (c.has("LAYER_TYPE")) return extreme;
  if (c.has("INPUT1_OFFSET")) return elementwise;
  if (c.has("PERM")) return transposed;
  if (c.has("NUM_ROWS")) return softmax_rows;
  if (c.has("TIME_BATCHES")) return svdf_steps;
  fail("{}: unknown family", c.name());
}

TEST(CmsisNn, EveryVectorIsEqual) {
  NPUSIM_REQUIRE_SHARED();
  std::map<bool, int> count;
  for (const CmsisCase& c : CmsisCase::all()) {
    const auto run = runner(c);
    ++count[run != nullptr];
    if (run == nullptr) continue;
    const TensorData y = run(c);
    EXPECT_EQ(y.type, c.expected().type) << c.name();
    EXPECT_EQ(y.bytes, c.expected().bytes) << c.name();
  }
  EXPECT_EQ(count[true], 103);
  EXPECT_EQ(count[false], 6);
}

}  // namespace
}  // namespace npu::reference
