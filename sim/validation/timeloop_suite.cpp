// Timeloop's eyeriss-256 and MAESTRO: analytical models of machines that npusim cannot express.
#include <algorithm>
#include <bit>
#include <utility>

#include "sim/base/error.h"
#include "sim/config/npu_config.h"
#include "sim/validation/peer_suites.h"
#include "sim/validation/resnet_layers.h"
#include "sim/validation/simulate.h"
#include "workloads/graph/network_builder.h"

namespace npu::validation {
namespace {

std::vector<Case> timeloop_cases(const CsvTable& rows, const SuiteContext& context) {
  std::vector<Case> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    if (rows.text(i, "cycles").empty()) continue;  // Its search found no mapping.
    const double cycles = rows.number(i, "cycles", 1, kMaxFigure);
    static_cast<void>(rows.integer(i, "N", 1, 1));
    PeerLayer layer;
    graph::Window& w = layer.window;
    w.kernel_w = static_cast<int>(rows.integer(i, "R", 1, kMaxKernel));
    w.kernel_h = static_cast<int>(rows.integer(i, "S", 1, kMaxKernel));
    w.stride_h = w.stride_w = static_cast<int>(rows.integer(i, "stride", 1, kMaxStride));
    layer.width = (rows.integer(i, "P", 1, kMaxImage) - 1) * w.stride_w + w.kernel_w;
    layer.height = (rows.integer(i, "Q", 1, kMaxImage) - 1) * w.stride_h + w.kernel_h;
    layer.channels = rows.integer(i, "C", 1, kMaxChannels);
    layer.filters = rows.integer(i, "K", 1, kMaxChannels);
    out.push_back({fmt::format("{} {}", rows.text(i, "layer"), rows.text(i, "algorithm")), cycles,
                   [context, layer] {
                     const NpuConfig config =
                         load_npu_config(context.npu("peers/timeloop_eyeriss_256"));
                     return static_cast<double>(simulate(config, network_of(layer)).total_cycles);
                   }});
  }
  return out;
}

/// Layers side by side, each with an input and an output in the DRAM of its own: MAESTRO adds up
/// layers.
graph::Graph side_by_side(const std::vector<PeerLayer>& layers) {
  graph::NetworkBuilder net("layers");
  std::vector<graph::TensorId> outputs;
  for (const PeerLayer& l : layers) {
    const graph::TensorId x = net.input({1, l.height, l.width, l.channels});
    outputs.push_back(net.conv(x, l.filters, l.window));
  }
  return net.finish(std::move(outputs));
}

/// One BERT-base layer over 128 tokens: projections, twelve heads, feed-forward.
std::vector<PeerLayer> bert_layers() {
  constexpr std::int64_t kTokens = 128, kHidden = 768, kInner = 3072, kHeads = 12;
  constexpr std::int64_t kHead = kHidden / kHeads;
  std::vector<PeerLayer> layers(4, product_layer(kTokens, kHidden, kHidden));
  for (int head = 0; head < kHeads; ++head) {
    layers.push_back(product_layer(kTokens, kTokens, kHead));
    layers.push_back(product_layer(kTokens, kHead, kTokens));
  }
  layers.push_back(product_layer(kTokens, kInner, kHidden));
  layers.push_back(product_layer(kTokens, kHidden, kInner));
  return layers;
}

std::vector<PeerLayer> maestro_layers(bool is_resnet) {
  if (!is_resnet) return bert_layers();
  std::vector<PeerLayer> layers;
  for (const ResnetLayer& l : resnet18_layers()) layers.push_back(l.layer);
  return layers;
}

/// HBM2-like channels that move `bytes_per_cycle` together at a core clock of 1 GHz.
void set_bandwidth(DramConfig& dram, std::int64_t bytes_per_cycle) {
  constexpr std::int64_t kChannelBytes = 16;  // Per cycle, 64 bits at 1 GHz and two beats.
  constexpr std::int64_t kMostChannels = 64;
  constexpr double kClockMhz = 1000;
  const auto whole = static_cast<std::uint64_t>(
      std::clamp<std::int64_t>(bytes_per_cycle / kChannelBytes, 1, kMostChannels));
  dram.channels = static_cast<int>(std::bit_floor(whole));
  dram.clock_mhz = kClockMhz * static_cast<double>(bytes_per_cycle) /
                   static_cast<double>(kChannelBytes * dram.channels);
}

std::vector<Case> maestro_cases(const CsvTable& rows, const SuiteContext& context) {
  constexpr std::int64_t kMostBandwidth = 8192;
  std::vector<Case> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const std::string& mapping =
        one_of(rows, i, "mapping", "resnet18_kcp_ws_c32, bert_s128_kcp_ws_c32, Resnet50_kcp_ws");
    const std::int64_t noc = rows.integer(i, "noc_bw", 1, kMostBandwidth);
    const std::int64_t off_chip = rows.integer(i, "offchip_bw", 1, kMostBandwidth);
    const double cycles = rows.number(i, "cycles", 1, kMaxFigure);
    if (mapping == "Resnet50_kcp_ws") continue;  // Layers of its own, not published with the rows.
    const std::int64_t pes = rows.integer(i, "pes", 1024, 1024);
    const double ideal = rows.number(i, "macs", 1, kMaxFigure) / static_cast<double>(pes);
    const bool is_resnet = mapping == "resnet18_kcp_ws_c32";
    out.push_back({fmt::format("{} noc {} off-chip {}", mapping, noc, off_chip), cycles / ideal,
                   [context, is_resnet, off_chip, ideal] {
                     NpuConfig config = load_npu_config(context.npu("peers/maestro_1024"));
                     set_bandwidth(config.dram, off_chip);
                     const RunStats stats =
                         simulate(config, side_by_side(maestro_layers(is_resnet)));
                     return static_cast<double>(stats.total_cycles) / ideal;
                   }});
  }
  return out;
}

}  // namespace

void add_timeloop_suites(std::vector<Suite>& suites) {
  Suite layers;
  layers.name = "timeloop_layers";
  layers.quantity = "cycles";
  layers.unit = "cycles";
  layers.reference = "Timeloop, its eyeriss-256, mappings of two searches";
  layers.rows = "timeloop";
  layers.bound = {.mean_error_percent = 16, .max_error_percent = 25};
  layers.differs =
      "a 16x16 weight-stationary array stands for the row-stationary one; there no fill, drain or "
      "DRAM time, cycles are MACs over the PEs that the mapping uses";
  layers.cases = timeloop_cases;
  suites.push_back(std::move(layers));
}

void add_maestro_suites(std::vector<Suite>& suites) {
  Suite network;
  network.name = "maestro_bandwidth";
  network.quantity = "cycles / ideal";
  network.unit = "MAC cycles";
  network.reference =
      "MAESTRO, ResNet-18 and a BERT layer on 1024 PEs, 16 to 4096 elements/cycle off-chip";
  network.rows = "maestro_bw_sensitivity";
  network.bound = {.rank_correlation = 0.85};
  network.differs =
      "there: off-chip bandwidth is charged as if every layer moved its operands at the rate of "
      "the array, up to 66 times the ideal; left out: its own ResNet-50";
  network.cases = maestro_cases;
  suites.push_back(std::move(network));
}

}  // namespace npu::validation
