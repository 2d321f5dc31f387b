// ATTENTION on random NPUs, fused and unfused, against the reference's rows.

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "kernels/lowering/compile.h"
#include "tests/property/check_layer.h"
#include "tests/support/random_config.h"
#include "tests/support/random_graph.h"
#include "tests/support/simulate.h"

namespace npu::test {
namespace {

using kernels::AttentionVariant;

NpuConfig attention_config(std::mt19937_64& rng) {
  NpuConfig config = random_config(rng);
  for (int* cycles : {&config.mac_array.float16_cycles, &config.mac_array.bfloat16_cycles,
                      &config.mac_array.float32_cycles}) {
    *cycles = static_cast<int>(1 + rng() % 4);
  }
  return config;
}

class AttentionProperty : public testing::TestWithParam<std::uint64_t> {
 protected:
  void run(AttentionVariant variant) {
    for (std::uint64_t i = 0; i < 6; ++i) {
      const std::uint64_t seed = GetParam() * std::uint64_t{6} + i;
      SCOPED_TRACE(fmt::format("seed {}", seed));
      std::mt19937_64 rng(seed);
      const graph::Graph graph = random_attention(rng, seed % 5 == 0 ? 70 : 14);
      const std::vector<TensorData> inputs = random_inputs(rng, graph);
      check_layer(graph, inputs, attention_config(rng), {.attention = variant});
      if (HasFatalFailure()) return;
    }
  }
};

TEST_P(AttentionProperty, FusedIsExactRaceFreeClosedAndRepeatable) {
  run(AttentionVariant::kFused);
}
TEST_P(AttentionProperty, UnfusedIsExactRaceFreeClosedAndRepeatable) {
  run(AttentionVariant::kUnfused);
}
INSTANTIATE_TEST_SUITE_P(Seeds, AttentionProperty, testing::Range<std::uint64_t>(0, 20));

}  // namespace
}  // namespace npu::test
