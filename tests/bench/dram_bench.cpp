// Bursts per second of processor time through the DRAM controller and devices alone, per preset
// file and trace. usage: dram_bench DEVICE.yaml ...

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string_view>
#include <utility>

#include "sim/config/dram_device.h"
#include "sim/memory/dram_trace.h"

namespace {

using npu::DramConfig;
using npu::TracePattern;

constexpr std::int64_t kClocks = 8'000'000;

double processor_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void measure(const DramConfig& config, std::string_view map, TracePattern pattern,
             std::string_view trace) {
  const double begin = processor_seconds();
  const npu::DramTraceResult r =
      npu::run_dram_trace(config, {.pattern = pattern, .clocks = kClocks});
  const double seconds = processor_seconds() - begin;
  const auto bursts = static_cast<double>(r.reads + r.writes);
  fmt::print("{:40} {:12} {:8} {:7.2f} Mbursts/s, {:.3f} of the peak\n", config.device, map, trace,
             bursts / seconds / 1e6, r.bus_share);
}

void measure_device(const char* path) {
  constexpr std::array<std::pair<TracePattern, std::string_view>, 4> kTraces = {
      {{TracePattern::kStream, "stream"},
       {TracePattern::kRandom, "random"},
       {TracePattern::kStride, "stride"},
       {TracePattern::kTriad, "triad"}}};
  DramConfig config = npu::load_dram_device(path);
  config.channels = 1;
  for (const auto& [pattern, name] : kTraces) measure(config, "as it ships", pattern, name);
  config.address_mapping = "ro-ra-ba-bg-co-ch";
  for (const auto& [pattern, name] : kTraces) measure(config, "columns low", pattern, name);
}

}  // namespace

extern "C" int sc_main(int argc, char* argv[]) {
  try {
    for (int i = 1; i < argc; ++i) measure_device(argv[i]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
  return 0;
}
