// Mappings of random networks on random NPUs: written, read back, decided at random.
#include <gtest/gtest.h>

#include "isa/program.h"
#include "kernels/mapper/mapping_error.h"
#include "tests/mapping/mapping_case.h"

namespace npu::test {
namespace {

class MappingProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(MappingProperty, GivenBackMakesTheSameProgram) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    const MappingCase c = random_case(GetParam() * 10 + i);
    SCOPED_TRACE(c.what);
    const kernels::Compiled first = kernels::compile(c.graph, c.config, {.attention = c.attention});
    const mapper::Decisions decisions = decisions_of(first);
    const kernels::Compiled again =
        kernels::compile(c.graph, c.config, {.attention = c.attention, .decisions = &decisions});
    ASSERT_EQ(isa::serialize(again.program), isa::serialize(first.program));
    ASSERT_EQ(again.mapping_yaml, first.mapping_yaml);
  }
}

/// Decisions at random: those that the mapper takes run and equal the reference.
TEST_P(MappingProperty, LegalDecisionsAreExact) {
  int run = 0;
  for (std::uint64_t i = 0; i < 30 && run < 4; ++i) {
    const std::uint64_t seed = 50000 + GetParam() * 30 + i;
    const MappingCase c = random_case(seed);
    SCOPED_TRACE(c.what);
    std::mt19937_64 rng(seed);
    mapper::Decisions decisions;
    try {
      decisions = random_decisions(rng, map_case(c));
      static_cast<void>(map_case(c, &decisions));
    } catch (const mapper::MappingError&) {
      continue;  // Not legal, or the network does not fit at all.
    }
    ++run;
    expect_exact(c, decisions, seed);
    if (HasFatalFailure()) return;
    // What it made of them is a whole mapping, which is taken as well.
    const kernels::Compiled made =
        kernels::compile(c.graph, c.config, {.attention = c.attention, .decisions = &decisions});
    const mapper::Decisions whole = decisions_of(made);
    const kernels::Compiled again =
        kernels::compile(c.graph, c.config, {.attention = c.attention, .decisions = &whole});
    ASSERT_EQ(isa::serialize(again.program), isa::serialize(made.program));
  }
  EXPECT_GT(run, 0);
}
INSTANTIATE_TEST_SUITE_P(Seeds, MappingProperty, testing::Range<std::uint64_t>(0, 40));

}  // namespace
}  // namespace npu::test
