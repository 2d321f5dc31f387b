#include "sim/compute/result_stream.h"

#include <algorithm>
#include <utility>

#include "sim/base/error.h"

namespace npu {

ResultStream::ResultStream(const MacArrayConfig& config)
    : places_(config.result_stream_entries),
      latency_(static_cast<std::uint64_t>(config.result_stream_latency_cycles)),
      credit_latency_(static_cast<std::uint64_t>(config.result_credit_latency_cycles)) {}

std::uint64_t ResultStream::wait_for_places(std::int64_t entries) {
  NPU_CHECK(entries <= places_, "a stripe fits the result stream");
  const std::int64_t needed = pushed_ + entries - places_;
  if (needed <= 0) return 0;
  while (taken_ < needed) sc_core::wait(was_taken_);
  while (runs_begin_ + runs_.front().entries < needed) {
    runs_begin_ += runs_.front().entries;
    runs_.pop_front();
  }
  const Run& run = runs_.front();
  return run.start + static_cast<std::uint64_t>((needed - runs_begin_) * run.cost) +
         credit_latency_;
}

void ResultStream::push(std::int64_t entries, std::uint64_t last_mac) {
  stripes_.push_back({entries, last_mac + latency_});
  pushed_ += entries;
  was_pushed_.notify(sc_core::SC_ZERO_TIME);
}

void ResultStream::push_tile(std::int64_t positions, std::vector<std::byte> sums) {
  tiles_.push_back({positions, 0, std::move(sums)});
}

ResultStream::Taken ResultStream::take(std::int64_t entries, std::uint64_t cycle,
                                       std::int64_t cost) {
  Taken taken{.end_cycle = cycle, .takes = {}};
  while (entries > 0) {
    while (stripes_.empty()) sc_core::wait(was_pushed_);
    Stripe& stripe = stripes_.front();
    const std::int64_t count = std::min(entries, stripe.entries);
    const Run run{count, std::max(taken.end_cycle, stripe.ready), cost};
    const auto busy = static_cast<std::uint64_t>(count * cost);
    if (!taken.takes.empty() && run.start == taken.end_cycle) {
      taken.takes.back().entries += count;
    } else {
      taken.takes.push_back({.entries = count,
                             .start_cycle = run.start,
                             .cost_cycles = static_cast<std::uint64_t>(cost)});
    }
    taken.end_cycle = run.start + busy;
    taken.busy_cycles += busy;
    runs_.push_back(run);
    taken_ += count;
    entries -= count;
    stripe.entries -= count;
    if (stripe.entries == 0) stripes_.pop_front();
    was_taken_.notify(sc_core::SC_ZERO_TIME);
  }
  return taken;
}

std::span<std::byte> ResultStream::take_sums(std::int64_t positions) {
  if (!tiles_.empty() && tiles_.front().taken == tiles_.front().positions) tiles_.pop_front();
  NPU_CHECK(!tiles_.empty() && tiles_.front().taken + positions <= tiles_.front().positions,
            "the streamed tile has these results");
  Tile& tile = tiles_.front();
  const auto bytes = static_cast<std::int64_t>(tile.sums.size()) / tile.positions;
  const std::span<std::byte> sums = std::span(tile.sums).subspan(
      static_cast<std::size_t>(tile.taken * bytes), static_cast<std::size_t>(positions * bytes));
  tile.taken += positions;
  return sums;
}

}  // namespace npu
