#include <string>

#include "tests/unit/config/config_text.h"

namespace npu {
namespace {

using testing::HasSubstr;

std::string table_error(const std::string& section, const std::string& from,
                        const std::string& to) {
  std::string text = text_of("energy/edge_7nm.yaml");
  const std::size_t start = text.find(section);
  text.replace(text.find(from, start), from.size(), to);
  return error_of([&] { (void)read_energy_table(YamlMap::from_text(text, "e.yaml")); });
}

TEST(EnergySection, RowsFollowTheOrderOfEvents) {
  const EnergyConfig c =
      read_energy_table(YamlMap::from_text(text_of("energy/edge_7nm.yaml"), "e.yaml"));
  ASSERT_EQ(c.events.size(), 18U);
  EXPECT_DOUBLE_EQ(c.events[0].picojoules, 0.2166);
  EXPECT_DOUBLE_EQ(c.events[9].picojoules, 60);
  EXPECT_DOUBLE_EQ(c.events[13].picojoules, 22390);
  EXPECT_DOUBLE_EQ(c.events[14].picojoules, 0.8599);
  EXPECT_EQ(c.events[0].source_class, SourceClass::kDerived);
  EXPECT_THAT(c.events[0].source, HasSubstr("Horowitz"));
  ASSERT_EQ(c.leakage.size(), kLeakageComponents.size());
  EXPECT_EQ(c.leakage.back().component, "dram");
  EXPECT_DOUBLE_EQ(c.leakage.back().milliwatts, 68.25);
}

TEST(EnergySection, RowsOfFloatsAreDerivedWhereTheTableLeavesThemOut) {
  const EnergyConfig c =
      read_energy_table(YamlMap::from_text(text_of("energy/tpu_v1_28nm.yaml"), "e.yaml"));
  ASSERT_EQ(c.events.size(), 18U);
  EXPECT_DOUBLE_EQ(c.events[14].picojoules, 2.0 / 0.3 * c.events[0].picojoules);
  EXPECT_DOUBLE_EQ(c.events[15].picojoules, c.events[14].picojoules);
  EXPECT_DOUBLE_EQ(c.events[16].picojoules, 4.6 / 0.3 * c.events[0].picojoules);
  EXPECT_DOUBLE_EQ(c.events[17].picojoules, 4.6 / 3.2 * c.events[7].picojoules);
  EXPECT_EQ(c.events[16].source_class, SourceClass::kDerived);
  EXPECT_EQ(c.events[16].source, "15.3 x mac_int8, the ratio at 45 nm (Horowitz ISSCC 2014)");
}

TEST(EnergySection, RefusesIncompleteRows) {
  EXPECT_THAT(
      table_error("events", "  mac_int16:", "  mac_int17:"),
      HasSubstr("events.mac_int16: must be given, got nothing; is `mac_int17` in line 9 meant?"));
  EXPECT_THAT(table_error("events", "  dma_byte:", "  whatever:"),
              HasSubstr("events.dma_byte: must be given, got nothing"));
  EXPECT_THAT(table_error("dma_byte", "pj: 0.9813", "pj: -1"),
              HasSubstr("events.dma_byte.pj: must be 0 to 1000000000, got -1"));
  EXPECT_THAT(table_error("dma_byte", "class: derived", "class: guessed"),
              HasSubstr("events.dma_byte.class: must be one of measured, published, derived, "
                        "assumed, placeholder, got guessed"));
  EXPECT_THAT(table_error("dma_byte", "    source:", "    text:"),
              HasSubstr("events.dma_byte.source: must be given"));
  EXPECT_THAT(table_error("dma_byte", "    pj:", "    mw: 1\n    pj:"),
              HasSubstr("events.dma_byte.mw: unknown key"));
  EXPECT_THAT(table_error("leakage", "  sequencer:", "  sequenser:"),
              HasSubstr("leakage.sequencer: must be given, got nothing; is `sequenser` in line"));
  EXPECT_THAT(table_error("leakage", "    mw: 7.475", "    mw: 1000001"),
              HasSubstr("leakage.mac_array.mw: must be 0 to 1000000, got 1000001"));
  EXPECT_THAT(table_error("leakage", "  sequencer:", "  l2: {}\n  sequencer:"),
              HasSubstr("leakage.l2: unknown key"));
  EXPECT_THAT(table_error("technology", "technology: 7 nm", "technology: 7 nm\nvolts: 1"),
              HasSubstr("volts: unknown key"));
}

}  // namespace
}  // namespace npu
