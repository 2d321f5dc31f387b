#include "sim/session/build_report.h"

#include <utility>

#include "isa/instructions.h"
#include "sim/base/error.h"
#include "sim/power/ledger.h"

namespace npu::session {
namespace {

std::vector<report::InstructionLabel> labels_of(const isa::Program& program) {
  std::vector<report::InstructionLabel> out;
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    report::InstructionLabel label;
    label.mnemonic = isa::spec_of(program.code[i].opcode).mnemonic;
    const std::int32_t layer = i < program.layer_of.size() ? program.layer_of[i] : -1;
    if (layer >= 0) label.layer = program.layers.at(static_cast<std::size_t>(layer)).name;
    out.push_back(std::move(label));
  }
  return out;
}

EventCounts difference(const EventCounts& now, const EventCounts& before) {
  EventCounts out{};
  for (std::size_t e = 0; e < kEventCount; ++e) out[e] = now[e] - before[e];
  return out;
}

/// `part` follows `whole` in time and is of the same layer.
void append(LayerStats& whole, const LayerStats& part) {
  const std::uint64_t cycles = whole.cycles() + part.cycles();
  whole.end_cycle = part.end_cycle;
  whole.further_cycles = cycles - (whole.end_cycle - whole.begin_cycle) * whole.repeats;
  whole.mac_busy_cycles += part.mac_busy_cycles;
  whole.vector_busy_cycles += part.vector_busy_cycles;
  whole.dma_busy_cycles += part.dma_busy_cycles;
  whole.dram_read_bytes += part.dram_read_bytes;
  whole.dram_write_bytes += part.dram_write_bytes;
  for (std::size_t e = 0; e < kEventCount; ++e) whole.events[e] += part.events[e];
}

report::Peaks peaks_of(const NpuConfig& config) {
  report::Peaks out;
  const auto macs = static_cast<double>(config.mac_array.macs_per_cycle());
  const std::pair<const char*, int> cycles[] = {{"int8", 1},
                                                {"int16", config.mac_array.int16_cycles},
                                                {"float16", config.mac_array.float16_cycles},
                                                {"bfloat16", config.mac_array.bfloat16_cycles},
                                                {"float32", config.mac_array.float32_cycles}};
  for (const auto& [type, each] : cycles) {
    if (each > 0) out.macs_per_cycle.emplace_back(type, macs / each);
  }
  const auto period_ps = static_cast<double>(config.clock.period_ps());
  out.bytes_per_cycle = {
      {"dram", config.dram.peak_bytes_per_second() * period_ps * 1e-12},
      {"interconnect", config.interconnect.bytes_per_cycle},
      {"dma", static_cast<double>(config.dma.bus_width_bytes) * config.dma.channels}};
  out.capacity_bytes = {{"scratchpad", config.scratchpad.capacity_bytes},
                        {"accumulator", config.accumulator.capacity_bytes}};
  return out;
}

std::string provenance_or(const isa::Program& program, const std::string& key,
                          const std::string& otherwise) {
  const auto at = program.provenance.find(key);
  return at == program.provenance.end() ? otherwise : at->second;
}

}  // namespace

report::Report build_report(const NpuConfig& config, const isa::Program& program, RunStats stats,
                            const EventCounts& no_layer_before) {
  NPU_CHECK(stats.layers.size() == program.layers.size(), "statistics of every layer");
  report::Report r;
  r.config_name = config.name;
  r.model_name = provenance_or(program, "model", "program");
  r.provenance = program.provenance;
  r.provenance["config"] = config.name;
  r.provenance["config_fingerprint"] = config.fingerprint();
  r.clock_period_ps = config.clock.period_ps();
  r.peak_macs_per_cycle = config.mac_array.macs_per_cycle();
  r.peak_dram_bytes_per_cycle =
      config.dram.peak_bytes_per_second() * static_cast<double>(r.clock_period_ps) * 1e-12;
  r.dma_channels = config.dma.channels;
  r.peaks = peaks_of(config);
  r.ledger = make_ledger(config.energy, config.clock, stats.events, stats.total_cycles);
  for (std::size_t i = 0; i < program.layers.size(); ++i) {
    const isa::LayerRecord& layer = program.layers[i];
    if (layer.continues) {
      append(r.layers.back().stats, stats.layers[i]);
      continue;
    }
    report::LayerRow row;
    row.name = layer.name;
    row.macs = layer.macs * layer.repeats;
    row.stats = stats.layers[i];
    r.macs_per_inference += row.macs;
    r.layers.push_back(std::move(row));
  }
  for (report::LayerRow& row : r.layers) {
    const EnergyLedger energy =
        make_ledger(config.energy, config.clock, row.stats.events, row.stats.cycles());
    row.energy_pj = energy.total_pj();
    for (const std::string& component : report::components_of(energy)) {
      row.component_pj[component] = energy.component_pj(component);
    }
  }
  r.no_layer_energy_pj = make_ledger(config.energy, config.clock,
                                     difference(stats.events_per_layer.back(), no_layer_before), 0)
                             .total_pj();
  r.instructions = labels_of(program);
  if (config.host) r.host_power_mw = config.host->active_power_mw;
  if (config.calibration) {
    r.calibrated = {config.calibration->interval_low_percent,
                    config.calibration->interval_high_percent, config.calibration->level_percent};
  }
  r.stats = std::move(stats);
  return r;
}

}  // namespace npu::session
