#include "sim/core/layer_accounting.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "sim/base/error.h"

namespace npu {

LayerAccounting::LayerAccounting(std::size_t layer_count)
    : running_(layer_count), layers_(layer_count), has_instructions_(layer_count) {}

void LayerAccounting::begin_run(std::uint64_t cycle, const std::vector<EventCounts>& events) {
  begin_cycle_ = cycle;
  events_before_ = events;
  std::fill(running_.begin(), running_.end(), LayerStats{});
  std::fill(has_instructions_.begin(), has_instructions_.end(), false);
}

void LayerAccounting::on_complete(isa::Engine engine, const Completion& completion) {
  if (completion.layer < 0) return;
  const auto index = static_cast<std::size_t>(completion.layer);
  LayerStats& layer = running_[index];
  has_instructions_[index] = true;
  layer.end_cycle = std::max(layer.end_cycle, completion.cycle);
  std::uint64_t& busy = engine == isa::Engine::kMacArray ? layer.mac_busy_cycles
                        : engine == isa::Engine::kVector ? layer.vector_busy_cycles
                                                         : layer.dma_busy_cycles;
  busy += completion.busy_cycles;
}

void LayerAccounting::end_run(std::uint64_t cycle, const std::vector<EventCounts>& events,
                              std::uint64_t burst_bytes) {
  NPU_CHECK(events.size() == running_.size() + 1 && events.size() == events_before_.size(),
            "one event count per layer and one for none");
  for (std::size_t i = 0; i < running_.size(); ++i) {
    LayerStats& layer = running_[i];
    for (std::size_t e = 0; e < kEventCount; ++e) {
      layer.events[e] = events[i][e] - events_before_[i][e];
    }
    const auto count = [&](Event event) { return layer.events[static_cast<std::size_t>(event)]; };
    layer.dram_read_bytes = count(Event::kDramRead) * burst_bytes;
    layer.dram_write_bytes = count(Event::kDramWrite) * burst_bytes;
  }
  place_spans(cycle);
  layers_ = running_;
}

void LayerAccounting::place_spans(std::uint64_t end_cycle) {
  std::uint64_t before = begin_cycle_;
  for (std::size_t i = 0; i < running_.size(); ++i) {
    if (!has_instructions_[i]) running_[i].end_cycle = before;
    before = running_[i].end_cycle;
  }
  std::vector<std::size_t> order(running_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
    return running_[a].end_cycle < running_[b].end_cycle;
  });
  std::uint64_t begin = begin_cycle_;
  for (const std::size_t i : order) {
    running_[i].begin_cycle = begin;
    begin = running_[i].end_cycle;
  }
  if (!order.empty()) running_[order.back()].end_cycle = end_cycle;
}

}  // namespace npu
