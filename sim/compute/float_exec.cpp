// mac.conv and mac.gemm of floats: patches [block of positions, K] × weights [K, N] in float32.
// Positions whose taps are cut by padding in the same places are multiplied together, over the
// ranges of K that remain.

#include <algorithm>
#include <cstring>

#include "sim/base/math.h"
#include "sim/compute/float_matmul.h"
#include "sim/compute/float_rows.h"
#include "sim/compute/matrix_executor.h"

namespace npu::compute {
namespace {

constexpr std::int64_t kPatchBytes =
    128 * 1024;  // What a block of patches may take of the processor's caches.
constexpr std::int64_t kMaxPatchRows = 256;

/// The taps of position (y, x) that read something, as ranges of k.
void find_segments(const MacOperation& op, std::int64_t y, std::int64_t x,
                   std::vector<Segment>& out) {
  out.clear();
  for (std::int64_t ky = 0; ky < op.h.kernel; ++ky) {
    if (op.h.row(y, ky) < 0) continue;
    for (std::int64_t kx = 0; kx < op.v.kernel; ++kx) {
      if (op.v.row(x, kx) < 0) continue;
      const std::int64_t first = (ky * op.v.kernel + kx) * op.in_c;
      if (!out.empty() && out.back().first + out.back().count == first) {
        out.back().count += op.in_c;
      } else {
        out.push_back({first, op.in_c});
      }
    }
  }
}

/// The inputs of position (y, x) that are read, at their k.
void gather_patch(const MacOperation& op, const std::byte* scratchpad, std::int64_t y,
                  std::int64_t x, float* out) {
  const std::int64_t size = size_of(op.x_type);
  // Taps of a row that are neighbours in memory are converted in one run.
  const bool dense = op.v.dilation == 1 && op.v.up == 1 && op.pixel_stride == op.in_c * size;
  for (std::int64_t ky = 0; ky < op.h.kernel; ++ky, out += op.v.kernel * op.in_c) {
    const std::int64_t row = op.h.row(y, ky);
    if (row < 0) continue;
    const std::byte* in = scratchpad + op.x + row * op.row_stride;
    if (dense) {
      const std::int64_t origin = op.v.origin + x * op.v.stride;
      const std::int64_t begin = std::clamp<std::int64_t>(-origin, 0, op.v.kernel);
      const std::int64_t end = std::clamp<std::int64_t>(op.v.in - origin, begin, op.v.kernel);
      if (end > begin) {
        load_floats(in + (origin + begin) * op.pixel_stride, op.x_type, size,
                    (end - begin) * op.in_c, out + begin * op.in_c);
      }
      continue;
    }
    for (std::int64_t kx = 0; kx < op.v.kernel; ++kx) {
      const std::int64_t pixel = op.v.row(x, kx);
      if (pixel < 0) continue;
      load_floats(in + pixel * op.pixel_stride, op.x_type, size, op.in_c, out + kx * op.in_c);
    }
  }
}

/// Accumulators of `rows` positions and `columns` channels: into a block, or +0; and back.
void load_block(const MacOperation& op, const std::byte* at, std::int64_t rows,
                std::int64_t columns, float* block) {
  std::fill_n(block, kFloatRows * kFloatColumns, 0.0F);
  if (!op.accumulate) return;
  for (std::int64_t r = 0; r < rows; ++r) {
    std::memcpy(block + r * kFloatColumns, at + r * op.acc_pitch * 4,
                static_cast<std::size_t>(columns) * sizeof(float));
  }
}
void store_block(const MacOperation& op, const float* block, std::int64_t rows,
                 std::int64_t columns, std::byte* at) {
  for (std::int64_t r = 0; r < rows; ++r) {
    store_floats(block + r * kFloatColumns, Element::kFloat32, 4, columns,
                 at + r * op.acc_pitch * 4);
  }
}

}  // namespace

/// Columns [0, columns) of a panel from rows of k, a block of k at a time; the others 0.
void MatrixExecutor::pack_panel(const MacOperation& op, const std::byte* first_row,
                                std::int64_t columns, float* panel) {
  constexpr std::int64_t kBlock = 64;
  const std::int64_t depth = op.depth();
  const std::int64_t size = size_of(op.w_type);
  float rows[kFloatColumns][kBlock] = {};
  for (std::int64_t k = 0; k < depth; k += kBlock) {
    const std::int64_t count = std::min(kBlock, depth - k);
    for (std::int64_t o = 0; o < columns; ++o) {
      load_floats(first_row + o * op.w_stride + k * size, op.w_type, size, count, rows[o]);
    }
    for (std::int64_t i = 0; i < count; ++i, panel += kFloatColumns) {
      for (std::int64_t o = 0; o < kFloatColumns; ++o) panel[o] = rows[o][i];
    }
  }
}

void MatrixExecutor::pack_float_weights(const MacOperation& op, const ShadowWeights* shadow,
                                        std::span<const std::byte> scratchpad) {
  const std::int64_t depth = op.depth();
  const std::int64_t size = size_of(op.w_type);
  const std::int64_t panels = ceil_div(op.out_c, kFloatColumns);
  float_weights_.resize(static_cast<std::size_t>(panels * depth * kFloatColumns));
  const std::byte* const weights = scratchpad.data() + op.w;
  for (std::int64_t o = 0; o < op.out_c; o += kFloatColumns) {
    const std::int64_t columns = std::min(kFloatColumns, op.out_c - o);
    float* panel = float_weights_.data() + o * depth;
    if (!op.w_transposed) {
      pack_panel(op, weights + o * op.w_stride, columns, panel);
      continue;
    }
    for (std::int64_t k = 0; k < depth; ++k, panel += kFloatColumns) {
      load_floats(weights + k * op.w_stride + o * size, op.w_type, size, columns, panel);
      std::fill(panel + columns, panel + kFloatColumns, 0.0F);
    }
  }
  if (shadow == nullptr) return;
  float_row_.resize(static_cast<std::size_t>(shadow->k));
  for (std::int64_t o = 0; o < shadow->n; ++o) {
    load_floats(shadow->bytes.data() + o * shadow->k * size, op.w_type, size, shadow->k,
                float_row_.data());
    float* out =
        float_weights_.data() + o / kFloatColumns * depth * kFloatColumns + o % kFloatColumns;
    for (std::int64_t k = 0; k < shadow->k; ++k) {
      out[k * kFloatColumns] = float_row_[static_cast<std::size_t>(k)];
    }
  }
}

void MatrixExecutor::multiply_positions(const MacOperation& op, std::int64_t first,
                                        std::int64_t count, const float* inputs,
                                        std::span<const Segment> segments,
                                        std::span<std::byte> accumulator) const {
  const std::int64_t depth = op.depth();
  alignas(64) float sums[kFloatRows * kFloatColumns];
  for (std::int64_t column = 0; column < op.out_c; column += kFloatColumns) {
    const std::int64_t columns = std::min(kFloatColumns, op.out_c - column);
    const float* w = float_weights_.data() + column * depth;
    for (std::int64_t r = 0; r < count; r += kFloatRows) {
      const std::int64_t rows = std::min(kFloatRows, count - r);
      std::byte* acc = accumulator.data() + op.acc + ((first + r) * op.acc_pitch + column) * 4;
      load_block(op, acc, rows, columns, sums);
      multiply_floats({inputs + r * depth, depth, w, segments.data(),
                       static_cast<std::int64_t>(segments.size()), sums},
                      rows);
      store_block(op, sums, rows, columns, acc);
    }
  }
}

void MatrixExecutor::convolve_floats(const MacOperation& op, const ShadowWeights* shadow,
                                     std::span<const std::byte> scratchpad,
                                     std::span<std::byte> accumulator) {
  pack_float_weights(op, shadow, scratchpad);
  const std::int64_t depth = op.depth();
  const std::int64_t positions = op.positions();
  const std::int64_t block =
      std::clamp(kPatchBytes / (depth * 4) / kFloatRows * kFloatRows, kFloatRows, kMaxPatchRows);
  float_inputs_.resize(static_cast<std::size_t>(std::min(block, positions) * depth));
  std::vector<Segment> run;  // Those of the positions gathered so far.
  std::vector<Segment> segments;
  std::int64_t first = 0;
  for (std::int64_t i = 0; i < positions; ++i) {
    const std::int64_t y = i / op.v.out;
    const std::int64_t x = i % op.v.out;
    find_segments(op, y, x, segments);
    if (i > first && (i - first == block || segments != run)) {
      multiply_positions(op, first, i - first, float_inputs_.data(), run, accumulator);
      first = i;
    }
    if (i == first) run.swap(segments);
    gather_patch(op, scratchpad.data(), y, x, float_inputs_.data() + (i - first) * depth);
  }
  multiply_positions(op, first, positions - first, float_inputs_.data(), run, accumulator);
}

void run_plain_floats(const MacOperation& op, const ShadowWeights* shadow,
                      std::span<const std::byte> scratchpad, std::span<std::byte> accumulator) {
  const std::int64_t size = size_of(op.x_type);
  const auto value = [&](const std::byte* at) {
    float v = 0;
    load_floats(at, op.x_type, size, 1, &v);
    return v;
  };
  for (std::int64_t position = 0; position < op.positions(); ++position) {
    const std::int64_t y = position / op.v.out;
    const std::int64_t x = position % op.v.out;
    for (std::int64_t o = 0; o < op.out_c; ++o) {
      std::byte* at = accumulator.data() + op.acc + (position * op.acc_pitch + o) * 4;
      float sum = op.accumulate ? load<float>(at) : 0.0F;
      for (std::int64_t tap = 0; tap < op.taps(); ++tap) {
        const std::int64_t row = op.h.row(y, tap / op.v.kernel);
        const std::int64_t pixel = op.v.row(x, tap % op.v.kernel);
        if (row < 0 || pixel < 0) continue;
        const std::byte* in =
            scratchpad.data() + op.x + row * op.row_stride + pixel * op.pixel_stride;
        const std::int64_t first = op.depthwise ? o / op.multiplier : 0;
        for (std::int64_t c = 0; c < (op.depthwise ? 1 : op.in_c); ++c) {
          sum +=
              value(in + (first + c) * size) * value(weight_at(op, shadow, scratchpad, tap, c, o));
        }
      }
      store_floats(&sum, Element::kFloat32, 4, 1, at);
    }
  }
}

}  // namespace npu::compute
