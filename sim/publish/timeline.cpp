#include "sim/publish/timeline.h"

#include <algorithm>

#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::publish {
namespace {

/// How spans become bars.
struct Merging {
  std::uint64_t within_cycles = 0;
  bool across_layers = false;
};

/// Whether a span joins the bar before it.
bool joins(const Bar& bar, const TraceSpan& span, const Merging& merging) {
  return merging.within_cycles > 0 && (bar.layer == span.layer || merging.across_layers) &&
         std::max(bar.end, span.end) - bar.begin <= merging.within_cycles;
}

template <typename Emit>
void each_bar(const TraceTrack& track, const Merging& merging, const Emit& emit) {
  Bar bar;
  std::uint64_t longest = 0;
  bool is_open = false;
  for (const TraceSpan& span : track.spans) {
    const std::uint64_t cycles = span.end - span.begin;
    if (is_open && joins(bar, span, merging)) {
      // Pipelined spans overlap: what overlaps is busy once.
      bar.busy += span.end - std::min(span.end, std::max(span.begin, bar.end));
      bar.end = std::max(bar.end, span.end);
      ++bar.spans;
      if (cycles <= longest) continue;
    } else {
      if (is_open) emit(bar);
      bar = {.begin = span.begin, .end = span.end, .busy = cycles};
      is_open = true;
    }
    longest = cycles;
    bar.name = span.name;
    bar.layer = span.layer;
    bar.instruction = span.instruction;
  }
  if (is_open) emit(bar);
}

std::size_t bars_of(const Trace& trace, const Merging& merging) {
  std::size_t count = 0;
  for (const TraceTrack& track : trace.tracks) {
    each_bar(track, merging, [&count](const Bar&) { ++count; });
  }
  return count;
}

Merging choose_merging(const Trace& trace, std::size_t max_bars) {
  for (const bool across_layers : {false, true}) {
    Merging merging{.within_cycles = 0, .across_layers = across_layers};
    const std::uint64_t length = trace.end - trace.begin;
    while (bars_of(trace, merging) > max_bars) {
      if (merging.within_cycles > length) break;
      merging.within_cycles = std::max<std::uint64_t>(1, merging.within_cycles * 2);
    }
    if (merging.within_cycles <= length || across_layers) return merging;
  }
  return {};
}

}  // namespace

Timeline make_timeline(const Trace& trace, std::size_t max_bars) {
  NPU_CHECK(max_bars >= trace.tracks.size(), "a bar for every track");
  const Merging merging = choose_merging(trace, max_bars);
  Timeline out;
  out.merged_cycles = merging.within_cycles;
  out.merges_layers = merging.across_layers;
  for (const TraceTrack& track : trace.tracks) {
    out.spans += track.spans.size();
    out.tracks.push_back({.name = track.name, .bars = {}});
    each_bar(track, merging, [&](const Bar& bar) { out.tracks.back().bars.push_back(bar); });
  }
  return out;
}

PowerOverTime make_power(const Trace& trace, std::size_t max_windows) {
  PowerOverTime out;
  if (trace.power.empty()) return out;
  const std::vector<std::uint64_t>& begins = trace.power.front().begins;
  out.windows = begins.size() - 1;
  const auto each = static_cast<std::size_t>(
      ceil_div(static_cast<std::int64_t>(out.windows), static_cast<std::int64_t>(max_windows)));
  out.watts.resize(trace.power.size());
  for (const PowerCounter& counter : trace.power) out.components.push_back(counter.component);
  for (std::size_t first = 0; first < out.windows; first += each) {
    const std::size_t last = std::min<std::size_t>(first + each, out.windows);
    out.begins.push_back(begins[first]);
    const auto length = static_cast<double>(begins[last] - begins[first]);
    double peak = 0;
    for (std::size_t w = first; w < last; ++w) {
      double total = 0;
      for (const PowerCounter& counter : trace.power) total += counter.watts[w];
      peak = std::max(peak, total);
    }
    out.peak_watts.push_back(peak);
    for (std::size_t c = 0; c < trace.power.size(); ++c) {
      double joules = 0;
      for (std::size_t w = first; w < last; ++w) {
        joules += trace.power[c].watts[w] * static_cast<double>(begins[w + 1] - begins[w]);
      }
      out.watts[c].push_back(joules / length);
    }
  }
  out.begins.push_back(begins.back());
  return out;
}

}  // namespace npu::publish
