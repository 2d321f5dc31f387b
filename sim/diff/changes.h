#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sim/config/config_document.h"
#include "sim/config/npu_config.h"

namespace npu::diff {

/// A key that differs between two resolved configurations.
struct Change {
  std::string key;  ///< "dram.timing_cycles.tRFC"; "dram": all of it, of another kind of memory.
  std::string a, b;
};

/// Keys that decide on cycles, compared with their defaults filled in.
[[nodiscard]] std::vector<Change> timing_changes(const NpuConfig& a, const NpuConfig& b);

/// A row of the energy tables that differs: [pJ per event], [mW] of leakage.
struct RateChange {
  std::string key;      ///< "energy.events.dram_read.pj", "energy.leakage.dram.mw"
  std::size_t row = 0;  ///< Of rates_of().
  double a = 0, b = 0;
};
[[nodiscard]] std::vector<RateChange> rate_changes(const NpuConfig& a, const NpuConfig& b);
/// Picojoules per event, in the order of npu::Event, then per picosecond of each component that
/// leaks in either.
struct Rates {
  std::vector<std::string> keys;
  std::vector<double> a, b;
};
[[nodiscard]] Rates rates_of(const NpuConfig& a, const NpuConfig& b);

/// What differs without an effect on any figure: names, descriptions, sources.
[[nodiscard]] std::vector<Change> idle_changes(const NpuConfig& a, const NpuConfig& b);

/// Makes configurations between two: some of the changes are B's, the rest is A's.
class Mixer {
 public:
  /// @param a, b  read from files of their own.  @throws Error if a file cannot be read again.
  Mixer(const NpuConfig& a, const NpuConfig& b);

  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
  /// @param from_b  per change. @return none if that is no valid NPU.
  [[nodiscard]] std::optional<NpuConfig> mix(const std::vector<bool>& from_b) const;

 private:
  std::vector<Change> changes_;
  ConfigDocument a_;
  std::string b_path_;
};

}  // namespace npu::diff
