#include <algorithm>

#include "kernels/reference/dot.h"
#include "kernels/reference/float_mac.h"
#include "kernels/reference/mac.h"
#include "kernels/reference/mac_kernels.h"
#include "sim/base/math.h"

namespace npu::reference {

using graph::ActivationAttrs;

void fully_connected(const MacOperands& operands, TensorData& y) {
  const std::vector<std::int16_t> x = load_int16(operands.x, operands.x_zero_point);
  const std::vector<std::int16_t> w = load_int16(operands.w, operands.w_zero_point);
  const auto outputs = static_cast<std::size_t>(operands.w.dim(0));
  const auto inputs = static_cast<std::size_t>(operands.w.dim(1));
  const auto depth =
      static_cast<std::size_t>(round_up(operands.w.dim(1), static_cast<std::int64_t>(kRowUnit)));

  std::vector<std::int16_t> rows(outputs * depth);
  for (std::size_t o = 0; o < outputs; ++o) {
    std::copy_n(w.data() + o * inputs, inputs, rows.data() + o * depth);
  }
  std::vector<std::int16_t> vector(depth);
  std::vector<std::int64_t> sums(outputs);
  const std::size_t run = operands.x.type == DType::kInt16 ? kWideRun : kNarrowRun;
  MacWriter writer(operands, outputs, y);
  for (std::size_t b = 0; b * inputs < x.size(); ++b) {
    std::copy_n(x.data() + b * inputs, inputs, vector.data());
    dot_rows(vector.data(), rows.data(), outputs, depth, run, sums.data());
    writer.write(b * outputs, 0, sums);
  }
}

namespace {

void run_float(Invocation& call) {
  const View w = call.input(1);
  const auto x = call.input(0).as<float>();
  const auto weights = w.as<float>();
  const auto y = call.output().as<float>();
  const auto outputs = static_cast<std::size_t>(w.dim(0));
  const auto inputs = static_cast<std::size_t>(w.dim(1));
  std::vector<float> columns(weights.size());
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t k = 0; k < inputs; ++k) columns[k * outputs + o] = weights[o * inputs + k];
  }
  const std::vector<float> bias = float_bias(call, outputs);
  const FloatRange range = activation_range(call.attrs<ActivationAttrs>().activation);
  for (std::size_t b = 0; b * inputs < x.size(); ++b) {
    float* to = y.data() + b * outputs;
    std::copy(bias.begin(), bias.end(), to);
    accumulate_columns(x.data() + b * inputs, columns.data(), inputs, outputs, to);
    for (std::size_t o = 0; o < outputs; ++o) to[o] = std::clamp(to[o], range.low, range.high);
  }
}

void run_exact(Invocation& call) {
  if (is_float(call.input(0).type)) return run_float_mac(call, run_float);
  const auto& attrs = call.attrs<ActivationAttrs>();
  const MacOperands operands = mac_operands(call, attrs.activation, ScaleProduct::kFloatIfPerTensor,
                                            call.input_tensor(1).shape.at(0));
  fully_connected(operands, call.output());
}

}  // namespace

const Operator kFullyConnected = {has_mac, run_exact, run_float};

}  // namespace npu::reference
