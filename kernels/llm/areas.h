#pragma once

#include <cstdint>

#include "kernels/llm/layout.h"

namespace npu::llm_kernels {

/// What a matrix is multiplied with: float32 where it is then quantized in groups, else the
/// precision.
[[nodiscard]] inline Code input_code(const ModelLayout& layout) {
  return layout.classifier.is_grouped() ? Code::kFloat32
                                        : code_of(layout.options.numerics.precision);
}

/// The scratchpad of a step of `rows` rows: activations, which stay, then two halves for tiles of
/// weights and for attention. Addresses; strides are dense.
struct Areas {
  std::int64_t rows = 0, logit_rows = 0;
  // float32 unless said otherwise
  std::int64_t stream = 0;              ///< [rows, dim]: the residual stream.
  std::int64_t normed = 0;              ///< [rows, dim], input_code.
  std::int64_t qkv = 0;                 ///< [rows, dim + 2·kv_dim]
  std::int64_t query = 0;               ///< [rows, dim], attention_code, where that is not float32.
  std::int64_t mixed = 0;               ///< [rows, dim], input_code.
  std::int64_t projected = 0;           ///< [rows, dim]: of grouped matrices.
  std::int64_t gate_up = 0;             ///< [rows, 2·hidden_dim]
  std::int64_t hidden = 0;              ///< [rows, hidden_dim], input_code.
  std::int64_t work = 0;                ///< [rows, the widest]
  std::int64_t stats = 0;               ///< [rows]
  std::int64_t quantized = 0;           ///< int8 [rows, dim or hidden_dim]
  std::int64_t row_scales = 0;          ///< [groups, rows]
  std::int64_t cache_rows = 0;          ///< cache_code [2, rows, kv_dim]
  std::int64_t cache_scales = 0;        ///< [2, rows, kv_heads]
  std::int64_t cosines = 0, sines = 0;  ///< [rows, head_dim / 2]
  std::int64_t mask = 0;
  std::int64_t constants = 0;
  std::int64_t norm_weights = 0;  ///< [2, dim]: two slots.
  std::int64_t rows_raw = 0;      ///< Rows of the embedding as they are stored, then their scales.
  std::int64_t last = 0;          ///< [logit_rows, dim]
  std::int64_t records = 0;       ///< kSlots times record_bytes: (scale, 0) of grouped tiles.
  std::int64_t record_bytes = 0;
  std::int64_t weights = 0;  ///< kSlots times slot_bytes.
  std::int64_t slot_bytes = 0;
  std::int64_t attention = 0, attention_bytes = 0;
  std::int64_t end = 0;  ///< Of the activations.

  static constexpr std::int64_t kSlots = 3;  ///< Of weight tiles.
};

/// Bytes that a row of a weight tile takes in its slot: values, int4 unpacked to int8, scales.
[[nodiscard]] std::int64_t tile_row_bytes(const PlacedMatrix& matrix);

/// Tiles are left out: `end` tells what the activations need.
[[nodiscard]] Areas place_activations(const ModelLayout& layout, std::int64_t rows,
                                      std::int64_t logit_rows);
/// @throws Error if the scratchpad is too small: bytes needed and there.
[[nodiscard]] Areas place_areas(const ModelLayout& layout, const NpuConfig& config,
                                std::int64_t rows, std::int64_t logit_rows);

}  // namespace npu::llm_kernels
