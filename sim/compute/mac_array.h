#pragma once

#include <cstdint>
#include <memory>
#include <systemc>
#include <vector>

#include "isa/instructions.h"
#include "sim/compute/result_stream.h"
#include "sim/memory/core_clock.h"
#include "sim/memory/sram.h"
#include "sim/stats/recorder.h"
#include "sim/stats/schedule.h"
#include "sim/stats/timeline.h"

namespace npu {

/// The MAC array: mac.load_weights, mac.conv, mac.depthwise, mac.gemm.
///
/// Timing: sim/timing/mac_timing.h per tile, plus waits for scratchpad and accumulator banks. A
/// tile starts when the array is free and its weights are in; mac.load_weights starts when the
/// shadow registers are free (MacTiming::shadow_free_cycles into the tile before), so it runs
/// beside that tile, and an exposed rest of it counts as fill/drain. A tile's traffic is spread
/// evenly over it; padding is multiplied but not read.
///
/// weights_loaded: the tile takes its first fold from the bytes that the last mac.load_weights
/// copied. RunFault if there was none since the last tile, or if its address, stride, type or shape
/// is not the fold's. Not modelled: tiles that overlap in the array (a tile enters when the one
/// before has drained).
///
/// A tile with `stream` set runs stripe by stripe (sim/timing/stripe_timing.h): all folds of the
/// reduction over one stripe, then the next stripe. Its sums do not go to the accumulators' address
/// space but to the result stream (result_stream.h), which holds the last fold of a stripe until
/// there are places; that wait is kStallFull. The next tile enters behind the last operand. Bank
/// waits of a streamed tile delay what comes after it, not its own results.
class MacArray : public sc_core::sc_module {
 public:
  MacArray(const sc_core::sc_module_name& name, const MacArrayConfig& config,
           const CoreClock& clock, Sram& scratchpad, Sram& accumulator, Recorder& recorder,
           ResultStream* stream = nullptr);
  ~MacArray() override;

  /// Runs one instruction: waits until it can start, does the arithmetic (unless timing-only), and
  /// returns when the engine may look at the next instruction, which can be before this one is
  /// complete.
  /// @return the cycle at which it is complete (its results are visible, its operands may be
  /// overwritten). Completion cycles never decrease.
  std::uint64_t execute(const isa::Instruction& instruction, std::int32_t index,
                        std::int32_t layer);

  /// When the array, or its weight port, worked on the instruction executed last.
  struct Work {
    std::uint64_t begin_cycle = 0, end_cycle = 0;
    std::vector<Schedule::Stripe> stripes;  ///< Of a streamed tile.
  };
  [[nodiscard]] const Work& last_work() const;

  [[nodiscard]] Timeline& timeline();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace npu
