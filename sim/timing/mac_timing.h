#pragma once

#include <cstdint>
#include <string_view>

#include "sim/config/npu_config.h"

namespace npu::timing {

/// What a tile multiplies. Integers have 8 bits where `wide` and `wide_weights` do not say 16.
enum class Precision : std::uint8_t { kInteger, kFloat16, kBfloat16, kFloat32 };
/// "float16", …
[[nodiscard]] std::string_view name_of(Precision precision);
/// Passes per MAC of two floats of the type: mac_array.float16_cycles, …; 0: no such arithmetic.
/// Integers have theirs in pass_count().
[[nodiscard]] int float_cycles(const MacArrayConfig& config, Precision precision);

/// A matrix tile: out[M,N] += in[M,K] · w[K,N]. Convolution: M = out_h·out_w, K =
/// kernel_h·kernel_w·in_c.
struct MacTile {
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t taps = 1;      ///< kernel_h·kernel_w (K = taps·in_c).
  bool depthwise = false;     ///< n channels, each its own dot product over k = taps.
  bool wide = false;          ///< int16 activations and 8-byte accumulators.
  bool wide_weights = false;  ///< int16 weights: int16_cycles times the passes, twice the bytes.
  Precision precision = Precision::kInteger;  ///< A float: of both operands, sums of 4 bytes.
  /// The first fold is already in the shadow registers. Ignored where weights are not stationary.
  bool weights_loaded = false;
  bool accumulate = false;

  [[nodiscard]] std::int64_t x_bytes() const { return element_bytes(wide); }
  [[nodiscard]] std::int64_t w_bytes() const { return element_bytes(wide_weights); }
  [[nodiscard]] std::int64_t sum_bytes() const {
    return precision == Precision::kInteger && wide ? 8 : 4;
  }

 private:
  [[nodiscard]] std::int64_t element_bytes(bool is_wide) const {
    if (precision == Precision::kInteger) return is_wide ? 2 : 1;
    return precision == Precision::kFloat32 ? 4 : 2;
  }
};

/// Passes per MAC: 1 for int8, int16_cycles for each int16 operand, float_cycles().
/// @throws Error naming the key if the array has no arithmetic of the tile's type.
[[nodiscard]] std::int64_t pass_count(const MacArrayConfig& config, const MacTile& tile);

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
