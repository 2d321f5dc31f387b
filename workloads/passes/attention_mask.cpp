#include "workloads/passes/attention_mask.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "workloads/graph/drawn_values.h"
#include "workloads/passes/dimensions.h"
#include "workloads/passes/float_constants.h"

namespace npu::passes {
namespace {

using graph::Graph;
using graph::Tensor;

constexpr float kLowestBfloat16 = -0x1.fep127F;
/// Factors behind a mask that leave its zeros and its hiding values what they are.
constexpr double kMaxFactor = 0x1p16;

bool hides(float value) { return value <= kLowestBfloat16; }

/// What one step does to the scores.
struct Effect {
  MaskPart part;
  Shape shape;
  bool is_select = false;
  bool only_hides = false;  ///< Adds 0 or a value that hides.
  bool is_strict = false;   ///< … which is −∞.
  bool is_causal = false;
  bool hides_nothing = false;
  bool is_scaled = false;  ///< Scores are scaled after it.
};

Shape padded(const Shape& shape, std::size_t rank) {
  Shape wide(rank - std::min(rank, shape.size()), 1);
  wide.insert(wide.end(), shape.begin(), shape.end());
  return wide;
}

/// True if the elements of a constant are hidden where row m of the scores does not see key t:
/// t > m + T − M.
bool is_causal(const std::vector<bool>& hidden, const Shape& shape, const Shape& scores) {
  if (scores.size() < 2) return false;
  const std::int64_t rows = scores[scores.size() - 2];
  const std::int64_t keys = scores.back();
  const Shape wide = padded(shape, 2);
  if (keys < rows || element_count(shape) != rows * keys || wide.back() != keys ||
      wide[wide.size() - 2] != rows) {
    return false;
  }
  for (std::int64_t m = 0; m < rows; ++m) {
    for (std::int64_t t = 0; t < keys; ++t) {
      if (hidden[static_cast<std::size_t>(m * keys + t)] != (t > m + keys - rows)) return false;
    }
  }
  return true;
}

void judge(Effect& effect, const std::vector<bool>& hidden, const Shape& scores) {
  effect.hides_nothing = std::find(hidden.begin(), hidden.end(), true) == hidden.end();
  effect.is_causal = is_causal(hidden, effect.shape, scores);
}

/// False if ATTENTION does not take such a mask.
bool judge_add(const Graph& graph, const MaskStep& step, const Shape& scores, Effect& effect) {
  const Tensor& mask = graph.tensor(step.mask);
  if (!is_float(mask.type) || mask.quantization.has_value()) return false;
  effect.part.tensor = step.mask;
  effect.shape = mask.shape;
  const std::optional<std::vector<float>> values = constant_floats(mask);
  if (!values) return true;
  std::vector<bool> hidden;
  effect.is_strict = true;
  for (const float value : *values) {
    if (value != 0 && !hides(value)) return true;
    hidden.push_back(hides(value));
    if (hides(value) && std::isfinite(value)) effect.is_strict = false;
  }
  effect.only_hides = true;
  judge(effect, hidden, scores);
  return true;
}

/// False if the select does not hide.
bool judge_select(const Graph& graph, const MaskStep& step, const Shape& scores, Effect& effect) {
  const Tensor& condition = graph.tensor(step.mask);
  effect.shape = condition.shape;
  effect.is_select = effect.only_hides = true;
  const std::optional<std::vector<bool>> holds = constant_condition(condition);
  if (!holds) {
    effect.part.kind = MaskPart::Kind::kCondition;
    effect.part.tensor = step.mask;
    effect.part.hides_where_true = step.hides_where_true;
    effect.is_strict = std::isinf(step.fill) && step.fill < 0;
    return effect.is_strict;
  }
  std::vector<bool> hidden;
  std::vector<double> values;
  for (const bool hold : *holds) {
    hidden.push_back(hold == step.hides_where_true);
    values.push_back(hidden.back() ? static_cast<double>(step.fill) : 0);
  }
  judge(effect, hidden, scores);
  // In the type that the select stores.
  Tensor& made = effect.part.constant;
  made.name = condition.name;
  made.type = graph.tensor(graph.nodes[step.node].outputs[0]).type;
  made.shape = condition.shape;
  made.is_constant = true;
  made.data = graph::store_floats(made.type, values);
  effect.part.kind = MaskPart::Kind::kConstant;
  const std::vector<float> stored = constant_floats(made).value_or(std::vector<float>());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (!hidden[i]) continue;
    if (!hides(stored[i])) return false;
    effect.is_strict = std::isinf(stored[i]);
  }
  return true;
}

/// The effects that matter, from the SOFTMAX upwards; nullopt if one has no form.
std::optional<std::vector<Effect>> effects_of(const Graph& graph,
                                              const std::vector<MaskStep>& steps) {
  std::vector<Effect> effects;
  for (const MaskStep& step : steps) {
    const Shape& scores = graph.tensor(graph.nodes[step.node].outputs[0]).shape;
    Effect effect;
    const bool fits = step.is_select ? judge_select(graph, step, scores, effect)
                                     : judge_add(graph, step, scores, effect);
    if (!fits) return std::nullopt;
    if (effect.only_hides && effect.hides_nothing) continue;
    effect.is_scaled = step.after != 1;
    if (effect.is_scaled && !effect.only_hides) return std::nullopt;
    if (!(step.after >= 1 / kMaxFactor && step.after <= kMaxFactor)) return std::nullopt;
    effects.push_back(std::move(effect));
  }
  return effects;
}

/// One of two masks that is added to the other: exact where it only hides, as long as a finite
/// value lets scores disappear beside it and stands before the other.
bool can_be_added(const Effect& effect, bool is_first) {
  return effect.only_hides &&
         (effect.is_strict || (!effect.is_scaled && (is_first || !effect.is_select)));
}

Shape broadcast(const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  Shape y = padded(a, rank);
  const Shape other = padded(b, rank);
  for (std::size_t i = 0; i < rank; ++i) y[i] = std::max(y[i], other[i]);
  return y;
}

}  // namespace

