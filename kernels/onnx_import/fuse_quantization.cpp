#include "kernels/onnx_import/fuse_quantization.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "kernels/onnx_import/quantization_nodes.h"
#include "kernels/onnx_import/quantized.h"
#include "sim/base/error.h"
#include "workloads/graph/node_rules.h"

namespace npu::onnx_import {
namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::Quantization;
using graph::Tensor;
using graph::TensorId;

/// General operators whose operands and results may be quantized.
bool is_general(const Node& node) {
  return (node.kind == OpKind::kMap && !dequantizes(node) && !quantizes(node)) ||
         node.kind == OpKind::kReduce || node.kind == OpKind::kLayerNorm ||
         node.kind == OpKind::kRmsNorm;
}

bool is_convolution(OpKind kind) {
  return kind == OpKind::kConv2d || kind == OpKind::kDepthwiseConv2d ||
         kind == OpKind::kTransposeConv;
}

/// What a float tensor stands for: (bytes − zero point) · scale.
struct Dequantized {
  TensorId bytes = graph::kAbsent;
  Quantization steps;
};

class Fuser {
 public:
  Fuser(Graph& graph, const std::map<TensorId, TensorId>& twins,
        const std::function<std::string(const Graph&, const Node&)>& refusal)
      : graph_(graph), twins_(twins), refusal_(refusal) {}

  void run() {
    fold();
    drop_unused();
  }

 private:
  [[nodiscard]] Tensor& at(TensorId id) { return graph_.tensors[static_cast<std::size_t>(id)]; }

  [[nodiscard]] bool runs(const Node& node) const {
    try {
      const graph::NodeView view{graph_, node};
      check_operands(view);
      check_shapes(view);
      check_types(view);
      return !refusal_ || refusal_(graph_, node).empty();
    } catch (const Error&) {
      return false;
    }
  }

  [[nodiscard]] const Dequantized* dequantized(TensorId id) const {
    const auto it = dequantized_.find(id);
    return it != dequantized_.end() ? &it->second : nullptr;
  }

  void note(const Node& dequantize) {
    const TensorId bytes = dequantize.inputs[0];
    const Quantization q = steps_of(dequantize);
    if (is_byte(at(bytes).type) && at(bytes).quantization == q) {
      dequantized_[dequantize.outputs[0]] = {bytes, q};
    }
  }

  void fold() {
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    const auto count = [&](TensorId id) { ++readers_[id]; };
    for (const Node& node : nodes) {
      std::ranges::for_each(node.inputs, count);
      if (quantizes(node) && at(node.outputs[0]).quantization) quantizer_[node.inputs[0]] = node;
    }
    std::ranges::for_each(graph_.outputs, count);
    for (const Node& node : nodes) {
      if (quantizes(node) && taken_.contains(node.outputs[0])) continue;
      if (dequantizes(node)) note(node);
      const bool is_done = quantizes(node)    ? requantize(node)
                           : is_move(node)    ? move_bytes(node)
                           : is_general(node) ? read_bytes(node)
                                              : multiply_bytes(node);
      if (!is_done) graph_.nodes.push_back(node);
    }
  }

  /// The bytes that the node's result becomes, if nothing else is done with it.
  [[nodiscard]] std::optional<TensorId> quantized_result(const Node& node) const {
    const auto it = quantizer_.find(node.outputs[0]);
    if (it == quantizer_.end() || readers_.at(node.outputs[0]) != 1) return std::nullopt;
    const TensorId bytes = it->second.outputs[0];
    return is_byte(graph_.tensor(bytes).type) ? std::optional(bytes) : std::nullopt;
  }

  bool add(Node node) {
    if (!runs(node)) return false;
    graph_.nodes.push_back(std::move(node));
    return true;
  }

  /// The node with these bytes as its result.
  bool add(Node node, TensorId bytes) {
    node.outputs[0] = bytes;
    if (!add(std::move(node))) return false;
    taken_.insert(bytes);
    return true;
  }

  /// Bytes of one quantization to bytes of another.
  bool requantize(const Node& node) {
    const Dequantized* x = dequantized(node.inputs[0]);
    const Tensor& y = at(node.outputs[0]);
    if (x == nullptr || !is_byte(y.type) || !y.quantization) return false;
    Node other = node;
    other.inputs = {x->bytes};
    if (at(x->bytes).type == y.type && x->steps == *y.quantization) {
      other.kind = OpKind::kReshape;
      other.attrs = {};
    } else {
      other.attrs = graph::MapAttrs{};
    }
    return add(std::move(other));
  }

  bool move_bytes(const Node& node) {
    if (!is_float(at(node.outputs[0]).type)) return false;
    if (const auto* a = std::get_if<graph::ActivationAttrs>(&node.attrs);
        a != nullptr && a->activation != graph::Activation::kNone) {
      return false;
    }
    Node bytes = node;
    const Dequantized* first = dequantized(node.inputs[0]);
    for (TensorId& id : bytes.inputs) {
      const Dequantized* x = dequantized(id);
      if (x == nullptr || x->steps != first->steps) return false;
      if (at(x->bytes).type != at(first->bytes).type) return false;
      id = x->bytes;
    }
    const Quantization q = first->steps;
    if (auto* pad = std::get_if<graph::PadAttrs>(&bytes.attrs)) pad->value = q.zero_point[0];
    const TensorId moved = add_like(graph_, node.outputs[0], first->bytes);
    bytes.outputs = {moved};
    if (!add(std::move(bytes))) return false;
    const graph::MapAttrs attrs{MapFunction::kDequantize, static_cast<double>(q.scale[0]),
                                static_cast<double>(q.zero_point[0])};
    graph_.nodes.push_back({OpKind::kMap, {moved}, node.outputs, attrs, node.source_index});
    dequantized_[node.outputs[0]] = {moved, q};
    return true;
  }

