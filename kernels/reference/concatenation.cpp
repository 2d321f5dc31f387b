#include <algorithm>
#include <cmath>

#include "kernels/reference/movement.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {

using graph::ActivationAttrs;

namespace {

/// An operand in the output's quantization: uint8 networks may concatenate different scales.
/// Computed in float32 as round(q · r + (−zero_point · r)) + output zero point with r = s_x · (1 /
/// s_y), halves away from zero.
std::vector<std::byte> rescaled(const graph::Tensor& from, const View& x, const graph::Tensor& to) {
  std::vector<std::byte> out(x.bytes.begin(), x.bytes.end());
  if (graph::same_quantization(from, to)) return out;
  const float ratio = scale_of(from) * (1.0F / scale_of(to));
  const float bias = static_cast<float>(-zero_point_of(from)) * ratio;
  const IntegerRange range = range_of(DType::kUint8);
  const auto q = x.as<std::uint8_t>();
  for (std::size_t i = 0; i < q.size(); ++i) {
    const float value =
        std::clamp(std::round(static_cast<float>(q[i]) * ratio + bias), -1e9F, 1e9F);
    out[i] =
        static_cast<std::byte>(range.clamp(static_cast<std::int64_t>(value) + zero_point_of(to)));
  }
  return out;
}

void concatenate(Invocation& call, const std::vector<std::span<const std::byte>>& parts) {
  const auto axis = static_cast<std::size_t>(call.attrs<ActivationAttrs>().axis);
  TensorData& y = call.output();
  std::size_t outer = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= static_cast<std::size_t>(y.shape.at(i));
  std::size_t row = 0;
  for (const auto& part : parts) row += part.size();
  NPU_CHECK(row == y.bytes.size(), "size of a concatenation");
  auto to = y.bytes.begin();
  for (std::size_t o = 0; o < outer; ++o) {
    for (const auto& part : parts) {
      const std::size_t step = part.size() / outer;
      to = std::copy_n(part.begin() + static_cast<std::ptrdiff_t>(o * step), step, to);
    }
  }
}

bool has_integer(const graph::Graph& graph, const graph::Node& node) {
  const auto* attrs = std::get_if<ActivationAttrs>(&node.attrs);
  if (attrs == nullptr || attrs->activation != graph::Activation::kNone ||
      !moves_values(graph, node)) {
    return false;
  }
  const graph::Tensor& y = graph.tensor(node.outputs.at(0));
  return y.type == DType::kUint8 ||
         std::all_of(node.inputs.begin(), node.inputs.end(), [&](graph::TensorId id) {
           return graph::same_quantization(graph.tensor(id), y);
         });
}

void run_integer(Invocation& call) {
  std::vector<std::vector<std::byte>> owned;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    owned.push_back(rescaled(call.input_tensor(i), call.input(i), call.output_tensor()));
  }
  concatenate(call, {owned.begin(), owned.end()});
}

void run_float(Invocation& call) {
  std::vector<std::span<const std::byte>> parts;
  for (std::size_t i = 0; i < call.input_count(); ++i) parts.push_back(call.input(i).bytes);
  concatenate(call, parts);
  const FloatRange range = activation_range(call.attrs<ActivationAttrs>().activation);
  for (float& value : call.output().as<float>()) value = std::clamp(value, range.low, range.high);
}

}  // namespace

const Operator kConcatenation = {has_integer, run_integer, run_float};

}  // namespace npu::reference
