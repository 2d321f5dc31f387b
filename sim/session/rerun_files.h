#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "isa/program.h"
#include "sim/config/npu_config.h"
#include "sim/report/path_file.h"
#include "sim/session/model_options.h"

namespace npu::session {

/// The note where repeated layers were simulated once.
inline constexpr const char* kNoRepeatedPath =
    "where the time went: not found where repeated layers are simulated once; with --simulate-all "
    "it is";

/// What decided how the program that ran maps its network.
enum class MappedBy : std::uint8_t { kMapper, kMappingFile, kProgram };

/// What a run leaves in its folder for `npusim explain`.
struct RerunSource {
  const NpuConfig& config;
  const isa::Program& program;
  const report::NamedPath& path;
  const std::vector<std::uint64_t>& run_cycles;
  std::string model;  ///< Name of its file; empty: none.
  std::string model_sha256;
  const ModelOptions& model_options;
  MappedBy mapped_by = MappedBy::kMapper;
};

/// Adds config.yaml with the files that it names.
/// @throws Error if a file of the configuration can no longer be read.
void add_config_files(std::map<std::string, std::string>& files, const NpuConfig& config);

/// Adds rerun.yaml (what ran, and the SHA-256 of the files it needs), config.yaml with the files
/// that it names, program.npu (without the bytes of the image: for timing) and critical_path.csv.
/// @throws Error if a file of the configuration can no longer be read.
void add_rerun_files(std::map<std::string, std::string>& files, const RerunSource& source);

/// A folder read back.
struct Rerun {
  NpuConfig config;
  isa::Program program;
  report::NamedPath path;
  std::uint64_t first_run_cycles = 0;
  std::int64_t samples = 1;
  std::string model_sha256;    ///< Empty: none.
  ModelOptions model_options;  ///< The path is the name of its file.
  MappedBy mapped_by = MappedBy::kMapper;

  /// Why the run's mapping cannot be made for another NPU; empty: it can.
  [[nodiscard]] std::string_view fixed_mapping() const;
};

/// @throws Error naming the file: missing, truncated, changed since the run, not of a run.
[[nodiscard]] Rerun read_rerun(const std::string& folder);

}  // namespace npu::session
