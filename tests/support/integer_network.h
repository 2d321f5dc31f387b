#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "kernels/onnx_import/network.h"
#include "kernels/onnx_reference/run.h"
#include "tests/support/npz.h"
#include "tests/support/shared.h"
#include "workloads/onnx/reader.h"

namespace npu::test {

/// Folders of Deeploy's integer networks below shared/models.
inline constexpr std::array kIntegerNetworks = {"onnx/deeploy/MLPerf/AnomalyDetection",
                                                "onnx/deeploy/MLPerf/ImageClassification",
                                                "onnx/deeploy/MLPerf/KeywordSpotting",
                                                "onnx/deeploy/miniMobileNet",
                                                "onnx/deeploy/miniMobileNetv2",
                                                "onnx/deeploy/CCT/Int/ICCT",
                                                "llm/deeploy/microLlama/INT8/microLlama1",
                                                "llm/deeploy/microLlama/INT8/microLlama8",
                                                "llm/deeploy/microLlama/INT8/microLlama8_parallel"};

[[nodiscard]] inline std::string short_name(const std::string& folder) {
  return folder.substr(folder.rfind('/') + 1);
}

/// A network with its golden inputs and outputs: whole numbers stored as int64.
struct IntegerNetworkCase {
  onnx::Model model;
  std::vector<TensorData> inputs, outputs;  ///< In the order of the graph's.

  [[nodiscard]] onnx::Values values() const {
    onnx::Values out;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto elements = inputs[i].as<std::int64_t>();
      out[model.graph.inputs[i].name] =
          onnx::from_doubles(onnx::ElementType::kFloat, inputs[i].shape,
                             std::vector<double>(elements.begin(), elements.end()));
    }
    return out;
  }
  [[nodiscard]] std::map<std::string, Shape, std::less<>> shapes() const {
    std::map<std::string, Shape, std::less<>> out;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      out[model.graph.inputs[i].name] = inputs[i].shape;
    }
    return out;
  }
  /// int8, or uint8 where an input has values beyond int8.
  [[nodiscard]] onnx_import::Ranges ranges() const {
    onnx_import::Ranges out;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto elements = inputs[i].as<std::int64_t>();
      const bool wide = std::ranges::any_of(elements, [](std::int64_t e) { return e > 127; });
      out[model.graph.inputs[i].name] =
          wide ? onnx_import::Range{0, 255} : onnx_import::Range{-128, 127};
    }
    return out;
  }
};

[[nodiscard]] inline IntegerNetworkCase load_integer_network(const std::string& name) {
  const std::string folder = shared_path("models/" + name);
  IntegerNetworkCase c;
  c.model = onnx::read_model(folder + "/network.onnx");
  const auto ordered = [](const std::map<std::string, TensorData>& arrays, const char* key) {
    std::vector<TensorData> out;
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      const auto single = arrays.find(key);
      out.push_back(single != arrays.end() ? single->second
                                           : arrays.at(fmt::format("{}_{}", key, i)));
    }
    return out;
  };
  c.inputs = ordered(read_npz(folder + "/inputs.npz"), "input");
  c.outputs = ordered(read_npz(folder + "/outputs.npz"), "output");
  return c;
}

/// True if the outputs are the golden ones; else says in `difference` which is not.
[[nodiscard]] inline bool equals_golden(const IntegerNetworkCase& c,
                                        const std::vector<onnx::Value>& outputs,
                                        std::string& difference) {
  if (outputs.size() != c.outputs.size()) {
    difference = fmt::format("{} outputs, not {}", outputs.size(), c.outputs.size());
    return false;
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto golden = c.outputs[i].as<std::int64_t>();
    const std::vector<double> want(golden.begin(), golden.end());
    if (outputs[i].shape == c.outputs[i].shape && to_doubles(outputs[i]) == want) continue;
    difference = fmt::format("output {} differs", i);
    return false;
  }
  return true;
}

}  // namespace npu::test
