#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "sim/base/error.h"
#include "sim/base/math.h"
#include "sim/config/dram_device.h"
#include "sim/validation/simulate.h"
#include "sim/validation/suite.h"
#include "workloads/graph/network_builder.h"

// One-layer networks against cycle counts of NVDLA's RTL. A row's memory takes the place of the
// preset's DRAM: fixed latency, bandwidth in clocks per 256 beats, one clock for NPU and memory. A
// layer's input has its channels padded to the 8 of a memory atom, as NVDLA's format has it.

namespace npu::validation {
namespace {

constexpr std::int64_t kMaxSize = 65'535;
constexpr std::int64_t kAtomChannels = 8;
constexpr std::int64_t kMaxLatency = 10'000;
constexpr std::int64_t kMaxClocks = 1 << 20;
constexpr double kMaxCycles = 1e12;
constexpr double kBeatBytes = 8;

/// A convolution, or with one position and one tap a fully connected layer.
struct Layer {
  std::int64_t width = 1, height = 1, channels = 1, kernels = 1;
  graph::Window window;
};

struct MemorySetting {
  int latency = 0, read_clocks = 256, write_clocks = 256;
};

graph::TensorId add(graph::NetworkBuilder& network, const Layer& layer) {
  const std::int64_t channels = round_up(layer.channels, kAtomChannels);
  const graph::Window& w = layer.window;
  const bool is_one_tap = w.kernel_h == 1 && w.kernel_w == 1;
  if (layer.width == 1 && layer.height == 1 && is_one_tap) {
    return network.fully_connected(network.input({1, channels}), layer.kernels);
  }
  return network.conv(network.input({1, layer.height, layer.width, channels}), layer.kernels, w);
}

RunStats run(const SuiteContext& context, const std::string& npu, const MemorySetting& memory,
             const std::vector<Layer>& layers) {
  NpuConfig config = load_npu_config(context.npu(npu));
  config.dram = load_dram_device(context.dram("fixed_latency"));
  config.dram.clock_mhz = config.clock.frequency_mhz;
  config.dram.fixed_latency.read_latency_clocks = memory.latency;
  config.dram.fixed_latency.read_clocks_per_256_beats = memory.read_clocks;
  config.dram.fixed_latency.write_clocks_per_256_beats = memory.write_clocks;
  graph::NetworkBuilder network("nvdla");
  std::vector<graph::TensorId> outputs;
  for (const Layer& layer : layers) outputs.push_back(add(network, layer));
  return simulate(config, network.finish(outputs));
}

Layer read_layer(const CsvTable& rows, std::size_t row) {
  const auto size = [&](std::string_view column, std::int64_t low) {
    return rows.integer(row, column, low, kMaxSize);
  };
  const auto small = [&](std::string_view column, std::int64_t low) {
    return static_cast<int>(size(column, low));
  };
  Layer layer;
  layer.width = size("W", 1);
  layer.height = size("H", 1);
  layer.channels = size("C", 1);
  layer.kernels = size("K", 1);
  layer.window = {.kernel_h = small("R", 1),
                  .kernel_w = small("S", 1),
                  .stride_h = small("sy", 1),
                  .stride_w = small("sx", 1)};
  layer.window.pad_top = small("pt", 0);
  layer.window.pad_bottom = small("pb", 0);
  layer.window.pad_left = small("pl", 0);
  layer.window.pad_right = small("pr", 0);
  return layer;
}

MemorySetting read_memory(const CsvTable& rows, std::size_t row) {
  return {.latency = static_cast<int>(rows.integer(row, "lat", 0, kMaxLatency)),
          .read_clocks = static_cast<int>(rows.integer(row, "rcpb256", 1, kMaxClocks)),
          .write_clocks = static_cast<int>(rows.integer(row, "wcpb256", 1, kMaxClocks))};
}

enum class Quantity { kCycles, kDramBytes };

std::vector<Case> layer_cases(const CsvTable& rows, const SuiteContext& context,
                              const std::string& npu, Quantity quantity) {
  std::vector<Case> cases;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const Layer layer = read_layer(rows, row);
    const MemorySetting memory = read_memory(rows, row);
    Case c;
    c.row = rows.text(row, "name");
    if (memory.latency != 50 || memory.read_clocks != 256 || memory.write_clocks != 256) {
      c.row += fmt::format(" lat {} read {} write {}", memory.latency, memory.read_clocks,
                           memory.write_clocks);
    }
    if (quantity == Quantity::kCycles) {
      c.reference = rows.number(row, "cycles", 1, kMaxCycles);
    } else {
      c.reference = kBeatBytes * (rows.number(row, "rbeats", 0, kMaxCycles) +
                                  rows.number(row, "wbeats", 0, kMaxCycles));
    }
    c.predict = [=] {
      const RunStats stats = run(context, npu, memory, {layer});
      return static_cast<double>(quantity == Quantity::kCycles ? stats.total_cycles
                                                               : dram_bytes(stats));
    };
    cases.push_back(std::move(c));
  }
  return cases;
}

/// A layer by its name in the file of pairs: c32k32_16 is 3x3 with padding 1 on 16x16, _1x1 behind
/// it makes it pointwise, pw14_c256k64 is pointwise on 14x14, fc512x256 fully connected.
Layer named_layer(const CsvTable& rows, std::size_t row, std::string_view column) {
  const std::string& name = rows.text(row, column);
  int channels = 0;
  int kernels = 0;
  int size = 1;
  int end = 0;
  const auto is_whole = [&] { return std::cmp_equal(end, name.size()); };
  const bool is_fc =
      std::sscanf(name.c_str(), "fc%4dx%4d%n", &channels, &kernels, &end) == 2 && is_whole();
  const bool is_pointwise =
      !is_fc &&
      std::sscanf(name.c_str(), "pw%4d_c%4dk%4d%n", &size, &channels, &kernels, &end) == 3 &&
      is_whole();
  Layer layer;
  if (!is_fc && !is_pointwise) {
    const bool is_conv =
        std::sscanf(name.c_str(), "c%4dk%4d_%4d%n", &channels, &kernels, &size, &end) == 3;
    if (is_conv && is_whole()) {
      layer.window = graph::square_window(3, 1, 1);
    } else if (!is_conv || name.substr(static_cast<std::size_t>(end)) != "_1x1") {
      size = 0;
    }
  }
  if (channels < 1 || kernels < 1 || size < 1) {
    fail("{}: {}: not the name of a layer: {}", rows.place(row), column, name);
  }
  layer.width = layer.height = size;
  layer.channels = channels;
  layer.kernels = kernels;
  return layer;
}

std::vector<Case> pair_cases(const CsvTable& rows, const SuiteContext& context) {
  std::vector<Case> cases;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const Layer first = named_layer(rows, row, "layer1");
    const Layer second = named_layer(rows, row, "layer2");
    const MemorySetting memory{.latency =
                                   static_cast<int>(rows.integer(row, "lat", 0, kMaxLatency))};
    cases.push_back({.row = rows.text(row, "layer1") + " + " + rows.text(row, "layer2"),
                     .reference = rows.number(row, "pair_total", 1, kMaxCycles),
                     .predict = [=] {
                       return static_cast<double>(
                           run(context, "nvdla_small", memory, {first, second}).total_cycles);
                     }});
  }
  return cases;
}

