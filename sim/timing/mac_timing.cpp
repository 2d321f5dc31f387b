// Closed forms of the MAC array.
//
// Symbols: R rows, C cols, P pixels, L pipeline_latency_cycles, B weight_load_bytes_per_cycle; tile
// M × N × K; w passes per MAC (1 for int8, int16_cycles for each int16 operand, float16_cycles,
// bfloat16_cycles, float32_cycles). A fold is the part
// of a tile that one load of the stationary registers serves. |x| is the number of blocks when x is
// cut into blocks of the array's size.
//
// Systolic, stationary operand (weights K × N; for input stationary, inputs K × M, and M and N
// trade places below). Operand vector m enters row r at cycle m + r (input skew), reaches column c
// one cycle per column later, and the partial sums fall one row per cycle: PE (r, c) works on m at
// cycle m + r + c. Rows above the block's last one pass zeros on and output skew registers align
// the columns, so the sums of vector m are whole at the accumulators in cycle m + (R − 1) + (C − 1)
// + L, whatever the block's size. A fold therefore streams M·w cycles, and
//   skew = (R − 1) + (C − 1) + L
// cycles more pass until its last result is written.
//   Preload of a k × n block: row by row from the top, at most one row per cycle, at most B bytes
//   per cycle: p = max(k, ceil(k·n·bytes / B)). Double-buffered registers: each PE swaps in its
//   shadow weight as the first vector reaches it, so the swap runs through the array as the
//   diagonal r + c does, and the weights of the next fold follow right behind it. The next fold's
//   first vector can enter max(M·w, p_next) cycles after this fold's: folds flow back to back
//   without draining.
//     total = p_0 + sum over folds f ≥ 1 of max(M·w, p_f) + M·w + skew;  p_0 = 0 if weights_loaded.
//     The shadow registers are free once the last fold has begun to stream: total − skew − M·w.
//   Single registers: one wire shifts all of them, so the next block comes when the last PE has
//   multiplied the fold's last vector. The output registers (L) do not hold it up:
//     total = sum over folds of (p_f + M·w + (R − 1) + (C − 1)) + L;  free at total − L.
//   Each fold of K adds into the accumulators; the first one of a tile writes without reading
//   unless accumulate.
// Systolic, output stationary: PE (r, c) keeps out[m_r][n_c]; inputs enter from the left, weights
// from the top, K·w cycles a fold, PE (r, c) takes k at cycle k + r + c. Results leave downwards
// through R registers per column, the row above following the row below, with the same skew: the
// last result is at the accumulators
//   K·w + (R − 1) + (C − 1) + R + L
// cycles after the fold began. Rows beyond the block compute zeros and drain like the others.
// Double-buffered (the result registers): a fold drains while the next one streams; its last
// operand waits until the first PE's result register is free: ends of folds are max(K·w, R) apart.
// Single: a fold enters when the array is empty, every one pays the whole sum but L, which comes
// once. Depthwise: one output channel has K = taps inputs of its own, so only a block-diagonal
// matrix is useful.
//   Weight stationary: G = max(1, min(C, floor(R / taps))) channels per fold; the block has G·taps
//   rows, one load cycle each (only the G·taps weights come from memory). taps > R: one channel,
//   |taps| folds. Output stationary: the G = min(N, C) columns' taps pass one after another:
//   G·taps·w cycles a fold. Input stationary: one channel at a time, one weight vector per fold.
//
// Dot product: C output channels, each a tree over R lanes, for P positions at once; no skew,
// results after L cycles, which single registers do not wait for. The lanes take input channels of
// one tap at a time (as NVDLA's atoms do): a k-block is one of taps · |in_c / R|.
//   Weight stationary: folds taps·|in_c / R| · |N / C|, each ceil(M / P)·w cycles; p =
//   ceil(k·n·bytes / B). Input stationary: folds taps·|in_c / R| · |M / P|, each |N / C|·w cycles;
//   the block is k lanes × P positions. Output stationary: |M / P| · |N / C| folds of taps·|in_c /
//   R|·w cycles; both operands stream, so that single and double registers are the same. Depthwise:
//   lane g feeds channel g: blocks of G = min(R, C) channels, one tap at a time.
//
// With whole_block_loads, k and n in a preload are those of whole blocks (times the bytes of a
// weight).
//
// What streams is limited here by the array alone; the scratchpad's banks are booked by MacArray
// and limit it there. Not modelled: skipping of zeros, compressed weights, reuse of overlapping
// windows inside the array. Sources: Kung, "Why systolic architectures?", Computer 15(1), 1982;
// Jouppi et al., ISCA 2017 (weight FIFO, shadow weights); Genc et al., "Gemmini", DAC 2021 (the
// travelling swap bit); NVDLA hardware manual, convolution core.

