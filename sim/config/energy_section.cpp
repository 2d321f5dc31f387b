#include <fmt/format.h>

#include <algorithm>

#include "sim/config/sections.h"

namespace npu {
namespace {

constexpr std::array<std::pair<std::string_view, SourceClass>, 5> kClasses = {
    {{"measured", SourceClass::kMeasured},
     {"published", SourceClass::kPublished},
     {"derived", SourceClass::kDerived},
     {"assumed", SourceClass::kAssumed},
     {"placeholder", SourceClass::kPlaceholder}}};

constexpr double kMaxPicojoules = 1e9;
constexpr double kMaxMilliwatts = 1e6;

const DerivedEnergy* find_derived(std::string_view key) {
  const auto* const at = std::ranges::find(kDerivedEnergies, key, &DerivedEnergy::key);
  return at == kDerivedEnergies.end() ? nullptr : at;
}

/// The row that is missing, from those read before it.
EnergyRow derive(const DerivedEnergy& derived, const std::vector<EnergyRow>& rows) {
  const auto* const from = std::ranges::find(kEnergyEventKeys, derived.from);
  const EnergyRow& base = rows[static_cast<std::size_t>(from - kEnergyEventKeys.begin())];
  return {.picojoules = derived.factor * base.picojoules,
          .source_class = SourceClass::kDerived,
          .source = fmt::format("{:.3g} x {}, the ratio at 45 nm (Horowitz ISSCC 2014)",
                                derived.factor, derived.from)};
}

}  // namespace

EnergyConfig read_energy_table(const YamlMap& in) {
  EnergyConfig c;
  c.technology = in.require<std::string>("technology");
  const YamlMap events = in.require_map("events");
  for (const std::string_view key : kEnergyEventKeys) {
    if (const DerivedEnergy* derived = find_derived(key); derived != nullptr && !events.has(key)) {
      c.events.push_back(derive(*derived, c.events));
      continue;
    }
    const YamlMap row = events.require_map(key);
    c.events.push_back({.picojoules = row.require_number("pj", 0, kMaxPicojoules),
                        .source_class = row.require_choice<SourceClass>("class", kClasses),
                        .source = row.require<std::string>("source")});
    row.finish();
  }
  events.finish();
  const YamlMap leakage = in.require_map("leakage");
  for (const std::string_view key : kLeakageComponents) {
    const YamlMap row = leakage.require_map(key);
    c.leakage.push_back({.component = std::string(key),
                         .milliwatts = row.require_number("mw", 0, kMaxMilliwatts),
                         .source_class = row.require_choice<SourceClass>("class", kClasses),
                         .source = row.require<std::string>("source")});
    row.finish();
  }
  leakage.finish();
  in.finish();
  return c;
}

EnergyConfig read_energy(const YamlMap& in) {
  EnergyConfig c = read_energy_table(open_named_file(in, "table"));
  c.window_cycles = in.get_int("window_cycles", c.window_cycles, 1, 1'000'000'000);
  return c;
}

}  // namespace npu
