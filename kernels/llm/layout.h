#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sim/config/npu_config.h"
#include "workloads/llm/model.h"
#include "workloads/llm/numerics.h"

namespace npu::llm_kernels {

using llm::CacheType;
using llm::Precision;

/// Element type codes of the instructions (isa::element_bytes).
enum class Code : std::uint8_t { kInt8 = 0, kInt32 = 3, kFloat16 = 4, kBfloat16 = 5, kFloat32 = 6 };
[[nodiscard]] Code code_of(Precision precision);
[[nodiscard]] std::int64_t bytes_of(Code code);

/// A weight matrix [rows, columns] in DRAM.
///
/// Floats: rows of `precision`, dense. Groups: rows of int8 or of two int4 to a byte, dense; the
/// scales apart, [groups, rows], float32 (Q8_0) or float16 (Q4_0).
struct PlacedMatrix {
  llm::WeightFormat format = llm::WeightFormat::kFloat32;
  std::int64_t rows = 0, columns = 0;
  std::int64_t group_size = 0;  ///< 0 for floats.
  std::int64_t row_bytes = 0;
  std::int64_t address = 0;
  std::int64_t scales_address = 0;
  Code scale_code = Code::kFloat32;

  [[nodiscard]] bool is_grouped() const { return group_size > 0; }
  [[nodiscard]] std::int64_t groups() const {
    return is_grouped() ? (columns + group_size - 1) / group_size : 0;
  }
  [[nodiscard]] std::int64_t scale_bytes() const { return bytes_of(scale_code); }
};

struct PlacedLayer {
  std::int64_t attention_norm = 0, ffn_norm = 0;  ///< float32 [dim]
  PlacedMatrix qkv;                               ///< wq, wk, wv under one another.
  PlacedMatrix output;
  PlacedMatrix gate_up;  ///< w1 and w3 under one another.
  PlacedMatrix down;
  std::int64_t keys = 0, values = 0;              ///< Caches [sequences, positions, kv_dim].
  std::int64_t key_scales = 0, value_scales = 0;  ///< float32 [sequences, positions, kv_heads].
};

/// What of a model the DRAM holds besides a program, and how numbers are stored.
struct LayoutOptions {
  llm::Numerics numerics = {};
  std::int64_t sequences = 1;  ///< Slots of the KV cache.
  std::int64_t positions = 0;  ///< Longest sequence.
  std::int64_t mask_rows = 1;  ///< Most tokens of one sequence in a step.
};

/// Where the weights, tables and KV caches of a model lie in DRAM: the same for all programs. Host
/// writes weights and tables once (write_weights); programs read them and update the caches.
struct ModelLayout {
  llm::LlamaConfig model;
  LayoutOptions options;
  PlacedMatrix embedding;   ///< Read row by row.
  PlacedMatrix classifier;  ///< The embedding where it is shared.
  std::vector<PlacedLayer> layers;
  std::int64_t final_norm = 0;
  std::int64_t cosines = 0, sines = 0;  ///< float32 [positions, head_dim / 2]
  /// float32 [mask_rows, mask_rows]: −∞ above the diagonal, else 0.
  std::int64_t mask = 0;
  /// Records (scale, bias) of vec.output: (1, 0) and (1/√head_dim, 0).
  std::int64_t constants = 0;
  std::int64_t logits = 0;        ///< float32 [sequences, vocabulary]
  std::int64_t weights_end = 0;   ///< Weights and tables: [0, weights_end).
  std::int64_t caches_begin = 0;  ///< Caches: [caches_begin, logits).
  std::int64_t end = 0;           ///< Programs lie from here on.

  [[nodiscard]] Code cache_code() const;
  /// What keys and values are multiplied in: the cache's floats, or the precision for int8.
  [[nodiscard]] Code attention_code() const;
  /// Bytes of keys, values and their scales of all positions.
  [[nodiscard]] std::int64_t cache_bytes() const { return logits - caches_begin; }
};

/// @throws Error if it does not fit the DRAM: bytes needed and there.
[[nodiscard]] ModelLayout place_model(const llm::Llama& model, const LayoutOptions& options,
                                      const NpuConfig& config);

/// Calls `write` with every piece of [0, weights_end), a row or a matrix at a time.
using Write = std::function<void(std::int64_t address, std::span<const std::byte> bytes)>;
void write_weights(const ModelLayout& layout, const llm::Llama& model, const Write& write);

}  // namespace npu::llm_kernels
