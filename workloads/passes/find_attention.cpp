#include "workloads/passes/find_attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "workloads/graph/drawn_values.h"
#include "workloads/passes/attention_chain.h"
#include "workloads/passes/attention_mask.h"
#include "workloads/passes/dimensions.h"
#include "workloads/passes/float_constants.h"
#include "workloads/passes/key_move.h"
#include "workloads/passes/uses.h"

namespace npu::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::Tensor;
using graph::TensorId;
using std::int64_t;

std::string name_with_index(const Node& node) {
  return fmt::format("{} #{}", graph::name_of(node.kind), node.source_index);
}

/// Rows of a product's first operand that share a matrix of the second, where those matrices
/// follow each other; nullopt where they are shared in another way.
std::optional<int64_t> rows_per_matrix(const Graph& graph, const Node& node) {
  const Shape& a = graph.tensor(node.inputs[0]).shape;
  const Shape& b = graph.tensor(node.inputs[1]).shape;
  const Shape& y = graph.tensor(node.outputs[0]).shape;
  const std::size_t lead = y.size() - 2;
  if (element_count(y) == 0 || product(a, 0, a.size() - 1) != product(y, 0, y.size() - 1))
    return std::nullopt;
  Shape matrices(lead - (b.size() - 2), 1);
  matrices.insert(matrices.end(), b.begin(), b.end() - 2);
  std::size_t own = lead;
  while (own > 0 && matrices[own - 1] == 1) --own;
  if (!std::equal(matrices.begin(), matrices.begin() + static_cast<std::ptrdiff_t>(own), y.begin()))
    return std::nullopt;
  return product(y, own, y.size() - 1);
}

/// Heads of k or v that are copies: each of the matrices of a tensor so many times.
struct Copied {
  TensorId matrices = graph::kAbsent;  ///< Absent without copies.
  int64_t copies = 1;
};

/// @param matrix  elements of a matrix of keys or values.
/// @param scales  MAPs that go.
Copied find_copies(const Graph& graph, const Uses& uses, TensorId id, int64_t matrix,
                   const std::vector<OperandScale>& scales) {
  std::size_t n = uses.producer(id);
  for (std::size_t operand = 0; n != Uses::kNone;
       n = uses.producer(graph.nodes[n].inputs[operand])) {
    const auto scale = std::find_if(scales.begin(), scales.end(),
                                    [&](const OperandScale& s) { return s.node == n; });
    if (scale == scales.end() && graph.nodes[n].kind != OpKind::kReshape) break;
    operand = scale == scales.end() ? 0 : scale->operand;
  }
  if (n == Uses::kNone || graph.nodes[n].kind != OpKind::kMap) return {};
  const Node& node = graph.nodes[n];
  const MapFunction function = std::get<graph::MapAttrs>(node.attrs).function;
  if (function != MapFunction::kAdd || node.inputs.size() != 2) return {};
  const Tensor& x = graph.tensor(node.inputs[0]);
  const Tensor& y = graph.tensor(node.outputs[0]);
  const std::optional<std::vector<float>> zeros = constant_floats(graph.tensor(node.inputs[1]));
  if (!zeros || x.type != y.type || x.quantization || x.shape.size() != y.shape.size() ||
      std::any_of(zeros->begin(), zeros->end(), [](float v) { return v != 0; }))
    return {};
  const auto differ = [&](std::size_t d) { return x.shape[d] != y.shape[d]; };
  std::size_t first = 0;
  while (first < x.shape.size() && !differ(first)) ++first;
  std::size_t last = x.shape.size();
  while (last > first && !differ(last - 1)) --last;
  if (product(x.shape, first, last) != 1 || product(x.shape, last, x.shape.size()) != matrix)
    return {};
  return {node.inputs[0], product(y.shape, first, last)};
}

/// An attention and all that ATTENTION needs of it.
struct Find {
  AttentionChain chain;
  MaskPlan mask;
  HeadSizes sizes;
  std::optional<KeyMove> key_move;
  Copied k, v;
  int64_t matrices = 1;  ///< Of k and of v.
};

