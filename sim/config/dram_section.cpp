#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "sim/base/math.h"
#include "sim/config/dram_device.h"
#include "sim/config/sections.h"

namespace npu {
namespace {

constexpr std::array<std::pair<std::string_view, PagePolicy>, 2> kPagePolicies = {
    {{"open", PagePolicy::kOpen}, {"closed", PagePolicy::kClosed}}};
constexpr std::array<std::pair<std::string_view, RefreshPolicy>, 3> kRefreshPolicies = {
    {{"none", RefreshPolicy::kNone},
     {"all_bank", RefreshPolicy::kAllBank},
     {"per_bank", RefreshPolicy::kPerBank}}};
constexpr std::array<std::pair<std::string_view, BankHash>, 3> kBankHashes = {
    {{"none", BankHash::kNone}, {"column", BankHash::kColumn}, {"row", BankHash::kRow}}};

constexpr std::array<std::pair<std::string_view, DramKind>, 2> kKinds = {
    {{"jedec", DramKind::kJedec}, {"fixed_latency", DramKind::kFixedLatency}}};

struct Timing {
  std::string_view key;
  int DramConfig::*member;
  int least;
};
constexpr std::array<Timing, 18> kTimings = {{
    {"tCL", &DramConfig::tCL, 1},
    {"tCWL", &DramConfig::tCWL, 1},
    {"tRCD", &DramConfig::tRCD, 1},
    {"tRP", &DramConfig::tRP, 1},
    {"tRAS", &DramConfig::tRAS, 1},
    {"tRRD_S", &DramConfig::tRRD_S, 1},
    {"tRRD_L", &DramConfig::tRRD_L, 1},
    {"tFAW", &DramConfig::tFAW, 1},
    {"tCCD_S", &DramConfig::tCCD_S, 1},
    {"tCCD_L", &DramConfig::tCCD_L, 1},
    {"tWR", &DramConfig::tWR, 1},
    {"tWTR_S", &DramConfig::tWTR_S, 1},
    {"tWTR_L", &DramConfig::tWTR_L, 1},
    {"tRTP", &DramConfig::tRTP, 1},
    {"tRFC", &DramConfig::tRFC, 0},
    {"tRFCpb", &DramConfig::tRFCpb, 0},
    {"tREFI", &DramConfig::tREFI, 0},
    {"tRTRS", &DramConfig::tRTRS, 0},
}};
constexpr int kMaxTimingCycles = 1'000'000;

/// The mappings that together make a DRAM: the device file, and the section with the overrides in
/// front of it. A value comes from the first that has it, and so do the messages about it.
class Layers {
 public:
  explicit Layers(std::vector<YamlMap> maps) : maps_(std::move(maps)) {}

  /// The last mapping is complete: what no layer has is reported there.
  [[nodiscard]] const YamlMap& holder(std::string_view key) const {
    const YamlMap* found = nullptr;
    for (const YamlMap& map : maps_) {
      if (map.has(key) && found == nullptr) found = &map;
    }
    return found == nullptr ? maps_.back() : *found;
  }
  [[nodiscard]] Layers child(std::string_view key) const {
    std::vector<YamlMap> maps;
    for (const YamlMap& map : maps_) {
      if (&map == &maps_.back()) {
        maps.push_back(map.require_map(key));
      } else if (const auto inner = map.get_map(key)) {
        maps.push_back(*inner);
      }
    }
    return Layers(std::move(maps));
  }
  /// The mappings under `key` of the layers that have one.
  [[nodiscard]] std::vector<YamlMap> children(std::string_view key) const {
    std::vector<YamlMap> maps;
    for (const YamlMap& map : maps_) {
      if (auto inner = map.get_map(key)) maps.push_back(*std::move(inner));
    }
    return maps;
  }
  void finish() const {
    for (const YamlMap& map : maps_) map.finish();
  }
  [[noreturn]] void fail(std::string_view key, std::string_view message) const {
    holder(key).fail(key, message);
  }

