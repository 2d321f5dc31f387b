#include "sim/memory/fixed_latency_channel.h"

#include <algorithm>
#include <utility>

namespace npu {

FixedLatencyChannel::FixedLatencyChannel(const sc_core::sc_module_name& name,
                                         FixedLatencyMemory memory, const CoreClock& clock,
                                         const InterconnectConfig& link, OnDone on_done)
    : sc_module(name),
      memory_(std::move(memory)),
      clock_(clock),
      link_(link),
      on_done_(std::move(on_done)) {
  SC_HAS_PROCESS(FixedLatencyChannel);
  SC_METHOD(deliver);
  sensitive << answered_;
  dont_initialize();
}

std::uint64_t FixedLatencyChannel::way_there(const DramRequest& request) const {
  if (!request.is_write) return link_.latency_cycles();
  const std::uint64_t now = clock_.now();
  return there_.begins(now) - now + link_.cycles(static_cast<std::uint64_t>(request.bytes)) +
         link_.latency_cycles();
}

std::uint64_t FixedLatencyChannel::room_at(const DramRequest& request) const {
  const std::uint64_t room = memory_.room_at(request.is_write);
  return room - std::min(room, way_there(request));
}

void FixedLatencyChannel::accept(const DramRequest& request, std::int64_t beats) {
  const std::uint64_t now = clock_.now();
  const auto bytes = static_cast<std::uint64_t>(request.bytes);
  const std::uint64_t sent = request.is_write ? there_.pass(now, bytes) : now;
  const FixedLatencyMemory::Booking booking =
      memory_.book(request.is_write, beats, request.layer, sent + link_.latency_cycles());
  std::uint64_t cycle = booking.done_cycle;
  std::uint64_t first = 0;
  if (!request.is_write) {
    first = back_.begins(booking.first_cycle) + link_.latency_cycles();
    cycle = std::max(cycle, back_.pass(booking.first_cycle, bytes));
  }
  // A cycle of a write's way there is the data's own.
  const std::uint64_t lane = request.is_write ? sent - now - std::min<std::uint64_t>(sent - now, 1)
                                              : cycle - booking.done_cycle;
  const DramDelays delays{.interconnect = 2 * link_.latency_cycles() + lane,
                          .queued = booking.queued_cycles};
  answers_.push_back({request, first, cycle + link_.latency_cycles(), delays});
  answered_.notify(sc_core::SC_ZERO_TIME);
}

void FixedLatencyChannel::deliver() {
  while (!answers_.empty()) {
    const Answer answer = answers_.front();
    answers_.pop_front();
    if (!answer.request.is_write) {
      answer.request.client->on_dram_data(answer.request.tag, answer.first_cycle);
    }
    answer.request.client->on_dram_delays(answer.request.tag, answer.delays);
    on_done_(answer.request, answer.done_cycle);
  }
}

}  // namespace npu
