#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/config/npu_config.h"
#include "sim/stats/recorder.h"

namespace npu {

/// One line of the energy ledger: count × energy_per_event_pj = energy_pj.
struct LedgerRow {
  std::string component;    ///< "mac_array", "scratchpad", "dram", …
  std::string event;        ///< name_of(Event), or "leakage".
  std::uint64_t count = 0;  ///< Events; cycles for leakage.
  double energy_per_event_pj = 0;
  double energy_pj = 0;
  SourceClass source_class = SourceClass::kAssumed;
  std::string source;
};

/// Where every picojoule went. Nothing is charged that has no row.
///
/// E = Σ events (count × table row) + Σ components (leakage power × time).
/// Not modelled: dependence on voltage, temperature and data, clock and power gating.
struct EnergyLedger {
  std::vector<LedgerRow> rows;  ///< One per Event in its order, then one per leakage row.

  /// Sum over the rows, in their order [pJ].
  [[nodiscard]] double total_pj() const;
  [[nodiscard]] double component_pj(std::string_view component) const;
  /// Energy of the rows of one class as a share of the total; 0 where the total is 0.
  [[nodiscard]] double class_share(SourceClass source_class) const;
};

/// The ledger of `events` counted over `cycles` core cycles: of all runs, or of one layer (its
/// events and its span of the run).
[[nodiscard]] EnergyLedger make_ledger(const EnergyConfig& config, const ClockConfig& clock,
                                       const EventCounts& events, std::uint64_t cycles);

}  // namespace npu
