#include "kernels/lowering/attention_expand.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/cost/layer_cost.h"
#include "kernels/mapper/attention_plan.h"
#include "kernels/mapper/decisions.h"
#include "kernels/mapper/mapping.h"
#include "kernels/mapper/mapping_error.h"
#include "sim/base/error.h"
#include "sim/base/yaml_text.h"

namespace npu::kernels {
namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::TensorId;
using std::int64_t;

const AttentionChoice* find_choice(const std::vector<AttentionChoice>& choices, TensorId output) {
  const auto it = std::find_if(choices.begin(), choices.end(),
                               [&](const AttentionChoice& c) { return c.output == output; });
  return it == choices.end() ? nullptr : &*it;
}

AttentionVariant decided_variant(const Node& node, AttentionVariant wanted,
                                 const mapper::Decisions* decisions) {
  const mapper::AttentionDecision* d =
      decisions == nullptr ? nullptr : decisions->attention_of(node.outputs.at(0));
  if (d == nullptr) return wanted;
  const AttentionVariant variant = d->fused ? AttentionVariant::kFused : AttentionVariant::kUnfused;
  if (wanted != AttentionVariant::kAuto && wanted != variant) {
    mapper::fail_mapping({.kind = mapper::FaultKind::kUnsupported,
                          .key = fmt::format("attention.{}.variant", d->output)},
                         "attention: tensor {}: the mapping says {}, --attention the opposite",
                         d->output, d->fused ? "fused" : "unfused");
  }
  return variant;
}

std::string shown_name(const graph::Tensor& tensor) {
  return yaml::quoted(tensor.name.empty() ? "?" : mapper::printable(tensor.name));
}

/// @throws MappingError for a decision on an ATTENTION that is not there.
void require_attention(const Graph& graph, const mapper::Decisions& decisions) {
  for (const mapper::AttentionDecision& d : decisions.attention) {
    const bool there = std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
      return node.kind == OpKind::kAttention && node.outputs.at(0) == d.output;
    });
    if (there) continue;
    mapper::fail_mapping(
        {.kind = mapper::FaultKind::kName, .key = fmt::format("attention.{}.tensor", d.output)},
        "attention: tensor {} is the output of no ATTENTION", d.output);
  }
}

/// The nodes that one ATTENTION becomes.
class Expansion {
 public:
  Expansion(Graph& graph, const Node& node, std::vector<Node>& nodes)
      : graph_(graph), node_(node), nodes_(nodes), shape_(mapper::attention_shape(graph, node)) {}

  void run() {
    const auto& attrs = std::get<graph::AttentionAttrs>(node_.attrs);
    const mapper::AttentionShape& s = shape_;
    const int64_t positions = s.group * s.rows;
    const Shape grouped = {s.batch, s.key_heads, positions, s.keys};
    const Shape by_head = {s.batch, s.key_heads * s.group, s.rows, s.keys};
    const TensorId q = reshaped(node_.inputs[0], {s.batch, s.key_heads, positions, s.depth});
    TensorId scores = add("scores", DType::kFloat32, grouped);
    emit(OpKind::kMatMul, {q, node_.inputs[1], graph::kAbsent}, scores,
         graph::MatMulAttrs{.transpose_b = true, .scale = attrs.scale});
    scores = reshaped(scores, by_head);
    if (s.mask_size > 0) scores = masked(scores, node_.inputs[3], by_head);
    if (s.causal && s.rows > 1) scores = masked(scores, causal_mask(), by_head);
    TensorId weights = add("softmax", DType::kFloat32, by_head);
    emit(OpKind::kSoftmax, {scores}, weights, graph::SoftmaxAttrs{});
    weights = reshaped(converted(weights, by_head), grouped);
    const TensorId v = node_.inputs[2];
    const TensorId y = node_.outputs[0];
    const Shape sums = {s.batch, s.key_heads, positions, s.value_depth};
    if (graph_.tensor(y).shape == sums) {
      emit(OpKind::kMatMul, {weights, v, graph::kAbsent}, y, graph::MatMulAttrs{});
      return;
    }
    const TensorId product = add("output", graph_.tensor(y).type, sums);
    graph_.tensors[static_cast<std::size_t>(product)].quantization = graph_.tensor(y).quantization;
    emit(OpKind::kMatMul, {weights, v, graph::kAbsent}, product, graph::MatMulAttrs{});
    emit(OpKind::kReshape, {product}, y, {});
  }

