#pragma once

#include <cstdint>

#include "sim/config/npu_config.h"

namespace npu::timing {

/// A matrix tile: out[M,N] += in[M,K] · w[K,N]. Convolution: M = out_h·out_w, K =
/// kernel_h·kernel_w·in_c.
struct MacTile {
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t taps = 1;      ///< kernel_h·kernel_w (K = taps·in_c).
  bool depthwise = false;     ///< n channels, each its own dot product over k = taps.
  bool wide = false;          ///< int16 activations and 8-byte accumulators.
  bool wide_weights = false;  ///< int16 weights: int16_cycles times the passes, twice the bytes.
  /// The first fold is already in the shadow registers. Ignored where weights are not stationary.
  bool weights_loaded = false;
  bool accumulate = false;
};

/// Cycles of one tile on an otherwise idle array, and what it moves.
struct MacTiming {
  std::int64_t total_cycles = 0;       ///< First operand in to last result in the accumulators.
  std::int64_t busy_cycles = 0;        ///< Cycles in which operands stream through the array.
  std::int64_t fill_drain_cycles = 0;  ///< total − busy.
  std::int64_t shadow_free_cycles =
      0;  ///< Offset at which the shadow weight registers can be loaded for the next tile.
  std::int64_t macs = 0;                                     ///< Useful ones.
  std::int64_t input_read_bytes = 0, weight_read_bytes = 0;  ///< From the scratchpad.
  std::int64_t accumulator_read_bytes = 0, accumulator_write_bytes = 0;
  std::int64_t register_write_bytes =
      0;  ///< Into the stationary registers; those of mac.load_weights excepted.
};

/// Closed form; the header of mac_timing.cpp derives it for each kind and dataflow.
[[nodiscard]] MacTiming mac_tile(const MacArrayConfig& config, const MacTile& tile);

/// Cycles to load one fold of k × n bytes into the stationary (shadow) registers.
[[nodiscard]] std::int64_t weight_load_cycles(const MacArrayConfig& config, std::int64_t k,
                                              std::int64_t n);

/// Shape of the first fold of a tile: what mac.load_weights has to bring. 0 × 0 where nothing can
/// be brought ahead: depthwise tiles, and arrays whose weights are not stationary.
struct Fold {
  std::int64_t k = 0, n = 0;
};
[[nodiscard]] Fold first_fold(const MacArrayConfig& config, const MacTile& tile);

}  // namespace npu::timing
