// SCALE-Sim 3.0, layer by layer, stalls left out. Its compute cycles follow closed forms; with an
// array of A × A and |x| = ceil(x / A):
//   ws  |K|·|N|·(A + M + 2A − 2) − 1   preload, stream, fill and drain of each fold, one after the
//   is  |K|·|M|·(A + N + 2A − 2) − 1   other
//   os  |M|·|N|·(K + 2A − 2) − 1       results leave without passing through the array
// (derived from the rows; they give all 540 of them).
#include <set>
#include <utility>

#include "sim/base/error.h"
#include "sim/config/npu_config.h"
#include "sim/timing/mac_timing.h"
#include "sim/validation/peer_suites.h"
#include "sim/validation/simulate.h"

namespace npu::validation {
namespace {

Dataflow dataflow_of(const std::string& text) {
  if (text == "ws") return Dataflow::kWeightStationary;
  return text == "os" ? Dataflow::kOutputStationary : Dataflow::kInputStationary;
}

/// SCALE-Sim rounds the extents of the output up: the last window may reach beyond the input.
int reach_beyond(std::int64_t in, int kernel, int stride) {
  const auto rest = static_cast<int>((in - kernel) % stride);
  return rest == 0 ? 0 : stride - rest;
}

PeerLayer conv_layer(const CsvTable& rows, std::size_t i) {
  PeerLayer layer;
  layer.height = rows.integer(i, "ifmap_h", 1, kMaxImage);
  layer.width = rows.integer(i, "ifmap_w", 1, kMaxImage);
  layer.channels = rows.integer(i, "cin", 1, kMaxChannels);
  layer.filters = rows.integer(i, "cout", 1, kMaxChannels);
  const auto kernel = [&](std::string_view column, std::int64_t extent) {
    return static_cast<int>(rows.integer(i, column, 1, std::min(kMaxKernel, extent)));
  };
  graph::Window& w = layer.window;
  w.kernel_h = kernel("filt_h", layer.height);
  w.kernel_w = kernel("filt_w", layer.width);
  w.stride_h = w.stride_w = static_cast<int>(rows.integer(i, "stride", 1, kMaxStride));
  w.pad_bottom = reach_beyond(layer.height, w.kernel_h, w.stride_h);
  w.pad_right = reach_beyond(layer.width, w.kernel_w, w.stride_w);
  return layer;
}

enum class Figure : std::uint8_t { kArrayCycles, kCycles, kReadBytes };

/// For traffic, the memory has SCALE-Sim's bandwidth: a mapping for one that never stalls has no
/// reason to save bytes.
NpuConfig config_of(const SuiteContext& context, const ScaleSimRow& row, Figure figure) {
  NpuConfig config = load_npu_config(context.npu(fmt::format("peers/scalesim_{}", row.array)));
  config.mac_array.dataflow = row.dataflow;
  if (figure == Figure::kReadBytes) {
    const int words_per_cycle = row.array == 32 ? 16 : 64;
    constexpr int kChannelBytesPerCycle = 16;  // HBM2-2000, 64 bits, at 1 GHz.
    config.dram.channels = words_per_cycle / kChannelBytesPerCycle;
  }
  return config;
}

/// The whole layer as one tile: the array alone.
double array_cycles(const NpuConfig& config, const PeerLayer& layer) {
  timing::MacTile tile;
  tile.m = layer.m();
  tile.n = layer.n();
  tile.k = layer.k();
  tile.taps = std::int64_t{layer.window.kernel_h} * layer.window.kernel_w;
  return static_cast<double>(timing::mac_tile(config.mac_array, tile).total_cycles);
}

std::vector<Case> cases(const CsvTable& rows, const SuiteContext& context, Figure figure) {
  std::vector<Case> out;
  const bool is_dram = figure == Figure::kReadBytes;
  for (ScaleSimRow& row : read_scalesim_rows(rows, is_dram)) {
    const double reference = is_dram ? row.dram_reads : row.compute_cycles;
    std::string name = row.name;
    out.push_back({std::move(name), reference, [context, row, figure] {
                     const NpuConfig config = config_of(context, row, figure);
                     if (figure == Figure::kArrayCycles) return array_cycles(config, row.layer);
                     const RunStats stats = simulate(config, network_of(row.layer));
                     return static_cast<double>(figure == Figure::kCycles ? stats.total_cycles
                                                                          : dram_read_bytes(stats));
                   }});
  }
  return out;
}

Suite suite(std::string name, std::string quantity, std::string unit, Figure figure) {
  Suite s;
  s.name = std::move(name);
  s.quantity = std::move(quantity);
  s.unit = std::move(unit);
  s.rows = "scalesim_layers";
  s.cases = [figure](const CsvTable& rows, const SuiteContext& context) {
    return cases(rows, context, figure);
  };
  return s;
}

}  // namespace

std::vector<ScaleSimRow> read_scalesim_rows(const CsvTable& rows, bool only_calc) {
  std::vector<ScaleSimRow> out;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    ScaleSimRow row;
    const std::string& array = one_of(rows, i, "array", "32, 128");
    row.array = static_cast<int>(rows.integer(i, "array", 32, 128));
    const std::string& dataflow = one_of(rows, i, "dataflow", "ws, os, is");
    row.dataflow = dataflow_of(dataflow);
    row.is_calc = one_of(rows, i, "mode", "CALC, USER") == "CALC";
    row.name = fmt::format("{} {} {}/{}", array, dataflow, rows.text(i, "workload"),
                           rows.text(i, "layer"));
    row.layer = one_of(rows, i, "type", "conv, gemm") == "conv"
                    ? conv_layer(rows, i)
                    : product_layer(rows.integer(i, "gemm_M", 1, kMaxChannels),
                                    rows.integer(i, "gemm_N", 1, kMaxChannels),
                                    rows.integer(i, "gemm_K", 1, kMaxChannels));
    row.compute_cycles = rows.number(i, "compute_cycles", 1, kMaxFigure);
    row.dram_reads = rows.number(i, "dram_ifmap_reads", 0, kMaxFigure) +
                     rows.number(i, "dram_filter_reads", 0, kMaxFigure);
    if (only_calc && !row.is_calc) continue;
    const double figure = only_calc ? row.dram_reads : row.compute_cycles;
    if (seen.insert(fmt::format("{} {} {} {}", array, dataflow, row.layer.key(), figure)).second) {
      out.push_back(std::move(row));
    }
  }
  return out;
}

