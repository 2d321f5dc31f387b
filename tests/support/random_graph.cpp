#include "tests/support/random_graph.h"

#include <algorithm>
#include <cstring>

#include "tests/support/graph_maker.h"
#include "tests/support/random_layers.h"

namespace npu::test {

using graph::OpKind;

std::vector<DType> layer_types(OpKind kind) {
  using enum DType;
  switch (kind) {
    case OpKind::kSplit:
    case OpKind::kLogSoftmax:
    case OpKind::kDequantize:
      return {};
    case OpKind::kHardSwish:
      return {kInt8, kUint8};
    case OpKind::kSvdf:
      return {kInt8};
    default:
      return {kInt8, kUint8, kInt16};
  }
}

graph::Graph random_layer(std::mt19937_64& rng, OpKind kind, DType type, int size) {
  const std::vector<DType> types = layer_types(kind);
  NPU_CHECK(is_float(type) || std::find(types.begin(), types.end(), type) != types.end(),
            "no such layer");
  NPU_CHECK(size >= 2, "size must be 2 or more");
  Draw draw(rng);
  switch (kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kTransposeConv:
    case OpKind::kFullyConnected:
    case OpKind::kAveragePool2d:
    case OpKind::kMaxPool2d:
    case OpKind::kSvdf:
      return random_window_layer(draw, kind, type, size);
    case OpKind::kPad:
    case OpKind::kConcatenation:
    case OpKind::kReshape:
    case OpKind::kTranspose:
    case OpKind::kStridedSlice:
    case OpKind::kPack:
      return random_move_layer(draw, kind, type, size);
    default:
      return random_vector_layer(draw, kind, type, size);
  }
}

std::vector<TensorData> random_inputs(std::mt19937_64& rng, const graph::Graph& graph) {
  Draw draw(rng);
  std::vector<TensorData> inputs;
  for (const graph::TensorId id : graph.inputs) {
    const graph::Tensor& t = graph.tensor(id);
    TensorData data{t.type, t.shape, draw.bytes(t.type, element_count(t.shape))};
    const bool extreme = !is_float(t.type) && draw.one_in(8);
    if (extreme) {  // All lowest or all highest: accumulators at their limits.
      const bool low = draw.one_in(2);
      const bool sign = t.type != DType::kUint8;
      const auto width = static_cast<std::size_t>(size_of(t.type));
      for (std::size_t i = 0; i < data.bytes.size(); ++i) {
        const bool top = i % width == width - 1;
        const int highest = top && sign ? 0x7f : 0xff;
        data.bytes[i] = static_cast<std::byte>(low ? 0xff - highest : highest);
      }
    }
    inputs.push_back(std::move(data));
  }
  return inputs;
}

}  // namespace npu::test
