#include "sim/power/ledger.h"

#include "sim/base/error.h"
#include "sim/config/leakage.h"

namespace npu {

double EnergyLedger::total_pj() const {
  double sum = 0;
  for (const LedgerRow& row : rows) sum += row.energy_pj;
  return sum;
}

double EnergyLedger::component_pj(std::string_view component) const {
  double sum = 0;
  for (const LedgerRow& row : rows) {
    if (row.component == component) sum += row.energy_pj;
  }
  return sum;
}

double EnergyLedger::class_share(SourceClass source_class) const {
  const double total = total_pj();
  if (total <= 0) return 0;
  double sum = 0;
  for (const LedgerRow& row : rows) {
    if (row.source_class == source_class) sum += row.energy_pj;
  }
  return sum / total;
}

EnergyLedger make_ledger(const EnergyConfig& config, const ClockConfig& clock,
                         const EventCounts& events, std::uint64_t cycles) {
  NPU_CHECK(config.events.size() == kEventCount, "energy table without a row for every event");
  EnergyLedger ledger;
  ledger.rows.reserve(kEventCount + config.leakage.size());
  for (std::size_t i = 0; i < kEventCount; ++i) {
    const auto event = static_cast<Event>(i);
    const EnergyRow& row = config.events[i];
    if (event >= kFirstOptionalEvent && events[i] == 0) continue;
    ledger.rows.push_back({.component = std::string(component_of(event)),
                           .event = std::string(name_of(event)),
                           .count = events[i],
                           .energy_per_event_pj = row.picojoules,
                           .energy_pj = static_cast<double>(events[i]) * row.picojoules,
                           .source_class = row.source_class,
                           .source = row.source});
  }
  for (const LeakageRow& row : config.leakage) {
    const double per_cycle = leakage_per_cycle_pj(row, clock.period_ps());
    ledger.rows.push_back({.component = row.component,
                           .event = "leakage",
                           .count = cycles,
                           .energy_per_event_pj = per_cycle,
                           .energy_pj = static_cast<double>(cycles) * per_cycle,
                           .source_class = row.source_class,
                           .source = row.source});
  }
  return ledger;
}

}  // namespace npu
