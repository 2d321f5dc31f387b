#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <systemc>
#include <vector>

#include "sim/config/npu_config.h"
#include "sim/memory/core_clock.h"
#include "sim/stats/activity_log.h"
#include "sim/stats/recorder.h"
#include "sim/stats/timeline.h"

namespace npu {

/// What delayed the answer to a request [core cycles].
struct DramDelays {
  /// The interconnect's latency both ways, and waiting for its width.
  std::uint64_t interconnect = 0;
  /// Of a read: in the DRAM longer than in an idle one.
  std::uint64_t queued = 0;
};

/// Who hears that a DRAM request is done.
class DramClient {
 public:
  virtual ~DramClient() = default;
  /// The request `tag` has its last byte at the requester (read) or has all its bytes in the
  /// controllers' write queues, and the requester knows (write), at `core_cycle`, which may lie
  /// ahead of now. Called from offer() (writes) or a method process: must not block.
  virtual void on_dram_done(std::uint64_t tag, std::uint64_t core_cycle) = 0;
  /// The first byte of read `tag` is at the requester at `core_cycle`. Called before on_dram_done.
  virtual void on_dram_data(std::uint64_t /*tag*/, std::uint64_t /*core_cycle*/) {}
  /// Called before on_dram_done.
  virtual void on_dram_delays(std::uint64_t /*tag*/, const DramDelays& /*delays*/) {}
};

struct DramRequest {
  std::int64_t address = 0;
  std::int32_t bytes = 0;  ///< > 0; must not cross a 4 KiB boundary.
  bool is_write = false;
  std::int32_t layer = -1;
  std::uint64_t tag = 0;
  DramClient* client = nullptr;
};

/// All DRAM channels with their controllers, and the interconnect in front of them.
///
/// Timing: next-allowed timestamps per bank, bank group, rank and channel from the JEDEC parameters
/// (dram_banks.h); FR-FCFS over a bounded read and a bounded write queue per channel with a
/// starvation cap and write draining (dram_scheduler.h); all-bank or per-bank refresh; open or
/// closed pages; interconnect.h in front. A request is split into bursts of burst_bytes(); a head
/// or tail that is not aligned costs a whole burst. It is accepted whole when each channel's queue
/// that it needs has a free entry; what does not fit waits in front. A write is answered when it is
/// in the write queues; a read of the same bytes goes behind it. Requesters that were refused are
/// served in the order of their first refusal, before others, reads and writes apart. Half of
/// controller_latency_ns lies before the queue, the other half after the data. Nothing is scheduled
/// when nothing is queued; refreshes of idle time are made up for at the next request and in
/// close(). Not modelled: read-modify-write of partial bursts (data masks are assumed), coherence
/// of reads with writes under way.
///
/// With `kind: fixed_latency` a FixedLatencyMemory (fixed_latency_memory.h) stands in the place of
/// the channels. Either way at most interconnect.max_outstanding_reads read requests are between
/// acceptance and last byte at the requester; further ones are refused.
class Dram : public sc_core::sc_module {
 public:
  Dram(const sc_core::sc_module_name& name, const DramConfig& config,
       const InterconnectConfig& interconnect, const CoreClock& clock, Recorder& recorder,
       bool with_data);
  ~Dram() override;

  /// Offers a request now. @return false if a queue that it needs is full: try again after
  /// space_event().
  [[nodiscard]] bool offer(const DramRequest& request);
  /// Whether interconnect.max_outstanding_reads are under way.
  [[nodiscard]] bool reads_are_full() const;
  /// Fires when a queue that was full has room again.
  [[nodiscard]] const sc_core::sc_event& space_event() const;

  [[nodiscard]] std::int64_t burst_bytes() const;
  [[nodiscard]] std::int64_t capacity_bytes() const;

  /// Untimed access to the bytes (allocated lazily by page; unwritten bytes read 0). No-ops when
  /// timing-only.
  void write(std::int64_t address, std::span<const std::byte> bytes);
  void read(std::int64_t address, std::span<std::byte> bytes) const;

  /// Another program comes, between runs: bursts of writes that are still queued belong to none of
  /// its layers.
  void forget_layers();

  /// Accounts every channel's cycles up to `cycle`; call once after the end of a run, before
  /// reading timelines. Data still under way then is accounted by the next close.
  void close(std::uint64_t cycle);
  /// Per channel, in core cycles.
  [[nodiscard]] std::vector<Timeline> timelines() const {
    std::vector<Timeline> all;
    for (const Timeline* timeline : live_timelines()) all.push_back(*timeline);
    return all;
  }
  /// The same as they grow.
  [[nodiscard]] std::vector<Timeline*> live_timelines() const;
  /// From now on every phase of channel i also goes into logs[i], which must outlive this; one per
  /// channel.
  void log_into(std::vector<PhaseLog>& logs) const {
    const std::vector<Timeline*> all = live_timelines();
    logs.resize(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i]->log_into(&logs[i]);
  }
  /// From now on the channels' queues are counted, one watch per channel.
  void watch_queues(const std::vector<QueueWatch>& watches);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A blocking port for an SC_THREAD that moves few bytes at a time (instruction fetch).
class DramPort : private DramClient {
 public:
  DramPort(Dram& dram, const CoreClock& clock);
  /// Moves `bytes` at `address`; returns when the last byte has arrived. Timing only: the caller
  /// takes the bytes from Dram::read.
  void read(std::int64_t address, std::int32_t bytes, std::int32_t layer);

 private:
  void on_dram_done(std::uint64_t tag, std::uint64_t core_cycle) override;
  Dram& dram_;
  const CoreClock& clock_;
  sc_core::sc_event done_;
  std::uint32_t pending_ = 0;
  std::uint64_t last_cycle_ = 0;
};

}  // namespace npu
