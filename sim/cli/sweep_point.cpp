#include "sim/cli/sweep_point.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "sim/base/error.h"
#include "sim/config/npu_config.h"
#include "sim/report/report.h"
#include "sim/session/run.h"

namespace npu::cli {
namespace {

using session::References;
using sweep::Metric;
using sweep::Metrics;
using sweep::RunSettings;

References references_of(const RunSettings& s) {
  if (s.references == "none") return References::kNone;
  if (s.references == "integer") return References::kInteger;
  if (s.references == "all") return References::kAll;
  return s.timing_only ? References::kNone : References::kAll;
}

kernels::AttentionVariant attention_of(const RunSettings& s) {
  const auto* const found = std::ranges::find(kernels::kAttentionVariants, s.attention,
                                              [](const auto& variant) { return variant.first; });
  NPU_CHECK(found != kernels::kAttentionVariants.end(), "a variant that the sweep file may name");
  return found->second;
}

session::RunRequest request_of(const sweep::Job& job) {
  const RunSettings& s = job.settings;
  session::RunRequest request;
  request.config = parse_npu_config(job.config_text, job.config_path);
  request.model.path = s.model;
  for (const auto& [name, value] : s.dims) {
    request.model.dims.push_back(fmt::format("{}={}", name, value));
  }
  request.model.precision = s.precision;
  request.model.weights = s.weights;
  request.model.fuse = s.fuse;
  request.inputs = s.inputs;
  request.labels = s.labels;
  request.calibrate = s.calibrate;
  request.calibration = s.calibration;
  request.samples = s.samples;
  request.timing_only = s.timing_only;
  request.simulate_all = s.simulate_all;
  request.references = references_of(s);
  request.model.attention = attention_of(s);
  return request;
}

/// The limit under which most of the last inference's cycles pass, layer by layer.
std::string binding_constraint(const report::Report& report) {
  std::map<std::string, std::uint64_t, std::less<>> cycles;
  for (const report::LayerRow& layer : report.layers) {
    cycles[std::string(report::bound_by(report, layer))] += layer.cycles();
  }
  const auto most = std::ranges::max_element(cycles, {}, [](const auto& c) { return c.second; });
  return most == cycles.end() ? "" : most->first;
}

Metrics metrics_of(const report::Report& report, const NpuConfig& config) {
  constexpr double kPicojoulesPerMicrojoule = 1e6;
  Metrics metrics;
  const auto set = [&](Metric m, double value) {
    if (std::isfinite(value)) metrics[static_cast<std::size_t>(m)] = value;
  };
  const report::Figures f = report::figures_of(report);
  const auto runs = static_cast<double>(std::max<std::size_t>(1, report.stats.run_cycles.size()));
  set(Metric::kCycles, static_cast<double>(report.stats.total_cycles) / runs);
  set(Metric::kLatency, f.latency_ms);
  set(Metric::kThroughput, f.inferences_per_s);
  set(Metric::kEnergy, f.energy_per_inference_pj / kPicojoulesPerMicrojoule);
  set(Metric::kPower, f.average_power_mw);
  set(Metric::kEfficiency, f.tops_per_w);
  set(Metric::kMacUtilization, f.mac_utilization);
  set(Metric::kDramBytes, f.dram_bytes_per_inference);
  set(Metric::kPeakMacs, static_cast<double>(config.mac_array.macs_per_cycle()));
  set(Metric::kSramBytes,
      static_cast<double>(config.scratchpad.capacity_bytes + config.accumulator.capacity_bytes));
  if (!report.accuracy) return metrics;
  std::optional<double> error;
  for (const report::TensorAccuracy& output : report.accuracy->outputs) {
    if (!output.float_error) continue;
    const double one = output.float_error->max_abs_error;
    if (!error || std::isnan(one) || one > *error) error = one;  // NaN stays: nothing is above it.
  }
  if (error) set(Metric::kMaxError, *error);
  if (report.accuracy->labels) set(Metric::kTop1, report.accuracy->labels->top1);
  return metrics;
}

}  // namespace

sweep::Measured run_point(const sweep::Job& job) {
  const session::RunRequest request = request_of(job);
  session::RunResult result = session::run(request, {});
  if (result.mismatch) throw RunFault(*result.mismatch);
  return {metrics_of(result.report, request.config), binding_constraint(result.report)};
}

}  // namespace npu::cli
