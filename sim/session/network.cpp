#include "sim/session/network.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "kernels/mapper/mapping_reader.h"
#include "sim/base/file.h"
#include "sim/base/sha256.h"
#include "sim/session/version.h"
#include "workloads/importers/scalesim.h"
#include "workloads/importers/tflite.h"
#include "workloads/passes/passes.h"

namespace npu::session {
namespace {

constexpr std::int64_t kMaxModelBytes = std::int64_t{1} << 31;

void refuse(const ModelOptions& options, const std::string& path) {
  const char* option = !options.dims.empty()        ? "--dim"
                       : !options.precision.empty() ? "--precision"
                       : !options.weights.empty()   ? "--weights"
                                                    : nullptr;
  if (option == nullptr) return;
  fail("{}: {} is no network description (.yaml, .csv): its sizes, types and weights are its own",
       option, path);
}

void describe(const importers::DescribedNetwork& network,
              const importers::DescriptionOptions& options, Network& n) {
  std::string parameters;
  for (const auto& p : network.parameters) parameters += fmt::format(", {} {}", p.name, p.value);
  n.notes.push_back(fmt::format("{}: {} parameters, {} multiply-accumulates; {}{}",
                                network.graph.name, network.parameter_count(), network.mac_count(),
                                name_of(network.precision), parameters));
  n.notes.push_back(
      options.seed ? fmt::format("weights are drawn, seed {}: outputs mean nothing", *options.seed)
                   : "weights have no values");
}

bool has_attention(const graph::Graph& network) {
  return std::ranges::any_of(network.nodes, [](const graph::Node& node) {
    return node.kind == graph::OpKind::kAttention;
  });
}

}  // namespace

Network load_network(const ModelOptions& options, bool timing_only) {
  const std::string path = find_model(options.path);
  const std::string extension = std::filesystem::path(path).extension().string();
  const std::string bytes = read_file(path, kMaxModelBytes);
  Network n;
  n.file_name = std::filesystem::path(path).filename().string();
  n.sha256 = sha256_hex(bytes);
  n.options = options;
  if (extension == ".yaml" || extension == ".csv") {
    const importers::DescriptionOptions described = description_options(options, timing_only);
    importers::DescribedNetwork network;
    std::vector<std::string> notes;
    if (extension == ".csv") {
      importers::ScaleSimNetwork topology = importers::parse_scalesim(bytes, path, described);
      network = std::move(topology.network);
      notes = std::move(topology.notes);
    } else {
      network = importers::parse_network_description(bytes, path, described);
    }
    describe(network, described, n);
    n.notes.insert(n.notes.end(), notes.begin(), notes.end());
    n.original = std::move(network.graph);
  } else {
    refuse(options, path);
    n.original = importers::parse_tflite(bytes, path);
  }
  if (!has_attention(n.original)) require_no_attention_option(options, path);
  n.mapped = n.original;
  if (options.fuse) n.fusions = passes::fuse(n.mapped);
  return n;
}

kernels::Compiled compile_network(const Network& network, const NpuConfig& config,
                                  kernels::CompileOptions options) {
  options.attention = network.options.attention;
  kernels::Compiled compiled = kernels::compile(network.mapped, config, options);
  auto& provenance = compiled.program.provenance;
  provenance["npusim"] = kVersion;
  provenance["model"] = network.file_name;
  provenance["model_sha256"] = network.sha256;
  provenance["options"] = options_text(network.options);
  return compiled;
}

kernels::Compiled compile_mapped(const Network& network, const NpuConfig& config,
                                 kernels::CompileOptions options, const std::string& mapping) {
  if (mapping.empty()) return compile_network(network, config, options);
  const mapper::MappingFile file = mapper::MappingFile::load(mapping);
  file.require_network(network.mapped.name);
  options.decisions = &file.decisions();
  options.suggests = true;
  try {
    return compile_network(network, config, options);
  } catch (const mapper::MappingError& error) {
    const std::string made_for = file.npu_name();
    if (made_for.empty() || made_for == config.name) file.fail_at(error);
    file.fail_at(mapper::MappingError(
        error.fault(), fmt::format("{}; the mapping was made for {}", error.what(), made_for)));
  }
}

void require_compiled_from(const Network& network, const isa::Program& program,
                           const std::string& file) {
  const auto provenance = [&](const char* key) {
    const auto at = program.provenance.find(key);
    return at == program.provenance.end() ? std::nullopt : std::optional(at->second);
  };
  if (provenance("model_sha256").value_or(network.sha256) != network.sha256) {
    fail("--model: {} was compiled from {}, got {} (SHA-256 differs)", file,
         provenance("model").value_or("another model"), network.options.path);
  }
  const std::string options = options_text(network.options);
  if (const std::string compiled = provenance("options").value_or(options); compiled != options) {
    fail("--model: {} was compiled with the options \"{}\", got \"{}\"", file, compiled, options);
  }
}

std::vector<std::string> attention_notes(const graph::Graph& network,
                                         const std::vector<kernels::AttentionChoice>& choices) {
  std::vector<std::string> notes;
  for (const kernels::AttentionChoice& c : choices) {
    notes.push_back(fmt::format(
        "attention `{}` is {}: predicted {} cycles and {} DRAM bytes fused, {} and {} unfused",
        network.tensor(c.output).name, c.fused ? "fused" : "unfused", c.fused_cycles,
        c.fused_dram_bytes, c.unfused_cycles, c.unfused_dram_bytes));
  }
  return notes;
}

}  // namespace npu::session
