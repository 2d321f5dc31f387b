#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <systemc>

#include "isa/instructions.h"
#include "sim/memory/dram.h"
#include "sim/memory/sram.h"
#include "sim/stats/activity_log.h"
#include "sim/stats/schedule.h"
#include "sim/stats/timeline.h"

namespace npu {

/// One DMA channel: executes dma.load, dma.store, dma.copy and dma.fill, up to 4-D strided.
///
/// Timing: setup_cycles, then DRAM requests of at most max_burst_bytes (but at least one DRAM
/// burst) that do not cross 4 KiB and are aligned to their size, max_outstanding in flight. Data
/// passes the channel's bus as it comes, one beat of bus_width_bytes per cycle from the first byte
/// on, and books the scratchpad's banks; what waits for a bank keeps the bus. A row that does not
/// continue the one before in the scratchpad takes beats and port words of its own, so 1-byte rows
/// move one byte per cycle. Rows that are contiguous in DRAM are merged into one run; consecutive
/// rows in the same DRAM burst share one request; other rows cost at least a whole burst each, as
/// does an unaligned head or tail. A store reads the scratchpad (latency_cycles once) before it
/// offers a request. dma.copy and dma.fill need no DRAM: copy reads and writes the banks side by
/// side. A descriptor is complete when its last byte is in place (a load: load_completion_cycles
/// later), of a store in the write queues of the DRAM's controllers; only then are its bytes moved.
/// A load whose runs (n0 of the instruction) are longer than full_rate_run_bytes takes
/// long_run_beat_cycles per beat.
///
/// pipelined_descriptors: a load or store that finds another one under way pays no set-up and
/// issues its requests right behind that one's; its bytes move when all its requests are issued.
/// Copies and fills wait until nothing is under way.
///
/// Buckets: kFillDrain setup and scratchpad latency, kBusy beats, kWaitBank what banks add to them,
/// kStallFull while a refused request waits and no data passes; of the other gaps between data
/// kWaitOutstanding, kWaitInterconnect and kWaitDram (bus_timeline.h). Not modelled:
/// reordering of rows.
class DmaChannel : public sc_core::sc_module, private DramClient {
 public:
  DmaChannel(const sc_core::sc_module_name& name, const DmaConfig& config, const CoreClock& clock,
             Sram& scratchpad, Dram& dram, Recorder& recorder);
  ~DmaChannel() override;

  /// Runs one descriptor; blocks the calling SC_THREAD until it is complete (pipelined loads and
  /// stores: issued) and accounts the cycles in timeline().
  /// @param index  static instruction index, for the trace.  @param layer  for the counters.
  /// @return the cycle of completion; none if only the hook of on_complete() will tell it.
  std::optional<std::uint64_t> execute(const isa::Instruction& instruction, std::int32_t index,
                                       std::int32_t layer);

  /// Called for each pipelined load and store, in order, when its completion is known: the cycle,
  /// which may lie ahead, and the cycles that its data took on the bus.
  using OnComplete = std::function<void(std::uint64_t cycle, std::uint64_t busy_cycles)>;
  void on_complete(OnComplete hook);

  /// Accounts the cycles up to `until`, in which the channel had no instruction: data that passes
  /// is busy, requests under way are wait_dram, the rest is `gap`.
  void account(Bucket gap, std::uint64_t until);

  [[nodiscard]] Timeline& timeline();
  /// From now on the milestones of pipelined descriptors go into `log`, which must outlive this.
  void log_into(Schedule::ChannelLog* log);
  /// From now on requests under way are counted in `log`, which must outlive this.
  void watch_requests(CountLog* log);

 private:
  void on_dram_done(std::uint64_t tag, std::uint64_t core_cycle) override;
  void on_dram_data(std::uint64_t tag, std::uint64_t core_cycle) override;
  void on_dram_delays(std::uint64_t tag, const DramDelays& delays) override;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace npu
