#include "sim/core/prepare_program.h"

#include "sim/base/error.h"
#include "sim/core/hazard_checker.h"
#include "sim/core/program_validation.h"
#include "sim/core/repeat_accounting.h"

namespace npu {
namespace {

void check_fingerprint(const isa::Program& program, const NpuConfig& config) {
  const auto at = program.provenance.find("config_fingerprint");
  if (at == program.provenance.end() || at->second == config.fingerprint()) return;
  const auto name = program.provenance.find("config");
  fail("the program was made for another configuration: {} with fingerprint {}, but {} has {}",
       name == program.provenance.end() ? "one" : name->second, at->second,
       config.path.empty() ? config.name : config.path, config.fingerprint());
}

}  // namespace

isa::Program prepare_program(isa::Program program, const NpuConfig& config,
                             const MachineOptions& options) {
  if (program.layer_of.empty()) program.layer_of.assign(program.code.size(), -1);
  if (!options.allow_other_config) check_fingerprint(program, config);
  if (options.capture_tensors && options.timing_only) {
    fail("tensors cannot be captured in a timing-only run: it moves no data");
  }
  check_repeats(program, options.timing_only, options.record_schedule);
  validate_program(program, config,
                   {.timing_only = options.timing_only, .check_bounds = !options.check_hazards});
  if (options.check_hazards) check_program(program, config);
  return program;
}

std::vector<std::vector<std::size_t>> ready_tensors(const isa::Program& program) {
  std::vector<std::vector<std::size_t>> ready_at(program.code.size());
  for (std::size_t t = 0; t < program.tensors.size(); ++t) {
    const std::int32_t index = program.tensors[t].ready_after;
    if (index >= 0) ready_at[static_cast<std::size_t>(index)].push_back(t);
  }
  return ready_at;
}

}  // namespace npu
