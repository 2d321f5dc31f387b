#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace npu::test {

/// Sizes of a language model whose files a test builds, and a seed for its weights.
struct LlmSizes {
  std::int32_t dim = 8, hidden_dim = 12, layers = 2, heads = 4, kv_heads = 2, vocabulary = 262,
               max_positions = 16;
  bool shared_classifier = true;
  std::uint64_t seed = 1;
};

/// A llama2.c float checkpoint: weight i of the file is a random number in [-1, 1).
[[nodiscard]] std::string float_checkpoint(const LlmSizes& sizes);
/// A version 2 checkpoint with random int8 values and positive scales.
[[nodiscard]] std::string q8_checkpoint(const LlmSizes& sizes, std::int32_t group_size);

/// A tokenizer file with these tokens after the three special ones and the 256 bytes; the score of
/// token i is -i.
[[nodiscard]] std::string tokenizer_file(const std::vector<std::string>& tokens);

[[nodiscard]] inline std::span<const std::byte> bytes_of(const std::string& content) {
  return std::as_bytes(std::span(content.data(), content.size()));
}

}  // namespace npu::test
