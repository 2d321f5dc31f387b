#include "kernels/reference/svdf.h"

#include <algorithm>

#include "kernels/reference/mac.h"
#include "kernels/reference/operators.h"

namespace npu::reference {

using graph::SvdfAttrs;

namespace {

constexpr std::size_t kX = 0, kFeature = 1, kTime = 2, kBias = 3, kState = 4;

/// One step over values of type T (integers widened to 32 bits, or float), in three stages:
///   state moves one element to the left as a whole; the newest feature of filter f goes to the
///   last slot of its memory; unit u sums its `rank` filters' products of memory and time weights.
/// @param feature  (Σ_i w[f,i] · x[b,i]) -> state value; @param output (unit, sum) -> output value.
template <typename T, typename Sum, typename Feature, typename Output>
void step(std::span<const T> x, std::span<const T> feature_weights, std::span<const T> time_weights,
          std::size_t filters, std::size_t rank, T state_zero, std::vector<T>& state,
          std::span<T> y, Feature&& feature, Output&& output) {
  const std::size_t inputs = feature_weights.size() / filters;
  const std::size_t memory = time_weights.size() / filters;
  const std::size_t batches = inputs == 0 ? 0 : x.size() / inputs;
  NPU_CHECK(state.size() == batches * filters * memory && !state.empty(), "size of the state");
  std::copy(state.begin() + 1, state.end(), state.begin());
  for (std::size_t b = 0; b < batches; ++b) {
    for (std::size_t f = 0; f < filters; ++f) {
      Sum sum{};
      for (std::size_t i = 0; i < inputs; ++i) {
        sum +=
            static_cast<Sum>(feature_weights[f * inputs + i]) * static_cast<Sum>(x[b * inputs + i]);
      }
      state[(b * filters + f + 1) * memory - 1] = feature(sum);
    }
    const std::size_t units = filters / rank;
    for (std::size_t u = 0; u < units; ++u) {
      Sum sum{};
      for (std::size_t f = u * rank; f < (u + 1) * rank; ++f) {
        for (std::size_t m = 0; m < memory; ++m) {
          sum += static_cast<Sum>(time_weights[f * memory + m]) *
                 static_cast<Sum>(state[(b * filters + f) * memory + m] - state_zero);
        }
      }
      y[b * units + u] = output(u, sum);
    }
  }
}

bool has_integer(const graph::Graph& graph, const graph::Node& node) {
  const DType state = input_type(graph, node, kState);
  const graph::TensorId bias = node.inputs.at(kBias);
  return input_type(graph, node, kX) == DType::kInt8 &&
         input_type(graph, node, kFeature) == DType::kInt8 &&
         (state == DType::kInt8 || state == DType::kInt16) &&
         input_type(graph, node, kTime) == state &&
         (bias == graph::kAbsent || graph.tensor(bias).type == DType::kInt32) &&
         output_type(graph, node) == DType::kInt8;
}

void run_integer(Invocation& call) {
  const graph::Tensor& x = call.input_tensor(kX);
  const graph::Tensor& state = call.input_tensor(kState);
  const graph::Tensor& y = call.output_tensor();
  // Both ratios are formed in float32.
  const float feature = scale_of(x) * scale_of(call.input_tensor(kFeature)) / scale_of(state);
  const float output = scale_of(state) * scale_of(call.input_tensor(kTime)) / scale_of(y);
  OutputStage feature_stage =
      output_stage(static_cast<double>(feature), graph::Activation::kNone, state);
  feature_stage.zero_point = 0;
  const SvdfParameters p = {
      .rank = call.attrs<SvdfAttrs>().rank,
      .x_zero_point = zero_point_of(x),
      .state_zero_point = zero_point_of(state),
      .feature = std::move(feature_stage),
      .output = output_stage(static_cast<double>(output), graph::Activation::kNone, y),
  };
  const View bias = call.has_input(kBias) ? call.input(kBias) : View();
  svdf(p, call.input(kX), call.input(kFeature), call.input(kTime),
       call.has_input(kBias) ? &bias : nullptr, call.variable(kState), call.output());
}

void run_float(Invocation& call) {
  const auto& attrs = call.attrs<SvdfAttrs>();
  const FloatRange range = activation_range(attrs.activation);
  const auto y = call.output().as<float>();
  const auto filters = static_cast<std::size_t>(call.input(kFeature).dim(0));
  // The accumulator of the time dot counts s_state · s_time.
  std::vector<double> accumulator_scale;
  if (is_quantized(call.input_tensor(kState).type)) {
    accumulator_scale = {static_cast<double>(scale_of(call.input_tensor(kState))) *
                         static_cast<double>(scale_of(call.input_tensor(kTime)))};
  }
  const std::vector<float> bias =
      float_bias(call, kBias, filters / static_cast<std::size_t>(attrs.rank), accumulator_scale);
  const FloatRange state_range = real_range(call.input_tensor(kState));
  const auto values = call.variable(kState).as<float>();
  std::vector<float> state(values.begin(), values.end());
  step<float, float>(
      call.input(kX).as<float>(), call.input(kFeature).as<float>(), call.input(kTime).as<float>(),
      filters, static_cast<std::size_t>(attrs.rank), 0.0F, state, y,
      [&](float sum) { return std::clamp(sum, state_range.low, state_range.high); },
      [&](std::size_t unit, float sum) {
        return std::clamp(sum + bias.at(unit), range.low, range.high);
      });
  std::copy(state.begin(), state.end(), values.begin());
}

}  // namespace

void svdf(const SvdfParameters& p, const View& x, const View& feature_weights,
          const View& time_weights, const View* bias, TensorData& state, TensorData& y) {
  const auto filters = static_cast<std::size_t>(feature_weights.dim(0));
  std::vector<std::int32_t> memory = load_integers(state);
  std::vector<std::int32_t> out(static_cast<std::size_t>(y.size()));
  std::vector<std::int32_t> biases(filters / static_cast<std::size_t>(p.rank), 0);
  if (bias != nullptr) biases = load_integers(*bias);
  // 64-bit sums, cut to the 32 bits of the accumulator at the end.
  step<std::int32_t, std::int64_t>(
      load_integers(x, p.x_zero_point), load_integers(feature_weights), load_integers(time_weights),
      filters, static_cast<std::size_t>(p.rank), p.state_zero_point, memory, out,
      [&](std::int64_t sum) {
        const std::int32_t value =
            p.feature.finish(static_cast<std::int32_t>(sum)) + p.state_zero_point;
        return state.type == DType::kInt8
                   ? static_cast<std::int32_t>(static_cast<std::int8_t>(value))
                   : static_cast<std::int32_t>(static_cast<std::int16_t>(value));
      },
      [&](std::size_t unit, std::int64_t sum) {
        return p.output.finish(static_cast<std::int32_t>(sum + biases.at(unit)));
      });
  store_integers(state, memory);
  store_integers(y, out);
}

const Operator kSvdf = {has_integer, run_integer, run_float};

}  // namespace npu::reference
