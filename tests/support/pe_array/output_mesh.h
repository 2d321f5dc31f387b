#pragma once

#include "tests/support/pe_array/datapath.h"

namespace npu::test {

/// A systolic array whose PEs keep a sum. Registers of PE (r, c): both operands with their control
/// bits, the sum, and the result on its way down (single-buffered: the same register).
///
/// Inputs enter from the left with row r delayed by r, weights from the top with column c delayed
/// by c. With the last operands a PE hands its sum to its result register. Results move down when
/// the register below is free or becomes free and the PE below does not hand over a sum itself;
/// the lowest row sends, the columns are aligned, and pipeline_latency_cycles registers follow. A
/// PE whose result register is taken must not finish: can_finish() says so for PE (0, 0), the
/// others follow it as a diagonal.
class OutputMesh final : public Datapath {
 public:
  explicit OutputMesh(const MacArrayConfig& config)
      : rows_(config.rows),
        cols_(config.cols),
        latency_(config.pipeline_latency_cycles),
        double_buffered_(config.double_buffered_weights) {}

  PeResults step(const PeOperands& in, const PeLoad& load) override;
  [[nodiscard]] bool is_idle() const override { return operands_inside_ == 0 && results_ == 0; }
  [[nodiscard]] bool can_finish() const override;

 private:
  static constexpr std::int32_t kValid = 1, kFirst = 2, kLast = 4;
  struct Vector {
    std::int32_t control = 0;
    int shift = 0;
    Lanes inputs{}, weights{};
  };
  struct Sums {
    Lanes values{}, valid{};
  };

  void multiply_row(int r, Lanes& finishing);
  [[nodiscard]] const Vector& entered(int cycles_ago) const {
    return skew_[(now_ - static_cast<unsigned>(cycles_ago)) & (kMaxPes - 1)];
  }

  const int rows_, cols_, latency_;
  const bool double_buffered_;
  Grid input_{}, weight_{}, control_{}, shift_{}, sum_{}, result_{}, holds_{};
  PerPe<Vector> skew_{};
  PerPe<Sums> output_skew_{};
  PerPe<PeResults> pipeline_{};
  unsigned now_ = 0;
  int operands_inside_ = 0;
  int results_ = 0;  ///< Rows of results that have not left the last column.
};

}  // namespace npu::test
