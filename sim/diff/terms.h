#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/diff/run_folder.h"

namespace npu::diff {

/// A part of the difference in latency: cycles of the critical path that a layer spent on a cause,
/// or, of a run without path, the layer's cycles. The last of a list is the clock's: B's cycles at
/// the other period.
struct LatencyTerm {
  std::string layer, unit, cause;  ///< Empty where it does not apply.
  std::int64_t a_cycles = 0, b_cycles = 0;
  std::int64_t delta_ps = 0;
};
/// They sum to B's time less A's, exactly: (b − a) · A's period each, and b · the periods'
/// difference. The greatest first; those of 0 left out.
[[nodiscard]] std::vector<LatencyTerm> latency_terms(const RunFolder& a, const RunFolder& b);
/// Summed over layers: one per unit and cause.
[[nodiscard]] std::vector<LatencyTerm> latency_by_cause(const std::vector<LatencyTerm>& terms);

/// A part of the difference in energy: Δcount · mean energy per event + mean count · Δenergy per
/// event, which is exact.
struct EnergyTerm {
  std::string component, event;
  double a_pj = 0, b_pj = 0;
  double by_count_pj = 0, by_energy_per_event_pj = 0;
  [[nodiscard]] double delta_pj() const { return by_count_pj + by_energy_per_event_pj; }
};
/// The greatest first; those of 0 left out.
[[nodiscard]] std::vector<EnergyTerm> energy_terms(const RunFolder& a, const RunFolder& b);

/// A layer of either run, matched by name.
struct LayerDelta {
  std::string name;
  std::optional<RunFolder::Layer> a, b;  ///< Only in B: added; only in A: removed.
  [[nodiscard]] std::int64_t delta_cycles() const {
    return (b ? b->cycles : 0) - (a ? a->cycles : 0);
  }
  [[nodiscard]] double delta_energy_pj() const {
    return (b ? b->energy_pj : 0) - (a ? a->energy_pj : 0);
  }
};
/// In the order of the networks; layers that are equal in both left out.
[[nodiscard]] std::vector<LayerDelta> layer_deltas(const RunFolder& a, const RunFolder& b);

struct MetricDelta {
  std::string name;
  bool in_a = false, in_b = false;
  std::optional<double> a, b;  ///< None: infinite.
};
/// Those that differ.
[[nodiscard]] std::vector<MetricDelta> accuracy_deltas(const RunFolder& a, const RunFolder& b);

}  // namespace npu::diff
