#include "sim/explain/what_if.h"

#include <fmt/format.h>

#include <algorithm>

namespace npu::explain {
namespace {

/// A DRAM that costs nothing: each burst takes one of a thousand clocks in a core cycle.
DramConfig ideal_dram(const DramConfig& real, std::int64_t core_period_ps) {
  constexpr double kClocksPerCycle = 1000;
  DramConfig d = real;
  d.clock_mhz = 1e6 * kClocksPerCycle / static_cast<double>(core_period_ps);
  // The same bytes per burst and per row, in one beat.
  d.data_rate = 1;
  d.bus_width_bits = real.bus_width_bits * real.burst_length;
  d.columns = real.columns / real.burst_length;
  d.burst_length = 1;
  d.tCL = d.tCWL = d.tRCD = d.tRP = d.tRAS = d.tRRD_S = d.tRRD_L = d.tFAW = 1;
  d.tCCD_S = d.tCCD_L = d.tWR = d.tWTR_S = d.tWTR_L = d.tRTP = 1;
  d.tRTRS = d.tRREFD = 0;
  d.refresh = RefreshPolicy::kNone;
  d.controller_latency_ns = 0;
  d.queue_depth = d.write_queue_depth = 1 << 16;
  d.write_drain_high = 1;
  d.write_drain_low = 0;
  d.bank_queue_depth = 0;
  return d;
}

void spread(SramConfig& sram) {
  constexpr int kMoreBanks = 1 << 16;
  sram.banks *= kMoreBanks;
  sram.interleave = Interleave::kWord;
}

class Maker {
 public:
  explicit Maker(const NpuConfig& base) : base_(base) {}

  template <typename Edit>
  void add(std::string name, std::string change, bool needs_mapping, Edit&& edit) {
    WhatIf w{.name = std::move(name),
             .change = std::move(change),
             .config = base_,
             .needs_mapping = needs_mapping};
    edit(w.config);
    if (w.config.fingerprint() != base_.fingerprint()) all_.push_back(std::move(w));
  }
  std::vector<WhatIf> take() { return std::move(all_); }

 private:
  const NpuConfig& base_;
  std::vector<WhatIf> all_;
};

std::string twice(std::string_view key, std::int64_t value) {
  return fmt::format("{} {} -> {}", key, value, 2 * value);
}

void add_memory(Maker& maker, const NpuConfig& base) {
  maker.add("ideal_dram", "DRAM of infinite bandwidth and no latency", false,
            [&](NpuConfig& c) { c.dram = ideal_dram(c.dram, c.clock.period_ps()); });
  maker.add("no_refresh", "dram.refresh -> none", false,
            [](NpuConfig& c) { c.dram.refresh = RefreshPolicy::kNone; });
  maker.add("no_bank_conflicts", "scratchpad and accumulator with 65536 times the banks", false,
            [](NpuConfig& c) {
              spread(c.scratchpad);
              spread(c.accumulator);
            });
  maker.add("double_scratchpad", twice("scratchpad.capacity_bytes", base.scratchpad.capacity_bytes),
            true, [](NpuConfig& c) { c.scratchpad.capacity_bytes *= 2; });
  maker.add("double_accumulator",
            twice("accumulator.capacity_bytes", base.accumulator.capacity_bytes), true,
            [](NpuConfig& c) { c.accumulator.capacity_bytes *= 2; });
}

void add_data_path(Maker& maker, const NpuConfig& base) {
  maker.add("double_data_path",
            twice("dma.bus_width_bytes", base.dma.bus_width_bytes) + ", " +
                twice("interconnect.bytes_per_cycle", base.interconnect.bytes_per_cycle),
            false, [](NpuConfig& c) {
              c.dma.bus_width_bytes *= 2;
              c.interconnect.bytes_per_cycle *= 2;
            });
  maker.add("double_outstanding",
            twice("dma.max_outstanding", base.dma.max_outstanding) + ", " +
                twice("dram.queue_depth", base.dram.queue_depth) + ", " +
                twice("dram.write_queue_depth", base.dram.write_queue_depth),
            false, [](NpuConfig& c) {
              c.dma.max_outstanding *= 2;
              c.dram.queue_depth *= 2;
              c.dram.write_queue_depth *= 2;
            });
  maker.add("no_dma_setup", fmt::format("dma.setup_cycles {} -> 0", base.dma.setup_cycles), false,
            [](NpuConfig& c) { c.dma.setup_cycles = 0; });
  maker.add(
      "double_queues",
      twice("sequencer.queue_depth", base.sequencer.queue_depth) + ", " +
          twice("sequencer.fetch_buffer_instructions", base.sequencer.fetch_buffer_instructions),
      false, [](NpuConfig& c) {
        c.sequencer.queue_depth *= 2;
        c.sequencer.fetch_buffer_instructions *= 2;
      });
}

void add_compute(Maker& maker, const NpuConfig& base) {
  maker.add("double_array_rows", twice("mac_array.rows", base.mac_array.rows), true,
            [](NpuConfig& c) { c.mac_array.rows *= 2; });
  maker.add("double_array_cols",
            twice("mac_array.cols", base.mac_array.cols) + ", " +
                twice("mac_array.weight_load_bytes_per_cycle",
                      base.mac_array.weight_load_bytes_per_cycle),
            true, [](NpuConfig& c) {
              c.mac_array.cols *= 2;
              c.mac_array.weight_load_bytes_per_cycle *= 2;
            });
  maker.add("double_vector_lanes", twice("vector_unit.lanes", base.vector_unit.lanes), false,
            [](NpuConfig& c) { c.vector_unit.lanes *= 2; });
}

}  // namespace

std::vector<WhatIf> what_ifs(const NpuConfig& base) {
  Maker maker(base);
  add_memory(maker, base);
  add_compute(maker, base);
  add_data_path(maker, base);
  return maker.take();
}

std::optional<std::uint64_t> Outcome::cycles() const {
  if (same_program_cycles && remapped_cycles) {
    return std::min(*same_program_cycles, *remapped_cycles);
  }
  return same_program_cycles ? same_program_cycles : remapped_cycles;
}

bool Outcome::is_remapped() const {
  return remapped_cycles && (!same_program_cycles || *remapped_cycles < *same_program_cycles);
}

}  // namespace npu::explain
