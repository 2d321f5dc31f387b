#include <algorithm>
#include <array>

#include "kernels/mapper/mapping.h"
#include "kernels/mapper/tile_space.h"
#include "sim/base/error.h"

namespace npu::mapper {
namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::Tensor;
using std::int64_t;

int64_t streamed_bytes(const Storages& storages, graph::TensorId id, int64_t bytes) {
  return storages.of(id).resident ? 0 : bytes;
}

void channels_last(WindowProblem& p, const Tensor& x, const Tensor& y) {
  if (x.shape.size() != 4 || y.shape.size() != 4)
    fail("expected rank 4, got {} and {}", x.shape.size(), y.shape.size());
  p.batch = y.shape[0];
  p.out_h = y.shape[1];
  p.out_w = y.shape[2];
  p.out_c = y.shape[3];
  p.in_h = x.shape[1];
  p.in_w = x.shape[2];
  p.in_c = x.shape[3];
}

/// out = in·stride − pad + tap as a convolution over x upsampled by the stride, with the kernel
/// flipped.
void upsample(WindowProblem& p) {
  graph::Window& w = p.window;
  p.up_h = w.stride_h;
  p.up_w = w.stride_w;
  w.pad_top = w.kernel_h - 1 - w.pad_top;
  w.pad_left = w.kernel_w - 1 - w.pad_left;
  w.pad_bottom = w.pad_right = 0;  // implied by the output's size
  w.stride_h = w.stride_w = 1;
}

ChunkProblem binary_problem(const Graph& graph, const Node& node, const Storages& storages) {
  const Tensor& a = graph.tensor(node.inputs[0]);
  const Tensor& b = graph.tensor(node.inputs[1]);
  const Tensor& y = graph.tensor(node.outputs[0]);
  const std::vector<BroadcastDim> dims = broadcast_dims(a.shape, b.shape, y.shape);
  const int64_t e = size_of(y.type);
  ChunkProblem p{{"a", "b", "y"}, {}, {{"params", kBinaryBytes, 1, -1}}};
  // vec.add walks three dimensions: the cut one and two inside it.
  const std::size_t first = dims.size() > 3 ? dims.size() - 3 : 0;
  int64_t outer = 1;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (d >= first) {
      std::array<int64_t, 3> inner{e, e, e};
      for (std::size_t i = d + 1; i < dims.size(); ++i) {
        if (dims[i].a) inner[0] *= dims[i].size;
        if (dims[i].b) inner[1] *= dims[i].size;
        inner[2] *= dims[i].size;
      }
      const int64_t ab = streamed_bytes(storages, node.inputs[0], inner[0]);
      const int64_t bb = streamed_bytes(storages, node.inputs[1], inner[1]);
      const int64_t yb = streamed_bytes(storages, node.outputs[0], inner[2]);
      p.levels.push_back({dims[d].size,
                          outer,
                          {dims[d].a ? ab : 0, dims[d].b ? bb : 0, yb},
                          {dims[d].a ? 0 : ab, dims[d].b ? 0 : bb, 0}});
    }
    outer *= dims[d].size;
  }
  return p;
}

ChunkProblem svdf_problem(const Graph& graph, const Node& node, const Storages& storages) {
  const auto& attrs = std::get<graph::SvdfAttrs>(node.attrs);
  const Tensor& x = graph.tensor(node.inputs[0]);
  const Tensor& wt = graph.tensor(node.inputs[2]);
  const Tensor& y = graph.tensor(node.outputs[0]);
  const Tensor& state = graph.tensor(node.inputs[4]);
  const int64_t inputs = x.shape[1];
  const int64_t memory = wt.shape[1];
  const int64_t rank = attrs.rank;
  const int64_t weights = rank * (inputs + memory * size_of(wt.type)) + record_bytes(false);
  const int64_t y_bytes = streamed_bytes(storages, node.outputs[0], size_of(y.type));
  // Per unit: `rank` filters. The weight block also holds the feature record and the padding
  // between its parts.
  return {{"w", "state", "y"},
          {{y.shape[1],
            x.shape[0],
            {weights, rank * memory * size_of(state.type), y_bytes},
            {64, 0, 0}}},
          {{"x", streamed_bytes(storages, node.inputs[0], inputs), 2, -1}}};
}

}  // namespace

bool is_window(const Graph& graph, const Node& node) {
  switch (node.kind) {
    case OpKind::kMatMul:
      return has_packed_weights(graph, node);
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kTransposeConv:
    case OpKind::kFullyConnected:
    case OpKind::kAveragePool2d:
    case OpKind::kMaxPool2d:
      return true;
    default:
      return false;
  }
}

bool is_move(OpKind kind) {
  return kind == OpKind::kPad || kind == OpKind::kConcatenation || kind == OpKind::kPack ||
         kind == OpKind::kTranspose || kind == OpKind::kStridedSlice || kind == OpKind::kGather;
}

bool is_reduction(OpKind kind) { return kind == OpKind::kMean || kind == OpKind::kSum; }

bool is_curve(const Graph& graph, const Node& node) {
  return (node.kind == OpKind::kLogistic || node.kind == OpKind::kTanh) &&
         graph.tensor(node.inputs[0]).type == DType::kInt16;
}

