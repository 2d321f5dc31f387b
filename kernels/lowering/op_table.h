#pragma once

#include <cstdint>
#include <string_view>

#include "kernels/lowering/compile.h"
#include "kernels/lowering/layer_context.h"

namespace npu::kernels {

/// One row per operator that the NPU runs.
struct OpRow {
  graph::OpKind kind;
  void (*lower)(LayerContext&);
  std::uint16_t input_types;  ///< Mask over DType of the first input.
  std::string_view types;     ///< For `npusim ops`.
  std::string_view place;
};

/// nullptr if the NPU does not run the operator.
[[nodiscard]] const OpRow* find_op(graph::OpKind kind);

}  // namespace npu::kernels
