#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace npu::sweep {

/// What a sweep knows of each point; figures of one inference as in `npusim run`'s summary.json.
enum class Metric : std::uint8_t {
  kCycles,
  kLatency,
  kThroughput,
  kEnergy,
  kPower,
  kEfficiency,
  kMacUtilization,
  kDramBytes,
  kPeakMacs,
  kSramBytes,
  kMaxError,
  kTop1,
};
inline constexpr std::size_t kMetrics = static_cast<std::size_t>(Metric::kTop1) + 1;

struct MetricInfo {
  std::string_view name, label, unit;
  bool less_is_better = true;
};
/// Indexed by Metric.
inline constexpr std::array<MetricInfo, kMetrics> kMetricTable = {{
    {"cycles", "Cycles", "cycles", true},
    {"latency_ms", "Latency", "ms", true},
    {"inferences_per_s", "Throughput", "1/s", false},
    {"energy_uj", "Energy", "uJ", true},
    {"average_power_mw", "Average power", "mW", true},
    {"tops_per_w", "Efficiency", "TOPS/W", false},
    {"mac_utilization", "MAC utilization", "share", false},
    {"dram_bytes", "DRAM traffic", "bytes", true},
    {"peak_macs_per_cycle", "MAC units", "MAC/cycle", true},
    {"sram_bytes", "On-chip memory", "bytes", true},
    {"max_abs_error", "Greatest error", "", true},
    {"top1", "Top-1 accuracy", "share", false},
}};

[[nodiscard]] std::optional<Metric> find_metric(std::string_view name);

/// The metrics of a point; some runs lack some. What is there is finite.
using Metrics = std::array<std::optional<double>, kMetrics>;

/// The objectives as costs, of which less is better; nothing where one of them is absent.
[[nodiscard]] std::optional<std::vector<double>> costs_of(const Metrics& metrics,
                                                          const std::vector<Metric>& objectives);

/// `{"cycles":12,…}`; numbers read back to the same double, those that are not finite are left out.
[[nodiscard]] std::string metrics_json(const Metrics& metrics);
/// @throws Error `place: …`.
[[nodiscard]] Metrics parse_metrics(std::string_view json, const std::string& place);

}  // namespace npu::sweep
