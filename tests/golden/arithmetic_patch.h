#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "isa/program.h"
#include "sim/base/fixed_point.h"

namespace npu::test {

/// Gives a compiled layer the arithmetic of a kernel vector. Vectors come with 32-bit multipliers,
/// which float32 scales cannot express, and with any clamp. A test compiles the layer with scales
/// that make every multiplier a different one (a marker) and then replaces these.
class ArithmeticPatch {
 public:
  struct Clamp {
    std::int32_t low = 0, high = 0;
  };

  /// `to` in place of `marker`, which has to occur `times` times: multiplier and shift are two
  /// neighbouring words of parameter blocks (isa/instructions.cpp).
  void multiplier(FixedMultiplier marker, FixedMultiplier to, int times = 1) {
    multipliers_[{marker.multiplier, marker.shift}] = {to, times};
  }
  /// Clamp of vec.requantize, vec.max_pool, vec.avg_pool and of vec.add's parameter block.
  void clamp(Clamp clamp) { clamp_ = clamp; }
  /// Zero point that vec.requantize adds, for values outside of the tensor's type.
  void out_zero(std::int32_t zero_point) { out_zero_ = zero_point; }

  /// Changes the DRAM image and the operands. @throws Error if a marker does not occur as often as
  /// it has to, or if there is nothing to clamp.
  void apply(isa::Program& program) const;

 private:
  struct Change {
    FixedMultiplier to;
    int times = 1;
  };

  void replace_multipliers(isa::Program& program) const;
  void replace_clamps(isa::Program& program) const;

  std::map<std::pair<std::int32_t, std::int32_t>, Change> multipliers_;
  std::optional<Clamp> clamp_;
  std::optional<std::int32_t> out_zero_;
};

}  // namespace npu::test