#include "sim/timing/mac_timing.h"

#include <algorithm>
#include <array>

#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::timing {
namespace {

/// An extent cut into `full` blocks of `size` and, if it does not divide, one of `rest`; all of it
/// `times` over.
struct Blocks {
  std::int64_t size = 0, full = 0, rest = 0, times = 1;

  Blocks(std::int64_t extent, std::int64_t block, std::int64_t times_over = 1)
      : size(std::min(extent, block)),
        full(extent / block),
        rest(extent % block),
        times(times_over) {}
  [[nodiscard]] std::int64_t count() const { return times * (full + (rest > 0 ? 1 : 0)); }
};

/// One shape of fold: how many, and how long its preload takes.
struct FoldClass {
  std::int64_t count = 0, preload_cycles = 0;
};

bool is_dot(const MacArrayConfig& config) { return config.kind == ArrayKind::kDotProduct; }
bool is_weight_stationary(const MacArrayConfig& config) {
  return config.dataflow == Dataflow::kWeightStationary;
}

/// Cycles from the first PE's work on an operand vector to the last PE's.
std::int64_t skew_cycles(const MacArrayConfig& config) {
  return is_dot(config) ? 0 : std::int64_t{config.rows} + config.cols - 2;
}

std::int64_t preload_cycles(const MacArrayConfig& config, std::int64_t rows, std::int64_t bytes) {
  if (config.whole_block_loads) {
    rows = config.rows;
    bytes = round_up(bytes, std::int64_t{config.rows} * config.cols);
  }
  const std::int64_t by_port = ceil_div(bytes, std::max(config.weight_load_bytes_per_cycle, 1));
  return is_dot(config) ? by_port : std::max(rows, by_port);
}

/// How a tile is cut for an array with a stationary operand.
struct StationaryPlan {
  Blocks k, n;              ///< Reduction, and the other dimension of the stationary operand.
  std::int64_t stream = 0;  ///< Cycles per fold.
  bool diagonal =
      false;  ///< Only the block's diagonal is loaded: k · n bytes become n · `diagonal_taps`.
  std::int64_t diagonal_taps = 1;
};

StationaryPlan weight_plan(const MacArrayConfig& config, const MacTile& t) {
  const std::int64_t w = pass_count(config, t);
  if (is_dot(config)) {
    const std::int64_t stream = ceil_div(t.m, config.pixels) * w;
    if (t.depthwise) {
      return {Blocks(1, 1, t.k), Blocks(t.n, std::min(config.rows, config.cols)), stream, true, 1};
    }
    return {Blocks(ceil_div(t.k, t.taps), config.rows, t.taps), Blocks(t.n, config.cols), stream,
            false, 1};
  }
  if (!t.depthwise) return {Blocks(t.k, config.rows), Blocks(t.n, config.cols), t.m * w, false, 1};
  if (t.k > config.rows) return {Blocks(t.k, config.rows), Blocks(t.n, 1), t.m * w, false, 1};
  const std::int64_t group = std::min<std::int64_t>(config.cols, config.rows / t.k);
  return {Blocks(1, 1), Blocks(t.n, group), t.m * w, true, t.k};
}

StationaryPlan input_plan(const MacArrayConfig& config, const MacTile& t) {
  const std::int64_t w = pass_count(config, t);
  if (is_dot(config)) {
    if (t.depthwise) {
      // Folds: taps · |N / G| · |M / P|; the last block of channels may be smaller, but loads in
      // the same cycles or fewer.
      const std::int64_t group =
          std::min({t.n, std::int64_t{config.rows}, std::int64_t{config.cols}});
      return {Blocks(t.n, group, t.k), Blocks(t.m, config.pixels), w, false, 1};
    }
    return {Blocks(ceil_div(t.k, t.taps), config.rows, t.taps), Blocks(t.m, config.pixels),
            ceil_div(t.n, config.cols) * w, false, 1};
  }
  if (t.depthwise) return {Blocks(t.k, config.rows, t.n), Blocks(t.m, config.cols), w, false, 1};
  return {Blocks(t.k, config.rows), Blocks(t.m, config.cols), t.n * w, false, 1};
}

struct TileCycles {
  std::int64_t total = 0, busy = 0, shadow_free = 0;
};

TileCycles stationary_cycles(const MacArrayConfig& config, const StationaryPlan& plan,
                             std::int64_t element_bytes, bool loaded) {
  const auto preload = [&](std::int64_t k, std::int64_t n) {
    if (plan.diagonal) {
      return preload_cycles(config, n * plan.diagonal_taps, n * plan.diagonal_taps * element_bytes);
    }
    return preload_cycles(config, k, k * n * element_bytes);
  };
  const std::int64_t k_rest = plan.k.rest > 0 ? plan.k.times : 0;
  const std::int64_t n_rest = plan.n.rest > 0 ? plan.n.times : 0;
  const std::array<FoldClass, 4> classes = {{
      {plan.k.full * plan.k.times * plan.n.full * plan.n.times, preload(plan.k.size, plan.n.size)},
      {k_rest * plan.n.full * plan.n.times, preload(plan.k.rest, plan.n.size)},
      {plan.k.full * plan.k.times * n_rest, preload(plan.k.size, plan.n.rest)},
      {k_rest * n_rest, preload(plan.k.rest, plan.n.rest)},
  }};
  const std::int64_t folds = plan.k.count() * plan.n.count();
  const std::int64_t skew = skew_cycles(config);
  // Blocks::size is the extent itself where that is smaller than a block, so the first fold has it
  // either way.
  const std::int64_t first = preload(plan.k.size, plan.n.size);

  TileCycles c;
  c.busy = folds * plan.stream;
  if (config.double_buffered_weights) {
    for (const FoldClass& f : classes) c.total += f.count * std::max(plan.stream, f.preload_cycles);
    c.total += (loaded ? 0 : first) - std::max(plan.stream, first);
    c.shadow_free = c.total;
    c.total += plan.stream + skew;
  } else {
    for (const FoldClass& f : classes) c.total += f.count * (f.preload_cycles + plan.stream + skew);
    if (loaded) c.total -= first;
    c.shadow_free = c.total;
  }
  c.total += config.pipeline_latency_cycles;
  return c;
}

TileCycles output_cycles(const MacArrayConfig& config, const MacTile& t) {
  const std::int64_t w = pass_count(config, t);
  const std::int64_t skew = skew_cycles(config);
  const std::int64_t m_folds = ceil_div(t.m, is_dot(config) ? config.pixels : config.rows);
  TileCycles c;
  if (is_dot(config)) {
    const std::int64_t group = t.depthwise ? std::min(config.rows, config.cols) : config.cols;
    const std::int64_t stream =
        (t.depthwise ? t.k : t.taps * ceil_div(ceil_div(t.k, t.taps), config.rows)) * w;
    const std::int64_t folds = m_folds * ceil_div(t.n, group);
    c.busy = folds * stream;
    c.total = c.busy;
  } else {
    const std::int64_t drain = config.rows;
    const Blocks n(t.n, config.cols);
    const auto stream = [&](std::int64_t columns) {
      return (t.depthwise ? columns * t.k : t.k) * w;
    };
    const std::int64_t full = m_folds * n.full;
    const std::int64_t rest = n.rest > 0 ? m_folds : 0;
    c.busy = full * stream(n.size) + rest * stream(n.rest);
    if (config.double_buffered_weights) {
      c.total = full * std::max(stream(n.size), drain) + rest * std::max(stream(n.rest), drain) -
                std::max(stream(n.size), drain) + stream(n.size) + skew + drain;
    } else {
      c.total = c.busy + (full + rest) * (skew + drain);
    }
  }
  c.total += config.pipeline_latency_cycles;
  c.shadow_free = c.total;
  return c;
}

}  // namespace

