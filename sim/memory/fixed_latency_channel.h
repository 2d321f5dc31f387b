#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <systemc>

#include "sim/memory/dram.h"
#include "sim/memory/fixed_latency_memory.h"
#include "sim/memory/interconnect.h"

namespace npu {

/// A FixedLatencyMemory behind the interconnect: takes requests and answers them, in the next delta
/// cycle with the cycle in which they will be done.
class FixedLatencyChannel : public sc_core::sc_module {
 public:
  using OnDone = std::function<void(const DramRequest&, std::uint64_t cycle)>;

  FixedLatencyChannel(const sc_core::sc_module_name& name, FixedLatencyMemory memory,
                      const CoreClock& clock, const InterconnectConfig& link, OnDone on_done);

  [[nodiscard]] bool has_room(const DramRequest& request) const {
    return memory_.has_room(request.is_write, clock_.now() + way_there(request));
  }
  /// The first core cycle at which a request like this one may be accepted.
  [[nodiscard]] std::uint64_t room_at(const DramRequest& request) const;
  void accept(const DramRequest& request, std::int64_t beats);
  [[nodiscard]] FixedLatencyMemory& memory() { return memory_; }

 private:
  /// From an offer now to the arrival at the memory.
  [[nodiscard]] std::uint64_t way_there(const DramRequest& request) const;
  void deliver();

  struct Answer {
    DramRequest request;
    std::uint64_t first_cycle,
        done_cycle;  ///< First byte of a read, and all of it, at the requester.
    DramDelays delays;
  };
  FixedLatencyMemory memory_;
  const CoreClock& clock_;
  const Interconnect link_;
  Interconnect::Lane there_{link_}, back_{link_};
  const OnDone on_done_;
  std::deque<Answer> answers_;
  sc_core::sc_event answered_;
};

}  // namespace npu
