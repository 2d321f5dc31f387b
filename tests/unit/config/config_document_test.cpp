#include "sim/config/config_document.h"

#include <span>

#include "sim/base/yaml_text.h"
#include "tests/unit/config/config_text.h"

namespace npu {
namespace {

using ::testing::HasSubstr;

ConfigDocument edge() { return ConfigDocument::load(configs_folder() + "npu/edge.yaml"); }

std::string error_after(std::string_view key, std::string_view value) {
  return error_of([&] {
    ConfigDocument document = edge();
    document.set(key, value);
    (void)document.parse();
  });
}

TEST(ConfigDocument, ReplacesOneValue) {
  ConfigDocument document = edge();
  document.set("dma.setup_cycles", "99");
  const NpuConfig changed = document.parse();
  EXPECT_EQ(changed.dma.setup_cycles, 99);
  EXPECT_EQ(changed.dma.bus_width_bytes, edge().parse().dma.bus_width_bytes);
  EXPECT_EQ(document.get("dma.setup_cycles"), "99");
}

TEST(ConfigDocument, CopiesAreApart) {
  const ConfigDocument before = edge();
  ConfigDocument after = before;
  after.set("vector_unit.lanes", "7");
  EXPECT_EQ(before.parse().vector_unit.lanes, 32);
  EXPECT_EQ(after.parse().vector_unit.lanes, 7);
}

TEST(ConfigDocument, OverridesAValueOfTheDevice) {
  ConfigDocument document = edge();
  EXPECT_FALSE(document.has("dram.timing_cycles.tRFC"));
  document.set("dram.timing_cycles.tRFC", "301");
  document.set("dram.queue_depth", "5");
  EXPECT_EQ(document.parse().dram.tRFC, 301);
  EXPECT_EQ(document.parse().dram.queue_depth, 5);
}

TEST(ConfigDocument, ChecksApplyAndNameTheKeyAndThePlaceInTheFile) {
  EXPECT_THAT(error_after("dma.setup_cycles", "-1"),
              HasSubstr("edge.yaml:62:17: dma.setup_cycles: must be 0 to 10000, got -1"));
  EXPECT_THAT(error_after("dma.setup_cycle", "1"), HasSubstr("did you mean `setup_cycles`"));
  EXPECT_THAT(error_after("mac_array.kind", "quantum"),
              HasSubstr("mac_array.kind: must be one of systolic, dot_product, got quantum"));
  EXPECT_THAT(error_after("dma.setup_cycles", "010"), HasSubstr("got 010"));
}

TEST(ConfigDocument, RefusesPathsThatLeadNowhere) {
  EXPECT_THAT(error_after("dna.setup_cycles", "1"), HasSubstr("the file has no section dna"));
  EXPECT_THAT(error_after("dma..setup_cycles", "1"), HasSubstr("a part of the key is empty"));
  EXPECT_THAT(error_after("", "1"), HasSubstr("a part of the key is empty"));
  EXPECT_THAT(error_after("dma", "1"), HasSubstr("dma: dma is a mapping, not a value"));
  EXPECT_THAT(error_after("dma.channels.x", "1"), HasSubstr("channels is 4, not a section"));
  EXPECT_THAT(error_of([] { (void)edge().get("dma.nothing"); }),
              HasSubstr("dma.nothing: the file has no such value"));
}

TEST(ConfigDocument, SaysWhichKeysItCannotHave) {
  const auto fault = [](const std::string& key) { return edge().fault_of_key(key).value_or(""); };
  for (const std::string key : {"mac_array.rows", "dram.timing_cycles.tCL", "dram.device",
                                "mac_array.kind", "dma.load_completion_cycles"}) {
    EXPECT_EQ(fault(key), "");  // A value that is refused is no fault of the key.
  }
  EXPECT_THAT(fault("mac_array.rosw"), HasSubstr("mac_array.rosw: unknown key (did you mean"));
  EXPECT_THAT(fault("dram.timing_cycles.tCLL"), HasSubstr("unknown key"));
  EXPECT_THAT(fault("mac_array.x.y"), HasSubstr("mac_array.x: unknown key"));
  EXPECT_THAT(fault("mac.rows"), HasSubstr("the file has no section mac"));
  EXPECT_THAT(fault("mac_array.rows.x"), HasSubstr("rows is 32, not a section"));
  EXPECT_THAT(fault("host.sources"), HasSubstr("sources is a mapping, not a value"));
  EXPECT_THAT(fault("mac_array."), HasSubstr("a part of the key is empty"));
}

TEST(ConfigDocument, TextReadsBackToTheSameConfiguration) {
  for (const std::string& file : yaml_files("npu")) {
    const ConfigDocument document = ConfigDocument::load(file);
    const NpuConfig before = document.parse();
    const NpuConfig after = parse_npu_config(document.text(), file);
    EXPECT_EQ(describe(before), describe(after)) << file;
    EXPECT_EQ(ConfigDocument::from_text(document.text(), file).text(), document.text()) << file;
  }
}

TEST(ConfigDocument, BundleStandsByItself) {
  const std::string folder = ::testing::TempDir() + "/npusim_bundle/";
  for (const std::string& file : yaml_files("npu")) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    for (const ConfigBundle::File& f : bundle_config(file).files) {
      EXPECT_EQ(f.name.find('/'), std::string::npos);
      write_file(folder + f.name, std::as_bytes(std::span(f.text)));
    }
    NpuConfig copy = load_npu_config(folder + "config.yaml");
    copy.path = file;
    EXPECT_EQ(describe(copy), describe(load_npu_config(file))) << file;
  }
  std::filesystem::remove_all(folder);
}

TEST(YamlText, QuotesWhatIsNoPlainWord) {
  EXPECT_EQ(yaml::quoted("lpddr4-3200.yaml"), "lpddr4-3200.yaml");
  EXPECT_EQ(yaml::quoted("a: b"), "\"a: b\"");
  EXPECT_EQ(yaml::quoted("a \"b\" \\ c\nd\te"), "\"a \\\"b\\\" \\\\ c\\nd\\te\"");
  EXPECT_EQ(yaml::quoted(""), "\"\"");
  EXPECT_EQ(yaml::quoted("-"), "\"-\"");
  EXPECT_EQ(yaml::quoted("12"), "\"12\"");
  EXPECT_EQ(yaml::quoted("null"), "\"null\"");
  const auto document = yaml::parse("a: [1, b, \"c d\"]\nb: {c: {}, d: null}\n", "f.yaml");
  EXPECT_EQ(yaml::to_text(document->root), "a: [1, b, \"c d\"]\nb:\n  c: {}\n  d: null\n");
}

TEST(Host, SectionIsReadAndLeavesTheFingerprintAlone) {
  const std::string text = text_of("npu/edge.yaml");
  const NpuConfig config = parse_edge(text);
  ASSERT_TRUE(config.host);
  EXPECT_DOUBLE_EQ(config.host->seconds(19.2e9, 0, 0), 1 + 5e-6);
  EXPECT_DOUBLE_EQ(config.host->seconds(0, 9.6e9, 5e9), 1 + 5e-6);
  EXPECT_DOUBLE_EQ(config.host->seconds(0, 1, 20e9), 2 + 5e-6);
  EXPECT_THAT(describe(config), HasSubstr("active_power_mw                1500\n"));
  const NpuConfig without = parse_edge(text.substr(0, text.find("\nhost:") + 1));
  EXPECT_FALSE(without.host);
  EXPECT_EQ(config.fingerprint(), without.fingerprint());

  const auto error = [&](const std::string& from, const std::string& to) {
    return error_of([&] { (void)parse_edge(replaced(text, "host", from, to)); });
  };
  EXPECT_THAT(error("macs_per_second: 19.2e9", "macs_per_second: 0"),
              HasSubstr("host.macs_per_second: must be "));
  EXPECT_THAT(error("call_us: 5", "call_ms: 5"), HasSubstr("host.call_us: "));
}

TEST(Calibration, SectionIsReadAndLeavesTheFingerprintAlone) {
  const std::string section =
      "\ncalibration:\n  rows: 10\n  held_out_rows: 4\n  mean_error_percent: 2.5\n"
      "  interval_low_percent: -4\n  interval_high_percent: 5.5\n  level_percent: 80\n"
      "  source: \"fitted: a test\"\n";
  const NpuConfig config = parse_edge(text_of("npu/edge.yaml") + section);
  ASSERT_TRUE(config.calibration);
  EXPECT_EQ(config.calibration->rows, 10);
  EXPECT_EQ(config.calibration->interval_high_percent, 5.5);
  EXPECT_EQ(config.fingerprint(), edge().parse().fingerprint());
  EXPECT_THAT(describe(config), HasSubstr("interval_low_percent           -4\n"));
  EXPECT_THAT(describe(config), HasSubstr("fitted: a test"));

  const auto error = [&](const std::string& from, const std::string& to) {
    const std::string text = replaced(text_of("npu/edge.yaml") + section, "calibration", from, to);
    return error_of([&] { (void)parse_edge(text); });
  };
  EXPECT_THAT(error("rows: 10", "rows: 0"), HasSubstr("calibration.rows: must be 1 to 1000000"));
  EXPECT_THAT(error("rows: 10", "row: 10"), HasSubstr("calibration.rows: "));
  EXPECT_THAT(error("percent: 5.5", "percent: -5"),
              HasSubstr("calibration.interval_high_percent: must be at least "
                        "interval_low_percent = -4, got -5"));
  EXPECT_THAT(error("  source:", "  sauce:"), HasSubstr("calibration.source: "));
}

}  // namespace
}  // namespace npu
