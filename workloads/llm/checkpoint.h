#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "workloads/llm/model.h"

namespace npu::llm {

inline constexpr std::int64_t kMaxCheckpointBytes = std::int64_t{1} << 40;

/// Reads a checkpoint of llama2.c, by memory map: weights are read when they are used.
///
/// - Float, without a magic number: 7 int32 (dim, hidden_dim, layers, heads, kv_heads, vocabulary,
///   negative if the classifier is not the embedding; max_positions), then float32: embedding,
///   attention norms, wq, wk, wv, wo, ffn norms, w1, w2, w3 (each for all layers), final norm, two
///   unused tables of max_positions · head_dim / 2, and the classifier unless it is shared.
/// - Q8_0, version 2: magic 0x616b3432, version, the 7 int32, one byte "classifier is shared",
/// int32
///   group size, zeros up to byte 256; then float32 norms (attention, ffn, final) and the matrices
///   embedding, wq, wk, wv, wo, w1, w2, w3, classifier, each layer's int8 values followed by its
///   float32 scales.
///
/// Source: karpathy/llama2.c (MIT), run.c, runq.c and export.py, as they read and write the files.
/// @throws Error `file: offset N: …` for other versions, sizes beyond the bounds or that do not
/// divide each other, and files shorter or longer than their header says.
[[nodiscard]] Llama read_checkpoint(const std::string& path);
/// The same from memory, which the caller keeps; `file` is used in messages.
[[nodiscard]] Llama parse_checkpoint(std::span<const std::byte> content, const std::string& file);

}  // namespace npu::llm
