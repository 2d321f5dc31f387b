#include "sim/diff/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/yaml_document.h"
#include "sim/base/yaml_map.h"
#include "sim/config/sections.h"

namespace npu::diff {
namespace {

constexpr const char* kWholeDram = "dram";
constexpr double kPicojoulesPerMilliwattPicosecond = 1e-3;

/// The key's place in a file: the timings of a DRAM are in a mapping of their own.
std::string file_key(std::string_view section, std::string_view key) {
  const bool is_timing = section == kWholeDram && key.size() > 1 && key[0] == 't' &&
                         std::isupper(static_cast<unsigned char>(key[1])) != 0;
  return fmt::format("{}.{}{}", section, is_timing ? "timing_cycles." : "", key);
}

double leakage_of(const NpuConfig& config, const std::string& component) {
  double sum = 0;
  for (const LeakageRow& row : config.energy.leakage) {
    if (row.component == component) sum += row.milliwatts;
  }
  return sum;
}

std::string sources_text(const NpuConfig& config) {
  std::string text;
  for (const ConfigSource& s : config.sources) {
    text += fmt::format("{}.{}={}\n", s.section, s.key, s.text);
  }
  return text;
}

}  // namespace

std::vector<Change> timing_changes(const NpuConfig& a, const NpuConfig& b) {
  std::vector<Change> changes;
  const std::vector<ResolvedSection> in_a = resolved_values(a);
  const std::vector<ResolvedSection> in_b = resolved_values(b);
  for (std::size_t s = 0; s < in_a.size(); ++s) {
    if (in_a[s].name == kWholeDram && a.dram.kind != b.dram.kind) {
      changes.push_back({kWholeDram, a.dram.device, b.dram.device});
      continue;
    }
    for (std::size_t v = 0; v < in_a[s].values.size(); ++v) {
      const auto& [key, value] = in_a[s].values[v];
      const std::string& other = in_b[s].values[v].second;
      if (value != other) changes.push_back({file_key(in_a[s].name, key), value, other});
    }
  }
  return changes;
}

Rates rates_of(const NpuConfig& a, const NpuConfig& b) {
  Rates rates;
  for (std::size_t e = 0; e < kEnergyEventKeys.size(); ++e) {
    rates.keys.push_back(fmt::format("energy.events.{}.pj", kEnergyEventKeys[e]));
    rates.a.push_back(e < a.energy.events.size() ? a.energy.events[e].picojoules : 0);
    rates.b.push_back(e < b.energy.events.size() ? b.energy.events[e].picojoules : 0);
  }
  for (const std::string_view component : kLeakageComponents) {
    rates.keys.push_back(fmt::format("energy.leakage.{}.mw", component));
    rates.a.push_back(leakage_of(a, std::string(component)) * kPicojoulesPerMilliwattPicosecond);
    rates.b.push_back(leakage_of(b, std::string(component)) * kPicojoulesPerMilliwattPicosecond);
  }
  return rates;
}

std::vector<RateChange> rate_changes(const NpuConfig& a, const NpuConfig& b) {
  const Rates rates = rates_of(a, b);
  std::vector<RateChange> changes;
  for (std::size_t r = 0; r < rates.keys.size(); ++r) {
    if (rates.a[r] == rates.b[r]) continue;
    const double unit =
        r < kEnergyEventKeys.size() ? 1 : kPicojoulesPerMilliwattPicosecond;  // Back to mW.
    changes.push_back({rates.keys[r], r, rates.a[r] / unit, rates.b[r] / unit});
  }
  return changes;
}

std::vector<Change> idle_changes(const NpuConfig& a, const NpuConfig& b) {
  std::vector<Change> changes;
  const auto compare = [&](const char* key, const std::string& x, const std::string& y) {
    if (x != y) changes.push_back({key, x, y});
  };
  compare("name", a.name, b.name);
  compare("description", a.description, b.description);
  if (a.dram.kind == b.dram.kind) compare("dram.device", a.dram.device, b.dram.device);
  compare("energy.technology", a.energy.technology, b.energy.technology);
  compare("energy.window_cycles", fmt::format("{}", a.energy.window_cycles),
          fmt::format("{}", b.energy.window_cycles));
  const auto compare_host = [&](const char* key, double HostConfig::*value) {
    const auto text = [&](const NpuConfig& c) {
      return c.host ? fmt::format("{}", (*c.host).*value) : std::string("none");
    };
    compare(key, text(a), text(b));
  };
  compare_host("host.macs_per_second", &HostConfig::macs_per_second);
  compare_host("host.elements_per_second", &HostConfig::elements_per_second);
  compare_host("host.bytes_per_second", &HostConfig::bytes_per_second);
  compare_host("host.call_us", &HostConfig::call_us);
  compare_host("host.active_power_mw", &HostConfig::active_power_mw);
  if (sources_text(a) != sources_text(b)) changes.push_back({"sources", "", ""});
  return changes;
}

Mixer::Mixer(const NpuConfig& a, const NpuConfig& b)
    : changes_(timing_changes(a, b)), a_(ConfigDocument::load(a.path)), b_path_(b.path) {}

std::optional<NpuConfig> Mixer::mix(const std::vector<bool>& from_b) const {
  NPU_CHECK(from_b.size() == changes_.size(), "a choice per change");
  ConfigDocument mixed = a_;
  try {
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (!from_b[i]) continue;
      if (changes_[i].key != kWholeDram) {
        mixed.set(changes_[i].key, changes_[i].b);
        continue;
      }
      const auto other = yaml::parse(read_file(b_path_, YamlMap::kMaxFileBytes), b_path_);
      mixed.set_section(kWholeDram, other->root.find(kWholeDram)->value);
      const std::filesystem::path device = std::filesystem::absolute(b_path_).parent_path() /
                                           ConfigDocument::load(b_path_).get("dram.device");
      mixed.set_text("dram.device", device.lexically_normal().string());
    }
    return mixed.parse();
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace npu::diff
