#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/mapper/chunking.h"
#include "kernels/mapper/iteration.h"
#include "sim/config/npu_config.h"

namespace npu::mapper {

/// A reduction cut into boxes: one chunk size per dimension of reduce_dims().
struct BoxPlan {
  std::vector<std::int64_t> chunk;
};

/// MEAN or SUM as it is cut.
struct BoxProblem {
  std::vector<ReduceDim> dims;
  std::int64_t x_size = 1, y_size = 1;  ///< Bytes per element.
  bool x_resident = false, y_resident = false;
  std::int64_t record_bytes = 12;

  /// Elements of a box; of its results only.
  [[nodiscard]] std::int64_t elements(const BoxPlan& box, bool kept_only) const;
};
/// The layer's buffers. False in `large_enough` where a decided slot is too small.
struct BoxBuffers {
  std::vector<Buffer> buffers;
  bool large_enough = true;
};
[[nodiscard]] BoxBuffers box_buffers(const BoxProblem& problem, const BoxPlan& box,
                                     const std::vector<BufferDecision>& decided);

/// Halves the outermost dimensions until the box fits the scratchpad and its results the
/// accumulators, or takes the decided box (empty: free). vec.reduce_sum walks the two innermost
/// kept and the two innermost reduced dimensions; the others go through boxes one index at a time,
/// their sums staying in the accumulators.
/// @throws MappingError if the smallest, or the decided, box does not fit or cannot be walked.
[[nodiscard]] BoxPlan choose_box(const BoxProblem& problem, const NpuConfig& config,
                                 std::int64_t scratchpad_bytes, const std::string& layer,
                                 const std::vector<std::int64_t>& decided = {},
                                 const std::vector<BufferDecision>& buffers = {});

}  // namespace npu::mapper
