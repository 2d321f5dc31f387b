// vec.map and vec.reduce over the views of a tile.
#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/lowering/tile_walk.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using isa::Opcode;
using isa::Opd;
using std::int64_t;

/// A loop of an instruction: its count and the step of each view.
struct Loop {
  int64_t count = 1;
  std::vector<int64_t> step;
};

/// The loops over the dimensions of a tile that `chosen(dimension)` names, innermost first.
template <typename Chosen>
std::vector<Loop> loops_over(const Tile& tile, const std::vector<const TileView*>& views,
                             Chosen&& chosen) {
  std::vector<Loop> loops;
  for (std::size_t d = tile.extent.size(); d-- > 0;) {
    if (tile.extent[d] == 1 || !chosen(d)) continue;
    Loop loop{tile.extent[d], {}};
    for (const TileView* v : views) loop.step.push_back(v->step[d]);
    loops.push_back(std::move(loop));
  }
  return loops;
}

Loop unit_loop(int64_t length, const std::vector<const TileView*>& views) {
  Loop loop{length, {}};
  for (const TileView* v : views) loop.step.push_back(v->step.back());
  return loop;
}

/// Merges loops that continue the one inside them in every view.
void merge_loops(std::vector<Loop>& loops) {
  constexpr int64_t kMostIterations = (1 << 20) - 1;  // of every loop of vec.map and vec.reduce
  for (std::size_t i = 1; i < loops.size();) {
    Loop& inner = loops[i - 1];
    bool continues = inner.count * loops[i].count <= kMostIterations;
    for (std::size_t v = 0; v < inner.step.size(); ++v)
      continues = continues && loops[i].step[v] == inner.step[v] * inner.count;
    if (!continues) {
      ++i;
      continue;
    }
    inner.count *= loops[i].count;
    loops.erase(loops.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

/// Puts a loop of one iteration innermost where its step does not fit the field.
void limit_innermost(std::vector<Loop>& loops, int bits) {
  const auto fits = [&](int64_t step) { return std::abs(step) < int64_t{1} << (bits - 1); };
  if (!loops.empty() && !std::all_of(loops[0].step.begin(), loops[0].step.end(), fits)) {
    loops.insert(loops.begin(), {1, std::vector<int64_t>(loops[0].step.size(), 0)});
  }
}

int64_t count_of(const std::vector<Loop>& loops, std::size_t i) {
  return i < loops.size() ? loops[i].count : 1;
}
int64_t step_of(const std::vector<Loop>& loops, std::size_t i, std::size_t view) {
  return i < loops.size() ? loops[i].step[view] : 0;
}

/// True where an immediate of vec.map is an integer: imm1 of the quantizing functions always.
bool integer_immediate(MapFunction function, DType a, bool is_second) {
  const bool quantizes = function == MapFunction::kDequantize || function == MapFunction::kQuantize;
  return quantizes ? is_second : !is_float(a) && !is_real_function(function);
}

int64_t immediate(MapFunction function, DType a, bool is_second, double value) {
  return integer_immediate(function, a, is_second)
             ? static_cast<int64_t>(static_cast<std::uint32_t>(static_cast<int64_t>(value)))
             : static_cast<int64_t>(std::bit_cast<std::uint32_t>(static_cast<float>(value)));
}

}  // namespace

void TileCode::map(MapFunction function, int64_t length, const TileView& a, const TileView* b,
                   const TileView& dst, double imm0, double imm1) {
  const std::vector<const TileView*> views = {&a, b != nullptr ? b : &a, &dst};
  std::vector<Loop> loops =
      loops_over(tile_, views, [&](std::size_t d) { return dst.step[d] != 0; });
  if (length > 1) loops.insert(loops.begin(), unit_loop(length, views));
  merge_loops(loops);
  constexpr int kStepBits = 20;
  limit_innermost(loops, kStepBits);
  NPU_CHECK(loops.size() <= 3, "a tile has at most three loops");
  Build i(Opcode::kMap);
  i(Opd::kA, a.address)(Opd::kDst, dst.address)(Opd::kFunction, static_cast<int64_t>(function));
  i(Opd::kN0, count_of(loops, 0))(Opd::kN1, count_of(loops, 1))(Opd::kN2, count_of(loops, 2));
  i(Opd::kAStep0, step_of(loops, 0, 0))(Opd::kDstStep0, step_of(loops, 0, 2));
  i(Opd::kAStride1, step_of(loops, 1, 0))(Opd::kAStride2, step_of(loops, 2, 0));
  i(Opd::kDstStride1, step_of(loops, 1, 2))(Opd::kDstStride2, step_of(loops, 2, 2));
  i(Opd::kAType, type_code(a.type))(Opd::kOutType, type_code(dst.type));
  if (b != nullptr) {
    i(Opd::kB, b->address)(Opd::kBType, type_code(b->type));
    i(Opd::kBStep0, step_of(loops, 0, 1))(Opd::kBStride1, step_of(loops, 1, 1));
    i(Opd::kBStride2, step_of(loops, 2, 1));
  } else {
    i(Opd::kBType, type_code(a.type));
    i(Opd::kBImmediate, info_of(function).operands == 2 ? 1 : 0);
    i(Opd::kImm0, immediate(function, a.type, false, imm0));
    i(Opd::kImm1, immediate(function, a.type, true, imm1));
  }
  c_.out.work(i, name_of(function));
}

void TileCode::reduce(ReduceFunction function, int64_t length, const TileView& src,
                      const TileView& dst, bool accumulate) {
  const std::vector<const TileView*> views = {&src, &dst};
  std::vector<Loop> kept =
      loops_over(tile_, views, [&](std::size_t d) { return dst.step[d] != 0; });
  std::vector<Loop> folded =
      loops_over(tile_, views, [&](std::size_t d) { return dst.step[d] == 0 && src.step[d] != 0; });
  if (length > 1) folded.insert(folded.begin(), unit_loop(length, views));
  merge_loops(kept);
  merge_loops(folded);
  constexpr int kStepBits = 24;
  limit_innermost(folded, kStepBits);
  NPU_CHECK(kept.size() <= 2 && folded.size() <= 2, "a tile has at most two loops of each kind");
  Build i(Opcode::kReduce);
  i(Opd::kSrc, src.address)(Opd::kDst, dst.address)(Opd::kFunction, static_cast<int64_t>(function));
  i(Opd::kN0, count_of(folded, 0))(Opd::kSrcStep0, step_of(folded, 0, 0));
  i(Opd::kR1, count_of(folded, 1))(Opd::kRStride1, step_of(folded, 1, 0));
  i(Opd::kN1, count_of(kept, 0))(Opd::kSrcStride1, step_of(kept, 0, 0));
  i(Opd::kDstStride1, step_of(kept, 0, 1));
  i(Opd::kN2, count_of(kept, 1))(Opd::kSrcStride2, step_of(kept, 1, 0));
  i(Opd::kDstStride2, step_of(kept, 1, 1));
  i(Opd::kInType, type_code(src.type))(Opd::kOutType, type_code(dst.type));
  i(Opd::kAccumulate, accumulate ? 1 : 0);
  c_.out.work(i, name_of(function));
}

const TileView& TileCode::real(const graph::Tensor& tensor, int64_t length, const TileView& operand,
                               const TileView* temporary) {
  if (!mapper::is_real_integer(tensor)) return operand;
  NPU_CHECK(temporary != nullptr, "a quantized operand has a temporary");
  const PerTensor q = per_tensor(tensor);
  map(MapFunction::kDequantize, length, operand, nullptr, *temporary, static_cast<double>(q.scale),
      q.zero_point);
  return *temporary;
}

void TileCode::store(const graph::Tensor& tensor, int64_t length, const TileView& src,
                     const TileView& dst) {
  if (!mapper::is_real_integer(tensor)) {
    return map(MapFunction::kCopy, length, src, nullptr, dst);
  }
  const PerTensor q = per_tensor(tensor);
  map(MapFunction::kQuantize, length, src, nullptr, dst, static_cast<double>(q.scale),
      q.zero_point);
}

}  // namespace npu::kernels
