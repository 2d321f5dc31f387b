#include "kernels/reference/reference.h"

#include <algorithm>

#include "kernels/reference/operators.h"
#include "kernels/reference/quantization.h"
#include "sim/base/half.h"

namespace npu::reference {

using graph::Graph;
using graph::Node;
using graph::Tensor;
using graph::TensorId;

namespace {

std::size_t index_of(TensorId id) { return static_cast<std::size_t>(id); }

void check_inputs(const Graph& graph, const std::vector<TensorData>& inputs) {
  if (inputs.size() != graph.inputs.size()) {
    fail("{}: needs {} inputs, got {}", graph.name, graph.inputs.size(), inputs.size());
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = graph.tensor(graph.inputs[i]);
    if (inputs[i].type != tensor.type || inputs[i].shape != tensor.shape ||
        std::ssize(inputs[i].bytes) != tensor.bytes()) {
      fail("{}: input {} needs {} {}, got {} {}", graph.name, tensor.name, name_of(tensor.type),
           to_string(tensor.shape), name_of(inputs[i].type), to_string(inputs[i].shape));
    }
  }
}

/// "int8, int8, int32 -> int8"
std::string types_of(const Graph& graph, const Node& node) {
  std::string text;
  for (const TensorId id : node.inputs) {
    if (!text.empty()) text += ", ";
    text += id == graph::kAbsent ? "-" : name_of(graph.tensor(id).type);
  }
  text += " ->";
  for (const TensorId id : node.outputs) text += fmt::format(" {}", name_of(graph.tensor(id).type));
  return text;
}

/// The state of a variable before the first step: real zero in int8, zero bytes otherwise.
TensorData reset_state(const Tensor& tensor) {
  TensorData state = TensorData::zeros(tensor.type, tensor.shape);
  if (tensor.type == DType::kInt8 && tensor.quantization) {
    std::fill(state.bytes.begin(), state.bytes.end(),
              static_cast<std::byte>(zero_point_of(tensor)));
  }
  return state;
}

/// Real values of a tensor's raw ones: scale · (q − zero point), per channel along the quantized
/// axis; numbers as they are without quantization.
TensorData dequantized(const Tensor& tensor, const View& raw) {
  TensorData real = TensorData::zeros(DType::kFloat32, tensor.shape);
  const auto out = real.as<float>();
  if (raw.type == DType::kFloat32) {
    std::copy(raw.bytes.begin(), raw.bytes.end(), real.bytes.begin());
    return real;
  }
  std::size_t inner = 1, channels = 1;
  if (tensor.quantization && tensor.quantization->per_channel()) {
    const std::vector<float>& scales = tensor.quantization->scale;
    // A vector has one axis, whatever its quantization says.
    const auto axis = tensor.shape.size() == 1 ? 0 : index_of(tensor.quantization->axis);
    channels = scales.size();
    if (axis >= tensor.shape.size() || tensor.shape[axis] != std::ssize(scales)) {
      fail("tensor {}: {} scales do not fit its quantized axis", tensor.name, channels);
    }
    for (std::size_t i = axis + 1; i < tensor.shape.size(); ++i)
      inner *= static_cast<std::size_t>(tensor.shape[i]);
  }
  const auto convert = [&](auto values) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto value = static_cast<double>(values[i]);
      if (!tensor.quantization || tensor.quantization->scale.empty()) {
        out[i] = static_cast<float>(value);
        continue;
      }
      const std::size_t channel = (i / inner) % channels;
      out[i] = static_cast<float>(static_cast<double>(tensor.quantization->scale[channel]) *
                                  (value - tensor.quantization->zero_point.at(channel)));
    }
  };
  switch (raw.type) {
    case DType::kInt8:
      convert(raw.as<std::int8_t>());
      break;
    case DType::kUint8:
    case DType::kBool:
      convert(raw.as<std::uint8_t>());
      break;
    case DType::kInt16:
      convert(raw.as<std::int16_t>());
      break;
    case DType::kInt32:
      convert(raw.as<std::int32_t>());
      break;
    case DType::kInt64:
      convert(raw.as<std::int64_t>());
      break;
    case DType::kFloat16:
      std::transform(raw.as<std::uint16_t>().begin(), raw.as<std::uint16_t>().end(), out.begin(),
                     half_to_float);
      break;
    case DType::kBfloat16:
      std::transform(raw.as<std::uint16_t>().begin(), raw.as<std::uint16_t>().end(), out.begin(),
                     bfloat_to_float);
      break;
    case DType::kFloat32:
      break;
  }
  return real;
}

}  // namespace

bool has_integer(const Graph& graph, const Node& node) {
  return operator_of(node.kind).has_integer(graph, node);
}

Values run_integer(const Graph& graph, const std::vector<TensorData>& inputs) {
  graph::require_payload(graph);
  check_inputs(graph, inputs);
  Values values{std::vector<TensorData>(graph.tensors.size())};
  for (std::size_t id = 0; id < graph.tensors.size(); ++id) {
    const Tensor& tensor = graph.tensors[id];
    values.tensors[id].type = tensor.type;
    values.tensors[id].shape = tensor.shape;
    if (tensor.is_variable) values.tensors[id] = reset_state(tensor);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values.tensors[index_of(graph.inputs[i])] = inputs[i];
  }
  for (const Node& node : graph.nodes) {
    const Operator& op = operator_of(node.kind);
    if (!op.has_integer(graph, node)) {
      fail("{}: no integer reference for {}", graph::describe(node), types_of(graph, node));
    }
    for (const TensorId id : node.outputs) {
      values.tensors[index_of(id)] =
          TensorData::zeros(graph.tensor(id).type, graph.tensor(id).shape);
    }
    Invocation call(graph, node, values.tensors);
    op.run_integer(call);
  }
  return values;
}

Values run_float(const Graph& graph, const std::vector<TensorData>& inputs) {
  graph::require_payload(graph);
  check_inputs(graph, inputs);
  Values values{std::vector<TensorData>(graph.tensors.size())};
  for (std::size_t id = 0; id < graph.tensors.size(); ++id) {
    const Tensor& tensor = graph.tensors[id];
    values.tensors[id].type = DType::kFloat32;
    values.tensors[id].shape = tensor.shape;
    if (tensor.is_variable) {
      values.tensors[id] = TensorData::zeros(DType::kFloat32, tensor.shape);
    } else if (tensor.is_constant) {
      values.tensors[id] = dequantized(tensor, View(tensor.type, tensor.shape, tensor.data));
    }
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values.tensors[index_of(graph.inputs[i])] =
        dequantized(graph.tensor(graph.inputs[i]), inputs[i]);
  }
  for (const Node& node : graph.nodes) {
    for (const TensorId id : node.outputs) {
      values.tensors[index_of(id)] = TensorData::zeros(DType::kFloat32, graph.tensor(id).shape);
    }
    Invocation call(graph, node, values.tensors);
    operator_of(node.kind).run_float(call);
    for (const TensorId id : node.outputs) {
      const FloatRange range = real_range(graph.tensor(id));
      for (float& value : values.tensors[index_of(id)].as<float>()) {
        value = std::clamp(value, range.low, range.high);
      }
    }
  }
  for (std::size_t id = 0; id < graph.tensors.size(); ++id) {
    if (graph.tensors[id].is_constant) values.tensors[id].bytes.clear();
  }
  return values;
}

}  // namespace npu::reference
