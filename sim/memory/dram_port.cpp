#include <algorithm>

#include "sim/memory/dram.h"

namespace npu {

DramPort::DramPort(Dram& dram, const CoreClock& clock) : dram_(dram), clock_(clock) {}

void DramPort::read(std::int64_t address, std::int32_t bytes, std::int32_t layer) {
  constexpr std::int64_t kBoundaryBytes = 4096;
  const std::int64_t end = address + bytes;
  last_cycle_ = clock_.now();
  while (address < end) {
    const std::int64_t stop = std::min(end, (address / kBoundaryBytes + 1) * kBoundaryBytes);
    const DramRequest request{.address = address,
                              .bytes = static_cast<std::int32_t>(stop - address),
                              .layer = layer,
                              .client = this};
    while (!dram_.offer(request)) sc_core::wait(dram_.space_event());
    ++pending_;
    address = stop;
  }
  while (pending_ > 0) sc_core::wait(done_);
  clock_.wait_until(last_cycle_);
}

void DramPort::on_dram_done(std::uint64_t /*tag*/, std::uint64_t core_cycle) {
  last_cycle_ = std::max(last_cycle_, core_cycle);
  --pending_;
  done_.notify();
}

}  // namespace npu
