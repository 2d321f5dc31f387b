#pragma once

#include <cstdint>

#include "sim/config/npu_config.h"

namespace npu::timing {

enum class VectorClass : std::uint8_t {
  kRequantize,
  kElementwise,
  kMultiply,
  kPool,
  kLut,
  kReduce,
  kSoftmax,
  kFunction
};

struct VectorTiming {
  std::int64_t total_cycles = 0, busy_cycles = 0, fill_drain_cycles = 0;
  std::int64_t lane_ops = 0;  ///< Event::kVectorOp count.
};

/// `elements` results, each of `steps` operations (window taps, reduced elements; 1 otherwise):
/// latency + ceil(elements · steps · cycles(class) / lanes). Cycles count in steps of 1/1024.
/// One rate per class: the passes of softmax and the three roundings of add are part of their
/// cycles per element. Not modelled: lanes left idle by short rows.
[[nodiscard]] VectorTiming vector_op(const VectorConfig& config, VectorClass kind,
                                     std::int64_t elements, std::int64_t steps);

}  // namespace npu::timing
