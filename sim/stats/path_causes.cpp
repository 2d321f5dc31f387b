#include "sim/stats/path_causes.h"

#include <algorithm>

#include "sim/base/error.h"

namespace npu {
namespace {

/// The first phase that reaches beyond `cycle`.
std::size_t phase_at(const PhaseLog& log, std::uint64_t cycle) {
  const auto at = std::upper_bound(
      log.phases.begin(), log.phases.end(), cycle,
      [](std::uint64_t c, const PhaseLog::Phase& phase) { return c < phase.until_cycle; });
  return static_cast<std::size_t>(at - log.phases.begin());
}

/// What a channel waits for while DRAM is in this phase; `otherwise` where DRAM does none of it.
Cause cause_in_dram(Bucket bucket, Cause otherwise) {
  switch (bucket) {
    case Bucket::kBusy:
      return Cause::kDramBandwidth;
    case Bucket::kRefresh:
      return Cause::kRefresh;
    case Bucket::kRowMiss:
      return Cause::kRowMiss;
    default:
      return otherwise;
  }
}

/// Which of the DRAM channels' causes counts where they differ.
int rank_of(Cause cause) {
  switch (cause) {
    case Cause::kDramBandwidth:
      return 3;
    case Cause::kRefresh:
      return 2;
    case Cause::kRowMiss:
      return 1;
    default:
      return 0;
  }
}

/// Splits [begin, end) by what the DRAM does in it.
void add_dram(const std::vector<PhaseLog>& channels, Cause otherwise, std::uint64_t begin,
              std::uint64_t end, CauseCycles& cycles) {
  for (std::uint64_t at = begin; at < end;) {
    std::uint64_t until = end;
    Cause cause = otherwise;
    for (const PhaseLog& log : channels) {
      const std::size_t i = phase_at(log, at);
      if (i == log.phases.size()) continue;
      until = std::min(until, log.phases[i].until_cycle);
      const Cause here = cause_in_dram(log.phases[i].bucket, otherwise);
      if (rank_of(here) > rank_of(cause)) cause = here;
    }
    cycles[static_cast<std::size_t>(cause)] += until - at;
    at = until;
  }
}

}  // namespace

void add_unit_phases(const PhaseLog& unit, const std::vector<PhaseLog>& dram, std::uint64_t begin,
                     std::uint64_t end, CauseCycles& cycles) {
  std::uint64_t at = begin;
  for (std::size_t i = phase_at(unit, at); at < end; ++i) {
    NPU_CHECK(i < unit.phases.size(), "a unit worked without accounting it");
    const std::uint64_t until = std::min(end, unit.phases[i].until_cycle);
    const auto add = [&](Cause cause) { cycles[static_cast<std::size_t>(cause)] += until - at; };
    switch (unit.phases[i].bucket) {
      case Bucket::kBusy:
        add(Cause::kBusy);
        break;
      case Bucket::kFillDrain:
        add(Cause::kFillDrain);
        break;
      case Bucket::kWaitBank:
        add(Cause::kBankConflict);
        break;
      case Bucket::kStallFull:
        add_dram(dram, Cause::kQueueFull, at, until, cycles);
        break;
      case Bucket::kWaitDram:
        add_dram(dram, Cause::kDramLatency, at, until, cycles);
        break;
      case Bucket::kWaitInterconnect:
        add(Cause::kInterconnect);
        break;
      case Bucket::kWaitOutstanding:
        add_dram(dram, Cause::kOutstanding, at, until, cycles);
        break;
      default:
        NPU_CHECK(false, "a unit that worked accounted other cycles");
    }
    at = until;
  }
}

}  // namespace npu
