#include "sim/diff/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "sim/base/error.h"
#include "sim/diff/simulation.h"
#include "sim/session/network.h"

namespace npu::diff {
namespace {

std::string options_text(const session::Rerun& rerun) {
  std::string text;
  for (const std::string& dim : rerun.model_options.dims) text += dim + " ";
  if (!rerun.model_options.precision.empty()) text += rerun.model_options.precision + " ";
  if (!rerun.model_options.fuse) text += "without fusion ";
  if (rerun.model_options.attention != kernels::AttentionVariant::kAuto) {
    text += fmt::format("attention {} ", name_of(rerun.model_options.attention));
  }
  if (!text.empty()) text.pop_back();
  return text;
}

std::string provenance_of(const RunFolder& run, const std::string& key) {
  const auto at =
      std::ranges::find(run.provenance, key, &std::pair<std::string, std::string>::first);
  return at == run.provenance.end() ? "" : at->second;
}

void add_change(std::vector<Change>& changes, const char* key, const std::string& a,
                const std::string& b) {
  if (a != b) changes.push_back({key, a, b});
}

std::vector<Change> changes_of(const RunFolder& a, const RunFolder& b) {
  std::vector<Change> changes;
  add_change(changes, "model", a.model, b.model);
  add_change(changes, "model_sha256", provenance_of(a, "model_sha256"),
             provenance_of(b, "model_sha256"));
  add_change(changes, "mapping_sha256", provenance_of(a, "mapping_sha256"),
             provenance_of(b, "mapping_sha256"));
  add_change(changes, "npusim", provenance_of(a, "npusim"), provenance_of(b, "npusim"));
  add_change(changes, "samples", fmt::format("{}", a.samples), fmt::format("{}", b.samples));
  add_change(changes, "timing_only", a.timing_only ? "true" : "false",
             b.timing_only ? "true" : "false");
  if (!a.rerun || !b.rerun) {
    add_change(changes, "options", provenance_of(a, "options"), provenance_of(b, "options"));
    add_change(changes, "config", a.config, b.config);
    add_change(changes, "config_fingerprint", provenance_of(a, "config_fingerprint"),
               provenance_of(b, "config_fingerprint"));
    return changes;
  }
  add_change(changes, "options", options_text(*a.rerun), options_text(*b.rerun));
  for (Change& change : timing_changes(a.rerun->config, b.rerun->config)) {
    changes.push_back(std::move(change));
  }
  for (const RateChange& rate : rate_changes(a.rerun->config, b.rerun->config)) {
    changes.push_back({rate.key, fmt::format("{}", rate.a), fmt::format("{}", rate.b)});
  }
  for (Change& change : idle_changes(a.rerun->config, b.rerun->config)) {
    changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace

bool Difference::is_empty() const {
  return changes.empty() && latency.empty() && energy.empty() && layers.empty() && accuracy.empty();
}

Difference compare(const std::string& a, const std::string& b, const DiffOptions& options,
                   const std::function<void(std::size_t, std::size_t)>& on_done) {
  Difference d;
  d.a = read_run_folder(a);
  d.b = read_run_folder(b);
  d.changes = changes_of(d.a, d.b);
  d.latency = latency_terms(d.a, d.b);
  d.energy = energy_terms(d.a, d.b);
  d.layers = layer_deltas(d.a, d.b);
  d.accuracy = accuracy_deltas(d.a, d.b);
  if (d.is_empty()) return d;
  for (const RunFolder* run : {&d.a, &d.b}) {
    if (run->samples > 1) {
      d.notes.push_back(fmt::format(
          "{}: latency and layers are those of inference {}, in a warm machine; energy is the mean",
          run->path, run->samples));
    }
    if (!run->rerun) {
      d.notes.push_back(
          fmt::format("{}: no rerun.yaml (an ONNX model, or repeated layers simulated once): "
                      "latency by layers only, nothing is simulated again",
                      run->path));
    }
  }
  if (options.simulate && d.a.rerun && d.b.rerun) {
    d.simulated = simulate_changes(d.a, d.b, options, on_done, d.notes);
  }
  return d;
}

}  // namespace npu::diff
