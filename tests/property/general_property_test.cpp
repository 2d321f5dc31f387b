// General operators, data movement and pooling of every type on random NPUs.

#include <gtest/gtest.h>

#include <array>

#include "tests/property/check_layer.h"
#include "tests/support/random_config.h"
#include "tests/support/random_general.h"

namespace npu::test {
namespace {

using graph::OpKind;

struct Kind {
  OpKind op;
  DType type;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds = [] {
    std::vector<Kind> all;
    for (int op = 0; op < graph::kOpKinds; ++op) {
      for (const DType type : general_types(static_cast<OpKind>(op)))
        all.push_back({static_cast<OpKind>(op), type});
    }
    return all;
  }();
  return kKinds;
}

void run(std::uint64_t seed, const Kind& kind) {
  std::mt19937_64 rng(seed);
  SCOPED_TRACE(fmt::format("seed {}: {} {}", seed, name_of(kind.op), name_of(kind.type)));
  const graph::Graph graph = random_general(rng, kind.op, kind.type, seed % 4 == 0 ? 40 : 10);
  const std::vector<TensorData> inputs = special_inputs(rng, graph);
  check_layer(graph, inputs, random_config(rng));
}

class GeneralProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(GeneralProperty, ExactRaceFreeClosedAndRepeatable) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    const std::uint64_t seed = GetParam() * std::uint64_t{10} + i;
    run(seed, kinds()[seed % kinds().size()]);
    if (HasFatalFailure()) return;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, GeneralProperty, testing::Range<std::uint64_t>(0, 30));

class MapProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(MapProperty, ExactRaceFreeClosedAndRepeatable) {
  for (std::uint64_t i = 0; i < 12; ++i) {
    const std::uint64_t seed = 100000 + GetParam() * std::uint64_t{12} + i;
    const OpKind kind = seed % 3 == 0 ? OpKind::kReduce : OpKind::kMap;
    const std::vector<DType> types = general_types(kind);
    run(seed, {kind, types[seed / 3 % types.size()]});
    if (HasFatalFailure()) return;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, MapProperty, testing::Range<std::uint64_t>(0, 30));

}  // namespace
}  // namespace npu::test