 private:
  TensorId add(std::string_view what, DType type, Shape shape) {
    graph::Tensor t;
    t.name = fmt::format("{} {}", graph_.tensor(node_.outputs[0]).name, what);
    t.type = type;
    t.shape = std::move(shape);
    graph_.tensors.push_back(std::move(t));
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }
  void emit(OpKind kind, std::vector<TensorId> inputs, TensorId output, graph::Attrs attrs) {
    nodes_.push_back({kind, std::move(inputs), {output}, std::move(attrs), node_.source_index});
  }
  TensorId reshaped(TensorId id, const Shape& shape) {
    if (graph_.tensor(id).shape == shape) return id;
    const TensorId to = add("view", graph_.tensor(id).type, shape);
    graph_.tensors[static_cast<std::size_t>(to)].quantization = graph_.tensor(id).quantization;
    emit(OpKind::kReshape, {id}, to, {});
    return to;
  }
  TensorId masked(TensorId scores, TensorId mask, const Shape& shape) {
    const TensorId to = add("masked", DType::kFloat32, shape);
    emit(OpKind::kMap, {scores, mask}, to, graph::MapAttrs{.function = MapFunction::kAdd});
    return to;
  }
  /// 0 where a row sees the key, −∞ elsewhere: [rows, keys].
  TensorId causal_mask() {
    const TensorId id = add("causal", DType::kFloat32, {shape_.rows, shape_.keys});
    graph::Tensor& t = graph_.tensors[static_cast<std::size_t>(id)];
    t.is_constant = true;
    t.data.resize(static_cast<std::size_t>(t.bytes()));
    std::byte* to = t.data.data();
    for (int64_t row = 0; row < shape_.rows; ++row) {
      for (int64_t key = 0; key < shape_.keys; ++key, to += sizeof(float)) {
        const float value =
            key < shape_.visible(row) ? 0.0F : -std::numeric_limits<float>::infinity();
        std::memcpy(to, &value, sizeof value);
      }
    }
    return id;
  }
  /// The weights in the type of v.
  TensorId converted(TensorId weights, const Shape& shape) {
    if (shape_.type == DType::kFloat32) return weights;
    const TensorId to = add("weights", shape_.type, shape);
    graph::MapAttrs attrs;
    if (!is_float(shape_.type)) {
      const std::int32_t zero = attention_weight_zero(shape_.type);
      graph_.tensors[static_cast<std::size_t>(to)].quantization =
          graph::Quantization{{kWeightScale}, {zero}, 0};
    }
    emit(OpKind::kMap, {weights}, to, attrs);
    return to;
  }

  Graph& graph_;
  Node node_;
  std::vector<Node>& nodes_;
  mapper::AttentionShape shape_;
};

}  // namespace

std::vector<AttentionChoice> choose_attention(const Graph& graph, const NpuConfig& config,
                                              AttentionVariant wanted,
                                              const mapper::Decisions* decisions) {
  if (decisions != nullptr) require_attention(graph, *decisions);
  std::vector<AttentionChoice> choices;
  for (const Node& node : graph.nodes) {
    if (node.kind != OpKind::kAttention) continue;
    const AttentionVariant variant = decided_variant(node, wanted, decisions);
    const mapper::AttentionShape shape = mapper::attention_shape(graph, node);
    AttentionChoice choice{.output = node.outputs.at(0)};
    const cost::LayerWork unfused = mapper::unfused_attention(shape, config);
    choice.unfused_cycles = cost::layer_cycles(config, unfused);
    choice.unfused_dram_bytes = unfused.load_bytes + unfused.store_bytes;
    try {
      const mapper::AttentionTile tile = mapper::choose_attention_tile(
          shape, config, config.scratchpad.capacity_bytes, describe(node));
      choice.key_block = tile.keys;
      choice.fused_cycles = tile.predicted_cycles;
      choice.fused_dram_bytes = tile.work.load_bytes + tile.work.store_bytes;
    } catch (const Error&) {
      if (variant == AttentionVariant::kFused) throw;
    }
    const bool better = choice.key_block > 0 && choice.fused_cycles <= choice.unfused_cycles;
    choice.fused =
        variant == AttentionVariant::kFused || (variant == AttentionVariant::kAuto && better);
    if (!choice.fused) choice.key_block = 0;
    choices.push_back(choice);
  }
  return choices;
}

Graph expand_attention(Graph graph, const std::vector<AttentionChoice>& choices) {
  if (choices.empty()) return graph;
  const std::vector<Node> before = std::move(graph.nodes);
  std::vector<Node> nodes;
  for (const Node& node : before) {
    const AttentionChoice* choice =
        node.kind == OpKind::kAttention ? find_choice(choices, node.outputs.at(0)) : nullptr;
    if (choice != nullptr && !choice->fused) {
      Expansion(graph, node, nodes).run();
    } else {
      nodes.push_back(node);
    }
  }
  graph.nodes = std::move(nodes);
  return graph;
}

std::string attention_yaml(const Graph& graph, const std::vector<AttentionChoice>& choices) {
  if (choices.empty()) return {};
  std::string text = "attention:\n";
  for (const AttentionChoice& c : choices) {
    text += fmt::format(
        "  - {{tensor: {}, name: {}, variant: {}, key_block: {}, fused: {{cycles: {}, "
        "dram_bytes: {}}}, unfused: {{cycles: {}, dram_bytes: {}}}}}\n",
        c.output, shown_name(graph.tensor(c.output)), c.fused ? "fused" : "unfused", c.key_block,
        c.fused_cycles, c.fused_dram_bytes, c.unfused_cycles, c.unfused_dram_bytes);
  }
  return text;
}

}  // namespace npu::kernels