void add_scalesim_suites(std::vector<Suite>& suites) {
  Suite array = suite("scalesim_array", "array cycles", "cycles", Figure::kArrayCycles);
  array.reference = "SCALE-Sim 3.0, compute cycles of a layer; here the array's timing alone";
  array.bound = {.mean_error_percent = 6, .max_error_percent = 41, .rank_correlation = 0.99};
  array.differs =
      "one cycle in all; ws, is: a block of fewer rows than the array has loads in as many cycles "
      "as "
      "it has rows, there always in those of the array; os: results leave through the columns, "
      "|M|*|N|*rows cycles that SCALE-Sim does not count; nothing else";
  suites.push_back(std::move(array));

  Suite layers = suite("scalesim_layers", "cycles", "cycles", Figure::kCycles);
  layers.reference =
      "SCALE-Sim 3.0, compute cycles of a layer; here on a memory that does not stall";
  layers.bound = {.mean_error_percent = 14, .max_error_percent = 80, .rank_correlation = 0.99};
  layers.differs =
      "as scalesim_array; the first load and the last store are counted; partial sums stay in "
      "accumulators of limited size, so that large layers fill and drain the array once per tile";
  suites.push_back(std::move(layers));

  Suite dram = suite("scalesim_layers_dram", "DRAM reads", "bytes", Figure::kReadBytes);
  dram.reference = "SCALE-Sim 3.0, words of ifmap and filter read from the DRAM, without stalls";
  dram.bound = {.rank_correlation = 0.9};
  dram.differs =
      "there: windows that overlap are read once per use where the ifmap SRAM has dropped them, "
      "pixels that a stride skips are not read; its writes (every partial sum) are not compared";
  suites.push_back(std::move(dram));
}

}  // namespace npu::validation
