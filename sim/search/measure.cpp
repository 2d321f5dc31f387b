#include "sim/search/measure.h"

#include <cstdlib>
#include <memory>
#include <utility>

#include "sim/base/error.h"
#include "sim/core/machine.h"
#include "sim/power/ledger.h"

namespace npu::search {
namespace {

Cost cost_of(const RunStats& stats, const NpuConfig& config) {
  const EnergyLedger ledger =
      make_ledger(config.energy, config.clock, stats.events, stats.total_cycles);
  return {static_cast<double>(stats.total_cycles), ledger.total_pj()};
}

}  // namespace

Cost simulate_layer(const kernels::MappedNetwork& network, const NpuConfig& config,
                    std::size_t layer) {
  Machine machine(config, kernels::compile_layer(network, config, layer),
                  {.timing_only = true, .check_hazards = false});
  machine.run();
  return cost_of(machine.stats(), config);
}

Cost simulate_network(const graph::Graph& network, const NpuConfig& config,
                      kernels::CompileOptions options) {
  options.timing_only = true;
  for (options.repeat_effort = 1;;
       options.repeat_effort = kernels::next_effort(options.repeat_effort)) {
    kernels::Compiled compiled = kernels::compile(network, config, options);
    auto machine =
        std::make_unique<Machine>(config, std::move(compiled.program),
                                  MachineOptions{.timing_only = true, .check_hazards = false});
    machine->run();
    const RunStats stats = machine->stats();
    if (options.repeat_effort == 0 ||
        compiled.repeats.is_steady(stats.span_cycles(), stats.run_cycles.back()))
      return cost_of(stats, config);
    machine.reset();
    Machine::reset_kernel();
  }
}

std::string to_text(const Cost& cost) {
  return fmt::format("{:.17g} {:.17g}", cost.cycles, cost.picojoules);
}

Cost cost_from_text(const std::string& text) {
  char* end = nullptr;
  Cost cost;
  cost.cycles = std::strtod(text.c_str(), &end);
  cost.picojoules = std::strtod(end, nullptr);
  NPU_CHECK(cost.cycles > 0, "a simulation takes time");
  return cost;
}

}  // namespace npu::search
