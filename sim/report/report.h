#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/power/ledger.h"
#include "sim/report/accuracy.h"
#include "sim/report/path_file.h"
#include "sim/stats/run_stats.h"

namespace npu::report {

/// One layer of the network in the last inference.
struct LayerRow {
  std::string name;       ///< "CONV_2D #3"
  std::int64_t macs = 0;  ///< Of all its repeats, as all figures.
  LayerStats stats;
  double energy_pj = 0;                        ///< Its events and the leakage of its span.
  std::map<std::string, double> component_pj;  ///< The same by component.

  [[nodiscard]] std::uint64_t cycles() const { return stats.cycles(); }
  [[nodiscard]] std::uint64_t dram_bytes() const {
    return stats.dram_read_bytes + stats.dram_write_bytes;
  }
};

/// An operator that ran on the host CPU, and what crossed between host and NPU memory for it.
struct HostOp {
  std::string name;
  std::int64_t bytes = 0;  ///< Of operands and results, per inference.
  double seconds = 0;      ///< Per inference; 0 without a model of the host.
};

/// A tensor of the network compared with the references.
struct TensorAccuracy {
  std::int32_t id = 0;
  std::string name, layer;
  DType type = DType::kInt8;
  TensorError integer;                     ///< Against the integer reference.
  std::optional<TensorError> float_error;  ///< Against the float reference.
};

struct ClassAgreement {
  double top1 = 0, top5 = 0;  ///< Shares of the samples.
};

struct Accuracy {
  std::int64_t samples = 0;
  std::vector<TensorAccuracy> outputs;  ///< Over all samples.
  std::vector<TensorAccuracy> tensors;  ///< Every tensor that the NPU holds, sample 0.
  std::optional<ClassAgreement> integer_classes, float_classes, labels;
};

/// Where measured cycles lie relative to predicted ones, from a calibration of the configuration:
/// measured = predicted · (1 + r), low ≤ r ≤ high at the level.
struct Interval {
  double low_percent = 0, high_percent = 0, level_percent = 0;
};

/// What the NPU can do at most, of its configuration: the ceilings of a roofline.
struct Peaks {
  std::vector<std::pair<std::string, double>> macs_per_cycle;        ///< By type of the operands.
  std::vector<std::pair<std::string, double>> bytes_per_cycle;       ///< By what they pass.
  std::vector<std::pair<std::string, std::int64_t>> capacity_bytes;  ///< Of the on-chip memories.
};

/// What the trace calls an instruction.
struct InstructionLabel {
  std::string mnemonic, layer;
};

/// Everything that a run produced, in plain figures.
struct Report {
  std::string config_name, model_name;
  std::map<std::string, std::string> provenance;
  std::vector<std::string> notes;  ///< What a reader must know about this run, one line each.
  bool timing_only = false;

  std::int64_t clock_period_ps = 0;
  std::int64_t peak_macs_per_cycle = 0;
  double peak_dram_bytes_per_cycle = 0;  ///< Per core cycle.
  int dma_channels = 1;
  Peaks peaks;

  std::int64_t macs_per_inference = 0;
  RunStats stats;       ///< All inferences.
  EnergyLedger ledger;  ///< All inferences.
  std::vector<LayerRow> layers;
  double no_layer_energy_pj = 0;  ///< Of the last inference, what belongs to no layer.
  std::vector<HostOp> host_ops;
  std::optional<double> host_power_mw;  ///< While it works; absent: its time is not modelled.
  std::optional<Accuracy> accuracy;
  std::optional<NamedPath> critical_path;      ///< Of the last inference, if recorded.
  std::optional<Interval> calibrated;          ///< Absent: uncalibrated.
  std::vector<InstructionLabel> instructions;  ///< Indexed by Span::instruction.
};

/// Figures that follow from the counts.
struct Figures {
  double latency_ms = 0;  ///< Of the NPU, mean of the inferences.
  double host_ms = 0;     ///< Per inference, of the host's operators: before, between and after.
  double inferences_per_s = 0;
  double total_energy_pj = 0;
  double energy_per_inference_pj = 0;  ///< Of the NPU.
  double host_energy_pj = 0;           ///< Per inference.
  double average_power_mw = 0;
  double pj_per_mac = 0;                ///< 0 for a network without MACs.
  double tops_per_w = 0;                ///< Two operations per MAC.
  double mac_utilization = 0;           ///< MACs done / MACs that the array could do in the time.
  double dram_bytes_per_inference = 0;  ///< Of the last inference's layers.
};
[[nodiscard]] Figures figures_of(const Report& report);

/// Whether layers stand for several equal ones that were not simulated.
[[nodiscard]] bool has_repeats(const Report& report);

/// MACs of the layer / MACs that the array could do in its span.
[[nodiscard]] double utilization(const Report& report, const LayerRow& layer);

/// What limits a layer: the unit with the greatest share of busy cycles in the layer's span,
/// "mac_array", "vector_unit", "dma" (mean of the channels) or "dram" (bytes / peak bandwidth);
/// "latency" where none is busy half of the time.
[[nodiscard]] std::string_view bound_by(const Report& report, const LayerRow& layer);

/// Components of the ledger, in the order of its rows.
[[nodiscard]] std::vector<std::string> components_of(const EnergyLedger& ledger);

inline constexpr SourceClass kSourceClasses[] = {SourceClass::kMeasured, SourceClass::kPublished,
                                                 SourceClass::kDerived, SourceClass::kAssumed,
                                                 SourceClass::kPlaceholder};

}  // namespace npu::report