std::optional<Find> find_at(const Graph& graph, const Uses& uses, std::size_t softmax) {
  std::optional<AttentionChain> chain = match_attention(graph, uses, softmax);
  if (!chain) return std::nullopt;
  const Node& scores = graph.nodes[chain->scores];
  const Node& output = graph.nodes[chain->output];
  Find find;
  const std::optional<MaskPlan> mask = plan_mask(graph, chain->masks);
  const std::optional<int64_t> by_k = rows_per_matrix(graph, scores);
  const std::optional<int64_t> by_v = rows_per_matrix(graph, output);
  if (!mask || !by_k || by_k != by_v) return std::nullopt;
  find.mask = *mask;
  int64_t rows = *by_k;
  const Shape& shape = graph.tensor(scores.outputs[0]).shape;
  if (std::get<graph::MatMulAttrs>(scores.attrs).transpose_b) {
    const int64_t keys = shape.back();
    const int64_t depth = graph.tensor(scores.inputs[0]).shape.back();
    const int64_t values = graph.tensor(output.outputs[0]).shape.back();
    find.k = find_copies(graph, uses, scores.inputs[1], keys * depth, chain->operand_scales);
    find.v = find_copies(graph, uses, output.inputs[1], keys * values, {});
    if (find.k.copies != find.v.copies) find.k = find.v = {};
    rows *= find.k.copies;
  } else {
    find.key_move = find_key_move(graph, uses, scores.inputs[1], chain->operand_scales);
    if (!find.key_move) return std::nullopt;
  }
  const std::optional<HeadSizes> sizes =
      cut_heads(mask->scores.empty() ? shape : mask->scores, *mask, rows);
  if (!sizes) return std::nullopt;
  find.sizes = *sizes;
  find.matrices = product(shape, 0, shape.size() - 1) / rows;
  find.chain = *std::move(chain);
  return find;
}

/// The shape from its first dimension on that is not 1.
Shape without_ones(const Shape& shape) {
  return {std::find_if(shape.begin(), shape.end(), [](int64_t d) { return d != 1; }), shape.end()};
}

/// Puts ATTENTION and what leads to it in the place of the second product.
class Rewriter {
 public:
  Rewriter(Graph& graph, const Uses& uses, Find find)
      : graph_(graph), uses_(uses), find_(std::move(find)) {}

  std::string run() {
    // From the top: one may read another.
    const auto& scales = find_.chain.operand_scales;
    for (std::size_t i = scales.size(); i-- > 0;) drop(scales[i]);
    const Node scores = graph_.nodes[find_.chain.scores];
    const Node output = graph_.nodes[find_.chain.output];
    source_index_ = output.source_index;
    const HeadSizes& s = find_.sizes;
    const int64_t heads = find_.matrices / s.batch;
    const int64_t depth = graph_.tensor(scores.inputs[0]).shape.back();
    const int64_t keys = graph_.tensor(scores.outputs[0]).shape.back();
    const TensorId y = output.outputs[0];
    const int64_t values = graph_.tensor(y).shape.back();
    type_ = graph_.tensor(scores.inputs[0]).type;
    const TensorId q = viewed(scores.inputs[0], {s.batch, s.heads, s.rows, depth});
    const bool copies = find_.k.copies > 1;
    const TensorId from = copies ? find_.k.matrices : scores.inputs[1];
    const TensorId k = viewed(find_.key_move ? moved_keys() : from, {s.batch, heads, keys, depth});
    const TensorId v =
        viewed(copies ? find_.v.matrices : output.inputs[1], {s.batch, heads, keys, values});
    const graph::AttentionAttrs attrs{.scale = static_cast<float>(find_.chain.scale),
                                      .causal = find_.mask.causal};
    const TensorId mask = mask_operand();
    const Shape shape = {s.batch, s.heads, s.rows, values};
    if (graph_.tensor(y).shape == shape) {
      emit(OpKind::kAttention, {q, k, v, mask}, y, attrs);
    } else {
      const TensorId whole = add(graph_.tensor(y).name, graph_.tensor(y).type, shape);
      emit(OpKind::kAttention, {q, k, v, mask}, whole, attrs);
      emit(OpKind::kReshape, {whole}, y, {});
    }
    const auto at = graph_.nodes.begin() + static_cast<std::ptrdiff_t>(find_.chain.output);
    graph_.nodes.insert(graph_.nodes.erase(at), nodes_.begin(), nodes_.end());
    return fmt::format("{} … {} are ATTENTION", name_with_index(scores), name_with_index(output));
  }

 private:
  TensorId add(const std::string& name, DType type, Shape shape) {
    Tensor t;
    t.name = name;
    t.type = type;
    t.shape = std::move(shape);
    return add(std::move(t));
  }
  TensorId add(Tensor tensor) {
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }
  void emit(OpKind kind, std::vector<TensorId> inputs, TensorId output, graph::Attrs attrs) {
    nodes_.push_back({kind, std::move(inputs), {output}, std::move(attrs), source_index_});
  }

  /// What read the scaled tensor takes what was scaled.
  void drop(const OperandScale& scale) {
    const Node& map = graph_.nodes[scale.node];
    auto& inputs = graph_.nodes[uses_.only_reader(map.outputs[0])].inputs;
    std::replace(inputs.begin(), inputs.end(), map.outputs[0], map.inputs[scale.operand]);
  }