 private:
  std::vector<YamlMap> maps_;
};

std::int64_t power_of_two(const Layers& in, std::string_view key, std::int64_t high,
                          std::int64_t low = 1) {
  const std::int64_t value = in.holder(key).require_int(key, low, high);
  if (!std::has_single_bit(static_cast<std::uint64_t>(value))) {
    in.fail(key, fmt::format("must be a power of two, got {}", value));
  }
  return value;
}

/// Whether `text` is the fields, once each, joined by '-'; "co:n" beside "co" is a part of it.
bool is_address_mapping(std::string_view text, int column_bits) {
  std::array<int, kAddressFields.size()> seen{};
  bool split = false, column_is_above = false;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('-'));
    const auto found = std::find(kAddressFields.begin(), kAddressFields.end(), field);
    if (found != kAddressFields.end()) {
      ++seen[static_cast<std::size_t>(found - kAddressFields.begin())];
      column_is_above = column_is_above || field == "co";
    } else if (field.size() == 4 && field.starts_with("co:") && !split && column_is_above &&
               field[3] >= '1' && field[3] - '0' < column_bits) {
      split = true;
    } else {
      return false;
    }
    text.remove_prefix(field.size());
    if (text.size() == 1) return false;
    if (!text.empty()) text.remove_prefix(1);
  }
  return std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; });
}

void check_address_mapping(const Layers& in, const DramConfig& c) {
  const auto bursts_per_row = static_cast<std::uint64_t>(c.columns / c.burst_length);
  if (!is_address_mapping(c.address_mapping, std::countr_zero(bursts_per_row))) {
    in.fail("address_mapping",
            fmt::format("must name each of ro, ra, bg, ba, co, ch once, joined by '-' from high to "
                        "low address bits, co:n below co for n of its {} bits, got {}",
                        std::countr_zero(bursts_per_row), c.address_mapping));
  }
}

void check_write_queue(const Layers& in, const DramConfig& c) {
  if (c.write_drain_high > c.write_queue_depth) {
    in.fail("write_drain_high", fmt::format("must not exceed write_queue_depth = {}, got {}",
                                            c.write_queue_depth, c.write_drain_high));
  }
  if (c.write_drain_low >= c.write_drain_high) {
    in.fail("write_drain_low", fmt::format("must be below write_drain_high = {}, got {}",
                                           c.write_drain_high, c.write_drain_low));
  }
}

void check_at_least(const Layers& in, std::string_view key, int value, std::string_view other,
                    int least) {
  if (value < least) {
    in.fail(key, fmt::format("must be at least {} = {}, got {}", other, least, value));
  }
}

void check_timings(const Layers& in, const DramConfig& c) {
  check_at_least(in, "tRAS", c.tRAS, "tRCD", c.tRCD);
  check_at_least(in, "tRRD_L", c.tRRD_L, "tRRD_S", c.tRRD_S);
  check_at_least(in, "tCCD_L", c.tCCD_L, "tCCD_S", c.tCCD_S);
  check_at_least(in, "tWTR_L", c.tWTR_L, "tWTR_S", c.tWTR_S);
  check_at_least(in, "tFAW", c.tFAW, "tRRD_S", c.tRRD_S);
  check_at_least(in, "tCCD_S", c.tCCD_S, "burst_length / data_rate",
                 static_cast<int>(ceil_div(c.burst_length, c.data_rate)));
  if (c.refresh == RefreshPolicy::kAllBank) {
    if (c.tRFC < 1) in.fail("tRFC", fmt::format("must be above 0 to refresh, got {}", c.tRFC));
    check_at_least(in, "tREFI", c.tREFI, "2 x tRFC", 2 * c.tRFC);
  }
  if (c.refresh == RefreshPolicy::kPerBank) {
    if (c.tRFCpb < 1) {
      in.fail("tRFCpb", fmt::format("must be above 0 to refresh per bank, got {}", c.tRFCpb));
    }
    const std::int64_t banks = std::int64_t{c.bank_groups} * c.banks_per_group;
    if (c.tREFI < banks * c.tRFCpb) {
      in.fail("tREFI", fmt::format("must be at least banks x tRFCpb = {}, got {}", banks * c.tRFCpb,
                                   c.tREFI));
    }
  }
  if (c.refresh != RefreshPolicy::kNone && c.tREFI < c.least_refresh_interval()) {
    in.fail("tREFI", fmt::format("must be at least {} to leave time for accesses between "
                                 "refreshes, got {}",
                                 c.least_refresh_interval(), c.tREFI));
  }
}

