#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/config/npu_config.h"

namespace npu::conformance {

/// A case of the ONNX backend test suite: a model and one or more sets of inputs and outputs.
struct OnnxCase {
  std::string name;
  std::map<std::string, std::string> files;  ///< Content by path within the case's folder.
};

/// Every folder with a model.onnx below a folder or within an archive (.tar, .tar.gz, .zip …, read
/// by libarchive), by name. @throws Error `path: …` where there is none or something is too large.
[[nodiscard]] std::vector<OnnxCase> find_onnx_cases(const std::string& path);

enum class CaseStatus : std::uint8_t { kPass, kFail, kUnsupported };
[[nodiscard]] std::string_view name_of(CaseStatus status);

struct CaseResult {
  std::string name;
  CaseStatus status = CaseStatus::kFail;
  std::string where;   ///< "NPU", "NPU+host", "host"; empty where nothing ran.
  std::string reason;  ///< Why it failed, is not supported or did not run on the NPU alone.
};

/// Runs all cases on the CPU reference and, where nodes map to it, on the simulated NPU, each in a
/// process of its own; results in the order of the cases. NPU stages must equal the CPU reference
/// of their graphs in every byte, the outputs be as the case has them.
/// Tolerance of floats: |a − b| ≤ 1e-7 + 1e-3·|b|, the suite's own default
/// (onnx.backend.test.case.TestCase); integers and bool exactly.
[[nodiscard]] std::vector<CaseResult> run_onnx_cases(
    const std::vector<OnnxCase>& cases, const NpuConfig& config,
    const std::function<void(std::size_t, std::size_t)>& on_case);

}  // namespace npu::conformance
