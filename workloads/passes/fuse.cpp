#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "workloads/passes/passes.h"

namespace npu::passes {
namespace {

using graph::Activation;
using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::Tensor;
using graph::TensorId;

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr std::int64_t kMaxPad = 65535;  ///< verify()'s bound on a window's padding.

std::string name_with_index(const Node& node) {
  return fmt::format("{} #{}", graph::name_of(node.kind), node.source_index);
}

std::size_t at(TensorId id) { return static_cast<std::size_t>(id); }

/// What padding with real 0 looks like in the tensor.
std::int32_t zero_of(const Tensor& t) {
  const bool quantized =
      t.type == DType::kInt8 || t.type == DType::kUint8 || t.type == DType::kInt16;
  return quantized && t.quantization.has_value() ? t.quantization->zero_point[0] : 0;
}

bool add_padding(graph::Window& w, const graph::PadAttrs& pad) {
  const std::int64_t top = w.pad_top + pad.before[1];
  const std::int64_t bottom = w.pad_bottom + pad.after[1];
  const std::int64_t left = w.pad_left + pad.before[2];
  const std::int64_t right = w.pad_right + pad.after[2];
  if (std::max({top, bottom, left, right}) > kMaxPad) return false;
  w.pad_top = static_cast<int>(top);
  w.pad_bottom = static_cast<int>(bottom);
  w.pad_left = static_cast<int>(left);
  w.pad_right = static_cast<int>(right);
  return true;
}

Activation activation_of(OpKind kind) {
  if (kind == OpKind::kRelu) return Activation::kRelu;
  if (kind == OpKind::kRelu6) return Activation::kRelu6;
  if (kind == OpKind::kReluN1To1) return Activation::kReluN1To1;
  return Activation::kNone;
}

/// The fused activation of operators that clamp their output, or nullptr.
Activation* fused_activation(Node& node) {
  if (auto* window = std::get_if<graph::WindowAttrs>(&node.attrs)) return &window->activation;
  const bool clamps = node.kind == OpKind::kFullyConnected || node.kind == OpKind::kAdd ||
                      node.kind == OpKind::kSub || node.kind == OpKind::kMul;
  return clamps ? &std::get<graph::ActivationAttrs>(node.attrs).activation : nullptr;
}

/// Walks the nodes in execution order and back; what it fuses away stays in place until the end.
class Fuser {
 public:
  explicit Fuser(Graph& graph)
      : graph_(graph),
        removed_(graph.nodes.size(), false),
        producer_(graph.tensors.size(), kNone),
        reader_(graph.tensors.size(), kNone),
        reads_(graph.tensors.size(), 0),
        alias_(graph.tensors.size(), graph::kAbsent),
        is_output_(graph.tensors.size(), false) {
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      for (const TensorId id : graph.nodes[n].outputs) producer_[at(id)] = n;
      for (const TensorId id : graph.nodes[n].inputs) {
        if (id == graph::kAbsent) continue;
        reader_[at(id)] = n;
        ++reads_[at(id)];
      }
    }
    for (const TensorId id : graph.outputs) {
      is_output_[at(id)] = true;
      ++reads_[at(id)];
    }
  }

  std::vector<std::string> run() {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      for (TensorId& id : graph_.nodes[n].inputs) {
        if (id != graph::kAbsent && alias_[at(id)] != graph::kAbsent) id = alias_[at(id)];
      }
      removed_[n] = fuse_node(n);
    }
    // Backwards: a PAD before a PAD meets the convolution once the later one is gone.
    for (std::size_t n = graph_.nodes.size(); n-- > 0;) {
      if (graph_.nodes[n].kind == OpKind::kPad) removed_[n] = fuse_pad(n);
    }
    std::size_t n = 0;
    std::erase_if(graph_.nodes, [&](const Node&) { return removed_[n++]; });
    return std::move(log_);
  }

