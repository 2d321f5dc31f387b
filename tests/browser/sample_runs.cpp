#include "tests/browser/sample_runs.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

namespace npu::test {
namespace {

using Json = nlohmann::json;
using publish::RunFolder;

constexpr std::uint64_t kLayerCycles = 1000;
constexpr std::array<const char*, 4> kEngines = {"mac_array", "vector_unit", "dma0", "dram0"};
constexpr std::array<const char*, 3> kBounds = {"mac_array", "dram", "latency"};

std::string layer_name(std::size_t i) {
  return (i % 3 == 2 ? "ADD #" : "CONV_2D #") + std::to_string(i);
}

publish::LayerFigures layer_of(std::size_t i) {
  publish::LayerFigures l;
  l.name = layer_name(i);
  l.bound_by = kBounds[i % kBounds.size()];
  l.begin_cycle = i * kLayerCycles;
  l.end_cycle = l.begin_cycle + kLayerCycles;
  l.cycles = kLayerCycles;
  l.macs = i % 3 == 2 ? 0 : 100'000 * (i + 1);
  l.utilization = static_cast<double>(l.macs) / 1'024'000;
  l.dram_read_bytes = 4096 * (i + 1);
  l.dram_write_bytes = 1024;
  l.energy_pj = 1500;
  l.component_pj = {1000, 500};
  l.differing = 0;
  l.sqnr_db = i == 0 ? std::numeric_limits<double>::infinity() : 40.0 - static_cast<double>(i);
  return l;
}

publish::Trace trace_of(const std::vector<publish::LayerFigures>& layers, std::size_t spans) {
  publish::Trace t;
  t.names = {"layer", "mac.conv", "dma.load"};
  t.layers = {""};
  t.layer_spans.name = "layers";
  t.begin = 0;
  t.end = layers.size() * kLayerCycles;
  for (const publish::LayerFigures& l : layers) {
    t.layers.push_back(l.name);
    t.layer_spans.spans.push_back(
        {l.begin_cycle, l.end_cycle, 0, static_cast<std::uint32_t>(t.layers.size() - 1), -1});
  }
  const std::uint64_t step = std::max<std::uint64_t>(2, t.end / std::max<std::size_t>(1, spans));
  for (const char* engine : kEngines) {
    publish::TraceTrack track{.name = engine, .spans = {}};
    for (std::uint64_t at = 0; track.spans.size() < spans && at + step <= t.end; at += step) {
      track.spans.push_back({at, at + step / 2, 1,
                             static_cast<std::uint32_t>(at / kLayerCycles + 1),
                             static_cast<std::int64_t>(track.spans.size())});
    }
    t.tracks.push_back(std::move(track));
  }
  publish::PowerCounter mac{.component = "mac_array", .begins = {0}, .watts = {}};
  for (std::uint64_t at = 500; at <= t.end; at += 500) {
    mac.begins.push_back(at);
    mac.watts.push_back(0.1 + 0.01 * static_cast<double>(at % 3000) / 100);
  }
  publish::PowerCounter dram = mac;
  dram.component = "dram";
  t.power = {mac, dram};
  return t;
}

publish::MemoryUse memory_of(std::uint64_t end) {
  publish::MemoryUse use;
  use.memory = "scratchpad";
  use.allocations = {{"tensors", "tensor 1", 0, end / 2, 0, 65536},
                     {"w", "w of CONV_2D #1", end / 4, end, 65536, 32768}};
  use.kinds = {"tensors", "w"};
  use.times = {0, end / 4, end / 2, end};
  use.bytes = {{65536, 65536, 0}, {0, 32768, 32768}};
  use.peak_bytes = 98304;
  return use;
}

publish::AccuracyFigures accuracy_of(const std::vector<publish::LayerFigures>& layers) {
  publish::AccuracyFigures a;
  a.samples = 2;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    publish::TensorFigures t;
    t.id = static_cast<std::int64_t>(i);
    t.name = "tensor_" + std::to_string(i);
    t.layer = layers[i].name;
    t.type = "int8";
    t.integer.elements = 1024;
    t.against_float.emplace().elements = 1024;
    t.against_float->max_abs_error = i == 0 ? 0 : 0.01 * static_cast<double>(i);
    t.against_float->cosine = 0.9999;
    if (i > 0) t.against_float->sqnr_db = layers[i].sqnr_db;
    a.tensors.push_back(std::move(t));
  }
  a.outputs = {a.tensors.back()};
  a.classes = {{"integer reference", 1, 1}, {"labels", 0.5, 1}};
  return a;
}

publish::Summary summary_of(std::size_t layers) {
  publish::Summary s;
  s.config = "edge";
  s.model = "net.tflite";
  s.provenance = {{"npusim", "npusim 0.1.0"}, {"model_sha256", std::string(64, 'a')}};
  s.notes = {"no --input: random values, seed 1"};
  s.clock_period_ps = 1250;
  s.total_cycles = s.simulated_cycles = s.last_run_cycles = layers * kLayerCycles;
  s.total_energy_pj = 1500 * static_cast<double>(layers);
  for (std::size_t i = 0; i < publish::kFigureCount; ++i)
    s.figures[i] = 0.5 + static_cast<double>(i);
  s.interval = publish::LatencyInterval{.low_ms = 0.4, .high_ms = 0.6, .level_percent = 90};
  s.peaks.macs = {{"int8", 1024}, {"int16", 512}};
  s.peaks.bytes = {{"dram", 16}, {"interconnect", 32}, {"dma", 64}};
  s.peaks.capacities = {{"scratchpad", 131072}};
  s.units = {{"mac_array", {{"busy", 600}, {"idle", 400}}},
             {"dram0", {{"busy", 300}, {"refresh", 700}}}};
  s.host_operators = {{"SOFTMAX #9", 40, 0.01}};
  s.host_ms = 0.01;
  s.host_energy_pj = 1e4;
  return s;
}

report::PathSummary path_of(const std::vector<publish::LayerFigures>& layers) {
  report::PathSummary path;
  path.total_cycles = layers.size() * kLayerCycles;
  path.shares = {{"mac_array", Cause::kBusy, path.total_cycles / 2},
                 {"dram", Cause::kRefresh, path.total_cycles / 2}};
  for (const publish::LayerFigures& l : layers) {
    path.layers.push_back({l.name,
                           kLayerCycles,
                           {{"mac_array", Cause::kBusy, kLayerCycles / 2},
                            {"dram", Cause::kRefresh, kLayerCycles / 2}}});
  }
  return path;
}

}  // namespace