std::string_view name_of(Precision precision) {
  constexpr std::array<std::string_view, 4> kNames = {"integer", "float16", "bfloat16", "float32"};
  return kNames[static_cast<std::size_t>(precision)];
}

int float_cycles(const MacArrayConfig& config, Precision precision) {
  switch (precision) {
    case Precision::kInteger:
      break;
    case Precision::kFloat16:
      return config.float16_cycles;
    case Precision::kBfloat16:
      return config.bfloat16_cycles;
    case Precision::kFloat32:
      return config.float32_cycles;
  }
  return 0;
}

std::int64_t pass_count(const MacArrayConfig& config, const MacTile& t) {
  if (t.precision == Precision::kInteger) {
    return (t.wide ? config.int16_cycles : 1) *
           std::int64_t{t.wide_weights ? config.int16_cycles : 1};
  }
  const int cycles = float_cycles(config, t.precision);
  if (cycles == 0) {
    fail("mac_array.{0}_cycles is 0: the array has no {0} arithmetic", name_of(t.precision));
  }
  return cycles;
}

Fold first_fold(const MacArrayConfig& config, const MacTile& tile) {
  if (tile.depthwise || !is_weight_stationary(config) || tile.k <= 0 || tile.n <= 0) return {};
  const std::int64_t reduction = is_dot(config) ? ceil_div(tile.k, tile.taps) : tile.k;
  return {std::min<std::int64_t>(reduction, config.rows),
          std::min<std::int64_t>(tile.n, config.cols)};
}

