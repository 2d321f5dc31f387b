// MAP, REDUCE, SOFTMAX over floats, LAYER_NORM, RMS_NORM and ROPE on the vector unit: what each
// does to a tile. docs/numerics.md has the steps.
#include <limits>

#include "kernels/lowering/tile_walk.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::OpKind;
using graph::Tensor;
using std::int64_t;

constexpr auto kAdd = MapFunction::kAdd;
constexpr auto kSub = MapFunction::kSub;
constexpr auto kMul = MapFunction::kMul;

/// A tile with its layer: operands as fp32 values, the output as it is stored.
class GeneralTile {
 public:
  GeneralTile(LayerContext& c, const mapper::TileSpace& space, const Tile& tile)
      : c_(c), space_(space), tile_(tile), code_(c, tile) {}

  [[nodiscard]] TileCode& code() { return code_; }
  [[nodiscard]] const TileView& output() const { return tile_.operands.back(); }
  [[nodiscard]] const TileView& temporary(std::string_view name) const {
    return tile_.temporaries[space_.temporary(name)];
  }
  /// Elements of a unit of an operand.
  [[nodiscard]] int64_t length(std::size_t operand) const {
    return space_.operands[operand].unit_bytes / size_of(tile_.operands[operand].type);
  }
  /// The values to compute with.
  const TileView& real(std::size_t operand) {
    const std::string name = space_.operands[operand].buffer + " real";
    const TileView* values =
        space_.has_temporary(name) ? &tile_.temporaries[space_.temporary(name)] : nullptr;
    if (values == nullptr) return tile_.operands[operand];
    return code_.real(c_.input(space_.inputs[operand]), length(operand), tile_.operands[operand],
                      values);
  }
  /// Where results go that are stored as they are, without quantization.
  [[nodiscard]] const TileView& result() const {
    return space_.has_temporary("y real") ? temporary("y real") : output();
  }
  void finish() {
    if (space_.has_temporary("y real"))
      code_.store(c_.output(), length(space_.output()), temporary("y real"), output());
  }
  /// The last step of an operator whose intermediates are at `work`: function(a, b) into the
  /// output.
  void last(MapFunction function, int64_t elements, const TileView& a, const TileView& b,
            const TileView& work) {
    if (!mapper::is_real_integer(c_.output()))
      return code_.map(function, elements, a, &b, output());
    code_.map(function, elements, a, &b, work);
    code_.store(c_.output(), elements, work, output());
  }
  /// Where fp32 intermediates are that have the output's shape.
  [[nodiscard]] const TileView& work() const {
    return space_.has_temporary("work") ? temporary("work") : output();
  }

 private:
  LayerContext& c_;
  const mapper::TileSpace& space_;
  const Tile& tile_;
  TileCode code_;
};

/// Rows of SOFTMAX, whole or a block of them.
class SoftmaxTile : public GeneralTile {
 public:
  SoftmaxTile(LayerContext& c, const mapper::TileSpace& space, const Tile& tile)
      : GeneralTile(c, space, tile),
        beta_(std::get<graph::SoftmaxAttrs>(c.node.attrs).beta),
        is_first_(tile.first),
        is_last_(tile.last),
        maximum_(temporary("stat")) {}

  void three_passes() {
    const TileView& sum = maximum_;  // The maximum is used up by then.
    code().reduce(ReduceFunction::kMax, 1, real(0), maximum_);
    exponentials();
    code().reduce(ReduceFunction::kSum, 1, work(), sum);
    code().map(MapFunction::kReciprocal, 1, sum, nullptr, sum);
    last(kMul, 1, work(), sum, work());
  }

  /// Of two passes the first: running maximum, and sum of exponentials rescaled to it; after the
  /// last block the sum's reciprocal.
  void normalizer() {
    if (is_first_) {
      // Differences from it are numbers even if all elements of the block are −∞.
      constexpr double kLowest{std::numeric_limits<float>::lowest()};
      code().reduce(ReduceFunction::kMax, 1, real(0), maximum_);
      code().map(MapFunction::kMax, 1, maximum_, nullptr, maximum_, kLowest);
    } else {
      const TileView factor = maximum_.at(4);
      code().map(MapFunction::kCopy, 1, maximum_, nullptr, factor);
      code().reduce(ReduceFunction::kMax, 1, real(0), maximum_, true);
      code().map(kSub, 1, factor, &maximum_, factor);
      exponential(factor);
      code().map(kMul, 1, sum(), &factor, sum());
    }
    exponentials();
    code().reduce(ReduceFunction::kSum, 1, work(), sum(), !is_first_);
    if (is_last_) code().map(MapFunction::kReciprocal, 1, sum(), nullptr, sum());
  }

  /// … and the second: results of a block.
  void results() {
    exponentials();
    last(kMul, 1, work(), sum(), work());
  }

 private:
  [[nodiscard]] TileView sum() const { return maximum_.at(8); }
  void exponential(const TileView& v) {
    if (beta_ != 1.0F) code().map(kMul, 1, v, nullptr, v, static_cast<double>(beta_));
    code().map(MapFunction::kExp, 1, v, nullptr, v);
  }
  /// work = exp((x − maximum) · beta)
  void exponentials() {
    code().map(kSub, 1, real(0), &maximum_, work());
    exponential(work());
  }

  float beta_;
  bool is_first_, is_last_;
  TileView maximum_;  ///< Of two passes with factor and sum behind it.
};

/// Rows that are normalized one by one; `work` is where their fp32 intermediates are.
class RowTile : public GeneralTile {
 public:
  RowTile(LayerContext& c, const mapper::TileSpace& space, const Tile& tile)
      : GeneralTile(c, space, tile),
        c_(c),
        row_(length(0)),
        work_(work()),
        stat_(temporary("stat")),
        each_(stat_.stepping(0)) {}

