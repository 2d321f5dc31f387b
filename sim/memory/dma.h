#pragma once

#include <cstdint>
#include <memory>
#include <systemc>

#include "isa/instructions.h"
#include "sim/memory/dram.h"
#include "sim/memory/sram.h"

namespace npu {

/// One DMA channel: executes dma.load, dma.store, dma.copy and dma.fill, up to 4-D strided.
///
/// Timing: setup_cycles, then requests of at most max_burst_bytes that do not cross 4 KiB,
/// max_outstanding in flight, at most bus_width_bytes per cycle; the scratchpad side books its
/// banks. A descriptor is complete when its last byte is in place. Rows that are contiguous in DRAM
/// are merged into one run; an unaligned head or tail costs a whole DRAM burst.
class DmaChannel : public sc_core::sc_module, private DramClient {
 public:
  DmaChannel(const sc_core::sc_module_name& name, const DmaConfig& config, const CoreClock& clock,
             Sram& scratchpad, Dram& dram, Recorder& recorder);
  ~DmaChannel() override;

  /// Runs one descriptor; blocks the calling SC_THREAD until it is complete and accounts the cycles
  /// in timeline().
  /// @param index  static instruction index, for the trace.  @param layer  for the counters.
  void execute(const isa::Instruction& instruction, std::int32_t index, std::int32_t layer);

  [[nodiscard]] Timeline& timeline();

 private:
  void on_dram_done(std::uint64_t tag, std::uint64_t core_cycle) override;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace npu