bool is_rescale(const Graph& graph, const Node& node) {
  if (node.kind != OpKind::kConcatenation || node.inputs.size() != 1) return false;
  const auto& x = graph.tensor(node.inputs[0]).quantization;
  const auto& y = graph.tensor(node.outputs[0]).quantization;
  return x && y && (x->scale != y->scale || x->zero_point != y->zero_point);
}

namespace {

/// Whether one requantization record does for all output channels of an array layer.
bool has_uniform_params(const Graph& graph, const Node& node) {
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != graph::kAbsent;
  const auto& q = graph.tensor(node.inputs[1]).quantization;
  return !has_bias && q && !q->per_channel();
}

/// Fixed-point multipliers of vec.requantize, or else vec.output.
bool has_multipliers(const WindowProblem& p, const Graph& graph, const Node& node) {
  return !is_float(p.type) && graph.tensor(node.outputs[0]).type != DType::kInt32 &&
         node.kind != OpKind::kMatMul && !graph::rescales_in_float(node);
}

}  // namespace

void set_output(WindowProblem& p, const Graph& graph, const Node& node) {
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != graph::kAbsent;
  const DType y = graph.tensor(node.outputs[0]).type;
  if (has_multipliers(p, graph, node)) {
    p.param_bytes = record_bytes(p.wide);
    p.uniform_params = has_uniform_params(graph, node);
    return;
  }
  p.output = y == DType::kInt32 ? OutputKind::kRaw : OutputKind::kScale;
  p.adds_bias = has_bias && !is_float(p.type);
  p.param_bytes =
      (p.output == OutputKind::kScale ? kScaleRecordBytes : 0) + (p.adds_bias ? kBiasBytes : 0);
  const auto& w = graph.tensor(node.inputs[1]).quantization;
  p.uniform_params = !has_bias && !(w && w->per_channel());
}

WindowProblem window_problem(const Graph& graph, const Node& node, const Storages& storages) {
  if (node.kind == OpKind::kMatMul)
    return products_problem(graph, node, storages, products_of(graph, node));
  const Tensor& x = graph.tensor(node.inputs[0]);
  const Tensor& y = graph.tensor(node.outputs[0]);
  WindowProblem p;
  p.x_size = size_of(x.type);
  p.y_size = size_of(y.type);
  p.wide = x.type == DType::kInt16;
  p.x_resident = storages.of(node.inputs[0]).resident;
  p.y_resident = storages.of(node.outputs[0]).resident;
  p.type = x.type;
  if (node.inputs.size() > 1) set_output(p, graph, node);
  if (node.kind == OpKind::kFullyConnected) {
    const Tensor& w = graph.tensor(node.inputs[1]);
    p.kind = WindowKind::kGemm;
    p.w_size = size_of(w.type);
    p.out_c = w.shape[0];
    p.in_c = w.shape[1];
    p.out_w = p.in_w = x.bytes() / p.x_size / p.in_c;
    return p;
  }
  const auto& attrs = std::get<graph::WindowAttrs>(node.attrs);
  p.window = attrs.window;
  channels_last(p, x, y);
  switch (node.kind) {
    case OpKind::kConv2d:
      p.groups = attrs.groups;
      p.in_c /= p.groups;
      p.out_c /= p.groups;
      break;
    case OpKind::kDepthwiseConv2d:
      p.kind = WindowKind::kDepthwise;
      p.multiplier = attrs.depth_multiplier;
      break;
    case OpKind::kTransposeConv:
      upsample(p);
      break;
    default:
      p.kind = WindowKind::kPool;
      return p;
  }
  p.w_size = size_of(graph.tensor(node.inputs[1]).type);
  return p;
}

ChunkProblem chunk_problem(const Graph& graph, const Node& node, const Storages& storages,
                           int64_t softmax_block) {
  if (is_tiled(graph, node)) return tile_problem(graph, node, storages, softmax_block);
  const Tensor& x = graph.tensor(node.inputs[0]);
  const Tensor& y = graph.tensor(node.outputs[0]);
  const int64_t xe = streamed_bytes(storages, node.inputs[0], size_of(x.type));
  const int64_t ye = streamed_bytes(storages, node.outputs[0], size_of(y.type));
  switch (node.kind) {
    case OpKind::kAdd:
    case OpKind::kSub:
    case OpKind::kMul:
    case OpKind::kMaximum:
    case OpKind::kMinimum:
      return binary_problem(graph, node, storages);
    case OpKind::kSvdf:
      return svdf_problem(graph, node, storages);
    case OpKind::kSoftmax: {
      const int64_t row = x.shape.back();
      const int64_t constants = x.type == DType::kInt16 ? kSoftmaxTableBlock : kSoftmaxBytes;
      return {{"x", "y"},
              {{element_count(x.shape) / row, 1, {row * xe, row * ye}, {0, 0}}},
              {{"params", constants, 1, -1}}};
    }
    default: {
      // Operators of one operand: a table of 256 entries for 8-bit inputs, an interpolation or a
      // rescale for wider ones.
      const int64_t constants = size_of(x.type) == 1    ? 256 * size_of(y.type)
                                : is_curve(graph, node) ? kCurveBytes
                                                        : kRescaleBytes;
      return {{"x", "y"},
              {{element_count(x.shape), 1, {xe, ye}, {0, 0}}},
              {{"params", constants, 1, -1}}};
    }
  }
}

}  // namespace npu::mapper
