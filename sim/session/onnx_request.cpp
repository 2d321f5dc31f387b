#include "sim/session/onnx_request.h"

#include "sim/base/error.h"

namespace npu::session {

void check_onnx_request(const RunRequest& o) {
  if (!o.program.empty()) fail("--program: a program holds one stage, an ONNX model needs --model");
  if (!o.model.weights.empty()) fail("--weights: an ONNX model has its own");
  if (!o.mapping.empty())
    fail("--mapping: not for ONNX models, whose stages are mapped one by one");
  if (o.keeps_tensors) fail("--save-tensors: not for ONNX models");
  if (o.keeps_activity) fail("--vcd: not for ONNX models");
  if (o.keeps_scalesim_reports) fail("--scalesim-reports: not for ONNX models");
  if (!o.model.fuse) fail("--no-fusion: not for ONNX models");
}

void check_onnx_precision(const std::optional<DType>& precision, const RunRequest& o) {
  const bool is_int8 = precision == DType::kInt8;
  if (is_int8 && o.calibrate.empty()) {
    fail("--precision int8: an ONNX model needs samples to take ranges from, --calibrate FILE");
  }
  if (!is_int8 && !o.calibrate.empty()) fail("--calibrate: only with --precision int8");
}

}  // namespace npu::session
