// Language models on the simulated NPU against published tokens, the CPU reference and each other.

#include "sim/generate/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "sim/base/npy.h"
#include "tests/support/shared.h"
#include "tests/unit/generate/generate_fixture.h"
#include "workloads/llm/checkpoint.h"

namespace npu::generate {
namespace {

using llm::CacheType;
using llm::Llama;
using llm::Precision;
using llm::Token;

Llama stories(const char* file = "stories260K.bin") {
  return llm::read_checkpoint(test::shared_path(std::string("models/llm/") + file));
}

/// The tokens fed at the first positions of a golden run.
std::vector<Token> golden(const char* name, std::size_t count) {
  const TensorData tokens =
      read_npy(test::shared_path(fmt::format("models/golden/llm_stories260K/{}_tokens.npy", name)));
  const auto all = tokens.as<std::int32_t>();
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)};
}

TEST(Generate, FloatTokensEqualTheGoldenOnes) {
  NPUSIM_REQUIRE_SHARED();
  const Generation g = run(stories(), {{1}}, {.tokens = 99});
  EXPECT_EQ(g.sequences[0].tokens, golden("p0_fp32", 100));
  EXPECT_EQ(g.comparison.tokens, 99);
  EXPECT_EQ(g.comparison.max_logit_difference, 0);
}

TEST(Generate, Q8TokensEqualTheGoldenOnes) {
  NPUSIM_REQUIRE_SHARED();
  const Generation g =
      run(stories("stories260K_q80_gs4.bin"), {golden("p2_q80", 13)}, {.tokens = 40});
  EXPECT_EQ(g.sequences[0].tokens, golden("p2_q80", 53));
  EXPECT_EQ(g.comparison.max_logit_difference, 0);
}

/// The story that the model's authors published, as far as 140 tokens go.
TEST(Generate, FloatTextIsThePublishedStory) {
  NPUSIM_REQUIRE_SHARED();
  const llm::Tokenizer tokenizer =
      llm::Tokenizer::read(test::shared_path("models/llm/tok512.bin"), 512);
  const Generation g = run(stories(), {{1}}, {.tokens = 140, .compares = false});
  std::string text;
  const std::vector<Token>& tokens = g.sequences[0].tokens;
  for (std::size_t i = 1; i < tokens.size(); ++i)
    text += tokenizer.decode(tokens[i - 1], tokens[i]);
  std::ifstream file(test::shared_path("models/llm/stories260K_expected.md"));
  std::stringstream content;
  content << file.rdbuf();
  EXPECT_GT(text.size(), 300U);
  EXPECT_NE(content.str().find("\n" + text), std::string::npos) << text;
}

TEST(Generate, APromptInPieces) {
  expect_exact(run_tiny(kUneven, {}, {{1, 5, 9, 2, 7, 11, 3}}, 6, 3), 6);
}

TEST(Generate, SequencesOfDifferentLengths) {
  expect_exact(run_tiny(kUneven, {}, {{1, 5, 9, 2, 7}, {1}, {1, 200, 7}}, 5), 15);
}

TEST(Generate, Bfloat16AndAHalfCache) {
  expect_exact(run_tiny(kUneven, {Precision::kBfloat16, CacheType::kFloat16}, {{1, 5, 9}}, 6), 6);
}

TEST(Generate, HalfAndAnInt8Cache) {
  expect_exact(run_tiny(kUneven, {Precision::kFloat16, CacheType::kInt8}, {{1, 5, 9}, {1}}, 6), 12);
}

TEST(Generate, Q8WithShortLastGroups) {
  expect_exact(run_tiny(kUneven, {Precision::kFloat32, CacheType::kInt8}, {{1, 5, 9}, {1, 2}}, 5,
                        64, llm::WeightFormat::kQ8, 16),
               6);
}

TEST(Generate, Q4) {
  expect_exact(run_tiny(kUneven, {Precision::kFloat32, CacheType::kBfloat16}, {{1, 5, 9}}, 5, 64,
                        llm::WeightFormat::kQ4, 16),
               5);
}

