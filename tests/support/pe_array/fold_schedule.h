#pragma once

#include <cstdint>
#include <vector>

#include "sim/config/npu_config.h"
#include "tests/support/pe_array/pe_tile.h"

namespace npu::test {

/// A part of a tile: what one load of the stationary registers serves, or, output stationary, one
/// block of outputs. Which extents a field cuts depends on the dataflow; unused ones stay 0.
struct PeFold {
  int k0 = 0, n0 = 0, m0 = 0;
  int tap = 0;              ///< Dot product: the tap; systolic depthwise: unused.
  int rows = 0;             ///< Of the stationary block: PE rows, or lanes.
  int cols = 0;             ///< Of the stationary block; output stationary: columns in use.
  int block_bytes = 0;      ///< From memory into the registers.
  int steps = 0;            ///< Operand vectors that stream past.
  bool reads_sums = false;  ///< Adds to what the accumulators hold.
};

/// The order in which an array works a tile off, and which operand belongs into which register.
/// Written as the loops that the sequencer of the array would run; it counts no cycles.
class FoldSchedule {
 public:
  FoldSchedule(const MacArrayConfig& config, PeTile& tile);

  [[nodiscard]] const std::vector<PeFold>& folds() const { return folds_; }
  /// Register (row, col) of the stationary block.
  [[nodiscard]] std::int32_t stationary(const PeFold& f, int row, int col) const;
  /// Operand vector `step`: entry `row` (systolic), or lane `row` of position or channel `col`.
  [[nodiscard]] std::int32_t streamed(const PeFold& f, int step, int row, int col) const;
  /// Output stationary: the weight for column or channel `col`.
  [[nodiscard]] std::int32_t streamed_weight(const PeFold& f, int step, int row, int col) const;
  /// Where the result of a step belongs; null if there is none. Systolic: `row` is the row whose
  /// result register it came from (output stationary), else 0; `col` the column. Dot product: `row`
  /// the position, `col` the channel.
  [[nodiscard]] std::int32_t* result(const PeFold& f, int step, int row, int col);
  /// Elements that a step reads from the scratchpad: inputs and weights.
  struct Reads {
    std::int64_t inputs = 0, weights = 0;
  };
  [[nodiscard]] Reads reads_of_step(const PeFold& f, int step) const;
  /// Results that reach the accumulators with the last pass of a step.
  [[nodiscard]] bool is_last_step(const PeFold& f, int step) const;

 private:
  void cut_systolic();
  void cut_dot_product();
  void add(PeFold fold);

  const MacArrayConfig& config_;
  PeTile& tile_;
  const bool is_dot_, depthwise_;
  std::vector<PeFold> folds_;
};

}  // namespace npu::test
