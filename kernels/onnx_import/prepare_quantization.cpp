#include <algorithm>
#include <cmath>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "kernels/onnx_import/quantization_nodes.h"
#include "kernels/onnx_import/quantized.h"

namespace npu::onnx_import {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::Quantization;
using graph::Tensor;
using graph::TensorId;

bool is_map(const Node& node, MapFunction function) {
  const auto* map = std::get_if<graph::MapAttrs>(&node.attrs);
  return map != nullptr && map->function == function;
}
bool dequantizes(const Node& node) { return is_map(node, MapFunction::kDequantize); }
bool quantizes(const Node& node) { return is_map(node, MapFunction::kQuantize); }

Quantization steps_of(const Node& node) {
  const auto& map = std::get<graph::MapAttrs>(node.attrs);
  return steps(static_cast<float>(map.imm0), static_cast<std::int32_t>(map.imm1));
}

bool is_selection(const Node& node) {
  return node.kind == OpKind::kReshape || node.kind == OpKind::kTranspose ||
         node.kind == OpKind::kStridedSlice || node.kind == OpKind::kMaxPool2d;
}
bool is_move(const Node& node) {
  return is_selection(node) || node.kind == OpKind::kPad || node.kind == OpKind::kConcatenation;
}

std::map<TensorId, int> reader_counts(const Graph& graph) {
  std::map<TensorId, int> counts;
  for (const Node& node : graph.nodes) {
    for (const TensorId id : node.inputs) ++counts[id];
  }
  for (const TensorId id : graph.outputs) ++counts[id];
  return counts;
}

TensorId add_like(Graph& graph, TensorId shape_of, TensorId type_of) {
  Tensor t;
  t.name = graph.tensor(shape_of).name;
  t.shape = graph.tensor(shape_of).shape;
  t.type = graph.tensor(type_of).type;
  t.quantization = graph.tensor(type_of).quantization;
  graph.tensors.push_back(std::move(t));
  return static_cast<TensorId>(graph.tensors.size() - 1);
}

namespace {

class Preparation {
 public:
  explicit Preparation(Graph& graph) : graph_(graph) {}

  void run() {
    settle();
    drop_clamps();
    raise();
  }

 private:
  [[nodiscard]] Tensor& at(TensorId id) { return graph_.tensors[static_cast<std::size_t>(id)]; }

  /// Bytes that are only dequantized, all in one way, have that quantization.
  void settle() {
    std::map<TensorId, std::optional<Quantization>> wanted;  // Without a value: impossible.
    const auto want = [&](TensorId id, const std::optional<Quantization>& q) {
      if (id == graph::kAbsent || !is_byte(at(id).type)) return;
      const auto [entry, is_first] = wanted.emplace(id, q);
      if (!is_first && entry->second != q) entry->second.reset();
    };
    for (std::size_t n = graph_.nodes.size(); n-- > 0;) {
      const Node& node = graph_.nodes[n];
      std::optional<Quantization> q;
      if (dequantizes(node)) {
        q = steps_of(node);
      } else if (is_selection(node)) {
        const auto result = wanted.find(node.outputs[0]);
        if (result != wanted.end()) q = result->second;
      }
      for (const TensorId id : node.inputs) want(id, q);
    }
    const auto take = [&](TensorId id) {
      const auto entry = wanted.find(id);
      if (entry != wanted.end() && entry->second && !at(id).quantization && !at(id).is_constant) {
        at(id).quantization = entry->second;
      }
    };
    for (const TensorId id : graph_.inputs) take(id);
    for (const Node& node : graph_.nodes) {
      if (is_selection(node) && at(node.inputs[0]).quantization) take(node.outputs[0]);
    }
  }

  /// Bounds of relu and clip that saturation has anyway: quantize reads what came before them.
  void drop_clamps() {
    std::map<TensorId, int> readers = reader_counts(graph_);
    std::map<TensorId, Node*> maker;
    for (Node& node : graph_.nodes) {
      if (quantizes(node) && is_byte(at(node.outputs[0]).type)) {
        for (auto it = maker.find(node.inputs[0]); it != maker.end();
             it = maker.find(node.inputs[0])) {
          Node& clamp = *it->second;
          if (readers[clamp.outputs[0]] != 1 || !saturates(clamp, node)) break;
          node.inputs[0] = clamp.inputs[0];
          clamp.inputs.clear();
        }
      }
      maker[node.outputs[0]] = &node;
    }
    std::erase_if(graph_.nodes, [](const Node& node) { return node.inputs.empty(); });
  }

  /// True if the clamp's bounds become the least and greatest of the bytes.
  [[nodiscard]] bool saturates(const Node& clamp, const Node& quantize) {
    const bool is_relu = is_map(clamp, MapFunction::kRelu);
    if ((!is_relu && !is_map(clamp, MapFunction::kClip)) || clamp.inputs.size() != 1) return false;
    const auto& map = std::get<graph::MapAttrs>(clamp.attrs);
    const Quantization q = steps_of(quantize);
    const bool is_signed = at(quantize.outputs[0]).type == DType::kInt8;
    const double least = is_signed ? -128 : 0;
    const auto step = [&](double bound) {
      const float steps = static_cast<float>(bound) / q.scale[0];
      return std::nearbyint(static_cast<double>(steps)) + q.zero_point[0];
    };
    const bool is_low_free = step(is_relu ? 0 : map.imm0) <= least;
    return is_low_free && (is_relu || step(map.imm1) >= least + 255);
  }

  /// Quantize goes before the move whose result it alone reads: fewer bytes move, and what made
  /// them may take it.
  void raise() {
    std::map<TensorId, int> readers = reader_counts(graph_);
    std::list<Node> nodes(std::make_move_iterator(graph_.nodes.begin()),
                          std::make_move_iterator(graph_.nodes.end()));
    std::map<TensorId, std::list<Node>::iterator> maker;
    for (auto it = nodes.begin(); it != nodes.end(); ++it) maker[it->outputs[0]] = it;
    for (auto it = nodes.end(); it != nodes.begin();) {
      --it;
      if (!quantizes(*it) || !at(it->outputs[0]).quantization || readers[it->inputs[0]] != 1) {
        continue;
      }
      const auto before = maker.find(it->inputs[0]);
      if (before == maker.end()) continue;
      const Node move = *before->second;
      if (!is_move(move) || move.kind == OpKind::kPad || move.kind == OpKind::kStridedSlice) {
        continue;
      }
      Node bytes = move;
      bytes.outputs = it->outputs;
      for (TensorId& x : bytes.inputs) {
        Node quantize = *it;
        quantize.inputs = {x};
        x = add_like(graph_, x, it->outputs[0]);
        quantize.outputs = {x};
        maker[x] = nodes.insert(before->second, std::move(quantize));
      }
      nodes.erase(before->second);
      maker.erase(before);
      *it = std::move(bytes);
    }
    graph_.nodes.assign(std::make_move_iterator(nodes.begin()),
                        std::make_move_iterator(nodes.end()));
  }

  Graph& graph_;
};

}  // namespace

void prepare_quantization(Graph& graph) { Preparation(graph).run(); }

}  // namespace npu::onnx_import
