#include "sim/memory/dma.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/error.h"
#include "sim/memory/dma_impl.h"

namespace npu {

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
      wait_for_space(false);
    } else if (has_next) {
      wait_for_slot();
    } else if (!pipelined) {
      wait_for_progress();
    }
  }
}

void DmaChannel::Impl::store(const DmaDescriptor& d) {
  RequestCutter cutter(d, widths);
  bus_free += read_latency;
  bus.advance(Bucket::kFillDrain, bus_free);
  DmaPiece piece;
  while (cutter.next(piece)) {
    while (in_flight == max_outstanding) wait_for_slot();
    const auto beats = static_cast<std::uint64_t>(piece.beats);
    const std::uint64_t now = clock.now();
    clock.wait_until(
        transfer(piece, false, now, now + beats, open.back(), log.origin(), {.held = held_cycles}));
    log.go_on_from(log.bus());
    release_slots();
    while (!offer(piece, true)) wait_for_space(true);
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
    bus.advance(Bucket::kFillDrain, begin);
    const ByteRange src = hull(d.src, d.src_stride, d.count, d.run);
    end = scratchpad.book(false, src.low, src.high, from.port_bytes(), begin, beats);
  }
  const ByteRange dst = hull(d.dst, d.dst_stride, d.count, d.run);
  end = std::max(end, scratchpad.book(true, dst.low, dst.high, to.port_bytes(), begin, beats));
  bus.advance(Bucket::kBusy, begin + beats);
  bus.advance(Bucket::kWaitBank, end);
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
                                                     std::uint64_t begin, std::uint32_t number) {
  open.push_back({.descriptor = d,
                  .index = index,
                  .layer = of_layer,
                  .begin = begin,
                  .end = clock.now(),
                  .is_long_run = is_long_run,
                  .number = number});
  if (d.kind == DmaDescriptor::Kind::kLoad) {
    load(d);
  } else {
    store(d);
  }
  Open& done = open.back();
  done.is_issued = true;
  log.release(number);
  if (!pipelined) {
    done.end = std::max(done.end, bus_free);
    bus.finish(done.end, done.is_load() ? 0 : interconnect_delay);
    clock.wait_until(done.end + (done.is_load() ? completion_cycles : 0));
    bus.account(Bucket::kFillDrain, clock.now());
  } else {
    bus.account(Bucket::kWaitDram, clock.now());
  }
  if (done.requests > 0 || open.size() > 1) return std::nullopt;
  return last_end = std::max({end_oldest(), clock.now(), last_end});
}

std::optional<std::uint64_t> DmaChannel::Impl::execute(const DmaDescriptor& d,
                                                       std::int64_t run_bytes, std::int32_t index,
                                                       std::int32_t of_layer) {
  const std::uint64_t begin = clock.now();
  release_slots();
  const std::uint32_t number = log.begin();
  held_cycles = 0;
  if (!pipelined || open.empty()) {
    if (begin + setup_cycles > bus_free) log.set_up();
    bus_free = std::max(bus_free, begin + setup_cycles);
    bus.account(Bucket::kFillDrain, begin + setup_cycles);
    clock.wait_until(begin + setup_cycles);
  }
  std::optional<std::uint64_t> end;
  if (d.kind == DmaDescriptor::Kind::kLoad || d.kind == DmaDescriptor::Kind::kStore) {
    const bool is_long_run = d.kind == DmaDescriptor::Kind::kLoad && full_rate_run_bytes > 0 &&
                             run_bytes > full_rate_run_bytes && run_bytes < d.bytes();
    end = issue(d, is_long_run, index, of_layer, begin, number);
  } else {
    while (in_flight > 0) log.go_on_from(wait_for_progress());
    bus_free = std::max(bus_free, clock.now());
    local(d);
    clock.wait_until(bus_free);
    bus.account(Bucket::kWaitDram, clock.now());
    log.go_on_from(log.pass(number, bus_free, log.origin()));
    log.release(number);
    log.end(number, bus_free, 0, log.origin());
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

void DmaChannel::account(Bucket gap, std::uint64_t until) { impl_->account(gap, until); }

void DmaChannel::log_into(Schedule::ChannelLog* log) {
  impl_->log.log_into(impl_->pipelined ? log : nullptr);
}

void DmaChannel::watch_requests(CountLog* log) { impl_->request_log = log; }

Timeline& DmaChannel::timeline() { return impl_->bus.timeline(); }

void DmaChannel::on_dram_done(std::uint64_t tag, std::uint64_t core_cycle) {
  impl_->answered(tag, core_cycle);
}

void DmaChannel::on_dram_delays(std::uint64_t tag, const DramDelays& delays) {
  impl_->pieces[tag].delays = delays;
}

void DmaChannel::on_dram_data(std::uint64_t tag, std::uint64_t core_cycle) {
  impl_->pieces[tag].first_data = core_cycle;
}

}  // namespace npu
