// What does not fit or is not there, and the figures as text.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "kernels/llm/small_floats.h"
#include "sim/generate/text.h"
#include "tests/unit/base/expect_error.h"
#include "tests/unit/generate/generate_fixture.h"

namespace npu::generate {
namespace {

using testing::HasSubstr;

std::string error_with(const NpuConfig& config, const SessionOptions& options = {.tokens = 2},
                       const llm::Numerics& numerics = {}) {
  return error_of([&] {
    (void)run_tiny(kUneven, numerics, {{1, 5}}, options.tokens, 64, {}, 4, config);
  });
}

TEST(GenerateLimits, ArraysWithoutFloats) {
  NpuConfig config = float_edge();
  config.mac_array.float32_cycles = 0;
  EXPECT_EQ(error_with(config),
            "edge: the MAC array does not multiply float32 (mac_array.float32_cycles is 0)");
  config.mac_array.float16_cycles = 0;
  EXPECT_EQ(error_with(config, {.tokens = 2}, {.precision = llm::Precision::kFloat16}),
            "edge: the MAC array does not multiply float16 (mac_array.float16_cycles is 0)");
  config.mac_array.bfloat16_cycles = 0;
  EXPECT_EQ(error_with(config, {.tokens = 2}, {.precision = llm::Precision::kBfloat16}),
            "edge: the MAC array does not multiply bfloat16 (mac_array.bfloat16_cycles is 0)");
}

TEST(GenerateLimits, Positions) {
  EXPECT_EQ(error_with(float_edge(), {.tokens = 16}),
            "tiny.bin: a prompt of 2 tokens and 16 more need 17 positions, the model has 16");
}

/// From nothing up to enough: every buffer is refused in turn.
TEST(GenerateLimits, Scratchpad) {
  const std::string content = test::float_checkpoint(kUneven);
  const llm::Llama floats = llm::parse_checkpoint(test::bytes_of(content), "tiny.bin");
  std::set<std::string> starts;
  for (const llm::Llama& model : {floats, llm::with_weights(floats, llm::WeightFormat::kQ8, 4)}) {
    NpuConfig config = float_edge();
    const auto layout = llm_kernels::place_model(model, {.positions = 16}, config);
    const llm_kernels::Step step{.parts = {{.position = 15, .tokens = {5}}}};
    bool fits = false;
    for (std::int64_t bytes = 1024; !fits; bytes += 64) {
      config.scratchpad.capacity_bytes = bytes;
      try {
        fits = !llm_kernels::compile_step(layout, config, step).code.empty();
      } catch (const Error& error) {
        starts.insert(std::string(error.what()).substr(0, 24));
      }
    }
    EXPECT_LT(config.scratchpad.capacity_bytes, 16384);
  }
  EXPECT_EQ(starts,
            (std::set<std::string>{"scratchpad: activations ", "scratchpad: attention ov",
                                   "scratchpad: a row of gro", "scratchpad: a tile of 32"}));
}

TEST(GenerateLimits, Dram) {
  NpuConfig config = float_edge();
  config.dram.rows = 1;
  EXPECT_THAT(error_with(config), HasSubstr("bytes of DRAM"));
}

TEST(SmallFloats, AreRoundedToNearestEven) {
  using llm_kernels::Code;
  const auto bits = [](float value, Code code) {
    std::vector<std::byte> bytes;
    llm_kernels::append_float(bytes, value, code);
    EXPECT_EQ(bytes.size(), 2U);
    return std::to_integer<int>(bytes[0]) | std::to_integer<int>(bytes[1]) << 8;
  };
  EXPECT_EQ(bits(1.0F, Code::kFloat16), 0x3c00);
  EXPECT_EQ(bits(-1.0F - 0x1p-11F, Code::kFloat16), 0xbc00);
  EXPECT_EQ(bits(1.0F + 0x3p-11F, Code::kFloat16), 0x3c02);
  EXPECT_EQ(bits(65520.0F, Code::kFloat16), 0x7c00);
  EXPECT_EQ(bits(0x1p-24F, Code::kFloat16), 0x0001);
  EXPECT_EQ(bits(0x1.ff8p-15F, Code::kFloat16), 0x03ff);
  EXPECT_EQ(bits(0x1p-14F, Code::kFloat16), 0x0400);
  EXPECT_EQ(bits(-0.0F, Code::kFloat16), 0x8000);
  EXPECT_EQ(bits(std::numeric_limits<float>::quiet_NaN(), Code::kFloat16), 0x7e00);
  EXPECT_EQ(bits(1.0F + 0x1p-8F, Code::kBfloat16), 0x3f80);
  EXPECT_EQ(bits(1.0F + 0x3p-8F, Code::kBfloat16), 0x3f82);
  EXPECT_EQ(bits(std::numeric_limits<float>::max(), Code::kBfloat16), 0x7f80);
  EXPECT_EQ(bits(std::numeric_limits<float>::quiet_NaN(), Code::kBfloat16), 0x7fc0);
}

/// Two prompts of 2 tokens, then one step of both: 1000 and 500 cycles.
Generation sample() {
  Generation g;
  g.sequences.push_back({.tokens = {1, 5, 7, 9}, .prompt_tokens = 2, .first_token_cycles = 400});
  g.sequences.push_back({.tokens = {1, 6, 8, 2}, .prompt_tokens = 2, .first_token_cycles = 600});
  g.prefill.rows = 4;
  g.prefill.total = {.cycles = 1000, .energy_pj = 4e6};
  g.prefill.stages[2] = {.cycles = 1000, .energy_pj = 3e6};
  DecodeStep step{.sequences = 2, .longest = 3, .cost = {}};
  step.cost.rows = 2;
  step.cost.total = {.cycles = 500, .energy_pj = 2e6, .dram_read_bytes = 640};
  step.cost.stages[3] = {.cycles = 500, .energy_pj = 2e6, .dram_read_bytes = 640};
  g.decode.push_back(step);
  g.comparison = {.tokens = 4, .max_logit_difference = 0};
  return g;
}

TEST(GenerateText, Figures) {
  const std::string text = describe(sample(), 1e6);
  EXPECT_THAT(text, HasSubstr("sequences            2, 4 prompt tokens, 4 generated\n"));
  EXPECT_THAT(text, HasSubstr("time to first token  0.5000 ms\n"));
  EXPECT_THAT(text, HasSubstr("time per token       0.5000 ms\n"));
  EXPECT_THAT(text, HasSubstr("tokens per second    4000.0\n"));
  EXPECT_THAT(text, HasSubstr("energy per token     1.000 uJ\n"));
  EXPECT_THAT(text, HasSubstr("CPU reference        4 tokens equal, max logit difference 0\n"));
  EXPECT_THAT(text, HasSubstr("  no stage                                 0.500   25.0%\n"));
}

TEST(GenerateText, Files) {
  EXPECT_EQ(decode_csv(sample()),
            "step,sequences,longest_keys,cycles,energy_pj,embedding_cycles,embedding_energy_pj,"
            "projections_cycles,projections_energy_pj,attention_cycles,attention_energy_pj,"
            "feed_forward_cycles,feed_forward_energy_pj,head_cycles,head_energy_pj\n"
            "0,2,3,500,2e+06,0,0,0,0,0,0,500,2e+06,0,0\n");
  const std::string json = generation_json(sample(), 1e6);
  EXPECT_THAT(json, HasSubstr("\"tokens_per_s\": 4000.0"));
  EXPECT_THAT(json, HasSubstr("\"decode_steps\": 1"));
}

TEST(GenerateText, ControlCharactersStayOut) {
  EXPECT_EQ(printable("a\x1b[0m\tb\n\x7f\xc3\xa9\r"), "a[0m\tb\n\xc3\xa9");
}

}  // namespace
}  // namespace npu::generate
