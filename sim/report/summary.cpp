#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/report/writers.h"

namespace npu::report {
namespace {

using Json = nlohmann::ordered_json;

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json to_json(const TensorError& e) {
  return {{"elements", e.elements},
          {"differing_elements", e.differing},
          {"differing_share", e.differing_share()},
          {"max_lsb_difference", e.max_lsb_difference},
          {"max_abs_error", finite(e.max_abs_error)},
          {"mean_squared_error", finite(e.mean_squared_error)},
          {"sqnr_db", finite(e.sqnr_db)},
          {"cosine_similarity", finite(e.cosine_similarity)}};
}

Json to_json(const std::vector<TensorAccuracy>& tensors) {
  Json out = Json::array();
  for (const TensorAccuracy& t : tensors) {
    Json row = {{"tensor", t.id},
                {"name", t.name},
                {"layer", t.layer},
                {"type", name_of(t.type)},
                {"integer_reference", to_json(t.integer)}};
    if (t.float_error) row["float_reference"] = to_json(*t.float_error);
    out.push_back(std::move(row));
  }
  return out;
}

Json to_json(const ClassAgreement& c) { return {{"top1_share", c.top1}, {"top5_share", c.top5}}; }

Json to_json(const Accuracy& a) {
  Json out = {{"samples", a.samples}, {"outputs", to_json(a.outputs)}};
  if (a.integer_classes) out["agreement_integer_reference"] = to_json(*a.integer_classes);
  if (a.float_classes) out["agreement_float_reference"] = to_json(*a.float_classes);
  if (a.labels) out["label_accuracy"] = to_json(*a.labels);
  out["tensors_sample0"] = to_json(a.tensors);
  return out;
}

Json units_json(const Report& report) {
  Json out = Json::array();
  for (const UnitStats& unit : report.stats.units) {
    Json buckets;
    for (std::size_t b = 0; b < kBucketCount; ++b) {
      buckets[std::string(name_of(static_cast<Bucket>(b))) + "_cycles"] = unit.timeline.all()[b];
    }
    out.push_back({{"unit", unit.name}, {"buckets", std::move(buckets)}});
  }
  return out;
}

Json energy_json(const Report& report) {
  Json by_component = Json::object(), by_class = Json::object();
  for (const std::string& c : components_of(report.ledger)) {
    by_component[c + "_pj"] = report.ledger.component_pj(c);
  }
  for (const SourceClass c : kSourceClasses) {
    by_class[std::string(name_of(c)) + "_share"] = report.ledger.class_share(c);
  }
  return {{"by_component", std::move(by_component)}, {"by_source_class", std::move(by_class)}};
}

Json peaks_json(const Peaks& peaks) {
  const auto object = [](const auto& pairs) {
    Json out = Json::object();
    for (const auto& [name, value] : pairs) out[name] = value;
    return out;
  };
  return {{"macs_per_cycle", object(peaks.macs_per_cycle)},
          {"bytes_per_cycle", object(peaks.bytes_per_cycle)},
          {"capacity_bytes", object(peaks.capacity_bytes)}};
}

/// null: uncalibrated.
Json interval_json(const Report& report, double latency_ms) {
  if (!report.calibrated) return nullptr;
  const Interval& i = *report.calibrated;
  return {{"low_ms", latency_ms * (1 + i.low_percent / 100)},
          {"high_ms", latency_ms * (1 + i.high_percent / 100)},
          {"level_percent", i.level_percent}};
}

}  // namespace

std::string summary_json(const Report& report) {
  const Figures f = figures_of(report);
  Json out = {{"config", report.config_name},
              {"model", report.model_name},
              {"provenance", report.provenance},
              {"notes", report.notes},
              {"timing_only", report.timing_only},
              {"samples", report.stats.run_cycles.size()},
              {"total_cycles", report.stats.total_cycles},
              {"simulated_cycles", report.stats.simulated_cycles},
              {"repeated_layers", has_repeats(report) ? "simulated_once" : "simulated_each"},
              {"total_energy_pj", f.total_energy_pj},
              {"cycles_per_inference", report.stats.run_cycles},
              {"clock_period_ps", report.clock_period_ps},
              {"latency_ms", f.latency_ms},
              {"host_ms", report.host_power_mw ? Json(f.host_ms) : Json(nullptr)},
              {"host_energy_pj", report.host_power_mw ? Json(f.host_energy_pj) : Json(nullptr)},
              {"latency_interval", interval_json(report, f.latency_ms)},
              {"inferences_per_s", f.inferences_per_s},
              {"energy_per_inference_pj", f.energy_per_inference_pj},
              {"average_power_mw", f.average_power_mw},
              {"macs_per_inference", report.macs_per_inference},
              {"pj_per_mac", f.pj_per_mac},
              {"tops_per_w", f.tops_per_w},
              {"mac_utilization_share", f.mac_utilization},
              {"dram_bytes_per_inference", f.dram_bytes_per_inference},
              {"simulation_events", report.stats.kernel_events},
              {"peaks", peaks_json(report.peaks)},
              {"energy", energy_json(report)},
              {"units", units_json(report)}};
  Json layers = Json::array();
  for (const LayerRow& l : report.layers) {
    layers.push_back({{"layer", l.name},
                      {"repeats", l.stats.repeats},
                      {"cycles", l.cycles()},
                      {"macs", l.macs},
                      {"utilization_share", utilization(report, l)},
                      {"bound_by", bound_by(report, l)},
                      {"dram_read_bytes", l.stats.dram_read_bytes},
                      {"dram_write_bytes", l.stats.dram_write_bytes},
                      {"energy_pj", l.energy_pj}});
  }
  out["layers_last_inference"] = std::move(layers);
  out["no_layer_energy_pj"] = report.no_layer_energy_pj;
  Json host = Json::array();
  for (const HostOp& op : report.host_ops) {
    host.push_back({{"operator", op.name},
                    {"bytes_per_inference", op.bytes},
                    {"time_ms", report.host_power_mw ? Json(op.seconds * 1e3) : Json(nullptr)}});
  }
  out["host_operators"] = std::move(host);
  if (report.accuracy) out["accuracy"] = to_json(*report.accuracy);
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace npu::report
