#include "sim/memory/dma.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "sim/base/error.h"
#include "sim/memory/bus_timeline.h"
#include "sim/memory/dma_descriptor.h"

namespace npu {
namespace {

constexpr std::uint64_t kCostUnit = 1024;  ///< Bus cycles per beat count in 1 / kCostUnit.

}  // namespace

struct DmaChannel::Impl {
  Impl(const DmaConfig& dma, const CoreClock& core, Sram& sram, Dram& memory, Recorder& counters,
       DramClient* self, std::uint32_t own_track);

  /// A load or store of which requests are to be issued or under way.
  struct Open {
    DmaDescriptor descriptor;
    std::int32_t index, layer;
    std::uint64_t begin = 0, end = 0;  ///< Start, and last byte so far.
    std::uint64_t busy_cycles = 0;
    std::size_t requests = 0;  ///< Under way.
    bool is_issued = false, is_long_run = false;
    [[nodiscard]] bool is_load() const { return descriptor.kind == DmaDescriptor::Kind::kLoad; }
  };

  void check_bounds(const DmaDescriptor& d);
  void load(const DmaDescriptor& d);
  void store(const DmaDescriptor& d);
  void local(const DmaDescriptor& d);
  void count(const DmaDescriptor& d, std::int32_t of_layer, std::uint64_t begin,
             std::uint64_t end) const;
  /// @param run_bytes  of the instruction, before its dimensions are merged.
  /// @return the cycle of completion, if it is known.
  std::optional<std::uint64_t> execute(const DmaDescriptor& d, std::int64_t run_bytes,
                                       std::int32_t index, std::int32_t of_layer);
  /// Runs a load or store until all its requests are issued; not pipelined: to its end.
  std::optional<std::uint64_t> issue(const DmaDescriptor& d, bool is_long_run, std::int32_t index,
                                     std::int32_t of_layer, std::uint64_t begin);
  /// Takes the oldest descriptor out. @return the cycle of its completion.
  std::uint64_t end_oldest();
  /// Ends the oldest descriptors that have nothing under way any more.
  void end_descriptors();
  void answered(std::uint64_t tag, std::uint64_t cycle);

  [[nodiscard]] bool offer(const DmaPiece& piece, bool is_write);
  void release_slots();
  void wait_for_progress();
  /// Waits after a refusal until the DRAM may have room.
  void wait_for_space();
  /// Wakes the thread when the next slot is released, if that is known.
  void arm();
  /// Books the bus, then the scratchpad, for data of which the first byte is there in cycle `first`
  /// and the last one by `last`. @return the end.
  std::uint64_t transfer(const DmaPiece& piece, bool is_write, std::uint64_t first,
                         std::uint64_t last, Open& owner);

  const CoreClock& clock;
  Sram& scratchpad;
  Dram& dram;
  Recorder& recorder;
  DramClient* const client;
  const std::uint32_t track;
  const std::uint64_t setup_cycles, read_latency, completion_cycles;
  const bool pipelined;
  const std::int64_t full_rate_run_bytes;
  const std::uint64_t long_run_beat_cost;  ///< [cycle / kCostUnit]
  const std::size_t max_outstanding;
  const RequestCutter::Widths widths;

