#include "sim/onnx/calibration.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>
#include <variant>

#include "kernels/onnx_import/run_plan.h"
#include "kernels/reference/reference.h"
#include "sim/base/error.h"

namespace npu::onnx_run {
namespace {

using graph::TensorId;
using onnx_import::HostStage;
using onnx_import::NpuStage;
using onnx_import::Plan;

constexpr std::size_t kParts = 2048;

/// Why a node stays on the host. In int8 a change of shape is no work, wherever it stands.
std::string refusal(const graph::Graph& graph, const graph::Node& node) {
  return node.kind == graph::OpKind::kReshape ? "" : lowering_refusal(graph, node);
}

std::size_t part_of(float value, float low, float high) {
  const double extent = static_cast<double>(high) - static_cast<double>(low);
  if (!(extent > 0)) return 0;
  const double at = (static_cast<double>(value) - static_cast<double>(low)) / extent;
  return std::min(static_cast<std::size_t>(at * static_cast<double>(kParts)), kParts - 1);
}

/// The stage that the NPU runs.
NpuStage& only_npu_stage(const onnx_import::Network& network, Plan& plan) {
  NpuStage* found = nullptr;
  const HostStage* between = nullptr;
  for (onnx_import::Stage& stage : plan.stages) {
    if (const auto* host = std::get_if<HostStage>(&stage)) {
      between = host;
      continue;
    }
    if (found != nullptr) {
      NPU_CHECK(between != nullptr, "stages alternate");
      const onnx_import::HostNode& node = between->nodes.at(0);
      fail("{}: --precision int8 needs one part on the NPU, the host runs {} in between ({})",
           network.model.file, onnx::describe(network.model.graph.nodes.at(node.node), node.node),
           node.reason);
    }
    found = &std::get<NpuStage>(stage);
  }
  if (found == nullptr) fail("{}: nothing of it runs on the NPU", network.model.file);
  return *found;
}

/// Runs the plan on every sample, NPU stages by the CPU reference, whose values `see` gets.
template <typename See>
void run_samples(const onnx_import::Network& network, const Plan& plan,
                 const std::vector<onnx::Values>& samples, const See& see) {
  for (const onnx::Values& sample : samples) {
    (void)run_plan(
        network, plan, sample,
        [&](std::size_t, const NpuStage& stage, const std::vector<TensorData>& operands) {
          const reference::Values values = reference::run_integer(stage.graph, operands);
          see(stage.graph, values.tensors);
          std::vector<TensorData> outputs;
          for (const onnx_import::Binding& b : stage.outputs) {
            outputs.push_back(values.tensors.at(static_cast<std::size_t>(b.tensor)));
          }
          return outputs;
        });
  }
}

void quantize(NpuStage& stage, const passes::Ranges& ranges) {
  graph::Graph quantized = passes::quantize_network(stage.graph, ranges);
  for (std::size_t i = 0; i < stage.outputs.size(); ++i) {
    const auto& before = stage.graph.outputs;
    const auto at = std::ranges::find(before, stage.outputs[i].tensor);
    NPU_CHECK(at != before.end(), "bindings are outputs");
    stage.outputs[i].tensor = quantized.outputs.at(static_cast<std::size_t>(at - before.begin()));
  }
  stage.graph = std::move(quantized);
}

}  // namespace

CalibrationMethod parse_calibration(const std::string& text) {
  constexpr std::string_view kPercentile = "percentile:";
  if (text == "minmax") return {};
  double percent = 0;
  const char* const end = text.data() + text.size();
  const bool fits = text.starts_with(kPercentile) && [&] {
    const auto result = std::from_chars(text.data() + kPercentile.size(), end, percent);
    return result.ec == std::errc{} && result.ptr == end && percent >= 50 && percent <= 100;
  }();
  if (!fits)
    fail("--calibration: expected minmax or percentile:P with P from 50 to 100, got {}", text);
  return {percent};
}

void RangeObserver::see(const graph::Graph& graph, const std::vector<TensorData>& values) {
  for (std::size_t id = 0; id < values.size(); ++id) {
    const TensorData& t = values[id];
    if (t.type != DType::kFloat32 || t.bytes.empty()) continue;
    const auto elements = t.as<float>();
    const auto [seen, is_new] = seen_.try_emplace(static_cast<TensorId>(id));
    if (is_new) seen->second = {elements[0], elements[0], {}};
    for (const float v : elements) {
      if (!std::isfinite(v)) {
        fail("tensor `{}`: calibration gives {}", graph.tensor(static_cast<TensorId>(id)).name, v);
      }
      seen->second.low = std::min(seen->second.low, v);
      seen->second.high = std::max(seen->second.high, v);
    }
  }
}

void RangeObserver::count(const std::vector<TensorData>& values) {
  for (auto& [id, seen] : seen_) {
    seen.parts.resize(kParts);
    for (const float v : values.at(static_cast<std::size_t>(id)).as<float>()) {
      ++seen.parts[part_of(v, seen.low, seen.high)];
    }
  }
}

passes::Ranges RangeObserver::ranges(const CalibrationMethod& method) const {
  passes::Ranges ranges;
  for (const auto& [id, seen] : seen_) {
    passes::Range range{seen.low, seen.high};
    if (method.percentile) {
      NPU_CHECK(seen.parts.size() == kParts, "values are counted");
      std::uint64_t total = 0;
      for (const std::uint64_t n : seen.parts) total += n;
      const double cut = static_cast<double>(total) * (100 - *method.percentile) / 200;
      const double width =
          (static_cast<double>(seen.high) - static_cast<double>(seen.low)) / kParts;
      std::size_t first = 0;
      std::size_t last = kParts - 1;
      for (auto left = static_cast<double>(seen.parts[first]); left <= cut && first < last;) {
        left += static_cast<double>(seen.parts[++first]);
      }
      for (auto right = static_cast<double>(seen.parts[last]); right <= cut && last > first;) {
        right += static_cast<double>(seen.parts[--last]);
      }
      const auto low = static_cast<double>(seen.low);
      if (first > 0) range.low = static_cast<float>(low + width * static_cast<double>(first));
      if (last + 1 < kParts) {
        range.high = static_cast<float>(low + width * static_cast<double>(last + 1));
      }
    }
    ranges[id] = range;
  }
  return ranges;
}

CompiledPlan compile_quantized(const onnx_import::Network& network, const NpuConfig& config,
                               const std::vector<onnx::Values>& samples,
                               const CalibrationMethod& method,
                               const kernels::CompileOptions& options) {
  onnx_import::ConvertOptions convert;
  convert.precision = DType::kFloat32;
  convert.refusal = refusal;
  Plan plan = plan_stages(network, convert, options.attention);
  NpuStage& stage = only_npu_stage(network, plan);
  RangeObserver observer;
  run_samples(network, plan, samples,
              [&](const graph::Graph& graph, const std::vector<TensorData>& values) {
                observer.see(graph, values);
              });
  if (method.percentile) {
    run_samples(network, plan, samples,
                [&](const graph::Graph&, const std::vector<TensorData>& values) {
                  observer.count(values);
                });
  }
  quantize(stage, observer.ranges(method));
  return compile_all(std::move(plan), config, options);
}

}  // namespace npu::onnx_run
