// A corpus of broken mappings: good ones of random networks on random NPUs with one fault each.
// Every one is refused for its fault, and the change that the error proposes makes it legal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/repair.h"
#include "tests/mapping/mapping_faults.h"

namespace npu::test {
namespace {

using mapper::Decisions;
using mapper::FaultKind;
using mapper::LayerDecision;

/// The fault is the expected one, and its repair makes the mapping legal.
void expect_refused(const MappingCase& c, const Good& g, const Expected& expected) {
  try {
    static_cast<void>(map_case(c, &g.decisions));
    FAIL() << "accepted";
  } catch (const mapper::MappingError& error) {
    const mapper::Fault& f = error.fault();
    EXPECT_THAT(expected.kinds, testing::Contains(f.kind)) << error.what();
    EXPECT_EQ(f.layer, expected.layer) << error.what();
    EXPECT_TRUE(f.key.starts_with(expected.key)) << f.key << ": " << error.what();
    EXPECT_EQ(f.level, expected.level) << error.what();
    if (f.kind == FaultKind::kCapacity || f.kind == FaultKind::kOverlap) {
      EXPECT_GT(f.needed, f.there) << error.what();
      EXPECT_THAT(error.what(), testing::HasSubstr(std::to_string(f.needed)));
    }
    const std::optional<mapper::Repair> repair = mapper::smallest_repair(
        g.mapped.graph, c.config, g.mapped.mapping.partition, g.decisions, f);
    ASSERT_TRUE(repair.has_value()) << error.what();
    EXPECT_TRUE(repair->legal) << error.what() << "; " << repair->text;
    EXPECT_NO_THROW(static_cast<void>(map_case(c, &repair->decisions))) << repair->text;
  }
}

constexpr std::uint64_t kParts = 10, kNetworks = 12;

/// Calls visit(case, good, expected) for the broken mappings of a part of the corpus: each kind of
/// fault in each network that has something to break that way.
template <typename Visit>
void over_corpus(std::uint64_t part, Visit&& visit) {
  for (std::uint64_t i = 0; i < kNetworks; ++i) {
    const std::uint64_t seed = 90000 + part * kNetworks + i;
    const MappingCase c = random_case(seed);
    SCOPED_TRACE(c.what);
    std::optional<Mapped> mapped;
    try {
      mapped = map_case(c);
    } catch (const mapper::MappingError&) {
      continue;  // The network does not fit at all.
    }
    const Decisions whole =
        decisions_of(kernels::compile(c.graph, c.config, {.attention = c.attention}));
    std::mt19937_64 rng(seed);
    for (const NamedBreaker& breaker : breakers()) {
      SCOPED_TRACE(breaker.name);
      Good good{c, *mapped, whole, rng};
      const std::optional<Expected> expected = breaker.apply(good);
      if (expected) visit(breaker.name, good, *expected);
    }
  }
}

class BrokenMapping : public testing::TestWithParam<std::uint64_t> {};

TEST_P(BrokenMapping, IsRefusedForItsFaultAndRepairedAsProposed) {
  over_corpus(GetParam(), [](const char*, const Good& good, const Expected& expected) {
    expect_refused(good.c, good, expected);
  });
}
INSTANTIATE_TEST_SUITE_P(Seeds, BrokenMapping, testing::Range<std::uint64_t>(0, kParts));

TEST(BrokenMappings, AreManyOfEachKind) {
  std::map<std::string, int> of_kind;
  int all = 0;
  for (std::uint64_t part = 0; part < kParts; ++part) {
    over_corpus(part, [&](const char* kind, const Good&, const Expected&) {
      ++of_kind[kind];
      ++all;
    });
  }
  EXPECT_GE(all, 700);
  for (const NamedBreaker& b : breakers()) EXPECT_GE(of_kind[b.name], 5) << b.name;
}

/// A mapping with two faults: the change that is proposed for the first leads to the second.
TEST(BrokenMappings, WithTwoFaultsAreRepairedOneByOne) {
  int repaired = 0;
  for (std::uint64_t seed = 90000; seed < 90120; seed += 5) {  // Networks of several layers.
    const MappingCase c = random_case(seed);
    SCOPED_TRACE(c.what);
    const Mapped mapped = map_case(c);
    Decisions d = decisions_of(kernels::compile(c.graph, c.config, {.attention = c.attention}));
    std::vector<LayerDecision*> with_buffers;
    for (LayerDecision& l : d.layers) {
      if (!l.buffers.empty()) with_buffers.push_back(&l);
    }
    if (with_buffers.size() < 2) continue;
    *with_buffers.front()->buffers[0].address += 1;
    with_buffers.back()->buffers[0].slots = 0;
    for (int faults = 0; faults < 3; ++faults) {
      try {
        static_cast<void>(map_case(c, &d));
        EXPECT_EQ(faults, 2);
        ++repaired;
        break;
      } catch (const mapper::MappingError& error) {
        const auto repair = mapper::smallest_repair(mapped.graph, c.config,
                                                    mapped.mapping.partition, d, error.fault());
        ASSERT_TRUE(repair.has_value()) << error.what();
        EXPECT_EQ(repair->legal, faults == 1) << error.what() << "; " << repair->text;
        d = repair->decisions;
      }
    }
  }
  EXPECT_GE(repaired, 10);
}

}  // namespace
}  // namespace npu::test
