#include "workloads/llm/tokenizer.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/llm_files.h"
#include "tests/support/shared.h"
#include "tests/unit/base/expect_error.h"
#include "workloads/llm/sampling.h"

namespace npu::llm {
namespace {

using testing::ElementsAre;

Tokenizer tokenizer_with(const std::vector<std::string>& tokens) {
  return Tokenizer::parse(test::tokenizer_file(tokens), "t.bin",
                          259 + static_cast<std::int64_t>(tokens.size()));
}

TEST(Tokenizer, PromptsOfThePublishedModel) {
  NPUSIM_REQUIRE_SHARED();
  const Tokenizer t = Tokenizer::read(test::shared_path("models/llm/tok512.bin"), 512);
  EXPECT_THAT(t.encode(""), ElementsAre(1));
  EXPECT_THAT(t.encode("Zoo"), ElementsAre(1, 410, 469, 347));
  EXPECT_THAT(t.encode("Once upon a time, there was a robot"),
              ElementsAre(1, 403, 407, 261, 378, 432, 383, 286, 261, 352, 414, 430, 309));
  // No tokens of its own: bytes in UTF-8.
  EXPECT_THAT(t.encode("\xc3\xb8"), ElementsAre(1, 410, 3 + 0xc3, 3 + 0xb8));
  EXPECT_EQ(t.decode(1, 403), "Once");
  EXPECT_EQ(t.decode(2, 403), " Once");
  EXPECT_EQ(t.decode(5, 3 + '\n'), "\n");
}

TEST(Tokenizer, TheBestPairIsMergedFirstAndTheLeftOfEquals) {
  // Tokens 259…: scores fall with the number.
  const Tokenizer t = tokenizer_with({" ", "a", "b", "bc", "ab", "c", "aa"});
  EXPECT_THAT(t.encode("abc"), ElementsAre(1, 259, 260, 262)) << "bc before ab";
  EXPECT_THAT(t.encode("aaa"), ElementsAre(1, 259, 265, 260));
  EXPECT_THAT(t.encode("aaaa"), ElementsAre(1, 259, 265, 265));
  EXPECT_THAT(t.encode("x"), ElementsAre(1, 259, 3 + 'x'));
}

TEST(Tokenizer, MergesGoOnOverMergedNeighbours) {
  const Tokenizer t = tokenizer_with({" ", "a", "b", "c", "abc", "ab", " abc"});
  EXPECT_THAT(t.encode("abc"), ElementsAre(1, 265));
  EXPECT_EQ(t.decode(kBeginOfSequence, 265), "abc");
}

TEST(Tokenizer, StrayContinuationBytesAreCutAtFour) {
  const Tokenizer t = tokenizer_with({" "});
  EXPECT_THAT(t.encode("\x80\x80\x80\x80\x80"), ElementsAre(1, 259, 131, 131, 131, 131, 131));
}

/// Merging step by step as llama2.c does, without a heap.
std::vector<Token> merge_slowly(std::vector<Token> tokens, const std::vector<std::string>& texts) {
  const auto text_of = [&](Token token) { return texts[static_cast<std::size_t>(token - 259)]; };
  for (;;) {
    Token best = -1;
    std::size_t place = 0;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      const std::string both = text_of(tokens[i]) + text_of(tokens[i + 1]);
      for (std::size_t k = 0; k < texts.size(); ++k) {
        const auto token = static_cast<Token>(259 + k);
        if (texts[k] == both && (best < 0 || token < best)) {
          best = token;
          place = i;
        }
      }
    }
    if (best < 0) return tokens;
    tokens[place] = best;
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

TEST(Tokenizer, HeapMergesLikeTheStepByStepSearch) {
  const std::vector<std::string> texts = {" ",  "a",  "b",   "ba",  "ab",   "aba", "bb",
                                          " a", "aa", "bab", "abb", "abab", "bba", " ab"};
  const Tokenizer t = tokenizer_with(texts);
  for (unsigned bits = 0; bits < 1U << 12U; ++bits) {
    std::string text;
    std::vector<Token> tokens = {259};
    for (unsigned i = 0; i < 12; ++i) {
      const bool b = (bits >> i & 1U) != 0;
      text += b ? 'b' : 'a';
      tokens.push_back(b ? 261 : 260);
    }
    std::vector<Token> expected = merge_slowly(tokens, texts);
    expected.insert(expected.begin(), kBeginOfSequence);
    ASSERT_EQ(t.encode(text), expected) << text;
  }
}

std::string with_int(std::string content, std::size_t offset, std::int32_t value) {
  content.replace(offset, 4, std::string(reinterpret_cast<const char*>(&value), 4));
  return content;
}

std::string error_for(const std::string& content, std::int64_t vocabulary) {
  return error_of([&] { (void)Tokenizer::parse(content, "t.bin", vocabulary); });
}

TEST(Tokenizer, Errors) {
  const std::string good = test::tokenizer_file({" "});
  EXPECT_EQ(error_for("abc", 260), "t.bin: offset 0: the file ends before token 0");
  EXPECT_EQ(error_for(with_int(good, 0, 0), 260),
            "t.bin: offset 0: the longest token must be at least 1, got 0");
  EXPECT_EQ(error_for(good, 261),
            fmt::format("t.bin: offset {}: the file ends before token 260", good.size()));
  EXPECT_EQ(error_for(good, 259),
            fmt::format("t.bin: offset {}: 9 bytes are left after the 259 tokens of the model",
                        good.size() - 9));
  EXPECT_EQ(error_for(with_int(good, 8, -1), 260),
            "t.bin: offset 8: the length of token 0 must be 0 to 6, got -1");
  EXPECT_EQ(error_for(with_int(good, 4, 0x7fc00000), 260),
            "t.bin: offset 4: the score of token 0 is NaN");
  EXPECT_EQ(error_for(good.substr(0, good.size() - 1), 260),
            fmt::format("t.bin: offset {}: token 259 takes 1 bytes, the file has 0 more",
                        good.size() - 1));
  std::string renamed = good;
  renamed.replace(renamed.find("<0x41>"), 6, "<0x42>");
  EXPECT_EQ(error_for(renamed, 260), "t.bin: token 68 must be the byte <0x41>");
  EXPECT_EQ(error_for(test::tokenizer_file({}).substr(0, 4 + 13), 1),
            "t.bin: token 3 must be the byte <0x00>");
  const Tokenizer tokenizer = tokenizer_with({" "});
  EXPECT_EQ(error_of([&] { (void)tokenizer.encode(std::string(kMaxPromptBytes + 1, 'a')); }),
            "the prompt has 16777217 bytes, at most 16777216 are encoded");
}

TEST(Sampling, LowestOfEqualsWins) {
  EXPECT_EQ(most_likely(std::vector<float>{1, 3, 2, 3}), 1);
  EXPECT_EQ(most_likely(std::vector<float>{-1, -3}), 0);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(most_likely(std::vector<float>{1, nan, 2}), 2);
}

}  // namespace
}  // namespace npu::llm
