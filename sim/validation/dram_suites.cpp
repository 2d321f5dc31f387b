#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "sim/base/error.h"
#include "sim/config/dram_device.h"
#include "sim/memory/dram_trace.h"
#include "sim/validation/suite.h"

// The DRAM controller and devices alone under the traces of two other DRAM simulators: a burst
// offered every clock (bandwidth), or every 200 clocks (idle read latency).

namespace npu::validation {
namespace {

constexpr std::int64_t kIdleGapClocks = 200;
constexpr std::int64_t kMostClocks = 100'000'000;

/// What a row of either reference asks for.
struct TraceRow {
  std::string name;
  DramConfig config;
  DramTrace trace;
  bool is_idle = false;
};

template <typename Value, std::size_t kSize>
Value value_of(const CsvTable& rows, std::size_t row, std::string_view column,
               const std::array<std::pair<std::string_view, Value>, kSize>& names) {
  const std::string& text = rows.text(row, column);
  for (const auto& [name, value] : names) {
    if (text == name) return value;
  }
  fail("{}: {}: no npusim equivalent of {}", rows.place(row), column, text);
}

DramConfig device(const SuiteContext& context, std::string_view name) {
  return load_dram_device(fmt::format("{}/validation/dram/{}.yaml", context.configs, name));
}

/// `config` as "<device>", "<device>__1rank", "<device>__1rank_bgLSB" (bank groups below the
/// columns); `test` as "<pattern>_read_<load>".
TraceRow dramsim3_row(const CsvTable& rows, std::size_t row, const SuiteContext& context) {
  struct Test {
    TracePattern pattern;
    bool is_idle;
  };
  constexpr std::array<std::pair<std::string_view, Test>, 6> kTests = {
      {{"stream_read_sat", {TracePattern::kStream, false}},
       {"random_read_sat", {TracePattern::kRandom, false}},
       {"stride4k_read_sat", {TracePattern::kStride, false}},
       {"stream_2r1w_sat", {TracePattern::kTriad, false}},
       {"stream_read_idle", {TracePattern::kStream, true}},
       {"random_read_idle", {TracePattern::kRandom, true}}}};
  struct Device {
    std::string_view file;
    int ranks;
    bool groups_lowest;
  };
  constexpr std::array<std::pair<std::string_view, Device>, 8> kDevices = {
      {{"DDR4_8Gb_x8_2400__1rank", {"dramsim3_ddr4_2400", 1, false}},
       {"DDR4_8Gb_x8_2400__1rank_bgLSB", {"dramsim3_ddr4_2400", 1, true}},
       {"DDR4_8Gb_x8_2400", {"dramsim3_ddr4_2400", 2, false}},
       {"DDR4_8Gb_x8_3200__1rank", {"dramsim3_ddr4_3200", 1, false}},
       {"DDR4_8Gb_x8_3200__1rank_bgLSB", {"dramsim3_ddr4_3200", 1, true}},
       {"DDR4_8Gb_x8_3200", {"dramsim3_ddr4_3200", 2, false}},
       {"LPDDR4_8Gb_x16_2400", {"dramsim3_lpddr4_2400", 2, false}},
       {"DDR3_8Gb_x8_1600", {"dramsim3_ddr3_1600", 2, false}}}};
  const Device chosen = value_of(rows, row, "config", kDevices);
  const Test test = value_of(rows, row, "test", kTests);
  TraceRow result{.name = rows.text(row, "config") + " " + rows.text(row, "test"),
                  .config = device(context, chosen.file),
                  .trace = {.pattern = test.pattern},
                  .is_idle = test.is_idle};
  result.config.ranks = chosen.ranks;
  if (chosen.groups_lowest) result.config.address_mapping = "ro-ra-ba-co-bg-ch";
  return result;
}

TraceRow ramulator_row(const CsvTable& rows, std::size_t row, const SuiteContext& context) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kDevices = {
      {{"DDR4-2400R", "ramulator_ddr4_2400r"}, {"DDR4-3200AA", "ramulator_ddr4_3200aa"}}};
  struct Map {
    std::string_view fields;
    BankHash hash;
  };
  constexpr std::array<std::pair<std::string_view, Map>, 3> kMaps = {
      {{"RoBaRaCoCh", {"ro-ba-bg-ra-co-ch", BankHash::kNone}},
       {"ChRaBaRoCo", {"ch-ra-bg-ba-ro-co", BankHash::kNone}},
       {"MOP4CLXOR", {"ro-co-ba-bg-ra-ch-co:2", BankHash::kColumn}}}};
  constexpr std::array<std::pair<std::string_view, TracePattern>, 4> kPatterns = {
      {{"stream", TracePattern::kStream},
       {"random", TracePattern::kRandom},
       {"stride4k", TracePattern::kStride},
       {"mix2r1w", TracePattern::kTriad}}};
  constexpr std::array<std::pair<std::string_view, bool>, 2> kLoads = {
      {{"sat", false}, {"gap200", true}}};
  const Map map = value_of(rows, row, "addr_map", kMaps);
  TraceRow result{.name = fmt::format("{} {} {} {} {}", rows.text(row, "config"),
                                      rows.text(row, "ranks"), rows.text(row, "addr_map"),
                                      rows.text(row, "pattern"), rows.text(row, "load")),
                  .config = device(context, value_of(rows, row, "config", kDevices)),
                  .trace = {.pattern = value_of(rows, row, "pattern", kPatterns)},
                  .is_idle = value_of(rows, row, "load", kLoads)};
  result.config.ranks = static_cast<int>(rows.integer(row, "ranks", 1, 2));
  result.config.address_mapping = map.fields;
  result.config.bank_hash = map.hash;
  return result;
}

using ReadRow = TraceRow (*)(const CsvTable&, std::size_t, const SuiteContext&);

/// The saturated rows' share of the peak bandwidth, or the idle rows' read latency in clocks.
std::vector<Case> trace_cases(const CsvTable& rows, const SuiteContext& context, ReadRow read,
                              bool idle) {
  std::vector<Case> cases;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    TraceRow r = read(rows, row, context);
    if (r.is_idle != idle) continue;
    r.trace.clocks = rows.integer(row, "cycles", 1, kMostClocks);
    if (idle) r.trace.gap_clocks = kIdleGapClocks;
    cases.push_back({.row = r.name,
                     .reference = idle ? rows.number(row, "avg_read_lat_cycles", 1e-3, 1e9)
                                       : rows.number(row, "fraction_of_peak", 1e-3, 1),
                     .predict = [config = r.config, trace = r.trace, idle] {
                       const DramTraceResult result = run_dram_trace(config, trace);
                       return idle ? result.mean_read_clocks : result.bus_share;
                     }});
  }
  return cases;
}

