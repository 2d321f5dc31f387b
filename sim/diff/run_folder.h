#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/report/path_file.h"
#include "sim/session/rerun_files.h"

namespace npu::diff {

/// What `npusim run --out` wrote, read back for a comparison. Figures are of one inference.
struct RunFolder {
  struct Layer {
    std::string name;  ///< A second one of a name has " (2)" behind it.
    std::int64_t cycles = 0;
    double energy_pj = 0;
  };
  /// A row of the ledger: energy = count · per_event.
  struct EnergyRow {
    std::string component, event;
    double count = 0, per_event_pj = 0;
  };
  struct Metric {
    std::string name;             ///< "probabilities: float_reference.sqnr_db"
    std::optional<double> value;  ///< None: infinite.
  };

  std::string path, model, config;
  std::vector<std::pair<std::string, std::string>> provenance;
  bool timing_only = false;
  std::int64_t samples = 1;
  std::int64_t period_ps = 0;
  std::vector<Layer> layers;            ///< Of the last inference.
  std::vector<EnergyRow> energy;        ///< Mean of the inferences.
  std::vector<Metric> accuracy;         ///< Empty for a timing-only run.
  std::optional<session::Rerun> rerun;  ///< What it takes to simulate again, and the critical path.

  [[nodiscard]] std::int64_t cycles() const;  ///< Of the last inference.
  [[nodiscard]] double energy_pj() const;
};

/// @throws Error naming the file: no folder of a run, damaged or changed files.
[[nodiscard]] RunFolder read_run_folder(const std::string& path);

}  // namespace npu::diff
