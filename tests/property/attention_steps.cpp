#include "tests/property/attention_steps.h"

#include <cmath>
#include <limits>

#include "tests/support/graph_maker.h"
#include "workloads/graph/drawn_values.h"

namespace npu::test {
namespace {

using graph::MapAttrs;
using graph::OpKind;
using graph::TensorId;
using std::int64_t;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLowest = std::numeric_limits<float>::lowest();

/// Builds the network from the operands to the output.
class StepsMaker {
 public:
  StepsMaker(Draw& draw, int size) : draw_(draw) {
    using enum DType;
    type_ = draw.any_of({kFloat16, kBfloat16, kFloat32, kFloat32});
    score_type_ = draw.one_in(3) ? kFloat32 : type_;
    const int64_t batch = draw.one_in(3) ? 2 : 1;
    groups_ = draw.integer(1, 3);
    copies_ = draw.integer(1, 3);
    keys_ = draw.integer(1, 3 * size);
    rows_ = draw.one_in(4) ? 1 : draw.integer(1, keys_);
    depth_ = draw.integer(1, size);
    values_ = draw.one_in(2) ? depth_ : draw.integer(1, size);
    batch_ = batch;
  }

  AttentionSteps run() {
    choose_form();
    TensorId q = scaled_operand(maker_.input(type_, with(q_lead_, rows_, depth_), {}));
    const bool moves = draw_.one_in(2);
    TensorId k =
        moves ? columns() : scaled_operand(maker_.input(type_, with(k_lead_, keys_, depth_), {}));
    const double in_product = draw_.one_in(4) ? scale() : 1;
    TensorId s = maker_.activation(score_type_, with(q_lead_, rows_, keys_), {});
    maker_.node(OpKind::kMatMul, {q, k, graph::kAbsent}, {s},
                graph::MatMulAttrs{!moves, {}, static_cast<float>(in_product)});
    factor_ *= in_product;
    if (regroups_) s = reshape(s, with({batch_, groups_ * copies_}, mask_rows_, keys_));
    if (draw_.one_in(2)) s = scaled(s);
    s = masked(s);
    const TensorId w = maker_.activation(score_type_, shape(s), {});
    maker_.node(OpKind::kSoftmax, {s}, {w}, graph::SoftmaxAttrs{});
    TensorId weights = score_type_ == type_ ? w : map(MapFunction::kCopy, {w}, shape(w), type_);
    if (regroups_) weights = reshape(weights, with(q_lead_, rows_, keys_));
    const TensorId v = maker_.input(type_, with(k_lead_, keys_, values_), {});
    const TensorId y = maker_.activation(draw_.one_in(3) ? DType::kFloat32 : type_,
                                         with(q_lead_, rows_, values_), {});
    maker_.node(OpKind::kMatMul, {weights, v, graph::kAbsent}, {y}, graph::MatMulAttrs{});
    return {maker_.finish({y}), factor_, depth_, keys_};
  }

 private:
  static Shape with(Shape lead, int64_t rows, int64_t columns) {
    lead.push_back(rows);
    lead.push_back(columns);
    return lead;
  }
  [[nodiscard]] Shape shape(TensorId id) const { return maker_.tensor(id).shape; }
  double scale() { return draw_.any_of({0.5, 0.25, 0.3, 0.7}); }

  /// Dimensions before the last two of q and of k.
  void choose_form() {
    mask_rows_ = rows_;
    switch (draw_.small(0, 4)) {
      case 0:
        batch_ = groups_ = copies_ = 1;
        break;  // [rows, depth]
      case 1:
        q_lead_ = k_lead_ = {batch_ * groups_};
        copies_ = 1;
        groups_ = 1;
        break;
      case 2:
        copies_ = 1;
        q_lead_ = k_lead_ = {batch_, groups_};
        break;
      case 3:  // Heads that share keys are rows of one product.
        q_lead_ = k_lead_ = {batch_, groups_};
        regroups_ = true;
        rows_ *= copies_;
        break;
      default:
        q_lead_ = {batch_, groups_, copies_};
        k_lead_ = {batch_, groups_, 1};
    }
  }

  TensorId map(MapFunction function, std::vector<TensorId> inputs, Shape shape, DType type,
               double imm0 = 0) {
    const TensorId y = maker_.activation(type, std::move(shape), {});
    maker_.node(OpKind::kMap, std::move(inputs), {y}, MapAttrs{function, imm0, 0});
    return y;
  }
  TensorId reshape(TensorId x, Shape to) {
    const TensorId y = maker_.activation(maker_.tensor(x).type, std::move(to), {});
    maker_.node(OpKind::kReshape, {x}, {y});
    return y;
  }
  TensorId constant(Shape shape, DType type, const std::vector<double>& values) {
    return maker_.constant(type, std::move(shape), std::nullopt, graph::store_floats(type, values));
  }

  /// Multiplied or divided by an immediate or a constant.
  TensorId scaled(TensorId x) {
    const DType type = maker_.tensor(x).type;
    const double c = scale();
    const bool divides = draw_.one_in(2);
    factor_ *= divides ? 1 / c : c;
    const MapFunction function = divides ? MapFunction::kDiv : MapFunction::kMul;
    if (draw_.one_in(2)) {
      const auto immediate = static_cast<double>(static_cast<float>(c));
      return map(function, {x}, shape(x), type, immediate);
    }
    // Constants of the operand's type are rounded, for both sides alike.
    return map(function, {x, constant({1}, type, {c})}, shape(x), type);
  }
  TensorId scaled_operand(TensorId x) { return draw_.one_in(3) ? scaled(x) : x; }

