#pragma once

#include <optional>

#include "sim/session/run.h"

namespace npu::session {

/// @throws Error naming the option that does not go with an ONNX model, or with another option.
void check_onnx_request(const RunRequest& request);
/// int8 goes with samples for calibration, and they with it. @throws Error otherwise.
void check_onnx_precision(const std::optional<DType>& precision, const RunRequest& request);

}  // namespace npu::session
