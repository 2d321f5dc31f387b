// Layers on Gemmini: cycles of its RTL on FireSim.
#include <fmt/format.h>

#include "sim/config/npu_config.h"
#include "sim/validation/published.h"
#include "sim/validation/simulate.h"
#include "workloads/graph/network_builder.h"

namespace npu::validation {
namespace {

/// A convolution without padding, as the reference's loop bounds describe it.
struct Layer {
  std::int64_t in_channels, out_channels, out_h, out_w, images;
  int kernel_h, kernel_w, stride;
  std::int64_t scratchpad_bytes, accumulator_bytes;
};

Layer read_layer(const CsvTable& rows, std::size_t i) {
  constexpr std::int64_t kMaxExtent = 65536;
  constexpr std::int64_t kMaxBytes = std::int64_t{1} << 28;
  const auto extent = [&](const char* column) { return rows.integer(i, column, 1, kMaxExtent); };
  return {.in_channels = extent("layer_C"),
          .out_channels = extent("layer_K"),
          .out_h = extent("P"),
          .out_w = extent("Q"),
          .images = extent("N"),
          .kernel_h = static_cast<int>(extent("R")),
          .kernel_w = static_cast<int>(extent("S")),
          .stride = static_cast<int>(extent("stride")),
          .scratchpad_bytes = rows.integer(i, "sp_bytes", 1, kMaxBytes),
          .accumulator_bytes = rows.integer(i, "acc_bytes", 1, kMaxBytes)};
}

double cycles(const Layer& l, const std::string& config_path) {
  NpuConfig config = load_npu_config(config_path);
  config.scratchpad.capacity_bytes = l.scratchpad_bytes;
  config.accumulator.capacity_bytes = l.accumulator_bytes;
  graph::NetworkBuilder net("layer");
  const graph::TensorId x = net.input({l.images, (l.out_h - 1) * l.stride + l.kernel_h,
                                       (l.out_w - 1) * l.stride + l.kernel_w, l.in_channels});
  const graph::TensorId y = net.conv(
      x, l.out_channels,
      {.kernel_h = l.kernel_h, .kernel_w = l.kernel_w, .stride_h = l.stride, .stride_w = l.stride});
  return static_cast<double>(simulate(config, net.finish({y})).total_cycles);
}

std::vector<Case> cases(const CsvTable& rows, const SuiteContext& context) {
  std::vector<Case> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const Layer l = read_layer(rows, i);
    out.push_back(
        {.row = fmt::format("{}>{} {}x{} k{}x{}/{} sp{} acc{}", l.in_channels, l.out_channels,
                            l.out_h, l.out_w, l.kernel_h, l.kernel_w, l.stride, l.scratchpad_bytes,
                            l.accumulator_bytes),
         .reference = rows.number(i, "gemmini_rtl_cycle_default_tiler", 1, 1e12),
         .predict = [l, path = context.npu("gemmini_16x16")] { return cycles(l, path); }});
  }
  return out;
}

}  // namespace

Suite gemmini_suite() {
  return {
      .name = "gemmini_firesim",
      .quantity = "cycles",
      .unit = "cycles",
      .reference = "Gemmini 16x16, RTL on FireSim, layers under its default tiler (ucb-bar/dosa)",
      .rows = "gemmini_firesim",
      .bound = {.rank_correlation = 0.90},
      .differs =
          "the DRAM and L2 of the FPGA simulation are not stated, a Rocket core issues "
          "the tiles, and its tiler takes other tiles than npusim's mapper",
      .cases = cases};
}

}  // namespace npu::validation
