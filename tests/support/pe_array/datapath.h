#pragma once

#include <cstdint>

#include "sim/config/npu_config.h"
#include "tests/support/pe_array/pe_tile.h"

namespace npu::test {

/// Which bits of an operand a pass multiplies: (value >> shift) & mask.
struct Digit {
  int shift = 0;
  std::int32_t mask = -1;
  [[nodiscard]] std::int32_t of(std::int32_t value) const { return (value >> shift) & mask; }
};

/// What enters an array in one cycle.
struct PeOperands {
  bool valid = false;
  bool swap = false;       ///< The shadow registers become the active ones on the way.
  bool first = false;      ///< Output stationary: the sum starts here …
  bool last = false;       ///< … and ends here.
  int shift = 0;           ///< Of the product of the digits.
  Digit stationary_digit;  ///< Which part of the stationary operand to multiply.
  Grid streamed;           ///< [0][row]; dot product: [position or channel][lane].
  Grid weights{};          ///< Output stationary: [0][col]; dot: [channel][lane].
};

/// A row of the stationary block that enters the top of a systolic array, or the elements that
/// arrive in the registers of a dot-product array.
struct PeLoad {
  bool valid = false;
  Lanes row{};
  const Grid* block = nullptr;  ///< Dot product: [channel or position][lane].
  int first = 0, count = 0;     ///< Dot product: elements of the block in that order.
  int lanes = 1;                ///< Dot product: of the block; 0: the diagonal, one lane each.
};

/// What leaves for the accumulators in one cycle, after the output pipeline.
struct PeResults {
  bool valid = false;
  Grid sums{};  ///< [0][col]; dot product: [position][channel].
};

/// The registers of an array. step() is one clock edge.
class Datapath {
 public:
  virtual ~Datapath() = default;
  virtual PeResults step(const PeOperands& in, const PeLoad& load) = 0;
  /// No PE will multiply a valid operand in the next cycle, and no result is held in a PE.
  [[nodiscard]] virtual bool is_idle() const = 0;
  /// Output stationary: the first PE's result register can take a sum in this cycle.
  [[nodiscard]] virtual bool can_finish() const { return true; }
};

}  // namespace npu::test