struct Tool {
  std::string_view name, title;
  ReadRow read;
  Bound bandwidth, latency;
};

void add_tool(std::vector<Suite>& suites, const Tool& tool) {
  for (const bool idle : {false, true}) {
    suites.push_back(
        {.name = fmt::format("{}{}", tool.name, idle ? "_idle_latency" : ""),
         .quantity = idle ? "mean read latency of idle traces" : "bandwidth of saturated traces",
         .unit = idle ? "clocks" : "of the peak",
         .reference = fmt::format("{}; one channel, controller and devices alone", tool.title),
         .rows = std::string(tool.name),
         .bound = idle ? tool.latency : tool.bandwidth,
         .differs = "",
         .cases = [read = tool.read, idle](const CsvTable& rows, const SuiteContext& context) {
           return trace_cases(rows, context, read, idle);
         }});
  }
}

}  // namespace

void add_dram_suites(std::vector<Suite>& suites) {
  add_tool(suites, {.name = "dramsim3",
                    .title = "DRAMsim3 2981759 on synthetic traces",
                    .read = dramsim3_row,
                    .bandwidth = {.mean_error_percent = 3, .max_error_percent = 5},
                    .latency = {.mean_error_percent = 5, .max_error_percent = 10}});
  add_tool(suites, {.name = "ramulator",
                    .title = "Ramulator 2.1 c5b1c3a on synthetic traces",
                    .read = ramulator_row,
                    .bandwidth = {.mean_error_percent = 3, .max_error_percent = 5},
                    .latency = {.mean_error_percent = 5, .max_error_percent = 10}});
}

}  // namespace npu::validation
