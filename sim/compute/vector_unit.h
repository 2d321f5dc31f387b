#pragma once

#include <cstdint>
#include <memory>
#include <systemc>

#include "isa/instructions.h"
#include "sim/memory/core_clock.h"
#include "sim/memory/sram.h"
#include "sim/stats/recorder.h"
#include "sim/stats/timeline.h"

namespace npu {

/// The vector unit: every vec.* instruction, one at a time.
///
/// Timing: sim/timing/vector_timing.h plus bank waits; the traffic is spread evenly over the
/// instruction. Not modelled: the next instruction's issue under the latency of the one before.
class VectorUnit : public sc_core::sc_module {
 public:
  VectorUnit(const sc_core::sc_module_name& name, const VectorConfig& config,
             const CoreClock& clock, Sram& scratchpad, Sram& accumulator, Recorder& recorder);
  ~VectorUnit() override;

  /// As MacArray::execute.
  std::uint64_t execute(const isa::Instruction& instruction, std::int32_t index,
                        std::int32_t layer);

  [[nodiscard]] Timeline& timeline();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace npu
