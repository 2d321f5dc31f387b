// Whole networks on Ethos-U55-128: cycles and traffic of Arm's cycle-approximate model.
#include <string>

#include "sim/config/npu_config.h"
#include "sim/validation/published.h"
#include "sim/validation/simulate.h"

namespace npu::validation {
namespace {

constexpr double kMaxCount = 1e12;
constexpr double kBeatBytes = 8;

RunStats run(const SuiteContext& context, const std::string& network) {
  return simulate(load_npu_config(context.npu("ethos_u55_128")),
                  shipped_network(context, network, 1));
}

/// One case per row that names a network.
std::vector<Case> cases(const CsvTable& rows, const SuiteContext& context,
                        const std::function<double(std::size_t)>& reference,
                        double (*figure)(const RunStats&)) {
  std::vector<Case> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const std::string& network = rows.text(i, "network");
    if (network.empty()) continue;
    out.push_back(
        {.row = rows.text(i, "use_case"),
         .reference = reference(i),
         .predict = [context, network, figure] { return figure(run(context, network)); }});
  }
  return out;
}

std::vector<Case> cycles(const CsvTable& rows, const SuiteContext& context) {
  return cases(
      rows, context,
      [&](std::size_t i) { return rows.number(i, "npu_active_cycles", 1, kMaxCount); },
      [](const RunStats& stats) { return static_cast<double>(stats.total_cycles); });
}

std::vector<Case> traffic(const CsvTable& rows, const SuiteContext& context) {
  return cases(
      rows, context,
      [&](std::size_t i) {
        double beats = 0;
        for (const char* port : {"axi0_rd_beats_8B", "axi0_wr_beats_8B", "axi1_rd_beats_8B"}) {
          beats += rows.number(i, port, 0, kMaxCount);
        }
        return beats * kBeatBytes;
      },
      [](const RunStats& stats) { return static_cast<double>(dram_bytes(stats)); });
}

constexpr const char* kRows = "ethos_u55_128_networks";
constexpr const char* kReference =
    "Ethos-U55-128, Arm's cycle-approximate model, whole networks (ML evaluation kit)";

}  // namespace

Suite ethos_cycles_suite() {
  return {.name = "ethos_u55_128_networks",
          .quantity = "cycles",
          .unit = "cycles",
          .reference = kReference,
          .rows = kRows,
          .bound = {.mean_error_percent = 15},
          .differs =
              "weights are compressed and come over a second port from a memory at an eighth "
              "of the speed; the compiler keeps whole chains of layers in the SRAM",
          .cases = cycles};
}

Suite ethos_traffic_suite() {
  return {
      .name = "ethos_u55_128_traffic",
      .quantity = "bytes moved",
      .unit = "bytes",
      .reference = kReference,
      .rows = kRows,
      .bound = {.mean_error_percent = 80},
      .differs = "weights are compressed, and those of large layers are copied to the SRAM first",
      .cases = traffic};
}

}  // namespace npu::validation