  void layer_norm() {
    const TileView& x = real(0);
    code().reduce(ReduceFunction::kSum, row_, x, stat_);
    divide_by_row();
    code().map(kSub, row_, x, &each_, work_);
    deviation(work_);
    code().map(kMul, row_, work_, &each_, work_);
    if (c_.has_input(2)) {
      code().map(kMul, row_, work_, &real(1), work_);
      last(kAdd, row_, work_, real(2), work_);
    } else {
      last(kMul, row_, work_, real(1), work_);
    }
  }

  void rms_norm() {
    const TileView& x = real(0);
    deviation(x);
    code().map(kMul, row_, x, &each_, work_);
    last(kMul, row_, work_, real(1), work_);
  }

 private:
  void divide_by_row() {
    code().map(MapFunction::kDiv, 1, stat_, nullptr, stat_, static_cast<double>(row_));
  }
  /// stat = 1 / √(mean square + epsilon).
  void deviation(const TileView& values) {
    code().reduce(ReduceFunction::kSumSquares, row_, values, stat_);
    divide_by_row();
    const float epsilon = std::get<graph::NormAttrs>(c_.node.attrs).epsilon;
    code().map(kAdd, 1, stat_, nullptr, stat_, static_cast<double>(epsilon));
    code().map(MapFunction::kReciprocalSqrt, 1, stat_, nullptr, stat_);
  }

  LayerContext& c_;
  int64_t row_;
  TileView work_, stat_, each_;
};

void map_tile(const LayerContext& c, GeneralTile& tile) {
  const auto& attrs = std::get<graph::MapAttrs>(c.node.attrs);
  const std::size_t inputs = c.node.inputs.size();
  if (attrs.function == MapFunction::kSelect) {
    tile.code().map(MapFunction::kCopy, 1, tile.real(2), nullptr, tile.result());
    tile.code().map(MapFunction::kSelect, 1, tile.real(0), &tile.real(1), tile.result());
  } else {
    const TileView& a = tile.real(0);
    const TileView* b = inputs == 2 ? &tile.real(1) : nullptr;
    tile.code().map(attrs.function, 1, a, b, tile.result(), attrs.imm0, attrs.imm1);
  }
  tile.finish();
}

void reduce_tile(const LayerContext& c, const mapper::TileSpace& space, const Tile& part,
                 GeneralTile& tile) {
  const ReduceFunction function = std::get<graph::ReduceMapAttrs>(c.node.attrs).function;
  const TileView& x = tile.real(0);
  const bool direct = !space.has_temporary("fold") ||
                      (part.first && part.last && !mapper::is_real_integer(c.output()));
  if (direct) return tile.code().reduce(function, 1, x, tile.output(), !part.first);
  TileView fold = tile.temporary("fold");
  fold.type = is_float(x.type) ? DType::kFloat32 : DType::kInt32;
  tile.code().reduce(function, 1, x, fold, !part.first);
  if (part.last) tile.code().store(c.output(), 1, fold, tile.output());
}

void rope_tile(const LayerContext& c, GeneralTile& tile, const mapper::TileSpace& space,
               const Tile& part) {
  const bool interleaved = std::get<graph::RopeAttrs>(c.node.attrs).interleaved;
  const int64_t pairs = tile.length(1);
  const auto half = [&](const TileView& row, bool second) {
    const int64_t element = size_of(row.type);
    if (!interleaved) return row.at(second ? pairs * element : 0);
    return row.at(second ? element : 0).stepping(2 * element);
  };
  const TileView x = tile.real(0);
  const TileView cosine = tile.real(1);
  const TileView sine = tile.real(2);
  const TileView& y = tile.result();
  const TileView& t1 = part.temporaries[space.temporary("first")];
  const TileView& t2 = part.temporaries[space.temporary("second")];
  tile.code().map(kMul, pairs, half(x, false), &cosine, t1);
  tile.code().map(kMul, pairs, half(x, true), &sine, t2);
  tile.code().map(kSub, pairs, t1, &t2, half(y, false));
  tile.code().map(kMul, pairs, half(x, false), &sine, t1);
  tile.code().map(kMul, pairs, half(x, true), &cosine, t2);
  tile.code().map(kAdd, pairs, t1, &t2, half(y, true));
  const int64_t rest = tile.length(0) - 2 * pairs;
  if (rest > 0) {
    tile.code().map(MapFunction::kCopy, rest, x.at(2 * pairs * size_of(x.type)), nullptr,
                    y.at(2 * pairs * size_of(y.type)));
  }
  tile.finish();
}

}  // namespace

void lower_general(LayerContext& c) {
  TileWalk walk(c);
  const mapper::TileSpace& space = walk.space();
  if (c.plan.softmax.passes == 2) {
    return walk.run_twice([&](const Tile& part) { SoftmaxTile(c, space, part).normalizer(); },
                          [&](const Tile& part) { SoftmaxTile(c, space, part).results(); });
  }
  walk.run([&](const Tile& part) {
    GeneralTile tile(c, space, part);
    switch (c.node.kind) {
      case OpKind::kMap:
        return map_tile(c, tile);
      case OpKind::kReduce:
        return reduce_tile(c, space, part, tile);
      case OpKind::kSoftmax:
        return SoftmaxTile(c, space, part).three_passes();
      case OpKind::kLayerNorm:
        return RowTile(c, space, part).layer_norm();
      case OpKind::kRmsNorm:
        return RowTile(c, space, part).rms_norm();
      case OpKind::kRope:
        return rope_tile(c, tile, space, part);
      default:
        NPU_CHECK(false, "not a tiled operator");
    }
  });
}

}  // namespace npu::kernels
