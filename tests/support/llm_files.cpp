#include "tests/support/llm_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace npu::test {
namespace {

template <typename T>
void append(std::string& bytes, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  bytes.append(raw, sizeof(T));
}

void append_sizes(std::string& bytes, const LlmSizes& s, std::int32_t vocabulary) {
  for (const std::int32_t value :
       {s.dim, s.hidden_dim, s.layers, s.heads, s.kv_heads, vocabulary, s.max_positions}) {
    append(bytes, value);
  }
}

class Weights {
 public:
  explicit Weights(std::uint64_t seed) : rng_(seed) {}
  void floats(std::string& bytes, std::int64_t count) {
    for (; count > 0; --count) append(bytes, static_cast<float>(next()) / 32768.0F);
  }
  void groups(std::string& bytes, std::int64_t count, std::int64_t group_size) {
    for (std::int64_t i = 0; i < count; ++i) {
      append(bytes, static_cast<std::int8_t>(std::max(next() / 256, -127)));
    }
    for (std::int64_t i = 0; i < count / group_size; ++i) {
      append(bytes, static_cast<float>(next() + 32769) / 8388608.0F);
    }
  }

 private:
  int next() { return static_cast<int>(rng_() % 65536) - 32768; }
  std::mt19937_64 rng_;
};

std::int64_t kv_dim(const LlmSizes& s) { return s.dim / s.heads * s.kv_heads; }

}  // namespace

std::string float_checkpoint(const LlmSizes& s) {
  std::string bytes;
  append_sizes(bytes, s, s.shared_classifier ? s.vocabulary : -s.vocabulary);
  const std::int64_t square = s.dim * s.dim;
  const std::int64_t layer =
      2 * s.dim + 2 * square + 2 * kv_dim(s) * s.dim + 3 * s.dim * s.hidden_dim;
  const std::int64_t count = s.vocabulary * s.dim * (s.shared_classifier ? 1 : 2) +
                             s.layers * layer + s.dim + s.max_positions * (s.dim / s.heads);
  Weights(s.seed).floats(bytes, count);
  return bytes;
}

std::string q8_checkpoint(const LlmSizes& s, std::int32_t group_size) {
  std::string bytes;
  append(bytes, std::uint32_t{0x616b3432});
  append(bytes, std::uint32_t{2});
  append_sizes(bytes, s, s.vocabulary);
  append(bytes, static_cast<std::uint8_t>(s.shared_classifier ? 1 : 0));
  append(bytes, group_size);
  bytes.resize(256, '\0');
  Weights weights(s.seed);
  weights.floats(bytes, (2 * s.layers + 1) * s.dim);
  weights.groups(bytes, s.vocabulary * s.dim, group_size);
  const std::int64_t square = s.dim * s.dim;
  const std::int64_t narrow = kv_dim(s) * s.dim;
  const std::int64_t wide = s.dim * s.hidden_dim;
  for (const std::int64_t matrix : {square, narrow, narrow, square, wide, wide, wide}) {
    for (std::int32_t i = 0; i < s.layers; ++i) weights.groups(bytes, matrix, group_size);
  }
  if (!s.shared_classifier) weights.groups(bytes, s.vocabulary * s.dim, group_size);
  return bytes;
}

std::string tokenizer_file(const std::vector<std::string>& tokens) {
  std::vector<std::string> all = {"<unk>", "\n<s>\n", "\n</s>\n"};
  for (int byte = 0; byte < 256; ++byte) all.push_back(fmt::format("<0x{:02X}>", byte));
  all.insert(all.end(), tokens.begin(), tokens.end());
  std::size_t longest = 0;
  for (const std::string& token : all) longest = std::max(longest, token.size());
  std::string bytes;
  append(bytes, static_cast<std::int32_t>(longest));
  for (std::size_t i = 0; i < all.size(); ++i) {
    append(bytes, -static_cast<float>(i));
    append(bytes, static_cast<std::int32_t>(all[i].size()));
    bytes += all[i];
  }
  return bytes;
}

}  // namespace npu::test
