#include "sim/memory/dma.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <queue>
#include <vector>

#include "sim/base/error.h"
#include "sim/memory/dma_descriptor.h"

namespace npu {

struct DmaChannel::Impl {
  Impl(const DmaConfig& dma, const CoreClock& core, Sram& sram, Dram& memory, Recorder& counters,
       DramClient* self, std::uint32_t own_track);

  void check_bounds(const DmaDescriptor& d);
  void load(const DmaDescriptor& d);
  void store(const DmaDescriptor& d);
  void local(const DmaDescriptor& d);
  void count(const DmaDescriptor& d, std::uint64_t begin, std::uint64_t end);
  void answered(std::uint64_t tag, std::uint64_t cycle);

  [[nodiscard]] bool offer(const DmaPiece& piece, bool is_write);
  void release_slots();
  void wait_for_progress();
  /// Waits after a refusal until the DRAM may have room.
  void wait_for_space();
  /// Accounts the cycles up to `until`: those in which no data passes go to `gap`.
  void account(Bucket gap, std::uint64_t until);
  /// Wakes the thread when the next slot is released, if that is known.
  void arm();
  /// Books the bus, then the scratchpad, for data of which the first byte is there in cycle `first`
  /// and the last one by `last`. @return the end.
  std::uint64_t transfer(const DmaPiece& piece, bool is_write, std::uint64_t first,
                         std::uint64_t last);

  const CoreClock& clock;
  Sram& scratchpad;
  Dram& dram;
  Recorder& recorder;
  DramClient* const client;
  const std::uint32_t track;
  const std::uint64_t setup_cycles, read_latency;
  const std::size_t max_outstanding;
  const RequestCutter::Widths widths;

  /// Data on the bus from begin to passed, waiting for its banks to end.
  struct Passage {
    std::uint64_t begin, passed, end;
  };

  Timeline timeline;
  std::deque<Passage> passages;  ///< Not yet accounted, in order.
  std::int32_t layer = -1;
  bool is_load = false;
  std::uint64_t bus_free = 0;             ///< Cycle at which the last booked data has passed.
  std::size_t in_flight = 0;              ///< Requests whose slot is taken.
  std::vector<DmaPiece> pieces;           ///< By tag.
  std::vector<std::uint64_t> first_data;  ///< By tag: when the first byte of a read is here.
  std::vector<std::uint64_t> tags;        ///< Free ones.
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
      max_outstanding(static_cast<std::size_t>(dma.max_outstanding)),
      widths{.request_bytes = std::max<std::int64_t>(dma.max_burst_bytes, memory.burst_bytes()),
             .burst_bytes = memory.burst_bytes(),
             .bus_bytes = dma.bus_width_bytes,
             .port_bytes = sram.config().port_width_bytes},
      pieces(max_outstanding),
      first_data(max_outstanding) {
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
  account(Bucket::kWaitDram, clock.now());
  release_slots();
}

void DmaChannel::Impl::wait_for_space() {
  account(Bucket::kWaitDram, clock.now());
  sc_core::wait(dram.space_event());
  account(Bucket::kStallFull, clock.now());
  release_slots();
}

void DmaChannel::Impl::account(Bucket gap, std::uint64_t until) {
  while (!passages.empty() && passages.front().begin < until) {
    const Passage& p = passages.front();
    timeline.advance(gap, p.begin);
    timeline.advance(Bucket::kBusy, std::min(p.passed, until));
    timeline.advance(Bucket::kWaitBank, std::min(p.end, until));
    if (p.end > until) return;
    passages.pop_front();
  }
  timeline.advance(gap, until);
}

bool DmaChannel::Impl::offer(const DmaPiece& piece, bool is_write) {
  const std::uint64_t tag = tags.back();
  const DramRequest request{.address = piece.address,
                            .bytes = static_cast<std::int32_t>(piece.bytes),
                            .is_write = is_write,
                            .layer = layer,
                            .tag = tag,
                            .client = client};
  // A write may be answered at once.
  tags.pop_back();
  pieces[tag] = piece;
  if (!dram.offer(request)) {
    tags.push_back(tag);
    return false;
  }
  ++in_flight;
  return true;
}

std::uint64_t DmaChannel::Impl::transfer(const DmaPiece& piece, bool is_write, std::uint64_t first,
                                         std::uint64_t last) {
  const auto beats = static_cast<std::uint64_t>(piece.beats);
  const std::uint64_t passed = std::max(last, std::max(first, bus_free) + beats);
  bus_free = scratchpad.book(is_write, piece.scratchpad.low, piece.scratchpad.high,
                             piece.port_bytes, passed - beats, beats);
  passages.push_back({passed - beats, passed, bus_free});
  return bus_free;
}

void DmaChannel::Impl::answered(std::uint64_t tag, std::uint64_t cycle) {
  tags.push_back(tag);
  releases.push(is_load ? transfer(pieces[tag], true, first_data[tag], cycle) : cycle);
  arm();
}

void DmaChannel::Impl::load(const DmaDescriptor& d) {
  RequestCutter cutter(d, widths);
  DmaPiece piece;
  bool has_next = cutter.next(piece);
  while (has_next || in_flight > 0) {
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
    } else {
      wait_for_progress();
    }
  }
}

void DmaChannel::Impl::store(const DmaDescriptor& d) {
  RequestCutter cutter(d, widths);
  bus_free += read_latency;
  timeline.advance(Bucket::kFillDrain, bus_free);
  DmaPiece piece;
  while (cutter.next(piece)) {
    while (in_flight == max_outstanding) wait_for_progress();
    const auto beats = static_cast<std::uint64_t>(piece.beats);
    const std::uint64_t now = clock.now();
    clock.wait_until(transfer(piece, false, now, now + beats));
    release_slots();
    while (!offer(piece, true)) wait_for_space();
  }
  while (in_flight > 0) wait_for_progress();
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
    timeline.advance(Bucket::kFillDrain, begin);
    const ByteRange src = hull(d.src, d.src_stride, d.count, d.run);
    end = scratchpad.book(false, src.low, src.high, from.port_bytes(), begin, beats);
  }
  const ByteRange dst = hull(d.dst, d.dst_stride, d.count, d.run);
  end = std::max(end, scratchpad.book(true, dst.low, dst.high, to.port_bytes(), begin, beats));
  timeline.advance(Bucket::kBusy, begin + beats);
  timeline.advance(Bucket::kWaitBank, end);
  bus_free = end;
}

