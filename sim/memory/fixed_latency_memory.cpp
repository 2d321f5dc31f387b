#include "sim/memory/fixed_latency_memory.h"

#include <algorithm>

#include "sim/base/math.h"

namespace npu {
namespace {

constexpr std::int64_t kParts = 256;  ///< Of a clock.

}  // namespace

FixedLatencyMemory::FixedLatencyMemory(const DramConfig& config, const ClockRatio& to_core,
                                       const ClockRatio& to_clock, Recorder& recorder,
                                       std::uint32_t track)
    : config_(config.fixed_latency),
      to_core_(to_core),
      to_clock_(to_clock),
      recorder_(recorder),
      track_(track) {}

std::uint64_t FixedLatencyMemory::to_cycle(std::int64_t parts) const {
  return static_cast<std::uint64_t>(to_core_.ceil(ceil_div(parts, kParts)));
}

bool FixedLatencyMemory::has_room(bool is_write, std::uint64_t arrival) const {
  const std::int64_t clock = to_clock_.ceil(static_cast<std::int64_t>(arrival));
  return free_[is_write ? 1 : 0] < (clock + 1) * kParts;
}

std::uint64_t FixedLatencyMemory::room_at(bool is_write) const {
  return static_cast<std::uint64_t>(to_core_.ceil(free_[is_write ? 1 : 0] / kParts));
}

FixedLatencyMemory::Booking FixedLatencyMemory::book(bool is_write, std::int64_t beats,
                                                     std::int32_t layer, std::uint64_t arrival) {
  const std::size_t path = is_write ? 1 : 0;
  const std::int64_t clock = to_clock_.ceil(static_cast<std::int64_t>(arrival));
  const std::int64_t begin = std::max(free_[path], clock * kParts);
  const std::int64_t rate =
      is_write ? config_.write_clocks_per_256_beats : config_.read_clocks_per_256_beats;
  free_[path] = begin + beats * rate;
  const std::int64_t delay = is_write ? 0 : config_.read_latency_clocks * kParts;
  Booking booking;
  booking.first_cycle = to_cycle(begin + delay);
  booking.end_cycle = std::max(to_cycle(free_[path] + delay), booking.first_cycle + 1);
  booking.done_cycle =
      is_write ? to_cycle(free_[path] + config_.write_response_clocks * kParts) : booking.end_cycle;
  booking.queued_cycles = to_cycle(begin) - std::min(to_cycle(begin), arrival);
  queues_.add(is_write, arrival, 1);
  queues_.add(is_write, std::max(to_cycle(begin), arrival), -1);
  settle(arrival);
  passages_[path].push_back({arrival, booking.first_cycle, booking.end_cycle});
  recorder_.count(is_write ? Event::kDramWrite : Event::kDramRead,
                  static_cast<std::uint64_t>(beats), layer, booking.first_cycle, booking.end_cycle);
  recorder_.span({track_, -1, booking.first_cycle, booking.end_cycle});
  return booking;
}

void FixedLatencyMemory::settle(std::uint64_t cycle) {
  auto& [reads, writes] = passages_;
  for (;;) {
    std::deque<Passage>& next =
        reads.empty() || (!writes.empty() && writes.front().begin < reads.front().begin) ? writes
                                                                                         : reads;
    if (next.empty() || next.front().begin >= cycle) return;
    const Passage& p = next.front();
    timeline_.advance(Bucket::kIdle, p.arrival);
    timeline_.advance(Bucket::kWaitDram, p.begin);
    timeline_.advance(Bucket::kBusy, std::min(p.end, cycle));
    if (p.end > cycle) return;
    next.pop_front();
  }
}

void FixedLatencyMemory::close(std::uint64_t cycle) {
  settle(cycle);
  timeline_.advance(Bucket::kIdle, cycle);
}

}  // namespace npu