  /// k as [ … ,depth,keys], by a TRANSPOSE of [keys,depth] or of [keys, heads · depth].
  TensorId columns() {
    const Shape to = with(k_lead_, depth_, keys_);
    const int64_t heads = element_count(k_lead_);
    if (draw_.one_in(2)) {
      const TensorId x = scaled_operand(maker_.input(type_, {keys_, heads * depth_}, {}));
      const TensorId moved = maker_.activation(type_, {heads * depth_, keys_}, {});
      maker_.node(OpKind::kTranspose, {x}, {moved}, graph::TransposeAttrs{{1, 0}});
      return scaled_operand(reshape(moved, to));
    }
    const TensorId x = scaled_operand(maker_.input(type_, with(k_lead_, keys_, depth_), {}));
    std::vector<int> permutation;
    for (int d = 0; d < static_cast<int>(to.size()); ++d) permutation.push_back(d);
    std::swap(permutation[to.size() - 1], permutation[to.size() - 2]);
    const TensorId moved = maker_.activation(type_, to, {});
    maker_.node(OpKind::kTranspose, {x}, {moved}, graph::TransposeAttrs{permutation});
    return moved;
  }

  /// Elements that row m does not see of [rows, keys].
  [[nodiscard]] std::vector<bool> hidden() {
    const int64_t shift = draw_.one_in(3) ? 1 : 0;
    std::vector<bool> values;
    for (int64_t m = 0; m < mask_rows_; ++m) {
      for (int64_t t = 0; t < keys_; ++t) values.push_back(t > m + keys_ - mask_rows_ + shift);
    }
    return values;
  }
  /// A shape that broadcasts to the scores.
  Shape mask_shape(const Shape& scores) {
    Shape mask = scores;
    for (std::size_t d = 0; d + 1 < mask.size(); ++d) {
      if (draw_.one_in(2)) mask[d] = 1;
    }
    // Groups and their heads are one dimension of ATTENTION.
    if (mask.size() == 5 && mask[1] * mask[2] != scores[1] * scores[2]) mask[1] = mask[2] = 1;
    while (mask.size() > 1 && mask.front() == 1 && draw_.one_in(2)) mask.erase(mask.begin());
    return mask;
  }

  TensorId masked(TensorId s) {
    const int kind = draw_.small(0, 5);
    if (kind >= 4) s = hide(s);
    if (kind == 0 || kind == 4) {
      const DType type = draw_.any_of({type_, DType::kFloat32});
      const TensorId mask = maker_.input(type, mask_shape(shape(s)), {});
      s = map(MapFunction::kAdd, {s, mask}, shape(s), score_type_);
    }
    if (kind == 1) {
      const TensorId seen = maker_.input(DType::kBool, mask_shape(shape(s)), {});
      maker_.requantize(seen, std::nullopt);
      s = map(MapFunction::kSelect, {seen, s, constant({1}, score_type_, {-kInfinity})}, shape(s),
              score_type_);
    }
    return s;
  }

  /// By a constant: added, or selected by.
  TensorId hide(TensorId s) {
    const double fill = draw_.one_in(2) ? kLowest : -kInfinity;
    const std::vector<bool> hides = hidden();
    const Shape to = {mask_rows_, keys_};
    if (draw_.one_in(2)) {
      std::vector<double> values;
      for (const bool h : hides) values.push_back(h ? fill : 0);
      return map(MapFunction::kAdd, {s, constant(to, score_type_, values)}, shape(s), score_type_);
    }
    std::vector<std::byte> bytes;
    for (const bool h : hides) bytes.push_back(h ? std::byte{1} : std::byte{0});
    const TensorId where = maker_.constant(DType::kBool, to, std::nullopt, std::move(bytes));
    return map(MapFunction::kSelect, {where, constant({1}, score_type_, {fill}), s}, shape(s),
               score_type_);
  }

  Draw& draw_;
  GraphMaker maker_{"steps"};
  DType type_ = DType::kFloat32, score_type_ = DType::kFloat32;
  int64_t batch_, groups_, copies_, rows_, keys_, depth_, values_;
  int64_t mask_rows_ = 1;  ///< Rows of a head.
  Shape q_lead_, k_lead_;
  bool regroups_ = false;
  double factor_ = 1;
};

double roundoff(DType type) {
  return type == DType::kFloat16 ? 0x1p-11 : type == DType::kBfloat16 ? 0x1p-8 : 0x1p-24;
}

}  // namespace

AttentionSteps random_attention_steps(std::mt19937_64& rng, int size) {
  Draw draw(rng);
  return StepsMaker(draw, size).run();
}

double steps_bound(const AttentionSteps& steps) {
  const graph::Graph& g = steps.graph;
  const DType type = g.tensor(g.inputs.at(0)).type;
  const double u = 0x1p-24, own = roundoff(type);
  const auto depth = static_cast<double>(steps.depth), keys = static_cast<double>(steps.keys);
  // Scores and a mask; up to eight roundings to the type on the way, and subnormal operands.
  const double largest = depth * std::abs(steps.factor) + 1;
  const double subnormal = type == DType::kFloat16 ? 16 * depth * 0x1p-24 * (1 + largest) : 0;
  const double argument = largest * (8 * own + (2 * depth + 8) * u) + subnormal;
  const double weights = 2 * std::expm1(2 * argument);
  const double narrow = type == DType::kFloat32 ? 0 : 6 * own;
  const double tiny = type == DType::kFloat16 ? keys * 0x1p-24 : 0;
  return 1.05 * (weights + (634 + 4 * keys) * u + narrow + tiny) + 2 * own;
}

}  // namespace npu::test