Suite layer_suite(const std::string& rows, const std::string& npu, const std::string& machine,
                  const Bound& bound) {
  return {.name = rows,
          .quantity = "cycles",
          .unit = "cycles",
          .reference = fmt::format("RTL of NVDLA {} (nvdla/hw at 771f20c), single layers", machine),
          .rows = rows,
          .bound = bound,
          .differs = "",
          .cases = [npu](const CsvTable& table, const SuiteContext& context) {
            return layer_cases(table, context, npu, Quantity::kCycles);
          }};
}

}  // namespace

void add_nvdla_suites(std::vector<Suite>& suites) {
  constexpr Bound kSmall{.mean_error_percent = 2, .max_error_percent = 12};
  constexpr Bound kSmall256{.mean_error_percent = 3, .max_error_percent = 12};
  suites.push_back(layer_suite("nvdla_nv_small_conv", "nvdla_small", "nv_small", kSmall));
  suites.push_back(layer_suite("nvdla_nv_small_memory", "nvdla_small", "nv_small", kSmall));
  suites.push_back(
      layer_suite("nvdla_nv_small_256_conv", "nvdla_small_256", "nv_small_256", kSmall256));
  suites.push_back(
      layer_suite("nvdla_nv_small_256_memory", "nvdla_small_256", "nv_small_256", kSmall256));
  suites.push_back(
      {.name = "nvdla_nv_small_pairs",
       .quantity = "cycles",
       .unit = "cycles",
       .reference = "RTL of NVDLA nv_small (nvdla/hw at 771f20c), two layers back to back",
       .rows = "nvdla_nv_small_pairs",
       .bound = kSmall,
       .differs = "",
       .cases = pair_cases});
  suites.push_back({.name = "nvdla_nv_small_dram_bytes",
                    .quantity = "DRAM bytes",
                    .unit = "B",
                    .reference = "RTL of NVDLA nv_small (nvdla/hw at 771f20c), single layers",
                    .rows = "nvdla_nv_small_conv",
                    .bound = {},
                    .differs = "",
                    .cases = [](const CsvTable& table, const SuiteContext& context) {
                      return layer_cases(table, context, "nvdla_small", Quantity::kDramBytes);
                    }});
}

}  // namespace npu::validation
