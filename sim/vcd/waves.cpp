#include "sim/vcd/waves.h"

#include <algorithm>
#include <bit>

#include "sim/base/error.h"

namespace npu::vcd {
namespace {

/// Adds a change unless the value stays; a change of the same cycle is replaced.
void set(Wave& wave, std::uint64_t cycle, std::uint32_t value) {
  if (!wave.changes.empty() && wave.changes.back().cycle == cycle) wave.changes.pop_back();
  if (wave.changes.empty() || wave.changes.back().value != value) {
    wave.changes.push_back({cycle, value});
  }
}

Wave state_of(const ActivityLog::Unit& unit, const ActivityLog& log) {
  Wave wave{.name = unit.name + ".state",
            .bits = static_cast<int>(std::bit_width(kBucketCount - 1)),
            .changes = {}};
  std::uint64_t from = unit.phases.begin_cycle;
  for (const PhaseLog::Phase& phase : unit.phases.phases) {
    const std::uint64_t begin = std::max(from, log.begin_cycle);
    if (phase.until_cycle > begin && begin < log.end_cycle) {
      set(wave, begin - log.begin_cycle, static_cast<std::uint32_t>(phase.bucket));
    }
    from = phase.until_cycle;
  }
  if (wave.changes.empty()) set(wave, 0, static_cast<std::uint32_t>(Bucket::kIdle));
  return wave;
}

Wave busy_of(const Wave& state, const std::string& unit) {
  Wave wave{.name = unit + ".busy", .bits = 1, .changes = {}};
  for (const Wave::Change& change : state.changes) {
    set(wave, change.cycle, change.value == static_cast<std::uint32_t>(Bucket::kBusy) ? 1 : 0);
  }
  return wave;
}

Wave level_of(const CountLog& count, const ActivityLog& log) {
  std::vector<CountLog::Change> changes = count.changes();
  std::ranges::stable_sort(changes, {}, &CountLog::Change::cycle);
  Wave wave{.name = count.name(), .bits = 1, .changes = {}};
  std::int64_t level = count.level_at_begin();
  std::int64_t highest = 1;
  const auto at = [&](std::uint64_t cycle) {
    const std::uint64_t inside = std::clamp(cycle, log.begin_cycle, log.end_cycle);
    set(wave, inside - log.begin_cycle,
        static_cast<std::uint32_t>(std::max<std::int64_t>(0, level)));
    highest = std::max(highest, level);
  };
  at(log.begin_cycle);
  for (const CountLog::Change& change : changes) {
    if (change.cycle > log.end_cycle) break;
    level += change.by;
    at(change.cycle);
  }
  wave.bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(highest)));
  return wave;
}

}  // namespace

std::vector<Wave> waves_of(const ActivityLog& log) {
  std::vector<Wave> waves;
  for (const ActivityLog::Unit& unit : log.units) {
    waves.push_back(state_of(unit, log));
    waves.push_back(busy_of(waves.back(), unit.name));
  }
  for (const CountLog& count : log.counts) {
    Wave wave = level_of(count, log);
    const bool is_zero = wave.changes.size() == 1 && wave.changes.front().value == 0;
    if (!is_zero || !wave.name.starts_with("tokens.")) waves.push_back(std::move(wave));
  }
  return waves;
}

}  // namespace npu::vcd