std::optional<MaskPlan> plan_mask(const Graph& graph, const std::vector<MaskStep>& steps) {
  MaskPlan plan;
  for (const MaskStep& step : steps) {
    const Shape& scores = graph.tensor(graph.nodes[step.node].outputs[0]).shape;
    if (!plan.scores.empty() && plan.scores != scores) return std::nullopt;
    plan.scores = scores;
  }
  const std::optional<std::vector<Effect>> effects = effects_of(graph, steps);
  if (!effects || effects->size() > 2) return std::nullopt;
  if (effects->size() == 2 && !can_be_added(effects->front(), false) &&
      !can_be_added(effects->back(), true)) {
    return std::nullopt;
  }
  for (const Effect& effect : *effects) {
    const bool alone = effects->size() == 1;
    const bool finite_select = effect.is_select && !effect.is_strict;
    if (!alone && finite_select && !can_be_added(effect, &effect == &effects->back()))
      return std::nullopt;
    if (effect.is_causal && (effect.is_strict || alone)) {
      plan.causal = true;
      continue;
    }
    plan.parts.push_back(effect.part);
    plan.shape = broadcast(plan.shape, effect.shape);
  }
  return plan;
}

std::optional<HeadSizes> cut_heads(const Shape& scores, const MaskPlan& mask,
                                   std::int64_t rows_per_matrix) {
  const std::size_t dims = scores.size() - 1;
  const Shape wide = padded(mask.shape, scores.size());
  const auto is_even = [&](std::size_t from, std::size_t to) {
    const std::int64_t along = product(wide, from, to);
    return along == 1 || along == product(scores, from, to);
  };
  const std::int64_t matrices = product(scores, 0, dims) / rows_per_matrix;
  // One dimension of rows where that fits, and one of batches.
  for (std::size_t split = dims; split-- > (mask.causal ? dims - 1 : 0);) {
    const std::int64_t rows = product(scores, split, dims);
    if (rows_per_matrix % rows != 0 || !is_even(split, dims)) continue;
    for (const std::size_t first : {1U, 0U, 2U, 3U, 4U, 5U, 6U}) {
      if (first > split || !is_even(0, first) || !is_even(first, split)) continue;
      const std::int64_t batch = product(scores, 0, first);
      if (matrices % batch != 0) continue;
      HeadSizes sizes{batch, product(scores, first, split), rows, {}};
      if (!mask.parts.empty()) {
        sizes.mask = {product(wide, 0, first), product(wide, first, split),
                      product(wide, split, dims), wide.back()};
      }
      return sizes;
    }
  }
  return std::nullopt;
}

}  // namespace npu::passes
