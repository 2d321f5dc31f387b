#include "sim/generate/runner.h"

#include <utility>

#include "sim/power/ledger.h"

namespace npu::generate {
namespace {

double energy_of(const NpuConfig& config, const EventCounts& events, std::uint64_t cycles) {
  return make_ledger(config.energy, config.clock, events, cycles).total_pj();
}

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  cycles += other.cycles;
  energy_pj += other.energy_pj;
  dram_read_bytes += other.dram_read_bytes;
  dram_write_bytes += other.dram_write_bytes;
  macs += other.macs;
  return *this;
}

StepCost& StepCost::operator+=(const StepCost& other) {
  total += other.total;
  for (std::size_t s = 0; s < stages.size(); ++s) stages[s] += other.stages[s];
  rows += other.rows;
  return *this;
}

Runner::Runner(const llm::Llama& model, const llm_kernels::LayoutOptions& options,
               const NpuConfig& config)
    : model_(model),
      config_(config),
      layout_(llm_kernels::place_model(model, options, config)),
      most_rows_(llm_kernels::most_rows(layout_, config)) {}

Runner::~Runner() = default;

void Runner::load(isa::Program program) {
  if (machine_) {
    machine_->load(std::move(program));
    return;
  }
  machine_ = std::make_unique<Machine>(config_, std::move(program), MachineOptions{});
  llm_kernels::write_weights(layout_, model_,
                             [this](std::int64_t address, std::span<const std::byte> bytes) {
                               machine_->write_dram(address, bytes);
                             });
}

StepCost Runner::cost_of_run() const {
  const RunTotals& run = machine_->last_run();
  const auto burst = static_cast<std::uint64_t>(config_.dram.burst_bytes());
  StepCost cost;
  cost.total.cycles = run.cycles;
  cost.total.energy_pj = energy_of(config_, run.events, run.cycles);
  cost.total.dram_read_bytes = run.events[static_cast<std::size_t>(Event::kDramRead)] * burst;
  cost.total.dram_write_bytes = run.events[static_cast<std::size_t>(Event::kDramWrite)] * burst;
  for (std::size_t i = 0; i < run.layers.size(); ++i) {
    const LayerStats& layer = run.layers[i];
    const isa::LayerRecord& record = machine_->program().layers[i];
    Cost& stage = cost.stages.at(static_cast<std::size_t>(record.source_index));
    const std::uint64_t cycles = layer.end_cycle - layer.begin_cycle;
    stage += {.cycles = cycles,
              .energy_pj = energy_of(config_, layer.events, cycles),
              .dram_read_bytes = layer.dram_read_bytes,
              .dram_write_bytes = layer.dram_write_bytes,
              .macs = record.macs};
    cost.total.macs += record.macs;
  }
  return cost;
}

StepOutcome Runner::run(const llm_kernels::Step& step) {
  load(llm_kernels::compile_step(layout_, config_, step));
  machine_->run();
  StepOutcome outcome{.logits = {}, .cost = cost_of_run()};
  outcome.cost.rows = step.rows();
  const auto vocabulary = static_cast<std::size_t>(layout_.model.vocabulary);
  for (std::int64_t i = 0; i < step.logit_rows(); ++i) {
    std::vector<float>& logits = outcome.logits.emplace_back(vocabulary);
    machine_->read_dram(layout_.logits + 4 * i * layout_.model.vocabulary,
                        std::as_writable_bytes(std::span(logits)));
  }
  return outcome;
}

}  // namespace npu::generate
