#include "sim/stats/recorder.h"

#include <utility>

#include "sim/base/error.h"

namespace npu {
namespace {

struct EventName {
  std::string_view name, component;
};

constexpr std::array<EventName, kEventCount> kEventNames = {{
    {"mac_int8", "mac_array"},
    {"mac_int16", "mac_array"},
    {"weight_register_write", "mac_array"},
    {"scratchpad_read", "scratchpad"},
    {"scratchpad_write", "scratchpad"},
    {"accumulator_read", "accumulator"},
    {"accumulator_write", "accumulator"},
    {"vector_op", "vector_unit"},
    {"dma_byte", "dma"},
    {"instruction", "sequencer"},
    {"dram_activate", "dram"},
    {"dram_read", "dram"},
    {"dram_write", "dram"},
    {"dram_refresh", "dram"},
    {"mac_float16", "mac_array"},
    {"mac_bfloat16", "mac_array"},
    {"mac_float32", "mac_array"},
    {"vector_float_op", "vector_unit"},
}};

}  // namespace

std::string_view name_of(Event event) { return kEventNames[static_cast<std::size_t>(event)].name; }

std::string_view component_of(Event event) {
  return kEventNames[static_cast<std::size_t>(event)].component;
}

Recorder::Recorder(std::size_t layer_count) : per_layer_(layer_count + 1) {}

void Recorder::begin_program(std::size_t layer_count) {
  per_layer_.assign(layer_count + 1, EventCounts{});
  spans_.clear();
}

std::uint32_t Recorder::add_track(std::string name) {
  tracks_.push_back(std::move(name));
  return static_cast<std::uint32_t>(tracks_.size() - 1);
}

void Recorder::count(Event event, std::uint64_t count, std::int32_t layer,
                     std::uint64_t begin_cycle, std::uint64_t end_cycle) {
  NPU_CHECK(layer >= -1 && layer < static_cast<std::int64_t>(per_layer_.size()) - 1,
            "an event names a layer that the recorder does not have");
  NPU_CHECK(begin_cycle <= end_cycle, "an event ends before it begins");
  if (count == 0) return;
  const auto index = static_cast<std::size_t>(event);
  const std::size_t row = layer < 0 ? per_layer_.size() - 1 : static_cast<std::size_t>(layer);
  totals_[index] += count;
  per_layer_[row][index] += count;
  if (layer < 0 && keeps_without_layer) {
    without_layer_.push_back({event, count, begin_cycle, end_cycle});
  }
  if (on_activity) on_activity(event, count, begin_cycle, end_cycle);
}

}  // namespace npu