RunFolder sample_run(const std::string& name, std::size_t layers, std::size_t spans,
                     bool complete) {
  RunFolder run;
  run.name = name;
  run.summary = summary_of(layers);
  run.components = {"mac_array", "dram"};
  for (std::size_t i = 0; i < layers; ++i) run.layers.push_back(layer_of(i));
  const auto events = static_cast<double>(layers);
  run.energy = {{"mac_array", "mac_int8", "derived", "a paper", 1000, 0.2, 1000 * events},
                {"dram", "dram_read", "assumed", "a guess", 10, 50, 500 * events}};
  run.trace = trace_of(run.layers, spans);
  if (complete) {
    run.summary.accuracy = accuracy_of(run.layers);
    run.memory.value = std::vector<publish::MemoryUse>{memory_of(layers * kLayerCycles)};
    run.path.value = path_of(run.layers);
    run.configuration.value = std::vector<publish::TextFile>{{"config.yaml", "name: edge\n"}};
  } else {
    run.summary.timing_only = true;
    run.summary.interval.reset();
    run.trace.power.clear();
    run.memory.absent = "no mapping";
    run.path.absent = "no critical path";
    run.configuration.absent = "no configuration";
  }
  return run;
}

RunFolder hostile_run(const std::string& text) {
  RunFolder run = sample_run(text, 3, 10);
  publish::Summary& s = run.summary;
  s.config = s.model = text;
  s.provenance = {{text, text}};
  s.notes = {text};
  s.host_operators = {{text, 1, std::nullopt}};
  s.units.front().unit = s.units.front().buckets.front().name = text;
  s.peaks.bytes.front().name = s.peaks.macs.front().name = text;
  run.components.front() = text;
  for (publish::LayerFigures& l : run.layers) l.name = l.bound_by = text;
  publish::EnergyFigures& e = run.energy.front();
  e.component = e.event = e.source = e.source_class = text;
  for (std::string& name : run.trace.names) name = text;
  for (std::size_t i = 1; i < run.trace.layers.size(); ++i) run.trace.layers[i] = text;
  for (publish::TraceTrack& track : run.trace.tracks) track.name = text;
  for (publish::PowerCounter& counter : run.trace.power) counter.component = text;
  for (publish::Allocation& a : run.memory.value->front().allocations) a.kind = a.label = text;
  run.memory.value->front().kinds = {text, "other"};
  for (publish::TensorFigures& t : s.accuracy->tensors) t.name = t.layer = t.type = text;
  for (report::PathShare& share : run.path.value->shares) share.unit = text;
  for (report::LayerPathShare& layer : run.path.value->layers) layer.layer = text;
  run.configuration.value->front() = {text, text};
  return run;
}

