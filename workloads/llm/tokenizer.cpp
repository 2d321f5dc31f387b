#include "workloads/llm/tokenizer.h"

#include <cmath>
#include <cstring>
#include <queue>

#include "sim/base/error.h"
#include "sim/base/file.h"

namespace npu::llm {
namespace {

/// Bytes of the UTF-8 character at the front: up to 3 continuation bytes follow its first byte,
/// whatever that is. Damaged text is cut the same way, and encoded byte by byte.
std::size_t character_bytes(std::string_view text) {
  std::size_t bytes = 1;
  while (bytes < 4 && bytes < text.size() &&
         (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) {
    ++bytes;
  }
  return bytes;
}

/// A number at `at`, or an Error where the file ends.
template <typename T>
T number_at(std::string_view content, std::size_t at, const std::string& file, Token token) {
  if (content.size() - at < sizeof(T)) {
    fail("{}: offset {}: the file ends before token {}", file, at, token);
  }
  T value{};
  std::memcpy(&value, content.data() + at, sizeof(T));
  return value;
}

}  // namespace

Token Tokenizer::find(const std::string& text) const {
  const auto found = by_text_.find(text);
  return found == by_text_.end() ? -1 : found->second;
}

void Tokenizer::add(std::string text, float score) {
  by_text_.try_emplace(text, static_cast<Token>(texts_.size()));
  texts_.push_back(std::move(text));
  scores_.push_back(score);
}

Tokenizer Tokenizer::parse(std::string_view content, const std::string& file,
                           std::int64_t vocabulary) {
  Tokenizer tokenizer;
  const auto longest = number_at<std::int32_t>(content, 0, file, 0);
  if (longest < 1)
    fail("{}: offset 0: the longest token must be at least 1, got {}", file, longest);
  std::size_t at = 4;
  for (Token token = 0; token < vocabulary; ++token) {
    const auto score = number_at<float>(content, at, file, token);
    if (std::isnan(score)) fail("{}: offset {}: the score of token {} is NaN", file, at, token);
    at += 4;
    const auto length = number_at<std::int32_t>(content, at, file, token);
    if (length < 0 || length > longest) {
      fail("{}: offset {}: the length of token {} must be 0 to {}, got {}", file, at, token,
           longest, length);
    }
    at += 4;
    const auto bytes = static_cast<std::size_t>(length);
    if (bytes > content.size() - at) {
      fail("{}: offset {}: token {} takes {} bytes, the file has {} more", file, at, token, bytes,
           content.size() - at);
    }
    tokenizer.add(std::string(content.substr(at, bytes)), score);
    at += bytes;
  }
  if (at != content.size()) {
    fail("{}: offset {}: {} bytes are left after the {} tokens of the model", file, at,
         content.size() - at, vocabulary);
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const std::size_t token = kFirstByteToken + byte;
    const std::string expected = fmt::format("<0x{:02X}>", byte);
    if (token >= tokenizer.texts_.size() || tokenizer.texts_[token] != expected) {
      fail("{}: token {} must be the byte {}", file, token, expected);
    }
  }
  return tokenizer;
}

Tokenizer Tokenizer::read(const std::string& path, std::int64_t vocabulary) {
  return parse(read_file(path, kMaxTokenizerBytes), path, vocabulary);
}

std::vector<Token> Tokenizer::characters(std::string_view text) const {
  std::vector<Token> tokens;
  while (!text.empty()) {
    const std::string character(text.substr(0, character_bytes(text)));
    const Token token = find(character);
    if (token >= 0) {
      tokens.push_back(token);
    } else {
      for (const char c : character) {
        tokens.push_back(kFirstByteToken + static_cast<unsigned char>(c));
      }
    }
    text.remove_prefix(character.size());
  }
  return tokens;
}

/// Two neighbours that can be merged.
struct Tokenizer::Pair {
  float score;
  std::size_t left, right;  ///< Places in the list.
  Token left_token, right_token, merged;

  /// Highest score last; of equals the one further left last.
  bool operator<(const Pair& other) const {
    return score != other.score ? score < other.score : left > other.left;
  }
};

/// Merges neighbours of a list by score. Pairs wait in a heap; one of which a part was merged with
/// another neighbour is out of date and dropped.
class Tokenizer::Merger {
 public:
  Merger(const Tokenizer& tokenizer, std::vector<Token> tokens)
      : tokenizer_(tokenizer), tokens_(std::move(tokens)) {
    next_.resize(tokens_.size());
    previous_.resize(tokens_.size());
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      next_[i] = i + 1;
      previous_[i] = i - 1;  // Of the first: beyond the list.
    }
    for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) offer(i);
  }

  [[nodiscard]] std::vector<Token> run() {
    while (!heap_.empty()) {
      const Pair pair = heap_.top();
      heap_.pop();
      if (is_current(pair)) merge(pair);
    }
    std::vector<Token> result;
    for (std::size_t i = 0; i < tokens_.size(); i = next_[i]) result.push_back(tokens_[i]);
    return result;
  }

 private:
  static constexpr Token kGone = -1;

  void offer(std::size_t left) {
    const std::size_t right = next_[left];
    if (right >= tokens_.size()) return;
    const Token a = tokens_[left];
    const Token b = tokens_[right];
    const Token merged = tokenizer_.find(tokenizer_.texts_[static_cast<std::size_t>(a)] +
                                         tokenizer_.texts_[static_cast<std::size_t>(b)]);
    if (merged < 0) return;
    const float score = tokenizer_.scores_[static_cast<std::size_t>(merged)];
    // As run.c: the search for the best starts from this score.
    if (score > -1e10F) heap_.push({score, left, right, a, b, merged});
  }
  [[nodiscard]] bool is_current(const Pair& pair) const {
    return tokens_[pair.left] == pair.left_token && tokens_[pair.right] == pair.right_token &&
           next_[pair.left] == pair.right;
  }
  void merge(const Pair& pair) {
    tokens_[pair.left] = pair.merged;
    tokens_[pair.right] = kGone;
    next_[pair.left] = next_[pair.right];
    if (next_[pair.left] < tokens_.size()) previous_[next_[pair.left]] = pair.left;
    offer(pair.left);
    if (previous_[pair.left] < tokens_.size()) offer(previous_[pair.left]);
  }

  const Tokenizer& tokenizer_;
  std::vector<Token> tokens_;
  std::vector<std::size_t> next_, previous_;
  std::priority_queue<Pair> heap_;
};

std::vector<Token> Tokenizer::encode(std::string_view text) const {
  if (static_cast<std::int64_t>(text.size()) > kMaxPromptBytes) {
    fail("the prompt has {} bytes, at most {} are encoded", text.size(), kMaxPromptBytes);
  }
  std::vector<Token> tokens;
  if (!text.empty()) {
    const Token space = find(" ");
    if (space >= 0) tokens.push_back(space);
    for (const Token token : characters(text)) tokens.push_back(token);
  }
  tokens = Merger(*this, std::move(tokens)).run();
  tokens.insert(tokens.begin(), kBeginOfSequence);
  return tokens;
}

std::string Tokenizer::decode(Token previous, Token token) const {
  NPU_CHECK(token >= 0 && token < vocabulary(), "token of the vocabulary");
  if (token >= kFirstByteToken && token < kFirstByteToken + 256) {
    return {static_cast<char>(token - kFirstByteToken)};
  }
  const std::string& text = texts_[static_cast<std::size_t>(token)];
  if (previous == kBeginOfSequence && text.starts_with(' ')) return text.substr(1);
  return text;
}

}  // namespace npu::llm
