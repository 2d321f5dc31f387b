#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/onnx_import/network.h"

namespace npu::onnx_import {

/// What a node costs a CPU, from its shapes alone.
struct HostWork {
  std::int64_t bytes = 0;     ///< Of its operands and results.
  std::int64_t elements = 0;  ///< Of its operands or of its results, whichever are more.
  std::int64_t macs = 0;      ///< Of convolutions and matrix products; 0 for all other operators.
};
[[nodiscard]] HostWork host_work(const Network& network, std::size_t node);

}  // namespace npu::onnx_import
