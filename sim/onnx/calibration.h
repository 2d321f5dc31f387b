#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernels/onnx_reference/run.h"
#include "sim/onnx/stage_machine.h"
#include "workloads/passes/quantize_network.h"

namespace npu::onnx_run {

/// How the range of a tensor follows from the values that calibration saw.
struct CalibrationMethod {
  /// Share of the values, in percent, that the range holds: as many are cut off at either end.
  /// nullopt: minimum to maximum.
  std::optional<double> percentile;
};

/// "minmax" or "percentile:P" with 50 ≤ P ≤ 100. @throws Error naming --calibration.
[[nodiscard]] CalibrationMethod parse_calibration(const std::string& text);

/// Ranges of the float tensors of a graph over samples: their extremes, and in a second pass over
/// the same samples how often values fall into 2048 equal parts between them.
class RangeObserver {
 public:
  /// Takes a sample's values into the extremes.
  void see(const graph::Graph& graph, const std::vector<TensorData>& values);
  /// … into the parts, after see() took all samples.
  void count(const std::vector<TensorData>& values);

  /// Percentiles are upper bounds of the parts that they fall into; they need count().
  [[nodiscard]] passes::Ranges ranges(const CalibrationMethod& method) const;

 private:
  struct Seen {
    float low = 0, high = 0;
    std::vector<std::uint64_t> parts;
  };
  std::map<graph::TensorId, Seen> seen_;
};

/// A float network in int8: planned in float32, the tensors of its NPU stage observed on the
/// samples by the CPU reference, the stage's graph quantized (passes::quantize_network) and
/// compiled. Its graph starts with QUANTIZE and ends with DEQUANTIZE, which are the host's.
/// @throws Error if the NPU part is not one stage, naming the node of the host between; and what
/// quantize_network() and the compiler refuse.
[[nodiscard]] CompiledPlan compile_quantized(const onnx_import::Network& network,
                                             const NpuConfig& config,
                                             const std::vector<onnx::Values>& samples,
                                             const CalibrationMethod& method,
                                             const kernels::CompileOptions& options);

}  // namespace npu::onnx_run
