#include "sim/core/activity_recorder.h"

#include <fmt/format.h>

#include <cstddef>

namespace npu {

void ActivityRecorder::watch(const Units& units, const CoreClock& clock) {
  for (const auto& [name, timeline] : units.timelines) {
    log_.units.push_back({name, {}});
    timelines_.push_back(timeline);
  }
  for (Timeline* timeline : units.dram.live_timelines()) {
    log_.units.push_back({fmt::format("dram{}", timelines_.size() - units.timelines.size()), {}});
    timelines_.push_back(timeline);
  }
  // Every count is there before the first pointer to one is taken.
  const std::size_t queues = log_.counts.size();
  for (const auto& engine : units.engines) {
    log_.counts.emplace_back(
        fmt::format("{}.queue", units.timelines[static_cast<std::size_t>(engine->id())].first));
  }
  const std::size_t requests = log_.counts.size();
  for (std::size_t c = 0; c < units.dma.size(); ++c) {
    log_.counts.emplace_back(fmt::format("dma{}.requests", c));
  }
  const std::size_t bursts = log_.counts.size();
  const std::size_t channels = units.dram.live_timelines().size();
  for (std::size_t c = 0; c < channels; ++c) {
    log_.counts.emplace_back(fmt::format("dram{}.reads", c));
    log_.counts.emplace_back(fmt::format("dram{}.writes", c));
  }
  const std::size_t tokens = log_.counts.size();
  for (const auto& from : units.engines) {
    for (const auto& to : units.engines) {
      log_.counts.emplace_back(
          fmt::format("tokens.{}.{}", isa::name_of(from->id()), isa::name_of(to->id())));
    }
  }

  for (std::size_t e = 0; e < units.engines.size(); ++e) {
    units.engines[e]->watch_queue(&log_.counts[queues + e]);
  }
  for (std::size_t c = 0; c < units.dma.size(); ++c) {
    units.dma[c]->watch_requests(&log_.counts[requests + c]);
  }
  std::vector<QueueWatch> watches;
  for (std::size_t c = 0; c < channels; ++c) {
    watches.push_back({&log_.counts[bursts + 2 * c], &log_.counts[bursts + 2 * c + 1]});
  }
  units.dram.watch_queues(watches);
  units.tokens.watch([this, tokens, &clock, engines = units.engines.size()](
                         isa::Engine from, isa::Engine to, std::int64_t by) {
    const auto row = static_cast<std::size_t>(from);
    log_.counts[tokens + row * engines + static_cast<std::size_t>(to)].add(clock.now(), by);
  });
}

void ActivityRecorder::begin_run(std::uint64_t cycle) {
  log_.begin_cycle = cycle;
  for (std::size_t i = 0; i < timelines_.size(); ++i) {
    timelines_[i]->also_log_into(&log_.units[i].phases);
  }
  for (CountLog& count : log_.counts) count.begin_run();
}

}  // namespace npu
