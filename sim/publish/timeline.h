#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/publish/trace_reader.h"

namespace npu::publish {

/// One bar of the timeline: a span, or neighbours of one layer that were merged.
struct Bar {
  std::uint64_t begin = 0, end = 0;
  std::uint64_t busy = 0;  ///< Cycles of its spans; end − begin where nothing was merged.
  std::uint64_t spans = 1;
  std::uint32_t name = 0;   ///< Into Trace::names, of the longest span.
  std::uint32_t layer = 0;  ///< Into Trace::layers, of the longest span.
  std::int64_t instruction = -1;
};

struct TimelineTrack {
  std::string name;
  std::vector<Bar> bars;
};

/// The trace in so few bars that a page can hold them.
struct Timeline {
  std::vector<TimelineTrack> tracks;
  std::uint64_t spans = 0;          ///< Of the trace.
  std::uint64_t merged_cycles = 0;  ///< Neighbours within so many cycles are one bar; 0: none.
  bool merges_layers = false;       ///< Also spans of different layers were merged.
};

/// Spans of a track are merged, in their order, as long as the bar stays within a number of cycles
/// and they are of one layer. The number is the least power of two (0 first) for which `max_bars`
/// bars suffice. Where the layers alone are more than that, their spans are merged too.
/// @param max_bars  at least as many as there are tracks.
[[nodiscard]] Timeline make_timeline(const Trace& trace, std::size_t max_bars);

/// Power over time in so few windows that a page can hold them: the mean over each window, and the
/// highest total of the windows that it is made of.
struct PowerOverTime {
  std::vector<std::string> components;
  std::vector<std::uint64_t> begins;       ///< The last one is the end.
  std::vector<std::vector<double>> watts;  ///< Per component, one less than begins.
  std::vector<double> peak_watts;          ///< Of the total.
  std::uint64_t windows = 0;               ///< Of the trace.
};
[[nodiscard]] PowerOverTime make_power(const Trace& trace, std::size_t max_windows);

}  // namespace npu::publish
