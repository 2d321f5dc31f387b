#include "kernels/search/objective.h"

#include "sim/base/error.h"
#include "sim/config/leakage.h"
#include "sim/stats/recorder.h"

namespace npu::search {
namespace {

Event mac_event(DType type) {
  switch (type) {
    case DType::kInt16:
      return Event::kMacInt16;
    case DType::kFloat16:
      return Event::kMacFloat16;
    case DType::kBfloat16:
      return Event::kMacBfloat16;
    case DType::kFloat32:
      return Event::kMacFloat32;
    default:
      return Event::kMacInt8;
  }
}

}  // namespace

std::string_view name_of(Objective objective) {
  switch (objective) {
    case Objective::kLatency:
      return "latency";
    case Objective::kEnergy:
      return "energy";
    case Objective::kEdp:
      return "edp";
  }
  NPU_CHECK(false, "unknown objective");
  return {};
}

double Cost::value(Objective objective) const {
  if (objective == Objective::kLatency) return cycles;
  return objective == Objective::kEnergy ? picojoules : cycles * picojoules;
}

double energy_pj(const NpuConfig& config, const cost::Traffic& traffic, DType type, double cycles) {
  const auto of = [&](Event event, double count) {
    return count * config.energy.events[static_cast<std::size_t>(event)].picojoules;
  };
  const DramConfig& dram = config.dram;
  const Event vector = is_float(type) ? Event::kVectorFloatOp : Event::kVectorOp;
  double pj = of(mac_event(type), traffic.macs) + of(vector, traffic.vector_ops) +
              of(Event::kWeightRegisterWrite, traffic.register_bytes) +
              of(Event::kScratchpadRead, traffic.scratchpad_read_bytes) +
              of(Event::kScratchpadWrite, traffic.scratchpad_write_bytes) +
              of(Event::kAccumulatorRead, traffic.accumulator_read_bytes) +
              of(Event::kAccumulatorWrite, traffic.accumulator_write_bytes) +
              of(Event::kDmaByte, traffic.dma_bytes) +
              of(Event::kInstruction, traffic.instructions) +
              of(Event::kDramRead, traffic.dram_read_bursts) +
              of(Event::kDramWrite, traffic.dram_write_bursts);
  if (dram.kind == DramKind::kJedec) {
    const double row_bursts = static_cast<double>(dram.columns) / dram.burst_length;
    pj += of(Event::kDramActivate,
             (traffic.dram_read_bursts + traffic.dram_write_bursts) / row_bursts);
    if (dram.refresh == RefreshPolicy::kAllBank) {
      const double clocks = cycles * dram.clock_mhz / config.clock.frequency_mhz;
      pj += of(Event::kDramRefresh, clocks / dram.tREFI * dram.channels * dram.ranks);
    }
  }
  for (const LeakageRow& row : config.energy.leakage)
    pj += cycles * leakage_per_cycle_pj(row, config.clock.period_ps());
  return pj;
}

}  // namespace npu::search