  /// The tensor in another shape: what RESHAPEs were made of, if it has that shape, else one more.
  TensorId viewed(TensorId id, const Shape& shape) {
    while (graph_.tensor(id).shape != shape) {
      const bool is_new = std::cmp_greater_equal(id, uses_.size());
      const std::size_t n = is_new ? Uses::kNone : uses_.producer(id);
      if (n == Uses::kNone || graph_.nodes[n].kind != OpKind::kReshape) break;
      id = graph_.nodes[n].inputs[0];
    }
    if (graph_.tensor(id).shape == shape) return id;
    Tensor view = graph_.tensor(id);
    view.shape = shape;
    const bool is_constant = view.is_constant;
    const TensorId to = add(std::move(view));
    if (!is_constant) emit(OpKind::kReshape, {id}, to, {});
    return to;
  }

  TensorId moved_keys() {
    const KeyMove& move = *find_.key_move;
    const TensorId x = graph_.nodes[move.transpose].inputs[0];
    if (move.permutation.size() < 2) return x;
    const TensorId from = viewed(x, move.from);
    Shape shape;
    for (const int d : move.permutation) shape.push_back(move.from[static_cast<std::size_t>(d)]);
    const TensorId to = add(graph_.tensor(x).name, type_, std::move(shape));
    emit(OpKind::kTranspose, {from}, to, graph::TransposeAttrs{move.permutation});
    return to;
  }

  TensorId scalar(double value) {
    Tensor t;
    t.name = "mask";
    t.type = type_;
    t.shape = {1};
    t.is_constant = true;
    t.data = graph::store_floats(type_, {value});
    return add(std::move(t));
  }

  TensorId part_operand(const MaskPart& part) {
    if (part.kind == MaskPart::Kind::kTensor) return part.tensor;
    if (part.kind == MaskPart::Kind::kConstant) return add(part.constant);
    const Tensor& condition = graph_.tensor(part.tensor);
    const TensorId to = add(condition.name, type_, condition.shape);
    TensorId where_true = scalar(0);
    TensorId elsewhere = scalar(-std::numeric_limits<double>::infinity());
    if (part.hides_where_true) std::swap(where_true, elsewhere);
    emit(OpKind::kMap, {part.tensor, where_true, elsewhere}, to,
         graph::MapAttrs{.function = MapFunction::kSelect});
    return to;
  }

  TensorId mask_operand() {
    const std::vector<MaskPart>& parts = find_.mask.parts;
    if (parts.empty()) return graph::kAbsent;
    TensorId mask = part_operand(parts[0]);
    if (parts.size() > 1) {
      const TensorId other = part_operand(parts[1]);
      const TensorId sum = add(graph_.tensor(mask).name, DType::kFloat32, find_.mask.shape);
      emit(OpKind::kMap, {other, mask}, sum, graph::MapAttrs{.function = MapFunction::kAdd});
      mask = sum;
    }
    const Shape& shape = graph_.tensor(mask).shape;
    const bool fits = shape.size() <= 4 && without_ones(shape) == without_ones(find_.sizes.mask);
    return fits ? mask : viewed(mask, find_.sizes.mask);
  }

  Graph& graph_;
  const Uses& uses_;
  Find find_;
  std::vector<Node> nodes_;
  int source_index_ = 0;
  DType type_ = DType::kFloat32;
};

/// Nodes whose results reach no output.
void remove_unread(Graph& graph) {
  std::vector<bool> is_read(graph.tensors.size(), false);
  for (const TensorId id : graph.outputs) is_read[static_cast<std::size_t>(id)] = true;
  std::vector<Node> kept;
  for (std::size_t n = graph.nodes.size(); n-- > 0;) {
    Node& node = graph.nodes[n];
    const bool lives = std::any_of(node.outputs.begin(), node.outputs.end(), [&](TensorId id) {
      return is_read[static_cast<std::size_t>(id)];
    });
    if (!lives) continue;
    for (const TensorId id : node.inputs) {
      if (id != graph::kAbsent) is_read[static_cast<std::size_t>(id)] = true;
    }
    kept.push_back(std::move(node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
}

}  // namespace

std::vector<std::string> find_attention(Graph& graph) {
  std::vector<std::string> lines;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    if (graph.nodes[n].kind != OpKind::kSoftmax) continue;
    const Uses uses(graph);
    std::optional<Find> find = find_at(graph, uses, n);
    if (!find) continue;
    lines.push_back(Rewriter(graph, uses, *std::move(find)).run());
    remove_unread(graph);
    n = 0;  // Nodes before the SOFTMAX are gone.
  }
  return lines;
}

}  // namespace npu::passes
