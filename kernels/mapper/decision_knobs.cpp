#include "kernels/mapper/decision_knobs.h"

#include <fmt/format.h>

#include <utility>

namespace npu::mapper {
namespace {

using std::int64_t;

template <typename T>
Knob knob_of(std::string key, std::optional<T> LayerDecision::*field) {
  return {std::move(key), 1,
          [field](const LayerDecision& d) -> std::optional<int64_t> {
            if (!(d.*field)) return std::nullopt;
            return static_cast<int64_t>(*(d.*field));
          },
          [field](LayerDecision& d, std::optional<int64_t> value) {
            d.*field = value ? std::optional<T>(static_cast<T>(*value)) : std::nullopt;
          }};
}

template <typename T>
Knob buffer_knob(const LayerDecision& d, std::size_t i, const char* name, int64_t unit,
                 std::optional<T> BufferDecision::*field) {
  return {fmt::format("scratchpad.{}.{}", d.buffers[i].name, name), unit,
          [i, field](const LayerDecision& of) -> std::optional<int64_t> {
            if (!(of.buffers[i].*field)) return std::nullopt;
            return static_cast<int64_t>(*(of.buffers[i].*field));
          },
          [i, field](LayerDecision& of, std::optional<int64_t> value) {
            of.buffers[i].*field = value ? std::optional<T>(static_cast<T>(*value)) : std::nullopt;
          }};
}

Knob box_knob(std::size_t i) {
  return {fmt::format("box[{}]", i), 1,
          [i](const LayerDecision& d) -> std::optional<int64_t> { return d.box[i]; },
          [i](LayerDecision& d, std::optional<int64_t> value) {
            if (!value) {
              d.box.clear();
            } else {
              d.box[i] = *value;
            }
          }};
}

}  // namespace

std::vector<Knob> knobs_of(const LayerDecision& d) {
  std::vector<Knob> knobs = {knob_of("tile.out_h", &LayerDecision::out_h),
                             knob_of("tile.out_w", &LayerDecision::out_w),
                             knob_of("tile.out_c", &LayerDecision::out_c),
                             knob_of("tile.in_c", &LayerDecision::in_c),
                             knob_of("images", &LayerDecision::images),
                             knob_of("accumulator.slots", &LayerDecision::acc_slots),
                             knob_of("streamed", &LayerDecision::streamed),
                             knob_of("cut.level", &LayerDecision::cut_level),
                             knob_of("cut.units", &LayerDecision::cut_units),
                             knob_of("softmax.passes", &LayerDecision::passes),
                             knob_of("softmax.block", &LayerDecision::block),
                             knob_of("attention.heads", &LayerDecision::heads),
                             knob_of("attention.rows", &LayerDecision::rows),
                             knob_of("attention.keys", &LayerDecision::keys)};
  for (std::size_t i = 0; i < d.box.size(); ++i) knobs.push_back(box_knob(i));
  for (std::size_t i = 0; i < d.buffers.size(); ++i) {
    knobs.push_back(buffer_knob(d, i, "slots", 1, &BufferDecision::slots));
    knobs.push_back(buffer_knob(d, i, "slot_bytes", kAlignment, &BufferDecision::slot_bytes));
    knobs.push_back(buffer_knob(d, i, "address", kAlignment, &BufferDecision::address));
  }
  std::erase_if(knobs, [&](const Knob& k) { return !k.get(d); });
  return knobs;
}

}  // namespace npu::mapper
