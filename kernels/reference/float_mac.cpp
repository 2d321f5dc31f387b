#include "kernels/reference/float_mac.h"

#include <algorithm>
#include <utility>

#include "kernels/reference/floats.h"
#include "kernels/reference/mac.h"
#include "kernels/reference/operators.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {

namespace {

/// The attributes without the activation, which is returned.
graph::Activation take_activation(graph::Attrs& attrs) {
  auto* window = std::get_if<graph::WindowAttrs>(&attrs);
  graph::Activation& from =
      window != nullptr ? window->activation : std::get<graph::ActivationAttrs>(attrs).activation;
  return std::exchange(from, graph::Activation::kNone);
}

TensorData widened(const View& view) {
  TensorData data = TensorData::zeros(DType::kFloat32, *view.shape);
  std::ranges::copy(load_floats(view), data.as<float>().begin());
  return data;
}

}  // namespace

bool has_float_mac(const graph::Graph& graph, const graph::Node& node) {
  const DType x = input_type(graph, node);
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != graph::kAbsent;
  return is_float(x) && input_type(graph, node, 1) == x && is_float(output_type(graph, node)) &&
         (!has_bias || input_type(graph, node, 2) == DType::kFloat32);
}

bool has_mac(const graph::Graph& graph, const graph::Node& node) {
  return has_float_mac(graph, node) || has_integer_mac(graph, node);
}

void run_float_mac(Invocation& call, void (*sum_products)(Invocation& call)) {
  // The node alone, without bias and activation, over fp32 tensors.
  graph::Graph graph;
  std::vector<TensorData> values = {widened(call.input(0)), widened(call.input(1)),
                                    TensorData::zeros(DType::kFloat32, call.output().shape)};
  for (const TensorData& v : values) {
    graph::Tensor tensor;
    tensor.type = DType::kFloat32;
    tensor.shape = v.shape;
    graph.tensors.push_back(tensor);
  }
  graph::Node node = call.node();
  node.inputs = {0, 1};
  node.outputs = {2};
  const graph::Activation activation = take_activation(node.attrs);
  Invocation sums(graph, node, values);
  sum_products(sums);

  const FloatRange range = activation_range(activation);
  const auto y = values[2].as<float>();
  const auto channels = static_cast<std::size_t>(call.output().shape.back());
  const auto bias = call.has_input(2) ? call.input(2).as<float>() : std::span<const float>();
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float sum = y[i] + (bias.empty() ? 0.0F : bias[i % channels]);
    y[i] = std::clamp(sum, range.low, range.high);
  }
  store_floats(call.output(), y);
}

}  // namespace npu::reference