FixedLatencyConfig read_fixed_latency(const Layers& in) {
  constexpr std::int64_t kMaxClocks = 1 << 20;
  FixedLatencyConfig c;
  const auto number = [&](std::string_view key, int fallback, std::int64_t low, std::int64_t high) {
    return static_cast<int>(in.holder(key).get_int(key, fallback, low, high));
  };
  c.capacity_bytes = in.holder("capacity_bytes")
                         .get_int("capacity_bytes", c.capacity_bytes, 4096, std::int64_t{1} << 40);
  c.beat_bytes = number("beat_bytes", c.beat_bytes, 1, 4096);
  c.read_latency_clocks = number("read_latency_clocks", c.read_latency_clocks, 0, kMaxClocks);
  c.read_clocks_per_256_beats =
      number("read_clocks_per_256_beats", c.read_clocks_per_256_beats, 1, kMaxClocks);
  c.write_clocks_per_256_beats =
      number("write_clocks_per_256_beats", c.write_clocks_per_256_beats, 1, kMaxClocks);
  c.write_response_clocks = number("write_response_clocks", c.write_response_clocks, 0, kMaxClocks);
  if (!std::has_single_bit(static_cast<unsigned>(c.beat_bytes))) {
    in.fail("beat_bytes", fmt::format("must be a power of two, got {}", c.beat_bytes));
  }
  in.finish();
  return c;
}

