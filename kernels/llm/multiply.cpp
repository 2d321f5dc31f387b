// Matrix products of a step: weights stream through the scratchpad in tiles of rows.
#include <algorithm>

#include "kernels/llm/step_builder.h"
#include "sim/base/math.h"

namespace npu::llm_kernels {
namespace {

using kernels::Transfer;
using llm::WeightFormat;
using std::int64_t;

constexpr std::size_t kWeightLookahead = 24;  ///< Steps that a load of weights may run ahead.

}  // namespace

int64_t StepBuilder::sums_capacity() const { return config_.accumulator.capacity_bytes / 2 / 4; }

int64_t StepBuilder::next_sums() {
  return sums_++ % 2 * (config_.accumulator.capacity_bytes / 2 / 64 * 64);
}

void StepBuilder::require(Code code) const {
  const int cycles = code == Code::kFloat32   ? config_.mac_array.float32_cycles
                     : code == Code::kFloat16 ? config_.mac_array.float16_cycles
                                              : config_.mac_array.bfloat16_cycles;
  if (cycles > 0) return;
  fail("{}: the MAC array does not multiply {} (mac_array.{}_cycles is 0)", config_.name,
       code == Code::kFloat32   ? "float32"
       : code == Code::kFloat16 ? "float16"
                                : "bfloat16",
       code == Code::kFloat32   ? "float32"
       : code == Code::kFloat16 ? "float16"
                                : "bfloat16");
}

/// A finished tile of columns [first, first + columns) leaves for DRAM.
void StepBuilder::store_tile(const Target& to, int64_t tile, int64_t rows, int64_t first,
                             int64_t columns, int64_t all_columns) {
  out_.store({.src = tile,
              .dst = to.dram + 4 * first,
              .run = 4 * columns,
              .count = {rows},
              .src_stride = {4 * columns},
              .dst_stride = {4 * all_columns}},
             "logits");
}

void StepBuilder::multiply(const PlacedMatrix& m, const InputRows& x, const Target& to) {
  if (m.is_grouped()) {
    multiply_groups(m, x, to);
  } else {
    multiply_floats(m, x, to);
  }
}

void StepBuilder::multiply_floats(const PlacedMatrix& m, const InputRows& x, const Target& to) {
  require(input_);
  const int64_t size = bytes_of(input_);
  const int64_t narrow = std::min<int64_t>(m.rows, config_.mac_array.cols);
  // Logit tiles need room for their results beside the weights.
  const int64_t result = to.dram >= 0 ? 4 * x.rows : 0;
  int64_t depth = m.columns;
  if (narrow * (depth * size + result) > areas_.slot_bytes) {
    depth = (areas_.slot_bytes / narrow - result) / size;
    if (depth < 1) {
      fail("scratchpad: a tile of {} rows of weights needs {} bytes, {} are there", narrow,
           narrow * (size + result), areas_.slot_bytes);
    }
  }
  int64_t wide = std::min({m.rows, areas_.slot_bytes / (depth * size + result),
                           sums_capacity() / x.rows, std::int64_t{65535}});
  if (wide > narrow) wide = wide / narrow * narrow;
  NPU_CHECK(wide >= 1, "rows that fit the accumulators");
  for (int64_t first = 0; first < m.rows; first += wide) {
    const Sums sums{next_sums(), x.rows, std::min(wide, m.rows - first)};
    int64_t slot = 0;
    for (int64_t k = 0; k < m.columns; k += depth) {
      const int64_t part = std::min(depth, m.columns - k);
      out_.begin_step();
      out_.set_lookahead(kWeightLookahead);
      slot = areas_.weights + tiles_++ % Areas::kSlots * areas_.slot_bytes;
      out_.load_weights({.src = m.address + first * m.row_bytes + k * size,
                         .dst = slot,
                         .run = part * size,
                         .count = {sums.columns},
                         .src_stride = {m.row_bytes},
                         .dst_stride = {part * size}},
                        "weights");
      code_.product({.x = x.address + k * size,
                     .x_stride = m.columns * size,
                     .w = slot,
                     .w_stride = part * size,
                     .code = input_,
                     .k = part,
                     .accumulate = k > 0},
                    sums);
    }
    if (to.dram >= 0) {
      const int64_t tile = slot + round_up(sums.columns * std::min(depth, m.columns) * size, 4);
      code_.convert(sums, {.raw = true}, tile, 4 * sums.columns, Code::kFloat32);
      store_tile(to, tile, x.rows, first, sums.columns, m.rows);
    } else {
      code_.convert(
          sums, {.record = areas_.constants, .accumulate = to.accumulate, .raw = !to.accumulate},
          to.address + 4 * first, to.row_stride, Code::kFloat32);
    }
  }
}

/// x in groups: int8 values [rows, columns] and scales [groups, rows].
void StepBuilder::quantize_rows(const PlacedMatrix& m, const InputRows& x) {
  const int64_t row = 4 * m.columns;
  code_.map(MapFunction::kAbs, floats(x.address), floats(areas_.work), {x.rows * m.columns});
  const auto for_groups = [&](int64_t first, int64_t count, int64_t size) {
    const int64_t at = first * m.group_size;
    const int64_t scales = areas_.row_scales + 4 * first * x.rows;
    const Extent all{size, count, x.rows};
    const Walk group = floats(areas_.work + 4 * at, 4 * m.group_size, row);
    code_.reduce(ReduceFunction::kMax, group, {scales, Code::kFloat32, 4, 4 * x.rows, 4}, all);
    code_.map(MapFunction::kDiv, floats(scales), 127, floats(scales), {count * x.rows});
    code_.map(MapFunction::kDiv, floats(x.address + 4 * at, 4 * m.group_size, row),
              repeated(scales, 4 * x.rows, 4), group, all);
  };
  const int64_t whole = m.columns / m.group_size;
  if (whole > 0) for_groups(0, whole, m.group_size);
  if (whole < m.groups()) for_groups(whole, 1, m.columns - whole * m.group_size);
  code_.map(MapFunction::kRound, floats(areas_.work), elements(areas_.quantized, Code::kInt8),
            {x.rows * m.columns});
}

namespace {

/// A tile of grouped weights in its slot.
struct GroupedTile {
  int64_t values = 0, packed = 0, scales = 0, records = 0, row_bytes = 0;
};

/// int4 to int8: both halves of every byte, sign-extended.
void unpack(TileCode& code, const GroupedTile& tile, int64_t bytes) {
  const Walk packed = elements(tile.packed, Code::kInt8);
  const Walk low{tile.values, Code::kInt8, 2};
  const Walk high{tile.values + 1, Code::kInt8, 2};
  code.map(MapFunction::kShiftLeft, packed, 4, low, {bytes});
  code.map(MapFunction::kShiftRight, low, 4, low, {bytes});
  code.map(MapFunction::kShiftRight, packed, 4, high, {bytes});
}

}  // namespace

void StepBuilder::multiply_groups(const PlacedMatrix& m, const InputRows& x, const Target& to) {
  out_.begin_step();
  quantize_rows(m, x);
  const bool packed = m.format == WeightFormat::kQ4;
  const int64_t groups = m.groups();
  const int64_t result = to.dram >= 0 ? 4 * x.rows : 0;
  const int64_t per_row = tile_row_bytes(m) + result;
  int64_t wide =
      std::min({m.rows, (areas_.slot_bytes - 16) / per_row, areas_.record_bytes / (8 * groups),
                sums_capacity() / x.rows, std::int64_t{65535}});
  if (wide < 1) {
    fail(
        "scratchpad: a row of grouped weights needs {} bytes and {} of records, {} and {} are "
        "there",
        per_row + 16, 8 * groups, areas_.slot_bytes, areas_.record_bytes);
  }
  const int64_t narrow = std::min<int64_t>(m.rows, config_.mac_array.cols);
  if (wide > narrow) wide = wide / narrow * narrow;
  const int64_t y_stride = to.dram >= 0 ? 0 : to.row_stride;
  for (int64_t first = 0; first < m.rows; first += wide) {
    const int64_t columns = std::min(wide, m.rows - first);
    out_.begin_step();
    out_.set_lookahead(kWeightLookahead);
    const int64_t slot_index = tiles_++ % Areas::kSlots;
    GroupedTile tile;
    tile.row_bytes = packed ? 2 * m.row_bytes : m.row_bytes;
    tile.scales = areas_.weights + slot_index * areas_.slot_bytes;
    int64_t at = tile.scales + round_up(columns * groups * m.scale_bytes(), 4);
    const int64_t y = to.dram >= 0 ? at : to.address + 4 * first;
    at += columns * result;
    tile.values = at;
    tile.packed = packed ? at + columns * tile.row_bytes : at;
    tile.records = areas_.records + slot_index * areas_.record_bytes;
    out_.load_weights({.src = m.address + first * m.row_bytes,
                       .dst = tile.packed,
                       .run = columns * m.row_bytes,
                       .count = {},
                       .src_stride = {},
                       .dst_stride = {}},
                      "weights");
    out_.load_weights({.src = m.scales_address + first * m.scale_bytes(),
                       .dst = tile.scales,
                       .run = columns * m.scale_bytes(),
                       .count = {groups},
                       .src_stride = {m.rows * m.scale_bytes()},
                       .dst_stride = {columns * m.scale_bytes()}},
                      "scales");
    if (packed) unpack(code_, tile, columns * m.row_bytes);
    code_.map(MapFunction::kCopy, elements(tile.scales, m.scale_code),
              Walk{tile.records, Code::kFloat32, 8}, {columns * groups});
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t k = g * m.group_size;
      const Sums sums{next_sums(), x.rows, columns, Code::kInt32};
      code_.product({.x = areas_.quantized + k,
                     .x_stride = m.columns,
                     .w = tile.values + k,
                     .w_stride = tile.row_bytes,
                     .code = Code::kInt8,
                     .k = std::min(m.group_size, m.columns - k)},
                    sums);
      code_.convert(sums,
                    {.record = tile.records + 8 * columns * g,
                     .per_channel = true,
                     .row_scales = areas_.row_scales + 4 * g * x.rows,
                     .accumulate = g > 0},
                    y, to.dram >= 0 ? 4 * columns : y_stride, Code::kFloat32);
    }
    if (to.dram >= 0) store_tile(to, y, x.rows, first, columns, m.rows);
  }
}

}  // namespace npu::llm_kernels
