#include "sim/publish/trace_reader.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "sim/base/error.h"

namespace npu::publish {
namespace {

constexpr std::size_t kMaxSpans = 20'000'000;
constexpr std::size_t kMaxTracks = 256;
constexpr std::size_t kMaxCounters = 256;
constexpr double kMaxCycle = 9e15;
constexpr std::string_view kPower = "power ";
constexpr std::string_view kWatts = " [W]";

/// Names as small numbers, in the order in which they come.
class Names {
 public:
  std::uint32_t of(const std::string& name) {
    const auto [at, is_new] = index_.emplace(name, static_cast<std::uint32_t>(all_.size()));
    if (is_new) all_.push_back(name);
    return at->second;
  }
  std::vector<std::string> take() { return std::move(all_); }

 private:
  std::unordered_map<std::string, std::uint32_t> index_;
  std::vector<std::string> all_;
};

/// One event of the file, as far as it is needed.
struct Event {
  std::string phase, name;
  std::optional<std::int64_t> thread;
  std::optional<double> time_us, duration_us;
  std::string arg_name, arg_layer;
  std::int64_t arg_instruction = -1;
  std::optional<double> arg_watts;
};

/// Takes the events as nlohmann's parser meets them.
class TraceHandler : public nlohmann::json::json_sax_t {
 public:
  TraceHandler(std::string file, std::int64_t period_ps)
      : file_(std::move(file)), cycles_per_us_(1e6 / static_cast<double>(period_ps)) {
    layers_.of("");
  }

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t value) override {
    if (at_event() && key_ == "tid") event_.thread = value;
    if (at_args() && key_ == "instruction") event_.arg_instruction = value;
    return number(static_cast<double>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (!std::in_range<std::int64_t>(value)) fail("{}: {}: the number is too large", file_, key_);
    return number_integer(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return number(value);
  }
  bool string(string_t& value) override {
    if (at_event() && key_ == "ph") event_.phase = value;
    if (at_event() && key_ == "name") event_.name = value;
    if (at_args() && key_ == "name") event_.arg_name = value;
    if (at_args() && key_ == "layer") event_.arg_layer = value;
    return true;
  }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*size*/) override {
    enter();
    if (depth_ == kEventDepth && in_events_) event_ = Event();
    if (depth_ == kEventDepth + 1) in_args_ = key_ == "args";
    return true;
  }
  bool end_object() override {
    if (at_event()) take_event();
    --depth_;
    return true;
  }
  bool start_array(std::size_t /*size*/) override {
    enter();
    if (depth_ == kListDepth) {
      in_events_ = key_ == "traceEvents";
      has_events_ = has_events_ || in_events_;
    }
    return true;
  }
  bool end_array() override {
    if (depth_ == kListDepth) in_events_ = false;
    --depth_;
    return true;
  }
  bool key(string_t& value) override {
    key_ = value;
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& error) override {
    if (dynamic_cast<const nlohmann::json::out_of_range*>(&error) != nullptr) {
      fail("{}: a number is beyond the range of a double", file_);
    }
    fail("{}: byte {}: not JSON", file_, position);
  }

  Trace finish() {
    if (!has_events_) fail("{}: traceEvents: is missing", file_);
    Trace out;
    out.names = names_.take();
    out.layers = layers_.take();
    for (auto& [thread, track] : tracks_) {
      const auto begin_of = [](const TraceSpan& span) { return span.begin; };
      std::ranges::stable_sort(track.spans, {}, begin_of);
      for (const TraceSpan& span : track.spans) {
        out.begin = std::min(out.begin, span.begin);
        out.end = std::max(out.end, span.end);
      }
      if (track.name == "layers") {
        out.layer_spans = std::move(track);
      } else {
        out.tracks.push_back(std::move(track));
      }
    }
    if (out.begin > out.end) out.begin = out.end = 0;
    for (PowerCounter& counter : power_) {
      if (counter.begins.size() < 2) continue;
      counter.watts.pop_back();  // The value that ends the counter.
      out.power.push_back(std::move(counter));
    }
    check_power(out.power);
    return out;
  }

 private:
  static constexpr int kListDepth = 2, kEventDepth = 3, kMaxDepth = 8;

  [[nodiscard]] bool at_event() const { return in_events_ && depth_ == kEventDepth; }
  [[nodiscard]] bool at_args() const { return in_events_ && in_args_ && depth_ == kEventDepth + 1; }
  void enter() {
    if (++depth_ > kMaxDepth) fail("{}: more than {} levels", file_, kMaxDepth);
  }
  bool number(double value) {
    if (at_event() && key_ == "ts") event_.time_us = value;
    if (at_event() && key_ == "dur") event_.duration_us = value;
    if (at_args() && key_ == "W") event_.arg_watts = value;
    return true;
  }

  std::uint64_t cycle(double us, std::string_view what) const {
    const double cycle = us * cycles_per_us_;
    if (!(cycle >= 0 && cycle <= kMaxCycle)) {
      fail("{}: {} of \"{}\": must lie from 0 to {:g} cycles, got {} us", file_, what, event_.name,
           kMaxCycle, us);
    }
    return static_cast<std::uint64_t>(std::llround(cycle));
  }

  TraceTrack& track(std::int64_t thread) {
    if (!tracks_.contains(thread) && tracks_.size() == kMaxTracks) {
      fail("{}: more than {} tracks", file_, kMaxTracks);
    }
    return tracks_[thread];
  }

  void take_event() {
    if (event_.phase == "M" && event_.name == "thread_name" && event_.thread) {
      track(*event_.thread).name = event_.arg_name;
    } else if (event_.phase == "X") {
      take_span();
    } else if (event_.phase == "C" && event_.name.starts_with(kPower) &&
               event_.name.ends_with(kWatts) &&
               event_.name.size() > kPower.size() + kWatts.size()) {
      take_power();
    }
  }

  void take_span() {
    if (!event_.thread || !event_.time_us || !event_.duration_us) {
      fail("{}: a span has no tid, ts or dur: \"{}\"", file_, event_.name);
    }
    if (++spans_ > kMaxSpans) fail("{}: more than {} spans", file_, kMaxSpans);
    TraceTrack& to = track(*event_.thread);
    const bool is_layer = to.name == "layers";
    const std::uint64_t begin = cycle(*event_.time_us, "ts");
    to.spans.push_back({.begin = begin,
                        .end = begin + cycle(*event_.duration_us, "dur"),
                        .name = names_.of(is_layer ? "layer" : event_.name),
                        .layer = layers_.of(is_layer ? event_.name : event_.arg_layer),
                        .instruction = event_.arg_instruction});
  }

  void take_power() {
    if (!event_.time_us || !event_.arg_watts || !(*event_.arg_watts >= 0)) {
      fail("{}: \"{}\" has no ts or W", file_, event_.name);
    }
    const std::string component =
        event_.name.substr(kPower.size(), event_.name.size() - kPower.size() - kWatts.size());
    auto counter = std::ranges::find(power_, component, &PowerCounter::component);
    if (counter == power_.end()) {
      if (power_.size() == kMaxCounters) fail("{}: more than {} counters", file_, kMaxCounters);
      power_.push_back({.component = component, .begins = {}, .watts = {}});
      counter = power_.end() - 1;
    }
    const std::uint64_t at = cycle(*event_.time_us, "ts");
    if (!counter->begins.empty() && at <= counter->begins.back()) {
      fail("{}: \"{}\": its times must grow, got {} us", file_, event_.name, *event_.time_us);
    }
    counter->begins.push_back(at);
    counter->watts.push_back(*event_.arg_watts);
  }

  void check_power(const std::vector<PowerCounter>& power) const {
    for (const PowerCounter& counter : power) {
      if (counter.begins != power.front().begins) {
        fail("{}: power {} has other windows than power {}", file_, counter.component,
             power.front().component);
      }
    }
  }

  std::string file_;
  double cycles_per_us_;
  int depth_ = 0;
  bool in_events_ = false, in_args_ = false, has_events_ = false;
  std::string key_;
  Event event_;
  Names names_, layers_;
  std::map<std::int64_t, TraceTrack> tracks_;
  std::vector<PowerCounter> power_;
  std::size_t spans_ = 0;
};

}  // namespace

std::uint32_t Trace::layer(std::string_view name) const {
  const auto at = std::ranges::find(layers, name);
  return at == layers.end() ? 0 : static_cast<std::uint32_t>(at - layers.begin());
}

Trace read_trace(std::string_view text, const std::string& file, std::int64_t clock_period_ps) {
  TraceHandler handler(file, clock_period_ps);
  nlohmann::json::sax_parse(text, &handler);
  return handler.finish();
}

}  // namespace npu::publish
