#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/publish/memory_use.h"
#include "sim/publish/summary_reader.h"
#include "sim/publish/trace_reader.h"
#include "sim/report/path_file.h"

namespace npu::publish {

/// A line of layers.csv.
struct LayerFigures {
  std::string name, bound_by;
  std::uint64_t begin_cycle = 0, end_cycle = 0, cycles = 0;
  std::uint64_t macs = 0, mac_busy_cycles = 0, vector_busy_cycles = 0, dma_busy_cycles = 0;
  std::uint64_t dram_read_bytes = 0, dram_write_bytes = 0, repeats = 1;
  double utilization = 0, energy_pj = 0;
  std::vector<double> component_pj;  ///< By RunFolder::components; sums to energy_pj.
  std::optional<std::uint64_t> differing;
  std::optional<double> sqnr_db;  ///< May be infinite.
};

/// A line of energy.csv.
struct EnergyFigures {
  std::string component, event, source_class, source;
  std::uint64_t count = 0;
  double per_event_pj = 0, energy_pj = 0;
};

struct TextFile {
  std::string name, text;
};

/// What a section shows, or why there is nothing to show.
template <typename T>
struct Section {
  std::optional<T> value;
  std::string absent;  ///< A sentence.
};

/// A folder that `npusim run --out` wrote, read back.
struct RunFolder {
  std::string name;  ///< Of the folder.
  Summary summary;
  std::vector<std::string> components;  ///< Of the energy, in the order of energy.csv.
  std::vector<LayerFigures> layers;
  std::vector<EnergyFigures> energy;
  Trace trace;
  Section<std::vector<MemoryUse>> memory;
  Section<report::PathSummary> path;
  Section<std::vector<TextFile>> configuration;
};

/// Reads summary.json, layers.csv, energy.csv and trace.json, and mapping.yaml, critical_path.csv
/// and config*.yaml where they are there.
/// @throws Error naming file and key: a folder without one of the first four, values of a wrong
/// type or out of range, figures of different runs, files beyond their bounds.
[[nodiscard]] RunFolder read_run_folder(const std::string& path);

/// Several; folders of one name are told apart by a number: "out", "out (2)".
[[nodiscard]] std::vector<RunFolder> read_run_folders(const std::vector<std::string>& paths);

}  // namespace npu::publish