 private:
  bool fuse_node(std::size_t n) {
    switch (graph_.nodes[n].kind) {
      case OpKind::kRelu:
      case OpKind::kRelu6:
      case OpKind::kReluN1To1:
        return fuse_activation(n);
      case OpKind::kQuantize:
        return remove_quantize(n);
      default:
        return false;
    }
  }

  /// The node that alone reads the tensor, or kNone.
  [[nodiscard]] std::size_t only_reader(TensorId id) const {
    return reads_[at(id)] == 1 && !is_output_[at(id)] ? reader_[at(id)] : kNone;
  }

  /// PAD `n` into the convolution behind it.
  bool fuse_pad(std::size_t n) {
    const Node& pad = graph_.nodes[n];
    const auto& amounts = std::get<graph::PadAttrs>(pad.attrs);
    const TensorId padded = pad.outputs[0];
    const std::size_t reader = only_reader(padded);
    if (reader == kNone) return false;
    Node& conv = graph_.nodes[reader];
    const bool convolution = conv.kind == OpKind::kConv2d || conv.kind == OpKind::kDepthwiseConv2d;
    const bool spatial = amounts.before.size() == 4 && amounts.before[0] == 0 &&
                         amounts.after[0] == 0 && amounts.before[3] == 0 && amounts.after[3] == 0;
    if (!convolution || conv.inputs[0] != padded || !spatial ||
        amounts.value != zero_of(graph_.tensor(padded)) ||
        !add_padding(std::get<graph::WindowAttrs>(conv.attrs).window, amounts)) {
      return false;
    }
    conv.inputs[0] = pad.inputs[0];
    reader_[at(pad.inputs[0])] = reader;
    log_.push_back(fmt::format("{} into {}", name_with_index(pad), name_with_index(conv)));
    return true;
  }

  /// Activation `n` into the operator before it.
  bool fuse_activation(std::size_t n) {
    const Node& relu = graph_.nodes[n];
    const TensorId before = relu.inputs[0];
    const TensorId after = relu.outputs[0];
    const std::size_t producer = producer_[at(before)];
    if (producer == kNone || only_reader(before) != n ||
        !graph::same_quantization(graph_.tensor(before), graph_.tensor(after))) {
      return false;
    }
    Node& node = graph_.nodes[producer];
    Activation* fused = fused_activation(node);
    const Activation wanted = activation_of(relu.kind);
    if (fused == nullptr || (*fused != Activation::kNone && *fused != wanted)) return false;
    *fused = wanted;
    node.outputs[0] = after;
    producer_[at(after)] = producer;
    log_.push_back(fmt::format("{} into {}", name_with_index(relu), name_with_index(node)));
    return true;
  }

  /// QUANTIZE `n` that changes nothing: its readers take its input.
  bool remove_quantize(std::size_t n) {
    const Node& quantize = graph_.nodes[n];
    const TensorId x = quantize.inputs[0];
    const TensorId y = quantize.outputs[0];
    const bool read = reads_[at(y)] > 0;
    if (!read || is_output_[at(y)] || graph_.tensor(x).type != graph_.tensor(y).type ||
        !graph::same_quantization(graph_.tensor(x), graph_.tensor(y))) {
      return false;
    }
    alias_[at(y)] = x;
    reads_[at(x)] += reads_[at(y)] - 1;
    reader_[at(x)] = reader_[at(y)];
    log_.push_back(fmt::format("{} removed", name_with_index(quantize)));
    return true;
  }

  Graph& graph_;
  std::vector<bool> removed_;
  std::vector<std::size_t> producer_, reader_;
  std::vector<int> reads_;       ///< How often a tensor is read, by nodes or as an output.
  std::vector<TensorId> alias_;  ///< Output of a removed QUANTIZE: its input.
  std::vector<bool> is_output_;
  std::vector<std::string> log_;
};

}  // namespace

std::vector<std::string> fuse(Graph& graph) { return Fuser(graph).run(); }

}  // namespace npu::passes
