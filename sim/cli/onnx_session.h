#pragma once

#include "sim/cli/run_session.h"

namespace npu::cli {

/// `npusim run` of an ONNX model: simplified, planned, its NPU stages compiled and simulated one
/// after the other, the rest on the host; NPU stages compared in every byte with the CPU reference
/// of their graphs, outputs with the ONNX reference in float.
/// @return the exit code. @throws Error, RunFault.
int run_onnx(const RunOptions& options);

}  // namespace npu::cli
