#include "sim/config/npu_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "sim/base/file.h"
#include "sim/base/sha256.h"
#include "sim/base/suggest.h"
#include "sim/config/sections.h"

namespace npu {
namespace {

constexpr std::int64_t kKib = 1024;
constexpr std::int64_t kMib = 1024 * kKib;

/// Bytes of one result row across the array at its widest (int64 accumulators of int16 x int8).
std::int64_t widest_result_bytes(const MacArrayConfig& array) {
  return std::int64_t{array.cols} * array.pixels * 8;
}

void check_accumulator(const YamlMap& in, const NpuConfig& c) {
  const std::int64_t needed = widest_result_bytes(c.mac_array);
  if (c.accumulator.capacity_bytes < needed) {
    in.fail("capacity_bytes",
            fmt::format("must hold one 8-byte result of each of cols x pixels = {} bytes, got {}",
                        needed, c.accumulator.capacity_bytes));
  }
}

void check_scratchpad(const YamlMap& in, const NpuConfig& c) {
  // One weight and one input operand per PE input, the least with which the array can do anything.
  const MacArrayConfig& a = c.mac_array;
  const std::int64_t needed =
      std::int64_t{a.rows} * a.cols + std::int64_t{a.rows} * a.pixels * 2 + widest_result_bytes(a);
  if (c.scratchpad.capacity_bytes < needed) {
    in.fail("capacity_bytes", fmt::format("must hold one array's weights, inputs and results = {} "
                                          "bytes, got {}",
                                          needed, c.scratchpad.capacity_bytes));
  }
}

}  // namespace

std::int64_t ClockConfig::period_ps() const {
  return static_cast<std::int64_t>(std::llround(1e6 / frequency_mhz));
}

void read_sources(const YamlMap& in, std::string_view section, std::vector<ConfigSource>& out) {
  const auto sources = in.get_map("sources");
  out.push_back({std::string(section), "", in.require<std::string>("source")});
  if (!sources) return;
  const std::vector<std::string> keys = in.keys();
  for (const std::string& key : sources->keys()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      sources->fail(key, fmt::format("must name a key of this section, got {}{}", key,
                                     did_you_mean(key, keys)));
    }
    out.push_back({std::string(section), key, sources->require<std::string>(key)});
  }
}

YamlMap open_named_file(const YamlMap& in, std::string_view key) {
  const std::filesystem::path name = in.require<std::string>(key);
  const std::filesystem::path path = std::filesystem::path(in.file()).parent_path() / name;
  std::string text;
  try {
    text = read_file(path.lexically_normal().string(), YamlMap::kMaxFileBytes);
  } catch (const Error& error) {
    in.fail(key, fmt::format("must name a readable file, got {}", error.what()));
  }
  return YamlMap::from_text(text, path.lexically_normal().string());
}

NpuConfig parse_npu_config(std::string_view text, const std::string& path) {
  return parse_npu_config(YamlMap::from_text(text, path));
}

NpuConfig parse_npu_config(const YamlMap& in) {
  NpuConfig c;
  c.path = in.file();
  c.name = in.require<std::string>("name");
  c.description = in.get<std::string>("description", "");

  const auto section = [&](std::string_view name, auto read) {
    const YamlMap map = in.require_map(name);
    auto result = read(map);
    read_sources(map, name, c.sources);
    map.finish();
    return result;
  };
  c.clock = section("clock", read_clock);
  c.mac_array = section("mac_array", read_mac_array);
  c.scratchpad = section("scratchpad",
                         [](const YamlMap& map) { return read_sram(map, 4 * kKib, 256 * kMib); });
  c.accumulator =
      section("accumulator", [](const YamlMap& map) { return read_sram(map, 64, 256 * kMib); });
  c.vector_unit = section("vector_unit", read_vector_unit);
  c.dma = section("dma", read_dma);
  c.sequencer = section("sequencer", read_sequencer);
  c.interconnect = section("interconnect", read_interconnect);
  c.dram = read_dram(in.require_map("dram"), c.sources);
  c.energy = section("energy", read_energy);
  if (const auto host = in.get_map("host")) {
    c.host = read_host(*host);
    read_sources(*host, "host", c.sources);
    host->finish();
  }
  if (const auto calibration = in.get_map("calibration")) {
    c.calibration = read_calibration(*calibration);
    c.sources.push_back({"calibration", "", c.calibration->source});
  }
  in.finish();

  check_accumulator(in.require_map("accumulator"), c);
  check_scratchpad(in.require_map("scratchpad"), c);
  return c;
}

NpuConfig load_npu_config(const std::string& path) {
  return parse_npu_config(read_file(path, YamlMap::kMaxFileBytes), path);
}

std::string NpuConfig::fingerprint() const {
  std::string text;
  for (const ResolvedSection& section : resolved_values(*this)) {
    for (const auto& [key, value] : section.values) {
      text += fmt::format("{}.{}={}\n", section.name, key, value);
    }
  }
  return sha256_hex(text).substr(0, 16);
}

}  // namespace npu
