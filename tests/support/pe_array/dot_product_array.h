#pragma once

#include "tests/support/pe_array/datapath.h"

namespace npu::test {

/// A dot-product array: `cols` adder trees over `rows` lanes, for `pixels` positions at once.
/// Registers: the active and the shadow operand of every lane that is kept (weights of each
/// channel, or inputs of each position), and pipeline_latency_cycles stages of sums behind the
/// trees. Operands that stream reach all trees in the cycle in which they enter.
class DotProductArray final : public Datapath {
 public:
  explicit DotProductArray(const MacArrayConfig& config)
      : cols_(config.cols),
        pixels_(config.pixels),
        latency_(config.pipeline_latency_cycles),
        dataflow_(config.dataflow),
        double_buffered_(config.double_buffered_weights) {}

  PeResults step(const PeOperands& in, const PeLoad& load) override;
  /// The trees take their operands in one cycle.
  [[nodiscard]] bool is_idle() const override { return true; }

 private:
  void write_registers(Grid& target, const PeLoad& load) const;

  const int cols_, pixels_, latency_;
  const Dataflow dataflow_;
  const bool double_buffered_;
  Grid active_{}, shadow_{};  ///< [channel or position][lane].
  PerPe<PeResults> pipeline_{};
  unsigned now_ = 0;
};

}  // namespace npu::test
