#pragma once

#include <string>
#include <vector>

#include "sim/base/csv.h"
#include "sim/config/npu_config.h"
#include "sim/validation/peer_layers.h"
#include "sim/validation/suite.h"

namespace npu::validation {

/// A row of SCALE-Sim's layers: the layer as its CALC and USER modes compute it.
struct ScaleSimRow {
  std::string name;  ///< "32 ws resnet18/Conv1".
  int array = 32;    ///< Rows and columns.
  Dataflow dataflow = Dataflow::kWeightStationary;
  bool is_calc = false;
  PeerLayer layer;
  double compute_cycles = 0;
  double dram_reads = 0;  ///< Words of ifmap and filter; a word is a byte.
};

/// Rows in order; of rows with equal array, dataflow, shape and figures the first.
/// @param only_calc  leaves out the bandwidth-limited mode.
[[nodiscard]] std::vector<ScaleSimRow> read_scalesim_rows(const CsvTable& rows, bool only_calc);

// The suites of one peer each; add_peer_suites adds them all.
void add_scalesim_suites(std::vector<Suite>& suites);
void add_onnxim_suites(std::vector<Suite>& suites);
void add_zigzag_suites(std::vector<Suite>& suites);
void add_timeloop_suites(std::vector<Suite>& suites);
void add_maestro_suites(std::vector<Suite>& suites);

}  // namespace npu::validation
