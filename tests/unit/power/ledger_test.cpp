#include "sim/power/ledger.h"

#include <gtest/gtest.h>

#include "sim/config/leakage.h"
#include "tests/unit/power/energy_fixture.h"

namespace npu {
namespace {

using test::energy_config;
using test::kClock;

TEST(Ledger, LeakageOfOneMilliwattForOneNanosecondIsOnePicojoule) {
  EXPECT_DOUBLE_EQ(leakage_per_cycle_pj({"x", 1, SourceClass::kAssumed, ""}, 1000), 1.0);
  EXPECT_DOUBLE_EQ(leakage_per_cycle_pj({"x", 0.25, SourceClass::kAssumed, ""}, 2000), 0.5);
}

TEST(Ledger, EveryEventAndLeakageRowHasItsLine) {
  EventCounts events{};
  events[static_cast<std::size_t>(Event::kMacInt8)] = 1000;
  const EnergyLedger ledger = make_ledger(energy_config(), kClock, events, 50);
  constexpr auto kRequired = static_cast<std::size_t>(kFirstOptionalEvent);
  ASSERT_EQ(ledger.rows.size(), kRequired + 2);
  const LedgerRow& mac = ledger.rows[0];
  EXPECT_EQ(mac.component, "mac_array");
  EXPECT_EQ(mac.event, "mac_int8");
  EXPECT_EQ(mac.count, 1000U);
  EXPECT_DOUBLE_EQ(mac.energy_pj, 500.0);
  EXPECT_EQ(mac.source_class, SourceClass::kPublished);
  EXPECT_EQ(mac.source, "row 0");
  const LedgerRow& leakage = ledger.rows[kRequired];
  EXPECT_EQ(leakage.component, "mac_array");
  EXPECT_EQ(leakage.event, "leakage");
  EXPECT_EQ(leakage.count, 50U);
  EXPECT_DOUBLE_EQ(leakage.energy_per_event_pj, 6.0);
  EXPECT_DOUBLE_EQ(leakage.energy_pj, 300.0);
}

TEST(Ledger, FloatEventsHaveALineWhereTheyHappened) {
  EventCounts events{};
  events[static_cast<std::size_t>(Event::kMacBfloat16)] = 10;
  const EnergyLedger ledger = make_ledger(energy_config(), kClock, events, 50);
  const LedgerRow& mac = ledger.rows[static_cast<std::size_t>(kFirstOptionalEvent)];
  EXPECT_EQ(mac.component, "mac_array");
  EXPECT_EQ(mac.event, "mac_bfloat16");
  EXPECT_DOUBLE_EQ(mac.energy_pj, 10 * 8.0);
}

TEST(Ledger, RowsAreCountTimesEnergyAndSumToTheTotal) {
  EventCounts events{};
  for (std::size_t i = 0; i < kEventCount; ++i) events[i] = 7 * i + 3;
  const EnergyLedger ledger = make_ledger(energy_config(), kClock, events, 12345);
  double expected = 12345 * (6.0 + 0.5);
  for (std::size_t i = 0; i < kEventCount; ++i) {
    expected += static_cast<double>(7 * i + 3) * 0.5 * static_cast<double>(i + 1);
  }
  EXPECT_NEAR(ledger.total_pj(), expected, 1e-9 * expected);
  double shares = 0;
  for (const SourceClass c :
       {SourceClass::kMeasured, SourceClass::kPublished, SourceClass::kDerived,
        SourceClass::kAssumed, SourceClass::kPlaceholder}) {
    shares += ledger.class_share(c);
  }
  EXPECT_NEAR(shares, 1.0, 1e-12);
  EXPECT_NEAR(ledger.class_share(SourceClass::kAssumed), 12345 * 6.5 / expected, 1e-12);
  EXPECT_DOUBLE_EQ(ledger.component_pj("clock_tree"), 12345 * 0.5);
}

TEST(Ledger, LayersAddUpToTheWhole) {
  EventCounts a{}, b{}, both{};
  for (std::size_t i = 0; i < kEventCount; ++i) {
    a[i] = i * i;
    b[i] = 100 - i;
    both[i] = a[i] + b[i];
  }
  const EnergyConfig config = energy_config();
  const double sum = make_ledger(config, kClock, a, 400).total_pj() +
                     make_ledger(config, kClock, b, 600).total_pj();
  const double whole = make_ledger(config, kClock, both, 1000).total_pj();
  EXPECT_NEAR(sum, whole, 1e-9 * whole);
}

TEST(Ledger, NothingCountedInNoTimeHasNoShares) {
  const EnergyLedger ledger = make_ledger(energy_config(), kClock, EventCounts{}, 0);
  EXPECT_EQ(ledger.total_pj(), 0);
  EXPECT_EQ(ledger.class_share(SourceClass::kPublished), 0);
}

TEST(Ledger, RefusesATableWithMissingRows) {
  EnergyConfig config = energy_config();
  config.events.pop_back();
  EXPECT_THROW((void)make_ledger(config, kClock, EventCounts{}, 1), std::logic_error);
}

}  // namespace
}  // namespace npu