  bool read_bytes(const Node& node) {
    Node bytes = node;
    const bool is_norm = node.kind == OpKind::kLayerNorm || node.kind == OpKind::kRmsNorm;
    for (std::size_t i = 0; i < (is_norm ? 1 : bytes.inputs.size()); ++i) {
      const Dequantized* x = dequantized(bytes.inputs[i]);
      if (x != nullptr) bytes.inputs[i] = x->bytes;
    }
    const std::optional<TensorId> result = quantized_result(node);
    if (result && is_float(at(node.outputs[0]).type) && add(bytes, *result)) return true;
    return bytes.inputs != node.inputs && add(std::move(bytes));
  }

  /// The operand's bytes: of a constant, or of what was dequantized.
  [[nodiscard]] std::optional<TensorId> bytes_of(TensorId id) const {
    if (const Dequantized* x = dequantized(id)) return x->bytes;
    const auto twin = twins_.find(id);
    return twin != twins_.end() ? std::optional(twin->second) : std::nullopt;
  }

  /// A float32 bias in units of the sums; nothing if it leaves int32, or if the weights have scales
  /// along another axis than the output channels.
  std::optional<TensorId> bias_sums(TensorId bias, const Tensor& x, const Tensor& w,
                                    double factor) {
    const Tensor& from = at(bias);
    if (from.type != DType::kFloat32 || !from.is_constant) return std::nullopt;
    const std::vector<float>& scales = w.quantization->scale;
    if (scales.size() != 1 && scales.size() * sizeof(float) != from.data.size())
      return std::nullopt;
    Tensor to;
    to.name = from.name;
    to.type = DType::kInt32;
    to.shape = from.shape;
    to.is_constant = true;
    for (std::size_t i = 0; i * sizeof(float) < from.data.size(); ++i) {
      float real = 0;
      std::memcpy(&real, from.data.data() + i * sizeof real, sizeof real);
      const auto w_scale = static_cast<double>(scales[scales.size() == 1 ? 0 : i]);
      const double unit = static_cast<double>(x.quantization->scale[0]) * w_scale * factor;
      const double sum = std::nearbyint(static_cast<double>(real) / unit);
      if (!(std::abs(sum) <= std::numeric_limits<std::int32_t>::max())) return std::nullopt;
      const auto whole = static_cast<std::int32_t>(sum);
      const auto bytes = std::as_bytes(std::span(&whole, 1));
      to.data.insert(to.data.end(), bytes.begin(), bytes.end());
    }
    graph_.tensors.push_back(std::move(to));
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }

  bool multiply_bytes(const Node& node) {
    const bool is_window = is_convolution(node.kind);
    const bool is_product = node.kind == OpKind::kFullyConnected || node.kind == OpKind::kMatMul;
    if ((!is_window && !is_product) || !is_float(at(node.inputs[0]).type)) return false;
    const std::optional<TensorId> x = bytes_of(node.inputs[0]);
    const std::optional<TensorId> w = bytes_of(node.inputs[1]);
    const std::optional<TensorId> result = quantized_result(node);
    if (!x || !w || (is_window && !result)) return false;
    Node bytes = node;
    bytes.inputs[0] = *x;
    bytes.inputs[1] = *w;
    if (node.kind == OpKind::kFullyConnected) {
      if (at(*x).shape.size() < 2 || at(*x).shape.back() != at(*w).shape.back()) return false;
      bytes.kind = OpKind::kMatMul;
      bytes.attrs =
          graph::MatMulAttrs{true, std::get<graph::ActivationAttrs>(node.attrs).activation};
    }
    double factor = 1;
    if (auto* window = std::get_if<graph::WindowAttrs>(&bytes.attrs)) {
      window->rescale = graph::Rescale::kFloat;
    } else {
      factor = static_cast<double>(std::get<graph::MatMulAttrs>(bytes.attrs).scale);
    }
    if (node.inputs.size() > 2 && node.inputs[2] != graph::kAbsent) {
      const auto bias = bias_sums(node.inputs[2], Tensor(at(*x)), Tensor(at(*w)), factor);
      if (!bias) return false;
      bytes.inputs[2] = *bias;
    }
    return result ? add(std::move(bytes), *result) : add(std::move(bytes));
  }

  /// What was dequantized for readers that take the bytes now.
  void drop_unused() {
    std::map<TensorId, int> readers = reader_counts(graph_);
    std::vector<Node> kept;
    for (std::size_t n = graph_.nodes.size(); n-- > 0;) {
      Node& node = graph_.nodes[n];
      if (dequantizes(node) && readers[node.outputs[0]] == 0) {
        --readers[node.inputs[0]];
        continue;
      }
      kept.push_back(std::move(node));
    }
    std::ranges::reverse(kept);
    graph_.nodes = std::move(kept);
  }

  Graph& graph_;
  const std::map<TensorId, TensorId>& twins_;
  const std::function<std::string(const Graph&, const Node&)>& refusal_;
  std::map<TensorId, Dequantized> dequantized_;  ///< By float tensor.
  std::map<TensorId, int> readers_;
  std::map<TensorId, Node> quantizer_;  ///< By float tensor.
  std::set<TensorId> taken_;            ///< Results of quantizers that other nodes have now.
};

}  // namespace

void fuse_quantization(Graph& graph, const std::map<TensorId, TensorId>& twins,
                       const std::function<std::string(const Graph&, const Node&)>& refusal) {
  const auto converts = [](const Node& node) { return dequantizes(node) || quantizes(node); };
  if (std::ranges::none_of(graph.nodes, converts)) return;
  prepare_quantization(graph);
  Fuser(graph, twins, refusal).run();
}

}  // namespace npu::onnx_import
