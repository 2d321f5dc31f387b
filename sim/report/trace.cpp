#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "sim/report/writers.h"

namespace npu::report {
namespace {

/// Cycle as microseconds, exact to the picosecond.
std::string microseconds(std::uint64_t cycle, std::int64_t period_ps) {
  const std::uint64_t ps = cycle * static_cast<std::uint64_t>(period_ps);
  return fmt::format("{}.{:06}", ps / 1'000'000, ps % 1'000'000);
}

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Cycles of each window in which the track holds a span. Spans of one track do not overlap by more
/// than pipelining allows; overlapped cycles count once.
std::vector<std::uint64_t> occupied_cycles(std::vector<Span> spans,
                                           const std::vector<PowerSample>& windows) {
  std::stable_sort(spans.begin(), spans.end(),
                   [](const Span& a, const Span& b) { return a.begin_cycle < b.begin_cycle; });
  std::vector<std::uint64_t> out(windows.size(), 0);
  std::uint64_t counted = 0;  // Everything before is already counted.
  std::size_t first = 0;
  for (const Span& s : spans) {
    const std::uint64_t from = std::max(s.begin_cycle, counted);
    while (first < windows.size() && windows[first].end_cycle <= from) ++first;
    for (std::size_t w = first; w < windows.size() && windows[w].begin_cycle < s.end_cycle; ++w) {
      const std::uint64_t low = std::max(from, windows[w].begin_cycle);
      const std::uint64_t high = std::min(s.end_cycle, windows[w].end_cycle);
      if (high > low) out[w] += high - low;
    }
    counted = std::max(counted, s.end_cycle);
  }
  return out;
}

class TraceWriter {
 public:
  explicit TraceWriter(const Report& report) : report_(report) {
    begin_ = report.stats.last_run_begin_cycle;
  }

  std::string write() {
    out_ = "{\"displayTimeUnit\":\"ns\",\"otherData\":{";
    fmt::format_to(
        std::back_inserter(out_), "\"config\":{},\"model\":{},\"clock_period_ps\":\"{}\"",
        quoted(report_.config_name), quoted(report_.model_name), report_.clock_period_ps);
    out_ +=
        "},\"traceEvents\":[\n{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":"
        "\"NPU\"}}";
    tracks();
    layers();
    spans();
    counters();
    return out_ + "\n]}\n";
  }

 private:
  template <typename... Args>
  void event(fmt::format_string<Args...> format, Args&&... args) {
    out_ += ",\n{";
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '}';
  }
  [[nodiscard]] std::string time(std::uint64_t cycle) const {
    return microseconds(cycle, report_.clock_period_ps);
  }

  void tracks() {
    event(R"("ph":"M","pid":1,"tid":0,"name":"thread_name","args":{{"name":"layers"}})");
    for (std::size_t t = 0; t < report_.stats.tracks.size(); ++t) {
      event(R"("ph":"M","pid":1,"tid":{},"name":"thread_name","args":{{"name":{}}})", t + 1,
            quoted(report_.stats.tracks[t]));
      event(R"("ph":"M","pid":1,"tid":{0},"name":"thread_sort_index","args":{{"sort_index":{0}}})",
            t + 1);
    }
  }

  void layers() {
    for (const LayerRow& l : report_.layers) {
      if (l.cycles() == 0) continue;
      const std::uint64_t cycles = l.stats.end_cycle - l.stats.begin_cycle;
      event(
          R"("ph":"X","pid":1,"tid":0,"name":{},"ts":{},"dur":{},"args":{{"cycles":{},"bound_by":"{}","repeats":{}}})",
          quoted(l.name), time(l.stats.begin_cycle), time(cycles), cycles, bound_by(report_, l),
          l.stats.repeats);
    }
  }

  void spans() {
    for (const Span& s : report_.stats.spans) {
      if (s.end_cycle <= begin_ || s.end_cycle <= s.begin_cycle) continue;
      const bool known = s.instruction >= 0 &&
                         static_cast<std::size_t>(s.instruction) < report_.instructions.size();
      const InstructionLabel label =
          known ? report_.instructions[static_cast<std::size_t>(s.instruction)]
                : InstructionLabel{.mnemonic = "busy", .layer = ""};
      event(
          R"("ph":"X","pid":1,"tid":{},"name":{},"ts":{},"dur":{},"args":{{"instruction":{},"layer":{},"cycles":{}}})",
          s.track + 1, quoted(label.mnemonic), time(s.begin_cycle),
          time(s.end_cycle - s.begin_cycle), s.instruction, quoted(label.layer),
          s.end_cycle - s.begin_cycle);
    }
  }

  void counters() {
    std::vector<PowerSample> windows;
    for (const PowerSample& w : report_.stats.power) {
      if (w.end_cycle > begin_ && w.end_cycle > w.begin_cycle) windows.push_back(w);
    }
    for (std::size_t c = 0; c < report_.stats.power_components.size(); ++c) {
      const std::string name = quoted("power " + report_.stats.power_components[c] + " [W]");
      for (const PowerSample& w : windows) {
        event(R"("ph":"C","pid":1,"name":{},"ts":{},"args":{{"W":{}}})", name, time(w.begin_cycle),
              w.watts.at(c));
      }
      finish(windows, name, "W");
    }
    for (std::size_t t = 0; t < report_.stats.tracks.size(); ++t) {
      std::vector<Span> own;
      std::copy_if(report_.stats.spans.begin(), report_.stats.spans.end(), std::back_inserter(own),
                   [t](const Span& s) { return s.track == t; });
      const std::vector<std::uint64_t> busy = occupied_cycles(std::move(own), windows);
      const std::string name = quoted("occupied " + report_.stats.tracks[t] + " [%]");
      for (std::size_t w = 0; w < windows.size(); ++w) {
        const std::uint64_t length = windows[w].end_cycle - windows[w].begin_cycle;
        event(R"("ph":"C","pid":1,"name":{},"ts":{},"args":{{"percent":{}}})", name,
              time(windows[w].begin_cycle),
              100.0 * static_cast<double>(busy[w]) / static_cast<double>(length));
      }
      finish(windows, name, "percent");
    }
  }

  /// A counter holds its value until the next; this ends it.
  void finish(const std::vector<PowerSample>& windows, const std::string& name,
              std::string_view key) {
    if (windows.empty()) return;
    event(R"("ph":"C","pid":1,"name":{},"ts":{},"args":{{"{}":0}})", name,
          time(windows.back().end_cycle), key);
  }

  const Report& report_;
  std::uint64_t begin_ = 0;
  std::string out_;
};

}  // namespace

std::string trace_json(const Report& report) { return TraceWriter(report).write(); }

}  // namespace npu::report
