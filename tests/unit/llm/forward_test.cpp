#include "kernels/llm_reference/forward.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "sim/base/npy.h"
#include "tests/support/llm_files.h"
#include "tests/support/shared.h"
#include "tests/unit/base/expect_error.h"
#include "workloads/llm/checkpoint.h"
#include "workloads/llm/group_quantize.h"
#include "workloads/llm/sampling.h"

namespace npu::llm_reference {
namespace {

using llm::Llama;
using llm::Token;
using llm::Tokenizer;

Llama stories(const char* file) {
  return llm::read_checkpoint(test::shared_path(std::string("models/llm/") + file));
}

Tokenizer published_tokenizer() {
  return Tokenizer::read(test::shared_path("models/llm/tok512.bin"), 512);
}

/// Tokens fed at each position: the prompt, then the most likely ones, `count` in all.
std::vector<Token> generate(const Llama& model, std::vector<Token> tokens, std::size_t count) {
  Sequence sequence(model);
  for (std::size_t i = 0; i < count; ++i) {
    const auto logits = sequence.forward(tokens[i]);
    if (i + 1 == tokens.size() && tokens.size() < count) tokens.push_back(llm::most_likely(logits));
  }
  return tokens;
}

/// Feeds the golden tokens; the largest difference of a logit, and that the tokens follow.
void compare_with_golden(const Llama& model, const std::string& name, double bound) {
  const std::string stem = test::shared_path("models/golden/llm_stories260K/" + name);
  const TensorData tokens = read_npy(stem + "_tokens.npy");
  const TensorData logits = read_npy(stem + "_logits.npy");
  const auto fed = tokens.as<std::int32_t>();
  Sequence sequence(model);
  double largest = 0;
  for (std::size_t i = 0; i < fed.size(); ++i) {
    const auto got = sequence.forward(fed[i]);
    const auto expected = logits.as<float>().subspan(i * 512, 512);
    for (std::size_t k = 0; k < 512; ++k) {
      largest = std::max(largest, std::fabs(static_cast<double>(got[k]) - expected[k]));
    }
    EXPECT_EQ(llm::most_likely(got), llm::most_likely(expected)) << name << " at " << i;
  }
  EXPECT_LE(largest, bound) << name;
}

constexpr const char* kPrompts[] = {"", "Zoo", "Once upon a time, there was a robot",
                                    "Lily and Tom went to the"};

TEST(LlmReference, FloatLogitsEqualTheGoldenOnes) {
  NPUSIM_REQUIRE_SHARED();
  const Llama model = stories("stories260K.bin");
  for (int i = 0; i < 4; ++i) compare_with_golden(model, fmt::format("p{}_fp32", i), 1e-4);
}

TEST(LlmReference, Q8LogitsEqualTheGoldenOnes) {
  NPUSIM_REQUIRE_SHARED();
  const Llama model = stories("stories260K_q80_gs4.bin");
  for (int i = 0; i < 4; ++i) compare_with_golden(model, fmt::format("p{}_q80", i), 1e-4);
}

TEST(LlmReference, GeneratesTheGoldenTokensFromThePrompts) {
  NPUSIM_REQUIRE_SHARED();
  const Tokenizer tokenizer = published_tokenizer();
  for (const char* kind : {"fp32", "q80"}) {
    const Llama model =
        stories(std::string_view(kind) == "fp32" ? "stories260K.bin" : "stories260K_q80_gs4.bin");
    for (int i = 0; i < 4; ++i) {
      const TensorData golden = read_npy(test::shared_path(
          fmt::format("models/golden/llm_stories260K/p{}_{}_tokens.npy", i, kind)));
      const auto expected = golden.as<std::int32_t>();
      const auto tokens = generate(model, tokenizer.encode(kPrompts[i]), expected.size());
      EXPECT_TRUE(std::ranges::equal(tokens, expected)) << kind << " " << i;
    }
  }
}

/// The story that the model's authors published for greedy sampling of 256 steps.
TEST(LlmReference, FloatTextEqualsThePublishedStory) {
  NPUSIM_REQUIRE_SHARED();
  const Tokenizer tokenizer = published_tokenizer();
  const auto tokens = generate(stories("stories260K.bin"), {llm::kBeginOfSequence}, 257);
  std::string text;
  for (std::size_t i = 1; i < tokens.size(); ++i)
    text += tokenizer.decode(tokens[i - 1], tokens[i]);
  std::ifstream file(test::shared_path("models/llm/stories260K_expected.md"));
  std::stringstream content;
  content << file.rdbuf();
  ASSERT_GT(text.size(), 500U);
  EXPECT_NE(content.str().find("\n" + text + "\n"), std::string::npos) << text;
}

TEST(LlmReference, GroupFormatsOfOurOwnKeepTheStoryGoing) {
  NPUSIM_REQUIRE_SHARED();
  const Llama model = stories("stories260K.bin");
  const auto exact = generate(model, {llm::kBeginOfSequence}, 64);
  const Llama q8 = llm::with_weights(model, llm::WeightFormat::kQ8);
  EXPECT_EQ(generate(q8, {llm::kBeginOfSequence}, 64), exact);
  const Llama q4 = llm::with_weights(model, llm::WeightFormat::kQ4);
  Sequence a(model);
  Sequence b(q4);
  const auto logits_of = [](Sequence& s) {
    const auto l = s.forward(llm::kBeginOfSequence);
    return std::vector<float>(l.begin(), l.end());
  };
  EXPECT_EQ(llm::most_likely(logits_of(a)), llm::most_likely(logits_of(b)));
}

TEST(LlmReference, Errors) {
  const std::string content = test::float_checkpoint({});
  const Llama model = llm::parse_checkpoint(test::bytes_of(content), "m.bin");
  Sequence sequence(model);
  EXPECT_EQ(error_of([&] { (void)sequence.forward(262); }),
            "m.bin: token 262 is not in the vocabulary of 262");
  EXPECT_EQ(error_of([&] { (void)sequence.forward(-1); }),
            "m.bin: token -1 is not in the vocabulary of 262");
  for (int i = 0; i < 16; ++i) (void)sequence.forward(i);
  EXPECT_EQ(sequence.position(), 16);
  EXPECT_EQ(error_of([&] { (void)sequence.forward(1); }),
            "m.bin: the longest sequence of the model is 16 tokens");
}

}  // namespace
}  // namespace npu::llm_reference
