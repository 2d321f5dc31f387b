#include "sim/stats/critical_path.h"

#include "sim/base/error.h"
#include "sim/stats/path_walker.h"

namespace npu {
namespace {

constexpr std::array<std::string_view, kCauseCount> kCauseNames = {
    "busy",     "fill_drain",   "bank_conflict", "dram_bandwidth", "dram_latency",
    "row_miss", "refresh",      "queue_full",    "dispatch",       "fetch",
    "tail",     "interconnect", "outstanding",   "stream_latency"};
constexpr std::array<std::string_view, kHandoverCount> kHandoverNames = {
    "start", "order", "token", "dispatch", "queue_full", "stream"};

}  // namespace

std::string_view name_of(Cause cause) { return kCauseNames[static_cast<std::size_t>(cause)]; }

std::string_view name_of(Handover handover) {
  return kHandoverNames[static_cast<std::size_t>(handover)];
}

void CriticalPath::check() const {
  std::uint64_t at = begin_cycle;
  for (const PathStep& step : steps) {
    NPU_CHECK(step.begin_cycle == at && step.end_cycle > at, "the critical path has a gap");
    std::uint64_t sum = 0;
    for (const std::uint64_t cycles : step.cycles) sum += cycles;
    NPU_CHECK(sum == step.end_cycle - step.begin_cycle, "causes do not sum to their step");
    at = step.end_cycle;
  }
  NPU_CHECK(at == end_cycle, "the critical path does not reach the end");
}

CriticalPath find_critical_path(const Schedule& schedule) { return PathWalker(schedule).walk(); }

std::string_view unit_of(const CriticalPath& path, const PathStep& step, Cause cause) {
  switch (cause) {
    case Cause::kDramBandwidth:
    case Cause::kDramLatency:
    case Cause::kRowMiss:
    case Cause::kRefresh:
    case Cause::kTail:
      return "dram";
    case Cause::kInterconnect:
      return "interconnect";
    default:
      return path.units.at(step.unit);
  }
}

}  // namespace npu
