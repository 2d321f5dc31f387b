#include "sim/report/report.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sim/report/writers.h"

namespace npu::report {
namespace {

double ratio(double numerator, double denominator) {
  return denominator == 0 ? 0.0 : numerator / denominator;
}

}  // namespace

Figures figures_of(const Report& report) {
  Figures f;
  const auto runs = static_cast<double>(report.stats.run_cycles.size());
  const double total_ps =
      static_cast<double>(report.stats.total_cycles) * static_cast<double>(report.clock_period_ps);
  const double total_macs = static_cast<double>(report.macs_per_inference) * runs;
  f.latency_ms = ratio(total_ps * 1e-9, runs);
  f.inferences_per_s = ratio(1e3, f.latency_ms);
  f.total_energy_pj = report.ledger.total_pj();
  f.energy_per_inference_pj = ratio(f.total_energy_pj, runs);
  f.average_power_mw = ratio(f.total_energy_pj, total_ps) * 1e3;  // 1 pJ/ps is 1 W.
  f.pj_per_mac = ratio(f.total_energy_pj, total_macs);
  f.tops_per_w = ratio(2.0 * total_macs, f.total_energy_pj);  // 1 operation/pJ is 1 TOPS/W.
  f.mac_utilization = ratio(total_macs, static_cast<double>(report.stats.total_cycles) *
                                            static_cast<double>(report.peak_macs_per_cycle));
  for (const HostOp& op : report.host_ops) f.host_ms += op.seconds * 1e3;
  f.host_energy_pj = f.host_ms * 1e-3 * report.host_power_mw.value_or(0) * 1e9;
  for (const LayerRow& layer : report.layers) {
    f.dram_bytes_per_inference += static_cast<double>(layer.dram_bytes());
  }
  return f;
}

bool has_repeats(const Report& report) {
  return std::ranges::any_of(report.layers, [](const LayerRow& layer) {
    return layer.stats.repeats > 1 || layer.stats.further_cycles > 0;
  });
}

double utilization(const Report& report, const LayerRow& layer) {
  return ratio(
      static_cast<double>(layer.macs),
      static_cast<double>(layer.cycles()) * static_cast<double>(report.peak_macs_per_cycle));
}

std::string_view bound_by(const Report& report, const LayerRow& layer) {
  const std::array<std::pair<std::string_view, double>, 4> busy = {{
      {"mac_array", static_cast<double>(layer.stats.mac_busy_cycles)},
      {"vector_unit", static_cast<double>(layer.stats.vector_busy_cycles)},
      {"dram", ratio(static_cast<double>(layer.dram_bytes()), report.peak_dram_bytes_per_cycle)},
      {"dma", ratio(static_cast<double>(layer.stats.dma_busy_cycles), report.dma_channels)},
  }};
  const auto& most = *std::max_element(
      busy.begin(), busy.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return 2.0 * most.second < static_cast<double>(layer.cycles()) ? "latency" : most.first;
}

std::map<std::string, std::string> report_files(const Report& report) {
  return {{"report.txt", text_report(report)},
          {"summary.json", summary_json(report)},
          {"layers.csv", layers_csv(report)},
          {"energy.csv", energy_csv(report)},
          {"trace.json", trace_json(report)}};
}

std::vector<std::string> components_of(const EnergyLedger& ledger) {
  std::vector<std::string> out;
  for (const LedgerRow& row : ledger.rows) {
    if (std::ranges::find(out, row.component) == out.end()) out.push_back(row.component);
  }
  return out;
}

}  // namespace npu::report
