#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/diff/changes.h"
#include "sim/diff/run_folder.h"
#include "sim/diff/terms.h"

namespace npu::diff {

struct DiffOptions {
  std::string a_model, b_model;  ///< Files of the models; empty: those of their names.
  bool simulate = true;          ///< To attribute the difference to parameters.
};

/// A changed parameter, or several that only go together, and its part of the difference.
struct Parameter {
  std::string key, a, b;
  double time_ps = 0, energy_pj = 0;
};

/// What the parameters add up to: one inference from a cold start, simulated again.
struct Simulated {
  double a_time_ps = 0, b_time_ps = 0, a_energy_pj = 0, b_energy_pj = 0;
  std::size_t simulations = 0;
  /// The most of either difference first, as a share of A's figures.
  std::vector<Parameter> parameters;
};

/// Two runs compared.
struct Difference {
  RunFolder a, b;
  std::vector<Change>
      changes;  ///< Model, options, configuration, in this order; then what is idle.
  std::optional<Simulated> simulated;
  std::vector<LatencyTerm> latency;
  std::vector<EnergyTerm> energy;
  std::vector<LayerDelta> layers;
  std::vector<MetricDelta> accuracy;
  std::vector<std::string> notes;

  [[nodiscard]] bool is_empty() const;
  [[nodiscard]] std::int64_t delta_ps() const {
    return b.cycles() * b.period_ps - a.cycles() * a.period_ps;
  }
  [[nodiscard]] double delta_energy_pj() const { return b.energy_pj() - a.energy_pj(); }
};

/// @param on_done  called with the number of simulations that are done and of all known so far.
/// @throws Error for folders and models that cannot be read.
[[nodiscard]] Difference compare(const std::string& a, const std::string& b,
                                 const DiffOptions& options,
                                 const std::function<void(std::size_t, std::size_t)>& on_done);

/// The whole as text; `no difference` for an empty one.
[[nodiscard]] std::string text_of(const Difference& difference);
[[nodiscard]] std::string json_of(const Difference& difference);
/// A line per term: kind,layer,unit,cause,a,b,delta.
[[nodiscard]] std::string csv_of(const Difference& difference);

}  // namespace npu::diff
