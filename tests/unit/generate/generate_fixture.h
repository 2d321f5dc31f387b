#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "sim/generate/session.h"
#include "tests/support/llm_files.h"
#include "workloads/llm/checkpoint.h"
#include "workloads/llm/group_quantize.h"

namespace npu::generate {

using Prompts = std::vector<std::vector<llm::Token>>;

/// The edge preset with float arithmetic in its array.
inline NpuConfig float_edge() {
  NpuConfig config = load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml");
  config.mac_array.float16_cycles = config.mac_array.bfloat16_cycles = 1;
  config.mac_array.float32_cycles = 4;
  return config;
}

inline Generation run(const llm::Llama& model, const Prompts& prompts,
                      const SessionOptions& options, const NpuConfig& config = float_edge()) {
  Runner runner(model, layout_options(model, prompts, options), config);
  return generate(runner, model, prompts, options, {});
}

/// Of a tiny model with random weights.
inline Generation run_tiny(const test::LlmSizes& sizes, const llm::Numerics& numerics,
                           const Prompts& prompts, std::int64_t tokens,
                           std::int64_t prefill_rows = 64,
                           std::optional<llm::WeightFormat> format = {},
                           std::int64_t group_size = 4, const NpuConfig& config = float_edge()) {
  const std::string content = test::float_checkpoint(sizes);
  llm::Llama model = llm::parse_checkpoint(test::bytes_of(content), "tiny.bin");
  if (format) model = llm::with_weights(model, *format, group_size);
  return run(model, prompts, {.numerics = numerics, .tokens = tokens, .prefill_rows = prefill_rows},
             config);
}

/// Sizes that nothing divides, queries that share keys, a head of its own.
inline constexpr test::LlmSizes kUneven = {
    .dim = 36, .hidden_dim = 50, .heads = 6, .kv_heads = 3, .shared_classifier = false};

inline void expect_exact(const Generation& g, std::int64_t tokens) {
  EXPECT_GE(g.comparison.tokens, g.generated());
  EXPECT_GE(g.comparison.tokens, tokens);
  EXPECT_EQ(g.comparison.max_logit_difference, 0);
}

}  // namespace npu::generate
