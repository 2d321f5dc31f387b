// The names that the configuration reads and those that the counters, the ledger and the power
// trace use are written down twice (sim/config must not include sim/stats): here they are compared.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "sim/config/sections.h"
#include "sim/power/ledger.h"
#include "sim/power/power_unit.h"

namespace npu {
namespace {

using ::testing::ElementsAreArray;
using ::testing::UnorderedElementsAreArray;

const NpuConfig& preset() {
  static const NpuConfig kConfig =
      load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/edge.yaml");
  return kConfig;
}

TEST(EnergyKeys, EventsHaveTheNamesAndOrderOfTheCounters) {
  ASSERT_EQ(kEnergyEventKeys.size(), kEventCount);
  for (std::size_t i = 0; i < kEventCount; ++i) {
    EXPECT_EQ(kEnergyEventKeys[i], name_of(static_cast<Event>(i)));
  }
}

TEST(EnergyKeys, EveryLeakingComponentHasEventsAndTheOtherWayRound) {
  std::set<std::string_view> components;
  for (std::size_t i = 0; i < kEventCount; ++i) {
    components.insert(component_of(static_cast<Event>(i)));
  }
  EXPECT_THAT(components, UnorderedElementsAreArray(kLeakageComponents));
}

TEST(EnergyKeys, LedgerLeaksInEveryComponentOnce) {
  std::vector<std::string> leaking;
  for (const LedgerRow& row : make_ledger(preset().energy, preset().clock, {}, 1).rows) {
    if (row.event == "leakage") leaking.push_back(row.component);
  }
  EXPECT_THAT(leaking, ElementsAreArray(kLeakageComponents));
}

TEST(EnergyKeys, PowerTraceHasTheComponentsOfTheTable) {
  const PowerUnit unit("power", preset().energy, preset().clock);
  EXPECT_THAT(unit.components(), UnorderedElementsAreArray(kLeakageComponents));
}

}  // namespace
}  // namespace npu
