#pragma once

#include <algorithm>
#include <cstdint>

#include "sim/memory/dram.h"
#include "sim/memory/dram_banks.h"

namespace npu {

/// A request that the DRAM accepted, until all its bursts are booked.
struct OpenRequest {
  DramRequest request;
  std::int32_t bursts_left = 0;  ///< Not yet booked.
  std::int32_t places_left = 0;  ///< Writes: not yet in a queue.
  DramClock first_data = kNever, last_data = 0;
  std::uint64_t last_arrival = 0;  ///< Writes: core cycle at the controller.
  std::uint64_t offered = 0;       ///< Core cycle of acceptance.
  std::int32_t bursts = 0;

  /// By how much `cycle` lies behind what takes `idle_cycles` when nothing else is under way.
  [[nodiscard]] std::uint64_t late(std::uint64_t cycle, std::uint64_t idle_cycles) const {
    return cycle - std::min(cycle, offered + idle_cycles);
  }
  void tell_delays(const DramDelays& delays) const {
    request.client->on_dram_delays(request.tag, delays);
  }
};

}  // namespace npu
