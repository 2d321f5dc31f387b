#pragma once

#include "tests/support/pe_array/datapath.h"

namespace npu::test {

/// A systolic array whose PEs keep one operand. Registers of PE (r, c): the active and the shadow
/// weight, the link that hands shadow weights down, the load pulse, the input, its control bits and
/// the partial sum.
///
/// Inputs pass a skew register triangle (row r is r cycles late) and move one column per cycle;
/// sums move one row per cycle; a second triangle aligns the columns; pipeline_latency_cycles
/// registers follow. Double-buffered: a row of weights enters the top with column c delayed by c,
/// and with it a pulse that moves one row per cycle and makes each shadow register take its upper
/// neighbour's value; the swap bit travels with the first input vector of a fold. Single: one wire
/// to all PEs shifts the weights down by a row, so none of them may have work.
class StationaryMesh final : public Datapath {
 public:
  explicit StationaryMesh(const MacArrayConfig& config)
      : rows_(config.rows),
        cols_(config.cols),
        latency_(config.pipeline_latency_cycles),
        double_buffered_(config.double_buffered_weights) {}

  PeResults step(const PeOperands& in, const PeLoad& load) override;
  [[nodiscard]] bool is_idle() const override { return vectors_inside_ == 0; }

 private:
  static constexpr std::int32_t kValid = 1, kSwap = 2;
  struct Vector {
    std::int32_t control = 0;
    Digit digit;
    Lanes values{};
  };
  struct Row {
    bool pulse = false;
    Lanes weights{};
  };
  struct Sums {
    Lanes values{}, valid{};
  };

  void step_row(int r, const PerPe<Row>& loads);
  void shift_weights(const PeLoad& load);

  const int rows_, cols_, latency_;
  const bool double_buffered_;
  Grid active_{}, shadow_{}, link_{}, pulse_{}, input_{}, control_{}, shift_{}, mask_{}, sum_{};
  /// Delay lines, kept as rings: place (now − d) holds what entered d cycles ago.
  PerPe<Vector> input_skew_{};
  PerPe<Row> load_skew_{};
  PerPe<Sums> output_skew_{};
  PerPe<PeResults> pipeline_{};
  unsigned now_ = 0;
  int vectors_inside_ = 0;  ///< Entered and not yet through the last PE.
};

}  // namespace npu::test
