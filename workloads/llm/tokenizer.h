#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace npu::llm {

using Token = std::int32_t;

inline constexpr Token kBeginOfSequence = 1;
inline constexpr Token kEndOfSequence = 2;
inline constexpr Token kFirstByteToken = 3;  ///< Token of byte 0; 256 of them, "<0x00>" … "<0xFF>".

inline constexpr std::int64_t kMaxTokenizerBytes = std::int64_t{1} << 30;
inline constexpr std::int64_t kMaxPromptBytes = std::int64_t{1} << 24;

/// Byte-pair encoding with the vocabulary of a llama2.c tokenizer file: int32 length of the longest
/// token; per token float32 score, int32 length, bytes. Source: karpathy/llama2.c (MIT), run.c.
class Tokenizer {
 public:
  /// @param vocabulary  tokens of the model, which the file does not say.
  /// @throws Error `file: offset N: …` for files shorter or longer than `vocabulary` tokens,
  /// lengths beyond the longest, scores that are not numbers, a vocabulary without the 256 bytes.
  [[nodiscard]] static Tokenizer read(const std::string& path, std::int64_t vocabulary);
  /// The same from memory; `file` is used in messages.
  [[nodiscard]] static Tokenizer parse(std::string_view content, const std::string& file,
                                       std::int64_t vocabulary);

  /// Begin of sequence, then the tokens of `text`: a space goes in front of a text that is not
  /// empty; each UTF-8 character is its token, or its bytes' tokens where it has none; then the
  /// pair of neighbours whose concatenation is the token with the highest score is merged (the
  /// first of equals), until there is none.
  /// @throws Error if the text is longer than 16 MiB.
  [[nodiscard]] std::vector<Token> encode(std::string_view text) const;

  /// Text of a token after `previous`: a byte's token is that byte; directly after the begin of the
  /// sequence a leading space is left out.
  [[nodiscard]] std::string decode(Token previous, Token token) const;

  [[nodiscard]] std::int64_t vocabulary() const { return static_cast<std::int64_t>(texts_.size()); }

 private:
  void add(std::string text, float score);
  [[nodiscard]] std::vector<Token> characters(std::string_view text) const;
  /// The token of this text, or -1.
  [[nodiscard]] Token find(const std::string& text) const;

  struct Pair;
  class Merger;

  std::vector<std::string> texts_;
  std::vector<float> scores_;
  std::unordered_map<std::string, Token> by_text_;  ///< The lowest token of a text.
};

}  // namespace npu::llm
