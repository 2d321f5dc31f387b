#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace npu::publish {

/// One span of a track, in core cycles.
struct TraceSpan {
  std::uint64_t begin = 0, end = 0;
  std::uint32_t name = 0;        ///< Into Trace::names.
  std::uint32_t layer = 0;       ///< Into Trace::layers; 0 is "", no layer.
  std::int64_t instruction = 0;  ///< Static index, −1 for none.
};

struct TraceTrack {
  std::string name;
  std::vector<TraceSpan> spans;  ///< By begin.
};

/// Average power of a component over consecutive windows.
struct PowerCounter {
  std::string component;
  std::vector<std::uint64_t> begins;  ///< In cycles; the last one is the end of the last window.
  std::vector<double> watts;          ///< One less than begins.
};

/// trace.json of a run.
struct Trace {
  std::vector<std::string> names;   ///< Of instructions.
  std::vector<std::string> layers;  ///< In the order of the program; the first is "".
  std::vector<TraceTrack> tracks;   ///< Engines and DRAM channels, in the order of the file.
  TraceTrack layer_spans;           ///< The track "layers".
  std::vector<PowerCounter> power;
  std::uint64_t begin = std::numeric_limits<std::uint64_t>::max(), end = 0;  ///< Of all spans.

  /// Index of a layer by its name, 0 for one that has no span.
  [[nodiscard]] std::uint32_t layer(std::string_view name) const;
};

/// Reads a trace that `npusim run` wrote, without holding its text twice.
/// @throws Error `file: …`: not JSON, not of this shape, spans beyond any clock, more than
/// 20,000,000 spans or 256 tracks.
[[nodiscard]] Trace read_trace(std::string_view text, const std::string& file,
                               std::int64_t clock_period_ps);

}  // namespace npu::publish
