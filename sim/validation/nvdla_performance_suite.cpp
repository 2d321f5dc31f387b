// NVDLA's published performance table: ResNet-50 on arrays of 32 to 2048 MACs.
#include <algorithm>
#include <array>
#include <cmath>

#include "sim/base/error.h"
#include "sim/base/math.h"
#include "sim/config/npu_config.h"
#include "sim/validation/published.h"
#include "sim/validation/simulate.h"

namespace npu::validation {
namespace {

/// What grows with the number of MACs. Source: specifications nv_small, nv_small_256,
/// nv_medium_512, nv_medium_1024_full and nv_large (nvdla/hw, spec/defs); 32 and 128 MACs have
/// none there: assumed half of nv_small and twice as many kernels.
struct Size {
  std::int64_t macs;
  int atomic_c, atomic_k;        ///< Lanes of a dot product and kernels at once.
  int output_elements;           ///< Of the output processor per cycle.
  int memory_port_bytes;         ///< Per cycle.
  int buffer_banks, bank_bytes;  ///< Of the convolution buffer, bytes per bank and cycle.
};
constexpr std::array kSizes = {
    Size{32, 8, 4, 1, 8, 32, 8},        Size{64, 8, 8, 1, 8, 32, 8},
    Size{128, 8, 16, 1, 8, 32, 8},      Size{256, 32, 8, 1, 8, 32, 32},
    Size{512, 32, 16, 4, 16, 32, 32},   Size{1024, 32, 32, 8, 32, 32, 32},
    Size{2048, 64, 32, 16, 64, 16, 64},
};

/// The device at another bandwidth: as few channels as it takes (a power of two), a slower clock,
/// the same nanoseconds.
DramConfig at_bandwidth(DramConfig dram, double bytes_per_second) {
  dram.channels = 1;
  while (dram.peak_bytes_per_second() < bytes_per_second) dram.channels *= 2;
  const double factor = bytes_per_second / dram.peak_bytes_per_second();
  dram.clock_mhz *= factor;
  for (int* cycles : {&dram.tCL, &dram.tCWL, &dram.tRCD, &dram.tRP, &dram.tRAS, &dram.tRRD_S,
                      &dram.tRRD_L, &dram.tFAW, &dram.tWR, &dram.tWTR_S, &dram.tWTR_L, &dram.tRTP,
                      &dram.tRFC, &dram.tRFCpb, &dram.tREFI}) {
    *cycles = std::max(1, static_cast<int>(std::ceil(*cycles * factor)));
  }
  return dram;
}

struct Machine {
  const Size* size;
  std::int64_t buffer_bytes;
  double memory_bytes_per_second;
};

/// nv_small's configuration with what differs; accumulators, requests in flight and the port of
/// the accumulators grow with the array.
NpuConfig configuration(const Machine& m, const std::string& base) {
  NpuConfig c = load_npu_config(base);
  const Size& s = *m.size;
  c.accumulator.capacity_bytes = c.accumulator.capacity_bytes * std::max(s.atomic_k, 8) / 8;
  c.accumulator.port_width_bytes = c.accumulator.port_width_bytes * std::max(s.atomic_k, 8) / 8;
  c.mac_array.rows = s.atomic_c;
  c.mac_array.cols = s.atomic_k;
  c.mac_array.weight_load_bytes_per_cycle = s.bank_bytes;
  c.scratchpad.capacity_bytes = m.buffer_bytes;
  c.scratchpad.banks = s.buffer_banks;
  c.scratchpad.port_width_bytes = s.bank_bytes;
  c.vector_unit.lanes = s.output_elements;
  c.dma.max_outstanding = c.dma.max_outstanding * s.memory_port_bytes / c.dma.bus_width_bytes;
  c.dma.bus_width_bytes = s.memory_port_bytes;
  c.interconnect.bytes_per_cycle = s.memory_port_bytes;
  c.dram = at_bandwidth(c.dram, m.memory_bytes_per_second);
  return c;
}

double frames_per_second(const Machine& m, const SuiteContext& context) {
  constexpr double kPicosecondsPerSecond = 1e12;
  const NpuConfig config = configuration(m, context.npu("nvdla_small"));
  const auto cycles =
      static_cast<double>(simulate(config, shipped_network(context, "resnet50", 1)).total_cycles);
  return kPicosecondsPerSecond / (cycles * static_cast<double>(config.clock.period_ps()));
}

std::vector<Case> cases(const CsvTable& rows, const SuiteContext& context) {
  constexpr std::int64_t kMaxMacs = 2048;
  constexpr std::int64_t kMaxBufferKib = 4096;
  constexpr double kGiga = 1e9;
  std::vector<Case> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const std::int64_t macs = rows.integer(i, "macs", 1, kMaxMacs);
    const auto* const size =
        std::find_if(kSizes.begin(), kSizes.end(), [&](const Size& s) { return s.macs == macs; });
    if (size == kSizes.end()) fail("{}: macs: no NVDLA of {} MACs", rows.place(i), macs);
    const Machine m = {.size = size,
                       .buffer_bytes = rows.integer(i, "cbuf_KB", 1, kMaxBufferKib) * 1024,
                       .memory_bytes_per_second = rows.number(i, "dram_GBps", 0.1, 1e4) * kGiga};
    out.push_back({.row = fmt::format("{} MACs", macs),
                   .reference = rows.number(i, "fps", 0, 1e6),
                   .predict = [m, context] { return frames_per_second(m, context); }});
  }
  return out;
}

}  // namespace

Suite nvdla_performance_suite() {
  return {
      .name = "nvdla_performance",
      .quantity = "frames per second",
      .unit = "frames/s",
      .reference = "NVDLA's performance table, ResNet-50 on 32 to 2048 MACs (nvdla/doc, primer)",
      .rows = "nvdla_performance",
      .bound = {.mean_error_percent = 45, .rank_correlation = 0.95},
      .differs =
          "the table does not say how it was obtained, nor atomic sizes, Winograd or "
          "batch; residual additions are fused into the output processor there",
      .cases = cases};
}

}  // namespace npu::validation