  BusTimeline bus;
  std::deque<Open> open;         ///< In order; the last one issues.
  std::uint64_t ended = 0;       ///< Descriptors taken from the front of `open`.
  std::uint64_t extra_cost = 0;  ///< Of long runs, below a cycle [cycle / kCostUnit].
  std::uint64_t last_end = 0;    ///< Latest completion that is known.
  OnComplete on_complete;
  std::uint64_t bus_free = 0;  ///< Cycle at which the last booked data has passed.
  std::size_t in_flight = 0;   ///< Requests whose slot is taken.
  /// A request under way.
  struct Piece {
    DmaPiece piece;
    std::uint64_t descriptor = 0;  ///< Counted from the first of the run.
    std::uint64_t first_data = 0;  ///< When the first byte of a read is here.
  };
  std::vector<Piece> pieces;        ///< By tag.
  std::vector<std::uint64_t> tags;  ///< Free ones.
  /// When slots of answered requests become free.
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> releases;
  sc_core::sc_event progress;
};

DmaChannel::Impl::Impl(const DmaConfig& dma, const CoreClock& core, Sram& sram, Dram& memory,
                       Recorder& counters, DramClient* self, std::uint32_t own_track)
    : clock(core),
      scratchpad(sram),
      dram(memory),
      recorder(counters),
      client(self),
      track(own_track),
      setup_cycles(static_cast<std::uint64_t>(dma.setup_cycles)),
      read_latency(static_cast<std::uint64_t>(sram.config().latency_cycles)),
      completion_cycles(static_cast<std::uint64_t>(dma.load_completion_cycles)),
      pipelined(dma.pipelined_descriptors),
      full_rate_run_bytes(dma.full_rate_run_bytes),
      long_run_beat_cost(
          static_cast<std::uint64_t>(std::llround(dma.long_run_beat_cycles * kCostUnit))),
      max_outstanding(static_cast<std::size_t>(dma.max_outstanding)),
      widths{.request_bytes = std::max<std::int64_t>(dma.max_burst_bytes, memory.burst_bytes()),
             .burst_bytes = memory.burst_bytes(),
             .bus_bytes = dma.bus_width_bytes,
             .port_bytes = sram.config().port_width_bytes},
      pieces(max_outstanding) {
  NPU_CHECK(dma.max_outstanding > 0 && dma.bus_width_bytes > 0 && dma.max_burst_bytes > 0,
            "a DMA channel needs a bus, a burst and a request slot");
  for (std::size_t tag = max_outstanding; tag-- > 0;) tags.push_back(tag);
}

void DmaChannel::Impl::check_bounds(const DmaDescriptor& d) {
  using Kind = DmaDescriptor::Kind;
  if (d.bytes() == 0) return;
  const ByteRange src = hull(d.src, d.src_stride, d.count, d.run);
  const ByteRange dst = hull(d.dst, d.dst_stride, d.count, d.run);
  const std::int64_t local = scratchpad.config().capacity_bytes;
  const std::int64_t src_bytes = d.kind == Kind::kLoad ? dram.capacity_bytes() : local;
  const std::int64_t dst_bytes = d.kind == Kind::kStore ? dram.capacity_bytes() : local;
  NPU_CHECK(dst.low >= 0 && dst.high <= dst_bytes, "a descriptor writes beyond its memory");
  NPU_CHECK(d.kind == Kind::kFill || (src.low >= 0 && src.high <= src_bytes),
            "a descriptor reads beyond its memory");
}

void DmaChannel::Impl::arm() {
  if (releases.empty()) return;
  const sc_core::sc_time at = clock.at(releases.top());
  const sc_core::sc_time& now = sc_core::sc_time_stamp();
  progress.notify(at > now ? at - now : sc_core::SC_ZERO_TIME);
}

void DmaChannel::Impl::release_slots() {
  const std::uint64_t now = clock.now();
  while (!releases.empty() && releases.top() <= now) {
    releases.pop();
    --in_flight;
  }
}

void DmaChannel::Impl::wait_for_progress() {
  arm();
  sc_core::wait(progress);
  bus.account(Bucket::kWaitDram, clock.now());
  release_slots();
}

void DmaChannel::Impl::wait_for_space() {
  bus.account(Bucket::kWaitDram, clock.now());
  sc_core::wait(dram.space_event());
  bus.account(Bucket::kStallFull, clock.now());
  release_slots();
}

bool DmaChannel::Impl::offer(const DmaPiece& piece, bool is_write) {
  const std::uint64_t tag = tags.back();
  const DramRequest request{.address = piece.address,
                            .bytes = static_cast<std::int32_t>(piece.bytes),
                            .is_write = is_write,
                            .layer = open.back().layer,
                            .tag = tag,
                            .client = client};
  // A write may be answered at once.
  tags.pop_back();
  pieces[tag] = {piece, ended + open.size() - 1};
  ++open.back().requests;
  if (!dram.offer(request)) {
    --open.back().requests;
    tags.push_back(tag);
    return false;
  }
  ++in_flight;
  return true;
}

std::uint64_t DmaChannel::Impl::transfer(const DmaPiece& piece, bool is_write, std::uint64_t first,
                                         std::uint64_t last, Open& owner) {
  auto beats = static_cast<std::uint64_t>(piece.beats);
  if (owner.is_long_run) {
    extra_cost += beats * long_run_beat_cost;
    beats = extra_cost / kCostUnit;
    extra_cost %= kCostUnit;
  }
  owner.busy_cycles += beats;
  const std::uint64_t passed = std::max(last, std::max(first, bus_free) + beats);
  bus_free = scratchpad.book(is_write, piece.scratchpad.low, piece.scratchpad.high,
                             piece.port_bytes, passed - beats, beats);
  bus.add(passed - beats, passed, bus_free);
  return bus_free;
}

void DmaChannel::Impl::answered(std::uint64_t tag, std::uint64_t cycle) {
  tags.push_back(tag);
  const Piece& answer = pieces[tag];
  Open& owner = open[answer.descriptor - ended];
  const std::uint64_t end =
      owner.is_load() ? transfer(answer.piece, true, answer.first_data, cycle, owner) : cycle;
  releases.push(end);
  owner.end = std::max(owner.end, end);
  --owner.requests;
  if (pipelined) end_descriptors();
  arm();
}

std::uint64_t DmaChannel::Impl::end_oldest() {
  const Open& done = open.front();
  const std::uint64_t end = done.end + (done.is_load() ? completion_cycles : 0);
  count(done.descriptor, done.layer, done.begin, end);
  recorder.span({track, done.index, done.begin, end});
  open.pop_front();
  ++ended;
  return end;
}

void DmaChannel::Impl::end_descriptors() {
  while (!open.empty() && open.front().is_issued && open.front().requests == 0) {
    const std::uint64_t busy = open.front().busy_cycles;
    last_end = std::max(last_end, end_oldest());
    on_complete(last_end, busy);
  }
}

void DmaChannel::Impl::load(const DmaDescriptor& d) {
  RequestCutter cutter(d, widths);
  DmaPiece piece;
  bool has_next = cutter.next(piece);
  while (has_next || (in_flight > 0 && !pipelined)) {
    bool is_refused = false;
    while (has_next && in_flight < max_outstanding && !is_refused) {
      if (offer(piece, false)) {
        has_next = cutter.next(piece);
      } else {
        is_refused = true;
      }
    }
    if (is_refused) {
      wait_for_space();
    } else if (has_next || !pipelined) {
      wait_for_progress();
    }
  }
}

void DmaChannel::Impl::store(const DmaDescriptor& d) {
  RequestCutter cutter(d, widths);
  bus_free += read_latency;
  bus.timeline().advance(Bucket::kFillDrain, bus_free);
  DmaPiece piece;
  while (cutter.next(piece)) {
    while (in_flight == max_outstanding) wait_for_progress();
    const auto beats = static_cast<std::uint64_t>(piece.beats);
    const std::uint64_t now = clock.now();
    clock.wait_until(transfer(piece, false, now, now + beats, open.back()));
    release_slots();
    while (!offer(piece, true)) wait_for_space();
  }
  while (in_flight > 0 && !pipelined) wait_for_progress();
}

void DmaChannel::Impl::local(const DmaDescriptor& d) {
  if (d.bytes() == 0) return;
  const bool has_src = d.kind == DmaDescriptor::Kind::kCopy;
  Packing from(widths.bus_bytes, widths.port_bytes);
  Packing to(widths.bus_bytes, widths.port_bytes);
  for (RowWalk walk(d); !walk.done(); walk.next()) {
    if (has_src) from.add(walk.src(), d.run);
    to.add(walk.dst(), d.run);
  }
  const auto beats = static_cast<std::uint64_t>(std::max(from.beats(), to.beats()));
  std::uint64_t begin = bus_free;
  std::uint64_t end = begin + beats;
  if (has_src) {
    begin += read_latency;
    bus.timeline().advance(Bucket::kFillDrain, begin);
    const ByteRange src = hull(d.src, d.src_stride, d.count, d.run);
    end = scratchpad.book(false, src.low, src.high, from.port_bytes(), begin, beats);
  }
  const ByteRange dst = hull(d.dst, d.dst_stride, d.count, d.run);
  end = std::max(end, scratchpad.book(true, dst.low, dst.high, to.port_bytes(), begin, beats));
  bus.timeline().advance(Bucket::kBusy, begin + beats);
  bus.timeline().advance(Bucket::kWaitBank, end);
  bus_free = end;
}

void DmaChannel::Impl::count(const DmaDescriptor& d, std::int32_t of_layer, std::uint64_t begin,
                             std::uint64_t end) const {
  const auto bytes = static_cast<std::uint64_t>(d.bytes());
  const bool reads = d.kind == DmaDescriptor::Kind::kStore || d.kind == DmaDescriptor::Kind::kCopy;
  recorder.count(Event::kDmaByte, bytes, of_layer, begin, end);
  if (reads) recorder.count(Event::kScratchpadRead, bytes, of_layer, begin, end);
  if (d.kind != DmaDescriptor::Kind::kStore) {
    recorder.count(Event::kScratchpadWrite, bytes, of_layer, begin, end);
  }
}

DmaChannel::DmaChannel(const sc_core::sc_module_name& name, const DmaConfig& config,
                       const CoreClock& clock, Sram& scratchpad, Dram& dram, Recorder& recorder)
    : sc_module(name),
      impl_(std::make_unique<Impl>(config, clock, scratchpad, dram, recorder,
                                   static_cast<DramClient*>(this),
                                   recorder.add_track(basename()))) {}

DmaChannel::~DmaChannel() = default;

std::optional<std::uint64_t> DmaChannel::Impl::issue(const DmaDescriptor& d, bool is_long_run,
                                                     std::int32_t index, std::int32_t of_layer,
                                                     std::uint64_t begin) {
  open.push_back({.descriptor = d,
                  .index = index,
                  .layer = of_layer,
                  .begin = begin,
                  .end = clock.now(),
                  .is_long_run = is_long_run});
  if (d.kind == DmaDescriptor::Kind::kLoad) {
    load(d);
  } else {
    store(d);
  }
  Open& done = open.back();
  done.is_issued = true;
  if (!pipelined) {
    done.end = std::max(done.end, bus_free);
    clock.wait_until(done.end + (done.is_load() ? completion_cycles : 0));
  }
  bus.account(Bucket::kWaitDram, clock.now());
  if (done.requests > 0 || open.size() > 1) return std::nullopt;
  return last_end = std::max({end_oldest(), clock.now(), last_end});
}

std::optional<std::uint64_t> DmaChannel::Impl::execute(const DmaDescriptor& d,
                                                       std::int64_t run_bytes, std::int32_t index,
                                                       std::int32_t of_layer) {
  const std::uint64_t begin = clock.now();
  if (!pipelined || open.empty()) {
    bus_free = std::max(bus_free, begin + setup_cycles);
    bus.account(Bucket::kFillDrain, begin + setup_cycles);
    clock.wait_until(begin + setup_cycles);
  }
  std::optional<std::uint64_t> end;
  if (d.kind == DmaDescriptor::Kind::kLoad || d.kind == DmaDescriptor::Kind::kStore) {
    const bool is_long_run = d.kind == DmaDescriptor::Kind::kLoad && full_rate_run_bytes > 0 &&
                             run_bytes > full_rate_run_bytes && run_bytes < d.bytes();
    end = issue(d, is_long_run, index, of_layer, begin);
  } else {
    while (in_flight > 0) wait_for_progress();
    bus_free = std::max(bus_free, clock.now());
    local(d);
    clock.wait_until(bus_free);
    bus.account(Bucket::kWaitDram, clock.now());
    count(d, of_layer, begin, clock.now());
    recorder.span({track, index, begin, clock.now()});
    end = std::max(clock.now(), last_end);
  }
  if (!scratchpad.data().empty()) move_bytes(d, dram, scratchpad.data());
  return end;
}

std::optional<std::uint64_t> DmaChannel::execute(const isa::Instruction& instruction,
                                                 std::int32_t index, std::int32_t layer) {
  const DmaDescriptor descriptor(instruction);
  impl_->check_bounds(descriptor);
  return impl_->execute(descriptor, instruction[isa::Opd::kN0], index, layer);
}

void DmaChannel::on_complete(OnComplete hook) { impl_->on_complete = std::move(hook); }

void DmaChannel::account(Bucket gap, std::uint64_t until) {
  impl_->bus.account(impl_->in_flight > 0 ? Bucket::kWaitDram : gap, until);
}

Timeline& DmaChannel::timeline() { return impl_->bus.timeline(); }

void DmaChannel::on_dram_done(std::uint64_t tag, std::uint64_t core_cycle) {
  impl_->answered(tag, core_cycle);
}

void DmaChannel::on_dram_data(std::uint64_t tag, std::uint64_t core_cycle) {
  impl_->pieces[tag].first_data = core_cycle;
}

}  // namespace npu
