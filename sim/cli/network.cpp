#include "sim/cli/network.h"

#include <filesystem>

#include "sim/base/file.h"
#include "sim/base/sha256.h"
#include "sim/cli/commands.h"
#include "workloads/importers/tflite.h"
#include "workloads/passes/passes.h"

namespace npu::cli {
namespace {

constexpr std::int64_t kMaxModelBytes = std::int64_t{1} << 31;

}  // namespace

Network load_network(const std::string& path, bool fuse) {
  const std::string bytes = read_file(path, kMaxModelBytes);
  Network n;
  n.file_name = std::filesystem::path(path).filename().string();
  n.sha256 = sha256_hex(bytes);
  n.original = importers::parse_tflite(bytes, path);
  n.mapped = n.original;
  n.fused = fuse;
  if (fuse) n.fusions = passes::fuse(n.mapped);
  return n;
}

kernels::Compiled compile_network(const Network& network, const NpuConfig& config,
                                  const kernels::CompileOptions& options) {
  kernels::Compiled compiled = kernels::compile(network.mapped, config, options);
  auto& provenance = compiled.program.provenance;
  provenance["npusim"] = kVersion;
  provenance["model"] = network.file_name;
  provenance["model_sha256"] = network.sha256;
  provenance["options"] = network.fused ? "" : "no-fusion";
  return compiled;
}

}  // namespace npu::cli
