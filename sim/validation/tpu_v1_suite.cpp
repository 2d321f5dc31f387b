// TPU v1: achieved operations per second on stand-ins of its published applications.
#include <string>

#include "sim/config/npu_config.h"
#include "sim/validation/published.h"
#include "sim/validation/simulate.h"

namespace npu::validation {
namespace {

/// Tera operations per second, two for each multiply-accumulate.
double tera_ops(const SuiteContext& context, const std::string& network, std::int64_t batch) {
  constexpr double kTera = 1e12;
  const NpuConfig config = load_npu_config(context.npu("tpu_v1"));
  const RunStats stats = simulate(config, shipped_network(context, network, batch));
  const auto macs = static_cast<double>(stats.events[static_cast<std::size_t>(Event::kMacInt8)]);
  const double seconds = static_cast<double>(stats.total_cycles) *
                         static_cast<double>(config.clock.period_ps()) / kTera;
  return 2 * macs / seconds / kTera;
}

std::vector<Case> cases(const CsvTable& rows, const SuiteContext& context) {
  constexpr std::int64_t kMaxBatch = 4096;
  constexpr double kMaxTeraOps = 1e6;
  std::vector<Case> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const std::string& network = rows.text(i, "network");
    if (network.empty()) continue;
    const std::int64_t batch = rows.integer(i, "batch", 1, kMaxBatch);
    out.push_back(
        {.row = rows.text(i, "application"),
         .reference = rows.number(i, "tera_ops", 0, kMaxTeraOps),
         .predict = [context, network, batch] { return tera_ops(context, network, batch); }});
  }
  return out;
}

}  // namespace

Suite tpu_v1_suite() {
  return {.name = "tpu_v1",
          .quantity = "operations per second",
          .unit = "TOPS",
          .reference = "TPU v1, achieved on production applications (Jouppi et al., ISCA 2017)",
          .rows = "tpu_v1",
          .bound = {.mean_error_percent = 35, .rank_correlation = 0.85},
          .differs =
              "the layers are not published: stand-ins with the published layer counts, "
              "weights, batches and intensities; no host, no weight FIFO of its own",
          .cases = cases};
}

}  // namespace npu::validation
