#include "workloads/passes/key_move.h"

#include <algorithm>

namespace npu::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::TensorId;

/// Dimensions that two shapes of the same elements are both made of; ones are left out.
struct Parts {
  std::vector<std::int64_t> size;
  std::vector<std::size_t> of_first, of_second;  ///< The dimension that a part belongs to.
};

std::optional<Parts> common_parts(const Shape& first, const Shape& second) {
  Parts parts;
  std::size_t i = 0, j = 0;
  std::int64_t a = 1, b = 1;  // What is left of the dimensions before i and j.
  for (;;) {
    while (a == 1 && i < first.size()) a = first[i++];
    while (b == 1 && j < second.size()) b = second[j++];
    if (a == 1 && b == 1) return parts;
    const std::int64_t size = std::min(a, b);
    if (size < 2 || a % size != 0 || b % size != 0) return std::nullopt;
    parts.size.push_back(size);
    parts.of_first.push_back(i - 1);
    parts.of_second.push_back(j - 1);
    a /= size;
    b /= size;
  }
}

/// The move with dimensions that follow each other before and after taken together.
KeyMove merged(std::size_t transpose, const std::vector<std::int64_t>& sizes,
               const std::vector<std::size_t>& order) {
  std::vector<std::vector<std::size_t>> runs;
  for (const std::size_t d : order) {
    if (!runs.empty() && runs.back().back() + 1 == d) {
      runs.back().push_back(d);
    } else {
      runs.push_back({d});
    }
  }
  KeyMove move{.transpose = transpose, .from = {}, .permutation = std::vector<int>(runs.size())};
  std::vector<std::size_t> by_input(runs.size());
  for (std::size_t r = 0; r < runs.size(); ++r) by_input[r] = r;
  std::sort(by_input.begin(), by_input.end(),
            [&](std::size_t a, std::size_t b) { return runs[a][0] < runs[b][0]; });
  for (std::size_t d = 0; d < by_input.size(); ++d) {
    std::int64_t size = 1;
    for (const std::size_t part : runs[by_input[d]]) size *= sizes[part];
    move.from.push_back(size);
    move.permutation[by_input[d]] = static_cast<int>(d);
  }
  return move;
}

/// @param columns  [ … ,D,T], the shape that the TRANSPOSE's output has in the end.
std::optional<KeyMove> move_of(const Graph& graph, std::size_t n, const Shape& columns) {
  const Node& node = graph.nodes[n];
  const auto& permutation = std::get<graph::TransposeAttrs>(node.attrs).permutation;
  const std::optional<Parts> parts = common_parts(graph.tensor(node.outputs[0]).shape, columns);
  if (!parts || columns.size() < 2) return std::nullopt;
  const std::size_t count = parts->size.size();
  std::vector<std::size_t> before;  // Parts in the order in which the TRANSPOSE reads them.
  for (int d = 0; std::cmp_less(d, permutation.size()); ++d) {
    for (std::size_t part = 0; part < count; ++part) {
      if (permutation[parts->of_first[part]] == d) before.push_back(part);
    }
  }
  const std::size_t depth = columns.size() - 2;
  std::vector<std::size_t> after;  // … in the order of the keys: matrix, T, D.
  const auto take = [&](auto&& belongs) {
    for (std::size_t part = 0; part < count; ++part) {
      if (belongs(parts->of_second[part])) after.push_back(part);
    }
  };
  take([&](std::size_t d) { return d < depth; });
  take([&](std::size_t d) { return d > depth; });
  take([&](std::size_t d) { return d == depth; });
  if (columns[depth] > 1 && after.back() != before.back()) return std::nullopt;
  std::vector<std::int64_t> sizes;
  std::vector<std::size_t> place(count);
  for (std::size_t i = 0; i < count; ++i) {
    sizes.push_back(parts->size[before[i]]);
    place[before[i]] = i;
  }
  for (std::size_t& part : after) part = place[part];
  KeyMove move = merged(n, sizes, after);
  if (move.from.size() > graph::kMaxRank) return std::nullopt;
  return move;
}

}  // namespace

std::optional<KeyMove> find_key_move(const Graph& graph, const Uses& uses, TensorId columns,
                                     const std::vector<OperandScale>& scales) {
  for (TensorId id = columns;;) {
    const std::size_t n = uses.producer(id);
    if (n == Uses::kNone || uses.only_reader(id) == Uses::kNone) return std::nullopt;
    const Node& node = graph.nodes[n];
    if (node.kind == OpKind::kTranspose) return move_of(graph, n, graph.tensor(columns).shape);
    const auto scale = std::find_if(scales.begin(), scales.end(),
                                    [&](const OperandScale& s) { return s.node == n; });
    if (node.kind != OpKind::kReshape && scale == scales.end()) return std::nullopt;
    id = node.inputs[scale == scales.end() ? 0 : scale->operand];
  }
}

}  // namespace npu::passes