Json sample_sweep() {
  Json points = Json::array();
  for (int i = 0; i < 48; ++i) {
    const int rows = 8 << (i % 4), channels = 1 + i / 4 % 3;
    Json point = {
        {"id", i},
        {"hash", "h" + std::to_string(i)},
        {"model", i < 24 ? "resnet18" : "mobilenet_v2"},
        {"parameters",
         {{"mac_array.rows", rows},
          {"dram.channels", channels},
          {"mac_array.dataflow", i / 12 % 2 == 0 ? "weight_stationary" : "output_stationary"}}}};
    if (i % 12 == 11) {
      point["status"] = "failed";
      point["error"] = "scratchpad: too small for CONV_2D #3";
    } else {
      point["status"] = "done";
      point["metrics"] = {{"latency_ms", 100.0 / rows + i * 0.01},
                          {"energy_uj", 10.0 * rows + i % 5}};
      point["bound_by"] = i % 2 == 0 ? "mac_array" : "dram";
      point["pareto"] = i < 4 || i == 24;
    }
    points.push_back(std::move(point));
  }
  return {
      {"kind", "sweep"},
      {"name", "sample"},
      {"models", {"resnet18", "mobilenet_v2"}},
      {"parameters",
       {{{"key", "mac_array.rows"}, {"values", {8, 16, 32, 64}}},
        {{"key", "dram.channels"}, {"values", {1, 2, 3}}},
        {{"key", "mac_array.dataflow"}, {"values", {"weight_stationary", "output_stationary"}}}}},
      {"metrics",
       {{{"name", "latency_ms"}, {"label", "Latency"}, {"unit", "ms"}, {"better", "less"}},
        {{"name", "energy_uj"}, {"label", "Energy"}, {"unit", "uJ"}, {"better", "less"}}}},
      {"objectives", {"latency_ms", "energy_uj"}},
      {"points", std::move(points)},
      {"sensitivity",
       {{{"parameter", "mac_array.rows"}, {"metric", "latency_ms"}, {"share", 0.7}},
        {{"parameter", "dram.channels"}, {"metric", "latency_ms"}, {"share", 0.1}},
        {{"parameter", "mac_array.rows"}, {"metric", "energy_uj"}, {"share", 0.9}}}}};
}

Json hostile_sweep(const std::string& text) {
  Json sweep = sample_sweep();
  sweep["name"] = text;
  sweep["models"] = {text};
  sweep["parameters"][0]["key"] = text;
  sweep["parameters"][2]["values"] = {text, "b"};
  for (Json& metric : sweep["metrics"]) metric["label"] = metric["unit"] = text;
  for (Json& point : sweep["points"]) {
    point["model"] = point["hash"] = point["bound_by"] = text;
    point["parameters"]["mac_array.dataflow"] = text;
    if (point["status"] == "failed") point["error"] = text;
  }
  return sweep;
}

}  // namespace npu::test
