#include <array>
#include <string>

#include "tests/unit/config/config_text.h"

namespace npu {
namespace {

using testing::HasSubstr;

DramConfig read_device(const std::string& text) {
  std::vector<ConfigSource> sources;
  return read_dram_device(YamlMap::from_text(text, "d.yaml"), sources);
}
std::string device_error(const std::string& from, const std::string& to) {
  const std::string text = replaced(text_of("dram/ddr4_2400_x64.yaml"), "", from, to);
  return error_of([&] { (void)read_device(text); });
}

TEST(DramSection, ReadsADevice) {
  const DramConfig c = read_device(text_of("dram/ddr4_2400_x64.yaml"));
  EXPECT_EQ(c.tRAS, 39);
  EXPECT_EQ(c.tCCD_L, 6);
  EXPECT_EQ(c.tREFI, 9360);
  EXPECT_EQ(c.burst_bytes(), 64);
  EXPECT_EQ(c.capacity_bytes(), std::int64_t{8} << 30);
  EXPECT_DOUBLE_EQ(c.peak_bytes_per_second(), 19.2e9);
  EXPECT_EQ(c.address_mapping, "ro-ra-ba-co-bg-ch");
  EXPECT_EQ(c.refresh, RefreshPolicy::kAllBank);
}

TEST(DramSection, OverridesStandBesideTheDevice) {
  const auto with = [](const std::string& lines) {
    return parse_edge(replaced(text_of("npu/edge.yaml"), "dram", "  channels: 2\n", lines)).dram;
  };
  EXPECT_EQ(with("").channels, 1);
  const DramConfig c = with(
      "  channels: 4\n  timing_cycles: {tCL: 30}\n  refresh: per_bank\n  page_policy: closed\n"
      "  address_mapping: ch-ro-ra-bg-ba-co\n  queue_depth: 8\n");
  EXPECT_EQ(c.channels, 4);
  EXPECT_EQ(c.tCL, 30);
  EXPECT_EQ(c.tRCD, 29);
  EXPECT_EQ(c.refresh, RefreshPolicy::kPerBank);
  EXPECT_EQ(c.page_policy, PagePolicy::kClosed);
  EXPECT_EQ(c.address_mapping, "ch-ro-ra-bg-ba-co");
  EXPECT_EQ(c.queue_depth, 8);
}

TEST(DramSection, ErrorsOfOverridesPointAtThem) {
  const auto error = [](const std::string& lines) {
    return edge_error("dram", "  channels: 2\n", lines);
  };
  EXPECT_THAT(
      error("  timing_cycles: {tRAS: 28}\n"),
      testing::MatchesRegex(
          ".*test.yaml:[0-9]+:25: dram.timing_cycles.tRAS: must be at least tRCD = 29, got 28"));
  EXPECT_THAT(error("  timing_cycles: {tRCD: 69}\n"), HasSubstr("lpddr4_3200_x16.yaml:"));
  EXPECT_THAT(error("  chanels: 2\n"),
              testing::MatchesRegex(
                  ".*test.yaml:[0-9]+:3: dram.chanels: unknown key .did you mean `channels`.."));
  EXPECT_THAT(error("  timing_cycles: {tCAS: 2}\n"),
              HasSubstr("dram.timing_cycles.tCAS: unknown key"));
  EXPECT_THAT(error("  name: other\n"), HasSubstr("dram.name: must stand in the device file only"));
  EXPECT_THAT(edge_error("dram", "lpddr4_3200_x16", "ddr9"),
              HasSubstr("dram.device: must name a readable file, got "));
}

TEST(DramSection, ReadsAMemoryOfFixedLatency) {
  const std::string text = text_of("dram/fixed_latency.yaml");
  const DramConfig c = read_device(text);
  EXPECT_EQ(c.kind, DramKind::kFixedLatency);
  EXPECT_EQ(c.burst_bytes(), 8);
  EXPECT_EQ(c.capacity_bytes(), std::int64_t{1} << 30);
  EXPECT_DOUBLE_EQ(c.peak_bytes_per_second(), 8e9);
  EXPECT_EQ(c.fixed_latency.read_latency_clocks, 50);
  EXPECT_EQ(c.fixed_latency.write_response_clocks, 20);
  const auto error = [&](const std::string& from, const std::string& to) {
    return error_of([&] { (void)read_device(replaced(text, "", from, to)); });
  };
  EXPECT_THAT(error("beat_bytes: 8", "beat_bytes: 12"),
              HasSubstr("fixed_latency.beat_bytes: must be a power of two, got 12"));
  EXPECT_THAT(error("read_latency_clocks", "read_latency"), HasSubstr("unknown key"));
  EXPECT_THAT(error("clock_mhz: 1000", "clock_mhz: 1000\nrows: 4"), HasSubstr("rows: unknown key"));
  EXPECT_THAT(edge_error("dram", "  channels: 2\n", "  fixed_latency: {beat_bytes: 8}\n"),
              HasSubstr("dram.fixed_latency: must be absent unless kind is fixed_latency, got it"));
}

TEST(DramSection, OverridesOfAMemoryOfFixedLatency) {
  std::string text = replaced(text_of("npu/edge.yaml"), "dram", "lpddr4_3200_x16", "fixed_latency");
  text = replaced(text, "dram", "  channels: 2\n",
                  "  fixed_latency: {read_latency_clocks: 0, read_clocks_per_256_beats: 1}\n");
  const DramConfig c = parse_edge(text).dram;
  EXPECT_EQ(c.fixed_latency.read_latency_clocks, 0);
  EXPECT_EQ(c.fixed_latency.read_clocks_per_256_beats, 1);
  EXPECT_EQ(c.fixed_latency.write_response_clocks, 20);
}

struct Bad {
  const char* from;
  const char* to;
  const char* message;
};
constexpr const char* kMapping = "must name each of ro, ra, bg, ba, co, ch once, joined by '-'";
const auto kBad = std::to_array<Bad>(
    {{"clock_mhz: 1200", "clock_mhz: 0", "clock_mhz: must be 1 to 10000, got 0"},
     {"data_rate: 2", "data_rate: 3", "data_rate: must be a power of two, got 3"},
     {"data_rate: 2", "data_rate: 32", "data_rate: must be 1 to 16, got 32"},
     {"channels: 1", "channels: 3", "channels: must be a power of two, got 3"},
     {"channels: 1", "channels: 128", "must be 1 to 64, got 128"},
     {"ranks: 1", "ranks: 16", "must be 1 to 8, got 16"},
     {"bank_groups: 4", "bank_groups: 32", "must be 1 to 16, got 32"},
     {"banks_per_group: 4", "banks_per_group: 5", "must be a power of two, got 5"},
     {"rows: 65536", "rows: 2097152", "rows: must be 1 to 1048576, got 2097152"},
     {"columns: 1024", "columns: 32768", "columns: must be 1 to 16384, got 32768"},
     {"columns: 1024", "columns: 4", "burst_length: must not exceed columns = 4, got 8"},
     {"bits: 64", "bits: 4", "bus_width_bits: must be 8 to 1024, got 4"},
     {"bits: 64", "bits: 2048", "bus_width_bits: must be 8 to 1024, got 2048"},
     {"bits: 64\nburst_length: 8", "bits: 1024\nburst_length: 64",
      "a burst must not exceed 4096 bytes, got 8192"},
     {"burst_length: 8", "burst_length: 16",
      "tCCD_S: must be at least burst_length / data_rate = 8, got 4"},
     {"tRAS: 39", "tRAS: 16", "tRAS: must be at least tRCD = 17, got 16"},
     {"tRRD_L: 6", "tRRD_L: 3", "tRRD_L: must be at least tRRD_S = 4, got 3"},
     {"tCCD_L: 6", "tCCD_L: 3", "tCCD_L: must be at least tCCD_S = 4, got 3"},
     {"tWTR_L: 9", "tWTR_L: 2", "tWTR_L: must be at least tWTR_S = 3, got 2"},
     {"tFAW: 26", "tFAW: 3", "tFAW: must be at least tRRD_S = 4, got 3"},
     {"tCL: 17", "tCL: 0", "timing_cycles.tCL: must be 1 to 1000000, got 0"},
     {"tREFI: 9360", "tREFI: 839", "tREFI: must be at least 2 x tRFC = 840, got 839"},
     {"tRFC: 420", "tRFC: 0", "tRFC: must be above 0 to refresh, got 0"},
     {"refresh: all_bank", "refresh: per_bank",
      "tRFCpb: must be above 0 to refresh per bank, got 0"},
     {"refresh: all_bank", "refresh: yes", "must be one of none, all_bank, per_bank"},
     {"page_policy: open", "page_policy: shut", "must be one of open, closed, got shut"},
     {"queue_depth: 32", "queue_depth: 0", "must be 1 to 1024, got 0"},
     {"write_queue_depth: 32", "write_queue_depth: 0", "must be 1 to 1024, got 0"},
     {"write_queue_depth: 32", "write_queue_depth: 25",
      "write_drain_high: must not exceed write_queue_depth = 25, got 26"},
     {"write_drain_low: 6", "write_drain_low: 26",
      "write_drain_low: must be below write_drain_high = 26, got 26"},
     {"queue_depth: 32", "queue_depth: 32\nbank_queue_depth: -1",
      "bank_queue_depth: must be 0 to 1024, got -1"},
     {"queue_depth: 32", "queue_depth: 32\nbank_hash: md5",
      "bank_hash: must be one of none, column, row, got md5"},
     {"ro-ra-ba-co-bg-ch", "ro-ra-ba-co:2-bg-ch-co", kMapping},
     {"ro-ra-ba-co-bg-ch", "ro-ra-ba-co-bg-ch-co:7", kMapping},
     {"ro-ra-ba-co-bg-ch", "ro-ra-ba-co-bg-ch-co:0", kMapping},
     {"ro-ra-ba-co-bg-ch", "ro-ra-ba-co-co:1-bg-ch-co:1", kMapping},
     {"ro-ra-ba-co-bg-ch", "ro-ra-ba-co-bg-ch-", kMapping},
     {"cap: 16", "cap: 0", "starvation_cap: must be 1 to 1024, got 0"},
     {"latency_ns: 20", "latency_ns: 10001", "must be 0 to 10000, got 10001"},
     {"ro-ra-ba-co-bg-ch", "ro-ra-ba-co-bg", kMapping},
     {"ro-ra-ba-co-bg-ch", "ro-ra-ba-co-bg-bg", kMapping},
     {"ro-ra-ba-co-bg-ch", "ro-ra-ba-co-bg-xx", kMapping},
     {"ro-ra-ba-co-bg-ch", "ro_ra-ba-co-bg-ch", kMapping},
     {"ro-ra-ba-co-bg-ch", "rorabacobgch", kMapping},
     {"ranks: 1\n", "", "ranks: must be given, got nothing"},
     {"tRTP: 9, ", "", "timing_cycles.tRTP: must be given, got nothing"},
     {"ranks: 1\n", "ranks: 1\nvendor: x\n", "vendor: unknown key"},
     {"\nsource:", "\norigin:", "source: must be given, got nothing"}});

TEST(DramSection, RefusesValuesOutOfRange) {
  for (const Bad& bad : kBad) EXPECT_THAT(device_error(bad.from, bad.to), HasSubstr(bad.message));
}

TEST(DramSection, RefreshBoundaries) {
  const std::string text = text_of("dram/ddr4_2400_x64.yaml");
  EXPECT_EQ(read_device(replaced(text, "", "tREFI: 9360", "tREFI: 840")).tREFI, 840);
  // tRFC + 2 (tRP + tRCD + tCL + 5 bursts) + tRAS + tFAW + tWR + tWTR_L = 100 + 142 + 92.
  const std::string short_refresh = replaced(text, "", "tRFC: 420", "tRFC: 100");
  EXPECT_THAT(
      error_of(
          [&] { (void)read_device(replaced(short_refresh, "", "tREFI: 9360", "tREFI: 333")); }),
      testing::MatchesRegex(".*:[0-9]+:[0-9]+: .*tREFI: must be at least 334 to leave time for "
                            "accesses between refreshes, got 333"));
  EXPECT_EQ(read_device(replaced(short_refresh, "", "tREFI: 9360", "tREFI: 334")).tREFI, 334);
  const std::string per_bank = replaced(text, "", "refresh: all_bank", "refresh: per_bank");
  EXPECT_EQ(read_device(replaced(per_bank, "", "tRFCpb: 0", "tRFCpb: 585")).tRFCpb, 585);
  EXPECT_THAT(
      error_of([&] { (void)read_device(replaced(per_bank, "", "tRFCpb: 0", "tRFCpb: 586")); }),
      HasSubstr("tREFI: must be at least banks x tRFCpb = 9376, got 9360"));
  const std::string none = replaced(text, "", "refresh: all_bank", "refresh: none");
  EXPECT_EQ(read_device(replaced(none, "", "tRFC: 420", "tRFC: 0")).tRFC, 0);
}

}  // namespace
}  // namespace npu
