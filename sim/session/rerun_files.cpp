#include "sim/session/rerun_files.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <iterator>
#include <limits>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/sha256.h"
#include "sim/base/yaml_map.h"
#include "sim/base/yaml_text.h"
#include "sim/config/config_document.h"
#include "sim/session/version.h"

namespace npu::session {
namespace {

constexpr const char* kRerun = "rerun.yaml";
constexpr const char* kProgram = "program.npu";
constexpr const char* kPath = "critical_path.csv";
constexpr std::int64_t kMaxFileBytes = std::int64_t{1} << 30;

constexpr std::array<std::pair<std::string_view, MappedBy>, 3> kMappedBy = {
    {{"mapper", MappedBy::kMapper},
     {"mapping_file", MappedBy::kMappingFile},
     {"program", MappedBy::kProgram}}};

std::string joined(const std::string& folder, const std::string& name) {
  return (std::filesystem::path(folder) / name).string();
}

/// The program without the bytes of its image: all that its timing needs.
isa::Program for_timing(isa::Program program) {
  for (isa::ImageSegment& segment : program.image) {
    segment.bytes.clear();
    segment.bytes.shrink_to_fit();
  }
  return program;
}

}  // namespace

void add_config_files(std::map<std::string, std::string>& files, const NpuConfig& config) {
  for (ConfigBundle::File& file : bundle_config(config.path).files) {
    files[file.name] = std::move(file.text);
  }
}

void add_rerun_files(std::map<std::string, std::string>& files, const RerunSource& source) {
  std::vector<ConfigBundle::File> needed = bundle_config(source.config.path).files;
  needed.push_back({kProgram, isa::serialize(for_timing(source.program))});
  needed.push_back({kPath, report::critical_path_csv(source.path)});

  std::string text = "# What ran; `npusim explain` reads it.\n";
  const auto at = std::back_inserter(text);
  fmt::format_to(at, "npusim: {}\nconfig_fingerprint: {}\nsamples: {}\nfirst_run_cycles: {}\n",
                 yaml::quoted(kVersion), yaml::quoted(source.config.fingerprint()),
                 source.run_cycles.size(), source.run_cycles.front());
  if (!source.model.empty()) {
    fmt::format_to(at, "model: {}\nmodel_sha256: {}\n", yaml::quoted(source.model),
                   yaml::quoted(source.model_sha256));
  }
  const ModelOptions& options = source.model_options;
  for (std::size_t i = 0; i < options.dims.size(); ++i) {
    fmt::format_to(at, "{}{}", i == 0 ? "dims: [" : ", ", yaml::quoted(options.dims[i]));
  }
  if (!options.dims.empty()) text += "]\n";
  if (!options.precision.empty()) {
    fmt::format_to(at, "precision: {}\n", yaml::quoted(options.precision));
  }
  fmt::format_to(at, "fused: {}\nattention: {}\nmapped_by: {}\nfiles:\n", options.fuse,
                 name_of(options.attention),
                 kMappedBy.at(static_cast<std::size_t>(source.mapped_by)).first);
  for (const ConfigBundle::File& file : needed) {
    fmt::format_to(at, "  {}: {}\n", yaml::quoted(file.name), yaml::quoted(sha256_hex(file.text)));
  }
  files[kRerun] = std::move(text);
  for (ConfigBundle::File& file : needed) files[file.name] = std::move(file.text);
}

std::string_view Rerun::fixed_mapping() const {
  switch (mapped_by) {
    case MappedBy::kMapper:
      return "";
    case MappedBy::kMappingFile:
      return "the run took its mapping from a file (--mapping)";
    case MappedBy::kProgram:
      return "the run took a program, it mapped no model";
  }
  NPU_CHECK(false, "a way of mapping");
}

Rerun read_rerun(const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) fail("{}: no such folder", folder);
  const std::string manifest = joined(folder, kRerun);
  if (!std::filesystem::exists(manifest, error)) {
    fail("{}: the folder has no {}: it is not one that `npusim run --out` wrote", folder, kRerun);
  }
  const YamlMap in = YamlMap::from_file(manifest);
  Rerun r;
  const auto version = in.require<std::string>("npusim");
  const auto fingerprint = in.require<std::string>("config_fingerprint");
  r.samples = in.require_int("samples", 1, std::numeric_limits<std::int64_t>::max());
  r.first_run_cycles = static_cast<std::uint64_t>(
      in.require_int("first_run_cycles", 0, std::numeric_limits<std::int64_t>::max()));
  r.model_options.path = in.get<std::string>("model", "");
  r.model_sha256 = in.get<std::string>("model_sha256", "");
  if (in.has("dims")) r.model_options.dims = in.require_texts("dims");
  r.model_options.precision = in.get<std::string>("precision", "");
  r.model_options.fuse = in.require<bool>("fused");
  r.model_options.attention =
      in.require_choice<kernels::AttentionVariant>("attention", kernels::kAttentionVariants);
  r.mapped_by = in.require_choice<MappedBy>("mapped_by", kMappedBy);
  const YamlMap files = in.require_map("files");
  std::string path_csv;
  bool has_config = false, has_program = false;
  for (const std::string& name : files.keys()) {
    const auto sum = files.require<std::string>(name);
    if (name.find('/') != std::string::npos || name.starts_with('.')) {
      files.fail(name, fmt::format("must be a file of this folder, got {}", name));
    }
    std::string bytes = read_file(joined(folder, name), kMaxFileBytes);
    if (sha256_hex(bytes) != sum) {
      fail("{}: is not as the run wrote it (its SHA-256 differs from the one in {})",
           joined(folder, name), kRerun);
    }
    has_config = has_config || name == "config.yaml";
    if (name == kProgram) {
      r.program = isa::parse(bytes, joined(folder, name));
      has_program = true;
    }
    if (name == kPath) path_csv = std::move(bytes);
  }
  files.finish();
  in.finish();
  if (!has_config || !has_program || path_csv.empty()) {
    in.fail("files", "must name config.yaml, program.npu and critical_path.csv, got not all");
  }
  r.config = load_npu_config(joined(folder, "config.yaml"));
  if (r.config.fingerprint() != fingerprint) {
    fail("{}: config_fingerprint: config.yaml has {}, got {} (written by {})", manifest,
         r.config.fingerprint(), fingerprint, version);
  }
  std::vector<std::string> layers;
  for (const isa::LayerRecord& layer : r.program.layers) layers.push_back(layer.name);
  r.path = report::read_critical_path(path_csv, joined(folder, kPath), layers);
  return r;
}

}  // namespace npu::session
