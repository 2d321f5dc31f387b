#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace npu::publish {

/// A figure of summary.json: its key there, what a reader calls it, its unit.
struct FigureName {
  std::string_view key, label, unit;
  bool more_is_better = false;
};
inline constexpr FigureName kFigures[] = {
    {"latency_ms", "latency", "ms"},
    {"inferences_per_s", "inferences per second", "1/s", true},
    {"energy_per_inference_pj", "energy per inference", "pJ"},
    {"average_power_mw", "average power", "mW"},
    {"pj_per_mac", "energy per MAC", "pJ"},
    {"tops_per_w", "efficiency", "TOPS/W", true},
    {"mac_utilization_share", "MAC utilization", "share", true},
    {"macs_per_inference", "MACs per inference", ""},
    {"dram_bytes_per_inference", "DRAM traffic per inference", "bytes"},
};
inline constexpr std::size_t kFigureCount = std::size(kFigures);

struct NamedCycles {
  std::string name;
  std::uint64_t cycles = 0;
};

/// Where a unit's cycles went.
struct UnitBuckets {
  std::string unit;
  std::vector<NamedCycles> buckets;
};

/// What the NPU can do at most, from its configuration.
struct Peaks {
  struct Rate {
    std::string name;
    double per_cycle = 0;
  };
  struct Capacity {
    std::string name;
    std::uint64_t bytes = 0;
  };
  std::vector<Rate> macs;   ///< By type of the operands.
  std::vector<Rate> bytes;  ///< By what they pass: DRAM, interconnect, DMA.
  std::vector<Capacity> capacities;
};

struct ErrorFigures {
  std::int64_t elements = 0, differing = 0, max_lsb = 0;
  std::optional<double> max_abs_error, mean_squared_error, cosine;
  std::optional<double> sqnr_db;  ///< Absent: infinite, see sqnr().

  /// Infinite where nothing differs, -infinite where there is no ratio.
  [[nodiscard]] double sqnr() const {
    constexpr double kInfinite = std::numeric_limits<double>::infinity();
    return sqnr_db.value_or(max_abs_error == 0.0 ? kInfinite : -kInfinite);
  }
};
struct TensorFigures {
  std::int64_t id = 0;
  std::string name, layer, type;
  ErrorFigures integer;
  std::optional<ErrorFigures> against_float;
};
struct ClassShares {
  std::string against;  ///< "integer reference", "float reference", "labels".
  double top1 = 0, top5 = 0;
};
struct AccuracyFigures {
  std::int64_t samples = 0;
  std::vector<TensorFigures> outputs, tensors;
  std::vector<ClassShares> classes;
};

/// An operator that ran on the host CPU, per inference.
struct HostOperator {
  std::string name;
  std::int64_t bytes = 0;
  std::optional<double> time_ms;
};

struct LatencyInterval {
  double low_ms = 0, high_ms = 0, level_percent = 0;
};

/// summary.json of a run (docs/output.md).
struct Summary {
  std::string config, model;
  std::vector<std::pair<std::string, std::string>> provenance;
  std::vector<std::string> notes;
  bool timing_only = false, repeats_once = false;
  std::int64_t samples = 1, clock_period_ps = 1;
  std::uint64_t total_cycles = 0, simulated_cycles = 0, last_run_cycles = 0;
  double total_energy_pj = 0, no_layer_energy_pj = 0;
  double figures[kFigureCount]{};  ///< Indexed like kFigures.
  std::optional<LatencyInterval> interval;
  Peaks peaks;
  std::vector<UnitBuckets> units;
  std::vector<HostOperator> host_operators;
  std::optional<double> host_ms, host_energy_pj;  ///< Absent: not modelled.
  std::optional<AccuracyFigures> accuracy;
};

/// @throws Error `file: key: …`: not JSON, missing keys, values of another type or out of range.
[[nodiscard]] Summary read_summary(std::string_view text, const std::string& file);

}  // namespace npu::publish
