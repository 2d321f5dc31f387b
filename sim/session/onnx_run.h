#pragma once

#include "sim/session/run.h"

namespace npu::session {

/// run() for an ONNX model: simplified, planned, its NPU stages compiled and simulated one
/// after the other, the rest on the host; NPU stages compared in every byte with the CPU reference
/// of their graphs, outputs with the ONNX reference in float.
[[nodiscard]] RunResult run_onnx(const RunRequest& request, const Observer& observer);

}  // namespace npu::session
