#include <algorithm>

#include "sim/memory/dma_impl.h"

namespace npu {

void DmaChannel::Impl::arm() {
  if (releases.empty()) return;
  const sc_core::sc_time at = clock.at(releases.top().cycle);
  const sc_core::sc_time& now = sc_core::sc_time_stamp();
  progress.notify(at > now ? at - now : sc_core::SC_ZERO_TIME);
}

MilestoneLog::Index DmaChannel::Impl::release_slots() {
  const std::uint64_t now = clock.now();
  MilestoneLog::Index last = MilestoneLog::kNone;
  while (!releases.empty() && releases.top().cycle <= now) {
    last = releases.top().milestone;
    releases.pop();
    --in_flight;
  }
  return last;
}

MilestoneLog::Index DmaChannel::Impl::wait_for_progress() {
  arm();
  sc_core::wait(progress);
  bus.account(Bucket::kWaitDram, clock.now());
  return release_slots();
}

void DmaChannel::Impl::account(Bucket gap, std::uint64_t until) {
  while (in_flight > 0 && !releases.empty() && releases.top().cycle <= until) {
    bus.account(Bucket::kWaitDram, releases.top().cycle);
    releases.pop();
    --in_flight;
  }
  bus.account(in_flight > 0 ? Bucket::kWaitDram : gap, until);
}

void DmaChannel::Impl::wait_for_slot() {
  const std::uint64_t from = clock.now();
  log.go_on_from(wait_for_progress());
  held_cycles += clock.now() - from;
}

void DmaChannel::Impl::wait_for_space(bool is_write) {
  const bool has_no_place = !is_write && dram.reads_are_full();
  const std::uint64_t from = clock.now();
  bus.account(Bucket::kWaitDram, from);
  sc_core::wait(dram.space_event());
  bus.account(has_no_place ? Bucket::kWaitDram : Bucket::kStallFull, clock.now());
  if (has_no_place) held_cycles += clock.now() - from;
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
  pieces[tag] = {.piece = piece,
                 .descriptor = ended + open.size() - 1,
                 .before = log.origin(),
                 .offered = clock.now(),
                 .held_cycles = held_cycles,
                 .delays = {}};
  ++open.back().requests;
  if (!dram.offer(request)) {
    --open.back().requests;
    tags.push_back(tag);
    return false;
  }
  ++in_flight;
  if (request_log != nullptr) request_log->add(clock.now(), 1);
  held_cycles = 0;
  return true;
}

std::uint64_t DmaChannel::Impl::transfer(const DmaPiece& piece, bool is_write, std::uint64_t first,
                                         std::uint64_t last, Open& owner,
                                         MilestoneLog::Index before,
                                         const BusTimeline::Waits& waits) {
  auto beats = static_cast<std::uint64_t>(piece.beats);
  if (owner.is_long_run) {
    extra_cost += beats * long_run_beat_cost;
    beats = extra_cost / kCostUnit;
    extra_cost %= kCostUnit;
  }
  owner.busy_cycles += beats;
  const std::uint64_t alone = std::max(last, first + beats);
  const std::uint64_t passed = std::max(alone, bus_free + beats);
  if (bus_free + beats >= alone) before = log.bus_or(before, first);
  bus_free = scratchpad.book(is_write, piece.scratchpad.low, piece.scratchpad.high,
                             piece.port_bytes, passed - beats, beats);
  bus.add(passed - beats, passed, bus_free, waits);
  log.pass(owner.number, bus_free, before);
  return bus_free;
}

BusTimeline::Waits DmaChannel::Impl::waits_of(const Piece& read) {
  // What overlaps with the data before was delayed together with it.
  const std::uint64_t delay = read.delays.interconnect;
  const std::uint64_t before = read.offered < bus_free ? std::min(delay, interconnect_delay) : 0;
  return {.held = read.held_cycles, .queued = read.delays.queued, .interconnect = delay - before};
}

void DmaChannel::Impl::answered(std::uint64_t tag, std::uint64_t cycle) {
  tags.push_back(tag);
  const Piece& answer = pieces[tag];
  Open& owner = open[answer.descriptor - ended];
  std::uint64_t end = cycle;
  MilestoneLog::Index milestone = MilestoneLog::kNone;
  if (owner.is_load()) {
    end = transfer(answer.piece, true, answer.first_data, cycle, owner, answer.before,
                   waits_of(answer));
    milestone = log.bus();
  } else {
    milestone = log.answer(owner.number, cycle, answer.before);
  }
  interconnect_delay = answer.delays.interconnect;
  releases.push({end, milestone});
  if (request_log != nullptr) request_log->add(end, -1);
  if (end >= owner.end) {
    owner.end = end;
    owner.in_place_by = milestone;
  }
  --owner.requests;
  if (pipelined) end_descriptors();
  arm();
}

std::uint64_t DmaChannel::Impl::end_oldest() {
  const Open& done = open.front();
  const std::uint64_t end = done.end + (done.is_load() ? completion_cycles : 0);
  count(done.descriptor, done.layer, done.begin, end);
  recorder.span({track, done.index, done.begin, end});
  log.end(done.number, end, end - done.end, done.in_place_by);
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

}  // namespace npu
