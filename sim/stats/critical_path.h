#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/stats/schedule.h"

namespace npu {

/// What a cycle of the critical path was spent on.
enum class Cause : std::uint8_t {
  kBusy,          ///< The unit does its work: multiplies, computes elements, moves data.
  kFillDrain,     ///< Pipeline fill and drain, weight preload that nothing hides, set-up.
  kBankConflict,  ///< Scratchpad or accumulator bank taken by another stream.
  // A DMA channel waits for DRAM, or for room in its controller's queue, while …
  kDramBandwidth,  ///< DRAM data is on the bus: its own or another's.
  kDramLatency,    ///< its requests have column latency, turnaround, controller, interconnect.
  kRowMiss,        ///< DRAM precharges or activates.
  kRefresh,        ///< DRAM refreshes.
  kQueueFull,      ///< its request is refused, and DRAM does none of these.
  kDispatch,       ///< The sequencer decodes and dispatches.
  kFetch,          ///< The sequencer waits for the word from DRAM.
  kTail,           ///< After the last instruction: DRAM writes what its queues still hold.
  kInterconnect,   ///< Data is delayed by the interconnect's latency and width.
  kOutstanding,    ///< A request waits for one of max_outstanding, and DRAM does none of these.
  kStreamLatency,  ///< Sums on their way to the vector unit, or their places on the way back.
};
inline constexpr std::size_t kCauseCount = 14;
[[nodiscard]] std::string_view name_of(Cause cause);  ///< "busy", "fill_drain", …
using CauseCycles = std::array<std::uint64_t, kCauseCount>;

/// Why a step of the path could not begin earlier: what the step before it handed over.
enum class Handover : std::uint8_t {
  kStart,      ///< The run began.
  kOrder,      ///< The unit was with the instruction before.
  kToken,      ///< The instruction waited for a token: a data dependency or a free buffer.
  kDispatch,   ///< It was dispatched no earlier.
  kQueueFull,  ///< Dispatch waited for room in an engine's queue.
  kStream,     ///< It waited for sums in the result stream, or for places there.
};
inline constexpr std::size_t kHandoverCount = 6;
[[nodiscard]] std::string_view name_of(Handover handover);

/// A span of time in which the run could not have gone on but for one unit.
struct PathStep {
  std::uint64_t begin_cycle = 0, end_cycle = 0;
  std::uint32_t unit = 0;  ///< Index into CriticalPath::units.
  std::int32_t layer = -1;
  std::int32_t instruction = -1;  ///< Static index.
  Handover handover = Handover::kStart;
  CauseCycles cycles{};  ///< Sum to end_cycle − begin_cycle.
};

/// The chain of work that the length of a run hangs on.
///
/// Found backwards from the end: an instruction's work, then whatever it waited for last (the
/// unit, a token's giver, its dispatch, room in a queue), until the begin. Waiting for a token or
/// for room in a queue takes no time of the path by itself: the path goes through what was waited
/// for, and the handovers say how it got there. Where two things were waited for until the same
/// cycle, the unit's own order comes first, then the token, then the dispatch.
///
/// Units that overlap hand over inside their instructions. Between the array and the vector unit
/// the path changes over where an entry of the result stream was waited for (its sums, or its
/// place). In a DMA channel with pipelined descriptors it goes from a descriptor to the one before
/// at the instant at which that one's data let its own pass, or let a request be issued.
struct CriticalPath {
  std::uint64_t begin_cycle = 0, end_cycle = 0;
  std::vector<std::string> units;  ///< The engines, "sequencer" last.
  std::vector<PathStep> steps;     ///< From begin to end, without gap or overlap.

  /// Throws std::logic_error unless the steps are such a chain and their causes sum to them.
  void check() const;
};

[[nodiscard]] CriticalPath find_critical_path(const Schedule& schedule);

/// The DRAM's own causes belong to it, whichever channel waits: "dram" for kDramBandwidth,
/// kDramLatency, kRowMiss, kRefresh and kTail, "interconnect" for kInterconnect, else the step's
/// unit.
[[nodiscard]] std::string_view unit_of(const CriticalPath& path, const PathStep& step, Cause cause);

}  // namespace npu
