// Layers of AlexNet and VGG-16 on Eyeriss: measured latencies of the chip.
#include <fmt/format.h>

#include "sim/config/npu_config.h"
#include "sim/validation/published.h"
#include "sim/validation/simulate.h"
#include "workloads/graph/network_builder.h"

namespace npu::validation {
namespace {

struct Layer {
  std::int64_t batch, in_channels, out_channels, in_size;
  int kernel, stride, pad, groups;
};

Layer read_layer(const CsvTable& rows, std::size_t i) {
  constexpr std::int64_t kMaxExtent = 65536;
  const auto extent = [&](const char* column, std::int64_t low) {
    return rows.integer(i, column, low, kMaxExtent);
  };
  return {.batch = extent("batch", 1),
          .in_channels = extent("in_channels", 1),
          .out_channels = extent("out_channels", 1),
          .in_size = extent("in_size", 1),
          .kernel = static_cast<int>(extent("kernel", 1)),
          .stride = static_cast<int>(extent("stride", 1)),
          .pad = static_cast<int>(extent("pad", 0)),
          .groups = static_cast<int>(extent("groups", 1))};
}

double milliseconds(const Layer& l, const std::string& config_path) {
  constexpr double kPicosecondsPerMillisecond = 1e9;
  const NpuConfig config = load_npu_config(config_path);
  graph::NetworkBuilder net("layer");
  const graph::TensorId x = net.input({l.batch, l.in_size, l.in_size, l.in_channels});
  const graph::TensorId y =
      net.conv(x, l.out_channels, graph::square_window(l.kernel, l.stride, l.pad),
               graph::Activation::kRelu, l.groups);
  const auto cycles = static_cast<double>(simulate(config, net.finish({y})).total_cycles);
  return cycles * static_cast<double>(config.clock.period_ps()) / kPicosecondsPerMillisecond;
}

std::vector<Case> cases(const CsvTable& rows, const SuiteContext& context) {
  constexpr double kMaxMilliseconds = 1e6;
  const std::string config = context.configs + "/npu/peers/eyeriss.yaml";
  std::vector<Case> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const Layer l = read_layer(rows, i);
    out.push_back({.row = rows.text(i, "network") + " " + rows.text(i, "layer"),
                   .reference = rows.number(i, "total_latency_ms", 0, kMaxMilliseconds),
                   .predict = [l, config] { return milliseconds(l, config); }});
  }
  return out;
}

}  // namespace

Suite eyeriss_suite() {
  return {.name = "eyeriss",
          .quantity = "latency",
          .unit = "ms",
          .reference = "Eyeriss, measured layers of AlexNet and VGG-16 (Chen et al., JSSC 2017)",
          .rows = "eyeriss",
          .bound = {.mean_error_percent = 45, .rank_correlation = 0.85},
          .differs =
              "row stationary is not among npusim's dataflows: weight stationary in its place, "
              "without the limits that PE scratchpads and folding of rows set to utilization",
          .cases = cases};
}

}  // namespace npu::validation
