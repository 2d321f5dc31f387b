// Damaged checkpoints and tokenizers: an Error or a model that can run each time, never a crash.

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <random>
#include <set>

#include "kernels/llm_reference/forward.h"
#include "tests/support/llm_files.h"
#include "workloads/llm/checkpoint.h"
#include "workloads/llm/group_quantize.h"
#include "workloads/llm/tokenizer.h"

namespace npu::test {
namespace {

constexpr int kMutants = 5000;  ///< Per file.

std::size_t below(std::mt19937_64& rng, std::size_t limit) { return rng() % limit; }

/// One damage; half of them in the first `front` bytes, where the sizes are.
std::string mutate(std::string bytes, std::size_t front, std::mt19937_64& rng) {
  const std::size_t place = below(rng, below(rng, 2) == 0 ? front : bytes.size());
  switch (below(rng, 5)) {
    case 0:  // Cut off.
      bytes.resize(place);
      return bytes;
    case 1:  // A flipped bit.
      bytes[place] = static_cast<char>(bytes[place] ^ (1 << below(rng, 8)));
      return bytes;
    case 2: {  // A word of extreme value.
      static constexpr std::array<std::uint32_t, 8> kWords = {
          0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000, 0x7fc00000};
      const std::uint32_t word = kWords[below(rng, kWords.size())];
      const std::size_t at = place / 4 * 4;
      for (std::size_t i = 0; i < 4 && at + i < bytes.size(); ++i) {
        bytes[at + i] = static_cast<char>(word >> (8 * i) & 255U);
      }
      return bytes;
    }
    case 3:  // A piece lost.
      bytes.erase(place, below(rng, 16) + 1);
      return bytes;
    default:  // A piece doubled.
      bytes.insert(place, bytes.substr(0, below(rng, 32)));
      return bytes;
  }
}

/// Runs what could be read: every weight is touched.
void use(const llm::Llama& model) {
  if (model.config.max_positions < 2 || model.config.vocabulary < 2) return;
  llm_reference::Sequence sequence(model);
  (void)sequence.forward(0);
  (void)sequence.forward(1);
  try {
    llm_reference::Sequence quantized(llm::with_weights(model, llm::WeightFormat::kQ4));
  } catch (const Error& error) {
    EXPECT_NE(std::string_view(error.what()).find("row"), std::string_view::npos);
  }
}

int refused_checkpoints(const std::string& good, std::size_t header, std::uint64_t seed,
                        std::set<std::string>& messages) {
  std::mt19937_64 rng(seed);
  int refused = 0;
  for (int i = 0; i < kMutants; ++i) {
    const std::string bytes = mutate(good, header, rng);
    // In a block of its own size: a byte read beyond the end is an error of the sanitizer.
    const auto copy = std::make_unique<std::byte[]>(bytes.size());
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    try {
      use(llm::parse_checkpoint({copy.get(), bytes.size()}, "mutant"));
    } catch (const Error& error) {
      ++refused;
      EXPECT_TRUE(std::string_view(error.what()).starts_with("mutant: offset "));
      messages.insert(error.what());
    }
  }
  return refused;
}

TEST(LlmFuzz, Checkpoints) {
  std::set<std::string> messages;
  LlmSizes sizes;
  sizes.layers = 1;
  int refused = refused_checkpoints(float_checkpoint(sizes), 28, 1, messages);
  refused += refused_checkpoints(q8_checkpoint(sizes, 4), 41, 2, messages);
  sizes.shared_classifier = false;
  sizes.vocabulary = 5;
  refused += refused_checkpoints(float_checkpoint(sizes), 28, 3, messages);
  refused += refused_checkpoints(q8_checkpoint(sizes, 2), 41, 4, messages);
  EXPECT_GT(refused, 2 * kMutants);
  EXPECT_GT(messages.size(), 100U) << "the mutants reach deep checks";
}

TEST(LlmFuzz, Tokenizers) {
  const std::string good = tokenizer_file({" ", "a", "b", "ab", " a", "\xc3\xa9"});
  std::mt19937_64 rng(7);
  std::set<std::string> messages;
  int accepted = 0;
  for (int i = 0; i < 2 * kMutants; ++i) {
    const std::string bytes = mutate(good, good.size(), rng);
    try {
      const llm::Tokenizer tokenizer = llm::Tokenizer::parse(bytes, "mutant", 265);
      const std::string text = mutate("ab aab \xc3\xa9\xf0\x9f\x98\x80 b", 4, rng);
      std::string decoded;
      llm::Token previous = llm::kBeginOfSequence;
      for (const llm::Token token : tokenizer.encode(text)) {
        decoded += tokenizer.decode(previous, token);
        previous = token;
      }
      ++accepted;
    } catch (const Error& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with("mutant: "));
      messages.insert(error.what());
    }
  }
  EXPECT_GT(accepted, 50);
  EXPECT_GT(messages.size(), 100U);
}

}  // namespace
}  // namespace npu::test