DramConfig read_layers(const Layers& in) {
  DramConfig c;
  c.device = in.holder("name").require<std::string>("name");
  c.kind = in.holder("kind").get_choice<DramKind>("kind", c.kind, kKinds);
  c.clock_mhz = in.holder("clock_mhz").require_number("clock_mhz", 1, 10'000);
  if (std::vector<YamlMap> maps = in.children("fixed_latency"); !maps.empty()) {
    c.fixed_latency = read_fixed_latency(Layers(std::move(maps)));
    if (c.kind != DramKind::kFixedLatency) {
      in.fail("fixed_latency", "must be absent unless kind is fixed_latency, got it");
    }
  }
  if (c.kind == DramKind::kFixedLatency) {
    // One row of one bank: what is asked for in JEDEC's terms has an answer.
    c.data_rate = c.burst_length = 1;
    c.rows = c.columns = 1;
    c.bus_width_bits = c.fixed_latency.beat_bytes * 8;
    c.address_mapping = "ro-ra-bg-ba-co-ch";
    c.refresh = RefreshPolicy::kNone;
    return c;
  }
  c.data_rate = static_cast<int>(power_of_two(in, "data_rate", 16));
  c.channels = static_cast<int>(power_of_two(in, "channels", 64));
  c.ranks = static_cast<int>(power_of_two(in, "ranks", 8));
  c.bank_groups = static_cast<int>(power_of_two(in, "bank_groups", 16));
  c.banks_per_group = static_cast<int>(power_of_two(in, "banks_per_group", 64));
  c.rows = power_of_two(in, "rows", std::int64_t{1} << 20);
  c.columns = power_of_two(in, "columns", std::int64_t{1} << 14);
  c.bus_width_bits = static_cast<int>(power_of_two(in, "bus_width_bits", 1024, 8));
  c.burst_length = static_cast<int>(power_of_two(in, "burst_length", 64));
  c.address_mapping = in.holder("address_mapping").require<std::string>("address_mapping");
  c.page_policy = in.holder("page_policy").get_choice("page_policy", c.page_policy, kPagePolicies);
  c.refresh = in.holder("refresh").get_choice("refresh", c.refresh, kRefreshPolicies);
  c.queue_depth =
      static_cast<int>(in.holder("queue_depth").get_int("queue_depth", c.queue_depth, 1, 1024));
  c.bank_hash = in.holder("bank_hash").get_choice("bank_hash", c.bank_hash, kBankHashes);
  c.write_queue_depth = static_cast<int>(
      in.holder("write_queue_depth").get_int("write_queue_depth", c.write_queue_depth, 1, 1024));
  c.write_drain_high = static_cast<int>(
      in.holder("write_drain_high").get_int("write_drain_high", c.write_drain_high, 1, 1024));
  c.write_drain_low = static_cast<int>(
      in.holder("write_drain_low").get_int("write_drain_low", c.write_drain_low, 0, 1023));
  c.bank_queue_depth = static_cast<int>(
      in.holder("bank_queue_depth").get_int("bank_queue_depth", c.bank_queue_depth, 0, 1024));
  c.starvation_cap = static_cast<int>(
      in.holder("starvation_cap").get_int("starvation_cap", c.starvation_cap, 1, 1024));
  c.controller_latency_ns =
      static_cast<int>(in.holder("controller_latency_ns")
                           .get_int("controller_latency_ns", c.controller_latency_ns, 0, 10'000));
  const Layers timings = in.child("timing_cycles");
  for (const Timing& timing : kTimings) {
    c.*timing.member = static_cast<int>(
        timings.holder(timing.key).require_int(timing.key, timing.least, kMaxTimingCycles));
  }
  c.tRREFD =
      static_cast<int>(timings.holder("tRREFD").get_int("tRREFD", c.tRREFD, 0, kMaxTimingCycles));
  timings.finish();

  if (c.burst_length > c.columns) {
    in.fail("burst_length",
            fmt::format("must not exceed columns = {}, got {}", c.columns, c.burst_length));
  }
  if (c.burst_bytes() > 4096) {
    in.fail("burst_length",
            fmt::format("a burst must not exceed 4096 bytes, got {}", c.burst_bytes()));
  }
  check_address_mapping(in, c);
  check_write_queue(in, c);
  check_timings(timings, c);
  return c;
}

}  // namespace

std::int64_t DramConfig::capacity_bytes() const {
  if (kind == DramKind::kFixedLatency) return fixed_latency.capacity_bytes;
  return std::int64_t{channels} * ranks * bank_groups * banks_per_group * rows * columns *
         (bus_width_bits / 8);
}

double DramConfig::peak_bytes_per_second() const {
  if (kind == DramKind::kFixedLatency) {
    return clock_mhz * 1e6 * fixed_latency.beat_bytes * 256 /
           fixed_latency.read_clocks_per_256_beats;
  }
  return clock_mhz * 1e6 * data_rate * channels * bus_width_bits / 8;
}

std::int64_t DramConfig::lookahead_clocks() const {
  return tRP + tRCD + std::max(tCL, tCWL) + ceil_div(burst_length, data_rate);
}

std::int64_t DramConfig::least_refresh_interval() const {
  const bool per_bank = refresh == RefreshPolicy::kPerBank;
  const std::int64_t ahead = lookahead_clocks() + kBatchBursts * ceil_div(burst_length, data_rate);
  return (per_bank ? tRFCpb + tRREFD : tRFC) + 2 * ahead + tRAS + tFAW + tWR + tWTR_L;
}

DramConfig read_dram_device(const YamlMap& in, std::vector<ConfigSource>& sources) {
  const Layers layers({in});
  DramConfig config = read_layers(layers);
  read_sources(in, "dram device", sources);
  layers.finish();
  return config;
}

DramConfig load_dram_device(const std::string& path) {
  std::vector<ConfigSource> sources;
  return read_dram_device(YamlMap::from_file(path), sources);
}

DramConfig read_dram(const YamlMap& in, std::vector<ConfigSource>& sources) {
  const YamlMap device = open_named_file(in, "device");
  const Layers layers({in, device});
  if (in.has("name")) {
    in.fail("name", "must stand in the device file only, got it here");
  }
  DramConfig config = read_layers(layers);
  read_sources(device, "dram device", sources);
  read_sources(in, "dram", sources);
  layers.finish();
  return config;
}

}  // namespace npu
