#include "sim/interchange/npu_draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iterator>

#include "sim/base/yaml_text.h"
#include "sim/config/sections.h"

namespace npu::interchange {
namespace {

constexpr std::size_t kMaxName = 64;

/// Ports of 64 bytes at as many banks as divide the memory, at most 64.
std::string sram_text(std::string_view section, const NpuDraft::Memory& memory) {
  constexpr std::int64_t kPortBytes = 64, kMostBanks = 64;
  std::int64_t banks = kMostBanks;
  while (banks > 1 && memory.bytes % (banks * kPortBytes) != 0) banks /= 2;
  return fmt::format(
      "{}:\n  capacity_bytes: {}\n  banks: {}\n  port_width_bytes: {}\n  ports: 2\n"
      "  latency_cycles: 1\n  interleave: word\n  source: {}\n",
      section, memory.bytes, banks, kPortBytes, yaml::quoted(memory.source));
}

}  // namespace

std::string NpuDraft::yaml() const {
  std::string out;
  const auto at = std::back_inserter(out);
  fmt::format_to(at, "name: {}\ndescription: {}\nclock:\n  frequency_mhz: {}\n  source: {}\n",
                 yaml::quoted(name), yaml::quoted(description), frequency_mhz,
                 yaml::quoted(clock_source));
  fmt::format_to(at,
                 "mac_array:\n  kind: systolic\n  dataflow: {}\n  rows: {}\n  cols: {}\n"
                 "  double_buffered_weights: {}\n  weight_load_bytes_per_cycle: {}\n"
                 "  pipeline_latency_cycles: 0\n  int16_cycles: 1\n  float16_cycles: 1\n"
                 "  bfloat16_cycles: 1\n  float32_cycles: 1\n  source: {}\n",
                 name_of(dataflow), rows, cols, double_buffered_weights, cols,
                 yaml::quoted(array_source));
  out += sram_text("scratchpad", scratchpad) + sram_text("accumulator", accumulator);
  fmt::format_to(at,
                 "vector_unit:\n  lanes: {}\n  latency_cycles: {}\n  requantize_cycles: {}\n"
                 "  requantize: {{rounding: tflite_double}}\n  source: {}\n",
                 vector_lanes, vector_latency_cycles, requantize_cycles,
                 yaml::quoted(vector_source));
  const std::string unlimited = yaml::quoted("assumed: as fast as can be said, no limit there");
  fmt::format_to(at,
                 "dma:\n  channels: 4\n  bus_width_bytes: 4096\n  max_outstanding: 1024\n"
                 "  max_burst_bytes: 256\n  setup_cycles: 0\n  source: {}\n"
                 "sequencer:\n  queue_depth: 64\n  fetch_buffer_instructions: 1024\n"
                 "  dispatch_cycles: 1\n  program_memory: local\n  source: {}\n",
                 unlimited, yaml::quoted("assumed: no instruction stream there"));
  fmt::format_to(at,
                 "interconnect:\n  bytes_per_cycle: 65536\n  latency_cycles: {}\n  source: {}\n",
                 interconnect_latency_cycles, yaml::quoted(interconnect_source));
  fmt::format_to(at, "dram:\n{}  source: {}\n", dram_keys, yaml::quoted(dram_source));
  fmt::format_to(at,
                 "energy:\n  table: ../energy/edge_7nm.yaml\n  window_cycles: 1000\n  source: {}\n",
                 yaml::quoted("assumed: the table of edge; the file says nothing of energy"));
  return out;
}

std::string origin_of(const std::string& file, std::string_view simulator) {
  std::string name = std::filesystem::path(file).filename().string();
  std::ranges::replace_if(
      name, [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return fmt::format("imported from {} ({})", name, simulator);
}

std::string plain_name(const std::string& text, const std::string& otherwise) {
  std::string out;
  for (const char c : text.substr(0, kMaxName)) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    out += is_plain ? c : '_';
  }
  const bool has_letter =
      std::ranges::any_of(out, [](unsigned char c) { return std::isalnum(c) != 0; });
  return has_letter ? out : otherwise;
}

}  // namespace npu::interchange
