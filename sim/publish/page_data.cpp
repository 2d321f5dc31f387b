#include "sim/publish/page_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "sim/publish/timeline.h"

namespace npu::publish {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxBars = 24'000;
constexpr std::size_t kLeastBars = 1000;
constexpr std::size_t kMaxWindows = 1200;
constexpr std::size_t kMaxBlocks = 3000;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// A section's data, or {"absent": why}.
template <typename T, typename ToJson>
Json section(const Section<T>& of, const ToJson& to_json) {
  if (!of.value) return {{"absent", of.absent}};
  return to_json(*of.value);
}

Json figures_data(const Summary& s) {
  Json out = Json::array();
  for (std::size_t i = 0; i < kFigureCount; ++i) {
    out.push_back({{"key", kFigures[i].key},
                   {"label", kFigures[i].label},
                   {"unit", kFigures[i].unit},
                   {"better", kFigures[i].more_is_better ? "more" : "less"},
                   {"value", s.figures[i]}});
  }
  return out;
}

Json interval_data(const std::optional<LatencyInterval>& interval) {
  if (!interval) return nullptr;
  return {{"low_ms", interval->low_ms},
          {"high_ms", interval->high_ms},
          {"level_percent", interval->level_percent}};
}

Json peaks_data(const Peaks& peaks) {
  Json macs = Json::array(), bytes = Json::array();
  for (const Peaks::Rate& r : peaks.macs)
    macs.push_back({{"name", r.name}, {"per_cycle", r.per_cycle}});
  for (const Peaks::Rate& r : peaks.bytes) {
    bytes.push_back({{"name", r.name}, {"per_cycle", r.per_cycle}});
  }
  return {{"macs", std::move(macs)}, {"bytes", std::move(bytes)}};
}

Json units_data(const std::vector<UnitBuckets>& units) {
  Json out = Json::array();
  for (const UnitBuckets& unit : units) {
    Json buckets = Json::array();
    for (const NamedCycles& b : unit.buckets) {
      if (b.cycles > 0) buckets.push_back({{"name", b.name}, {"cycles", b.cycles}});
    }
    out.push_back({{"unit", unit.unit}, {"buckets", std::move(buckets)}});
  }
  return out;
}

Json layers_data(const std::vector<LayerFigures>& layers) {
  Json out = Json::array();
  for (const LayerFigures& l : layers) {
    out.push_back({{"name", l.name},
                   {"bound_by", l.bound_by},
                   {"cycles", l.cycles},
                   {"macs", l.macs},
                   {"utilization", l.utilization},
                   {"dram_read_bytes", l.dram_read_bytes},
                   {"dram_write_bytes", l.dram_write_bytes},
                   {"energy_pj", l.energy_pj},
                   {"component_pj", l.component_pj},
                   {"repeats", l.repeats},
                   {"differing", or_null(l.differing)},
                   // An infinite one is null in the page: "exact" says which it is.
                   {"sqnr_db", or_null(l.sqnr_db)},
                   {"exact", l.sqnr_db == std::numeric_limits<double>::infinity()}});
  }
  return out;
}

Json energy_data(const std::vector<EnergyFigures>& energy) {
  Json out = Json::array();
  for (const EnergyFigures& e : energy) {
    out.push_back({{"component", e.component},
                   {"event", e.event},
                   {"count", e.count},
                   {"per_event_pj", e.per_event_pj},
                   {"energy_pj", e.energy_pj},
                   {"class", e.source_class},
                   {"source", e.source}});
  }
  return out;
}

/// Bars as flat numbers: begin, length, busy, spans, name, layer, instruction. They are most of a
/// page.
Json timeline_data(const Timeline& timeline, const Trace& trace) {
  Json tracks = Json::array();
  for (const TimelineTrack& track : timeline.tracks) {
    Json bars = Json::array();
    for (const Bar& b : track.bars) {
      bars.push_back({b.begin, b.end - b.begin, b.busy, b.spans, b.name, b.layer, b.instruction});
    }
    tracks.push_back({{"name", track.name}, {"bars", std::move(bars)}});
  }
  Json layers = Json::array();
  for (const TraceSpan& span : trace.layer_spans.spans) {
    layers.push_back({span.begin, span.end - span.begin, span.layer});
  }
  return {{"names", trace.names},
          {"layers", trace.layers},
          {"layer_spans", std::move(layers)},
          {"tracks", std::move(tracks)},
          {"begin", trace.begin},
          {"end", trace.end},
          {"spans", timeline.spans},
          {"merged_cycles", timeline.merged_cycles},
          {"merges_layers", timeline.merges_layers}};
}

Json power_data(const PowerOverTime& power) {
  if (power.components.empty()) return {{"absent", "The trace has no power over time."}};
  return {{"components", power.components},
          {"begins", power.begins},
          {"watts", power.watts},
          {"peak_watts", power.peak_watts},
          {"windows", power.windows}};
}

Json memory_data(const std::vector<MemoryUse>& memory, const Peaks& peaks) {
  Json out = Json::array();
  for (const MemoryUse& use : memory) {
    Json blocks = Json::array();
    for (const Allocation& a : use.allocations) {
      if (blocks.size() == kMaxBlocks) break;
      blocks.push_back({a.begin, a.end, a.address, a.bytes, a.kind, a.label});
    }
    const auto capacity = std::ranges::find(peaks.capacities, use.memory, &Peaks::Capacity::name);
    out.push_back({{"memory", use.memory},
                   {"capacity_bytes",
                    capacity == peaks.capacities.end() ? Json(nullptr) : Json(capacity->bytes)},
                   {"peak_bytes", use.peak_bytes},
                   {"kinds", use.kinds},
                   {"times", use.times},
                   {"bytes", use.bytes},
                   {"blocks", std::move(blocks)},
                   {"allocations", use.allocations.size()}});
  }
  return {{"memories", std::move(out)}};
}

Json error_data(const ErrorFigures& e) {
  return {{"elements", e.elements},
          {"differing", e.differing},
          {"max_lsb", e.max_lsb},
          {"max_abs_error", or_null(e.max_abs_error)},
          {"mean_squared_error", or_null(e.mean_squared_error)},
          {"cosine", or_null(e.cosine)},
          {"sqnr_db", or_null(e.sqnr_db)}};
}

Json tensors_data(const std::vector<TensorFigures>& tensors) {
  Json out = Json::array();
  for (const TensorFigures& t : tensors) {
    out.push_back({{"id", t.id},
                   {"name", t.name},
                   {"layer", t.layer},
                   {"type", t.type},
                   {"integer", error_data(t.integer)},
                   {"float", t.against_float ? error_data(*t.against_float) : Json(nullptr)}});
  }
  return out;
}

Json accuracy_data(const Summary& s) {
  if (!s.accuracy) {
    return {{"absent", s.timing_only ? "A timing-only run computes no values."
                                     : "The run was not compared with a reference."}};
  }
  Json classes = Json::array();
  for (const ClassShares& c : s.accuracy->classes) {
    classes.push_back({{"against", c.against}, {"top1", c.top1}, {"top5", c.top5}});
  }
  return {{"samples", s.accuracy->samples},
          {"outputs", tensors_data(s.accuracy->outputs)},
          {"tensors", tensors_data(s.accuracy->tensors)},
          {"classes", std::move(classes)}};
}

Json shares_data(const std::vector<report::PathShare>& shares) {
  Json out = Json::array();
  for (const report::PathShare& share : shares) {
    out.push_back(
        {{"unit", share.unit}, {"cause", name_of(share.cause)}, {"cycles", share.cycles}});
  }
  return out;
}

Json path_data(const report::PathSummary& path) {
  Json layers = Json::array();
  for (const report::LayerPathShare& layer : path.layers) {
    layers.push_back(
        {{"layer", layer.layer}, {"cycles", layer.cycles}, {"shares", shares_data(layer.shares)}});
  }
  return {{"total_cycles", path.total_cycles},
          {"shares", shares_data(path.shares)},
          {"layers", std::move(layers)}};
}

Json configuration_data(const std::vector<TextFile>& files) {
  Json out = Json::array();
  for (const TextFile& file : files) out.push_back({{"name", file.name}, {"text", file.text}});
  return {{"files", std::move(out)}};
}

Json pairs_data(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Json out = Json::array();
  for (const auto& [key, value] : pairs) out.push_back({key, value});
  return out;
}

Json run_data(const RunFolder& run, std::size_t max_bars) {
  const Summary& s = run.summary;
  Json host = Json::array();
  for (const HostOperator& op : s.host_operators) {
    host.push_back({{"name", op.name}, {"bytes", op.bytes}, {"time_ms", or_null(op.time_ms)}});
  }
  return {{"name", run.name},
          {"config", s.config},
          {"model", s.model},
          {"provenance", pairs_data(s.provenance)},
          {"notes", s.notes},
          {"timing_only", s.timing_only},
          {"repeats_once", s.repeats_once},
          {"samples", s.samples},
          {"total_cycles", s.total_cycles},
          {"simulated_cycles", s.simulated_cycles},
          {"clock_period_ps", s.clock_period_ps},
          {"figures", figures_data(s)},
          {"latency_interval", interval_data(s.interval)},
          {"peaks", peaks_data(s.peaks)},
          {"units", units_data(s.units)},
          {"host_operators", std::move(host)},
          {"host_ms", or_null(s.host_ms)},
          {"host_energy_pj", or_null(s.host_energy_pj)},
          {"components", run.components},
          {"layers", layers_data(run.layers)},
          {"no_layer_energy_pj", s.no_layer_energy_pj},
          {"energy", energy_data(run.energy)},
          {"timeline", timeline_data(make_timeline(run.trace, max_bars), run.trace)},
          {"power", power_data(make_power(run.trace, kMaxWindows))},
          {"memory", section(run.memory, [&](const auto& m) { return memory_data(m, s.peaks); })},
          {"accuracy", accuracy_data(s)},
          {"critical_path", section(run.path, path_data)},
          {"configuration", section(run.configuration, configuration_data)}};
}

}  // namespace

nlohmann::json page_data(const std::vector<RunFolder>& runs) {
  const std::size_t bars = std::max(kLeastBars, kMaxBars / std::max<std::size_t>(1, runs.size()));
  Json all = Json::array();
  for (const RunFolder& run : runs) all.push_back(run_data(run, bars));
  if (runs.size() == 1) {
    return {{"kind", "run"},
            {"subtitle", "npusim run " + runs.front().name},
            {"run", std::move(all.front())}};
  }
  return {{"kind", "runs"}, {"subtitle", "npusim runs"}, {"runs", std::move(all)}};
}

std::string page_title(const std::vector<RunFolder>& runs) {
  if (runs.size() != 1) return fmt::format("Comparison of {} runs", runs.size());
  return fmt::format("{} on {}", runs.front().summary.model, runs.front().summary.config);
}

}  // namespace npu::publish
