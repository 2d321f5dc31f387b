#pragma once

#include <cstdint>
#include <memory>
#include <systemc>
#include <vector>

#include "isa/instructions.h"
#include "sim/compute/result_stream.h"
#include "sim/config/npu_config.h"
#include "sim/memory/core_clock.h"
#include "sim/memory/sram.h"
#include "sim/stats/recorder.h"
#include "sim/stats/schedule.h"
#include "sim/stats/timeline.h"

namespace npu {

/// The vector unit: every vec.* instruction, one at a time.
///
/// Timing: sim/timing/vector_timing.h plus bank waits; the traffic is spread evenly over the
/// instruction. `pipelined`: the next instruction starts when the work of this one is done and its
/// results are under way (latency_cycles). Not pipelined: when they are out.
///
/// A vec.requantize with `stream` set takes its sums from the result stream (result_stream.h), one
/// position after the other as they come; a position costs all `cols` elements of the array's
/// width, whatever part of them it uses. Waiting for the array is kWaitDependency.
class VectorUnit : public sc_core::sc_module {
 public:
  VectorUnit(const sc_core::sc_module_name& name, const VectorConfig& config,
             const CoreClock& clock, Sram& scratchpad, Sram& accumulator, Recorder& recorder,
             ResultStream* stream = nullptr, int stream_columns = 0);
  ~VectorUnit() override;

  /// As MacArray::execute.
  std::uint64_t execute(const isa::Instruction& instruction, std::int32_t index,
                        std::int32_t layer);

  /// The instruction executed last.
  struct Work {
    std::uint64_t end_cycle = 0;
    /// At its end: its results are under way, and the unit may work on the next one.
    std::uint64_t drain_cycles = 0;
    std::vector<Schedule::Take> takes;  ///< Of a streamed one.
  };
  [[nodiscard]] const Work& last_work() const;

  [[nodiscard]] Timeline& timeline();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace npu