/// Little room: weights in pieces of their rows, one KV head at a time, keys in chunks.
NpuConfig cramped(std::int64_t scratchpad_bytes, std::int64_t accumulator_bytes) {
  NpuConfig config = float_edge();
  config.scratchpad.capacity_bytes = scratchpad_bytes;
  config.accumulator.capacity_bytes = accumulator_bytes;
  return config;
}

std::vector<Token> long_prompt(Token count) {
  std::vector<Token> prompt = {1};
  for (Token i = 1; i < count; ++i) prompt.push_back(3 + 7 * i % 250);
  return prompt;
}

test::LlmSizes with_positions(std::int32_t positions) {
  test::LlmSizes sizes = kUneven;
  sizes.max_positions = positions;
  return sizes;
}

TEST(Generate, InACrampedScratchpad) {
  expect_exact(run_tiny(with_positions(64), {Precision::kFloat32, CacheType::kInt8},
                        {long_prompt(40)}, 8, 64, {}, 0, cramped(12288, 4096)),
               1);
}

TEST(Generate, GroupsInACrampedScratchpad) {
  expect_exact(run_tiny(with_positions(64), {}, {long_prompt(33), {1, 4}}, 4, 64,
                        llm::WeightFormat::kQ4, 10, cramped(20480, 8192)),
               1);
}

TEST(Generate, ABatchReadsTheWeightsOnce) {
  NPUSIM_REQUIRE_SHARED();
  const Generation g = run(stories(), {{1}, {1, 410, 469, 347}, {1, 317}, {1, 261}},
                           {.tokens = 5, .compares = false});
  ASSERT_EQ(g.decode.size(), 4U);
  const std::uint64_t weights = 4 * 260000;
  for (const DecodeStep& step : g.decode) {
    EXPECT_EQ(step.sequences, 4);
    EXPECT_GT(step.cost.total.dram_read_bytes, weights);
    EXPECT_LT(step.cost.total.dram_read_bytes, weights * 3 / 2);
  }
}

/// What a token costs grows with the keys, by the same amount each time, and in attention only: the
/// rest gets a little shorter, since more of its weights are loaded under attention.
TEST(Generate, OnlyAttentionGrowsWithTheContext) {
  NPUSIM_REQUIRE_SHARED();
  const Generation g = run(stories(), {{1}}, {.tokens = 181, .compares = false});
  ASSERT_EQ(g.decode.size(), 180U);
  const auto attention = static_cast<std::size_t>(llm_kernels::Stage::kAttention);
  /// Means of 20 tokens from one on, as refresh falls on some of them: attention, and the rest.
  const auto cycles = [&](std::size_t first) {
    std::pair<double, double> mean;
    for (std::size_t i = first; i < first + 20; ++i) {
      const StepCost& cost = g.decode[i].cost;
      mean.first += static_cast<double>(cost.stages[attention].cycles) / 20;
      mean.second += static_cast<double>(cost.total.cycles - cost.stages[attention].cycles) / 20;
    }
    return mean;
  };
  const auto [first, rest] = cycles(20);
  const auto [second, later_rest] = cycles(90);
  const auto [third, last_rest] = cycles(160);
  EXPECT_GT(third, 1.5 * first);
  EXPECT_NEAR(third - second, second - first, 0.2 * (second - first));
  EXPECT_NEAR(later_rest, rest, 0.05 * rest);
  EXPECT_NEAR(last_rest, rest, 0.05 * rest);
  EXPECT_LT(last_rest, 1.01 * rest);
}

TEST(Generate, CostsClose) {
  const Generation g = run_tiny(kUneven, {}, {{1, 5, 9}}, 4);
  StepCost all = g.prefill;
  all += g.decode_total();
  std::uint64_t cycles = 0;
  double energy_pj = 0;
  std::int64_t macs = 0;
  for (const Cost& stage : all.stages) {
    cycles += stage.cycles;
    energy_pj += stage.energy_pj;
    macs += stage.macs;
  }
  EXPECT_EQ(cycles, all.total.cycles);
  EXPECT_LE(energy_pj, all.total.energy_pj);
  EXPECT_EQ(macs, all.total.macs);
  EXPECT_EQ(all.rows, 3 + 3);
  EXPECT_EQ(g.sequences[0].first_token_cycles, g.prefill.total.cycles);
}

}  // namespace
}  // namespace npu::generate