void DmaChannel::Impl::count(const DmaDescriptor& d, std::uint64_t begin, std::uint64_t end) {
  const auto bytes = static_cast<std::uint64_t>(d.bytes());
  const bool reads = d.kind == DmaDescriptor::Kind::kStore || d.kind == DmaDescriptor::Kind::kCopy;
  recorder.count(Event::kDmaByte, bytes, layer, begin, end);
  if (reads) recorder.count(Event::kScratchpadRead, bytes, layer, begin, end);
  if (d.kind != DmaDescriptor::Kind::kStore) {
    recorder.count(Event::kScratchpadWrite, bytes, layer, begin, end);
  }
}

DmaChannel::DmaChannel(const sc_core::sc_module_name& name, const DmaConfig& config,
                       const CoreClock& clock, Sram& scratchpad, Dram& dram, Recorder& recorder)
    : sc_module(name),
      impl_(std::make_unique<Impl>(config, clock, scratchpad, dram, recorder,
                                   static_cast<DramClient*>(this),
                                   recorder.add_track(basename()))) {}

DmaChannel::~DmaChannel() = default;

void DmaChannel::execute(const isa::Instruction& instruction, std::int32_t index,
                         std::int32_t layer) {
  Impl& impl = *impl_;
  const DmaDescriptor descriptor(instruction);
  impl.check_bounds(descriptor);
  impl.layer = layer;
  impl.is_load = descriptor.kind == DmaDescriptor::Kind::kLoad;
  const std::uint64_t begin = impl.clock.now();
  impl.bus_free = begin + impl.setup_cycles;
  impl.timeline.advance(Bucket::kFillDrain, impl.bus_free);
  impl.clock.wait_until(impl.bus_free);
  switch (descriptor.kind) {
    case DmaDescriptor::Kind::kLoad:
      impl.load(descriptor);
      break;
    case DmaDescriptor::Kind::kStore:
      impl.store(descriptor);
      break;
    case DmaDescriptor::Kind::kCopy:
    case DmaDescriptor::Kind::kFill:
      impl.local(descriptor);
      break;
  }
  impl.clock.wait_until(impl.bus_free);
  impl.account(Bucket::kWaitDram, impl.clock.now());
  if (!impl.scratchpad.data().empty()) {
    move_bytes(descriptor, impl.dram, impl.scratchpad.data());
  }
  const std::uint64_t end = impl.clock.now();
  impl.count(descriptor, begin, end);
  impl.recorder.span({impl.track, index, begin, end});
}

Timeline& DmaChannel::timeline() { return impl_->timeline; }

void DmaChannel::on_dram_done(std::uint64_t tag, std::uint64_t core_cycle) {
  impl_->answered(tag, core_cycle);
}

void DmaChannel::on_dram_data(std::uint64_t tag, std::uint64_t core_cycle) {
  impl_->first_data[tag] = core_cycle;
}

}  // namespace npu