std::int64_t weight_load_cycles(const MacArrayConfig& config, std::int64_t k, std::int64_t n) {
  return preload_cycles(config, k, k * n);
}

MacTiming mac_tile(const MacArrayConfig& config, const MacTile& t) {
  MacTiming out;
  if (t.m <= 0 || t.n <= 0 || t.k <= 0) return out;
  const std::int64_t x_bytes = t.x_bytes();
  const std::int64_t w_bytes = t.w_bytes();
  const std::int64_t results = t.m * t.n;
  const std::int64_t sum_bytes = results * t.sum_bytes();
  const std::int64_t weights = t.k * t.n * w_bytes;                           // Each once.
  const std::int64_t inputs = (t.depthwise ? results : t.m) * t.k * x_bytes;  // Each once per tap.
  std::int64_t sums_per_result = 1;  // Partial sums that reach the accumulators.
  TileCycles c;
  switch (config.dataflow) {
    case Dataflow::kWeightStationary: {
      const StationaryPlan plan = weight_plan(config, t);
      const Fold loaded = t.weights_loaded ? first_fold(config, t) : Fold{};
      c = stationary_cycles(config, plan, w_bytes, loaded.k > 0);
      sums_per_result = plan.k.count();
      out.input_read_bytes = t.depthwise ? inputs : inputs * plan.n.count();
      out.weight_read_bytes = weights - loaded.k * loaded.n * w_bytes;
      out.register_write_bytes = out.weight_read_bytes;
      break;
    }
    case Dataflow::kInputStationary: {
      const StationaryPlan plan = input_plan(config, t);
      c = stationary_cycles(config, plan, x_bytes, false);
      // Depthwise repeats the k-blocks per channel (systolic) or per block of channels and tap (dot
      // product).
      sums_per_result = !t.depthwise     ? plan.k.count()
                        : is_dot(config) ? t.k
                                         : ceil_div(t.k, config.rows);
      out.input_read_bytes = inputs;
      out.weight_read_bytes = weights * plan.n.count();
      out.register_write_bytes = inputs;
      break;
    }
    case Dataflow::kOutputStationary: {
      c = output_cycles(config, t);
      out.input_read_bytes = t.depthwise ? inputs : inputs * ceil_div(t.n, config.cols);
      out.weight_read_bytes = weights * ceil_div(t.m, is_dot(config) ? config.pixels : config.rows);
      break;
    }
  }
  out.total_cycles = c.total;
  out.busy_cycles = c.busy;
  out.fill_drain_cycles = c.total - c.busy;
  out.shadow_free_cycles = c.shadow_free;
  out.macs = results * t.k;
  out.accumulator_write_bytes = sum_bytes * sums_per_result;
  out.accumulator_read_bytes = sum_bytes * (sums_per_result - 1 + (t.accumulate ? 1 : 0));
  return out;
}

}  // namespace npu::timing
