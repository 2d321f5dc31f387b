#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <set>

#include "kernels/onnx_import/bound_inputs.h"
#include "kernels/onnx_import/run_plan.h"
#include "kernels/onnx_reference/run.h"
#include "kernels/reference/reference.h"
#include "sim/base/error.h"
#include "sim/base/process_pool.h"
#include "sim/conformance/onnx_cases.h"
#include "sim/onnx/stage_machine.h"
#include "workloads/onnx/reader.h"

namespace npu::conformance {
namespace {

constexpr std::string_view kModel = "model.onnx";
constexpr double kAbsolute = 1e-7;
constexpr double kRelative = 1e-3;

struct Comparison {
  bool is_equal = true;
  std::string difference;
};

Comparison differ(std::string text) { return {false, std::move(text)}; }

Comparison compare(const onnx::Value& got, const onnx::Value& expected) {
  if (got.type != expected.type) {
    return differ(fmt::format("{} instead of {}", name_of(got.type), name_of(expected.type)));
  }
  if (got.shape != expected.shape) {
    return differ(
        fmt::format("shape {} instead of {}", to_string(got.shape), to_string(expected.shape)));
  }
  if (!onnx::is_float(got.type)) {
    return got.bytes == expected.bytes ? Comparison() : differ("integers differ");
  }
  const std::vector<double> a = to_doubles(got);
  const std::vector<double> b = to_doubles(expected);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])) ||
                      std::fabs(a[i] - b[i]) <= kAbsolute + kRelative * std::fabs(b[i]);
    if (!same) return differ(fmt::format("element {}: {} instead of {}", i, a[i], b[i]));
  }
  return {};
}

/// "input_3.pb" beside "output_0.pb": the numbered tensors of one set.
std::vector<onnx::Value> numbered(const OnnxCase& c, const std::string& set,
                                  std::string_view kind) {
  std::vector<onnx::Value> values;
  for (;;) {
    const std::string file = fmt::format("{}/{}_{}.pb", set, kind, values.size());
    const auto it = c.files.find(file);
    if (it == c.files.end()) return values;
    values.push_back(onnx::parse_tensor(it->second, c.name + "/" + file));
  }
}

/// Cases whose data contradict the operator's definition: QLinearMatMul saturates ("y =
/// saturate(x / y_scale + y_zero_point)", QLinearMatMul-21), these outputs wrap around.
constexpr std::array<std::string_view, 4> kContradictions = {
    "test_qlinearmatmul_2D_int8_float16", "test_qlinearmatmul_2D_int8_float32",
    "test_qlinearmatmul_3D_int8_float16", "test_qlinearmatmul_3D_int8_float32"};

/// One set of inputs and outputs.
struct DataSet {
  std::string name;
  onnx::Values inputs;
  std::vector<onnx::Value> outputs;
};

std::vector<DataSet> data_sets(const OnnxCase& c, const onnx::Model& model) {
  std::vector<DataSet> sets;
  for (;;) {
    DataSet set;
    set.name = fmt::format("test_data_set_{}", sets.size());
    if (!c.files.contains(set.name + "/output_0.pb")) return sets;
    std::vector<onnx::Value> inputs = numbered(c, set.name, "input");
    set.outputs = numbered(c, set.name, "output");
    for (std::size_t i = 0; i < inputs.size() && i < model.graph.inputs.size(); ++i) {
      set.inputs.emplace(model.graph.inputs[i].name, std::move(inputs[i]));
    }
    sets.push_back(std::move(set));
  }
}

/// True if an input has one value in all sets.
bool is_same_in(const std::vector<DataSet>& sets, const std::string& input) {
  const onnx::Value& first = sets[0].inputs.at(input);
  return std::ranges::all_of(sets, [&](const DataSet& set) {
    const auto it = set.inputs.find(input);
    return it != set.inputs.end() && it->second.type == first.type &&
           it->second.shape == first.shape && it->second.bytes == first.bytes;
  });
}

/// Empty if all outputs are as expected.
std::string difference(const DataSet& set, const std::vector<onnx::Value>& got) {
  if (got.size() < set.outputs.size()) {
    return fmt::format("{}: {} outputs instead of {}", set.name, got.size(), set.outputs.size());
  }
  for (std::size_t i = 0; i < set.outputs.size(); ++i) {
    const Comparison comparison = compare(got[i], set.outputs[i]);
    if (!comparison.is_equal) {
      return fmt::format("{}: output {}: {}", set.name, i, comparison.difference);
    }
  }
  return "";
}

/// "Mod: int64 has no NPU type; Det: no NPU form": each operator once.
std::string host_reasons(const onnx_import::Network& network, const onnx_import::Plan& plan) {
  std::string text;
  std::set<std::string> seen;
  for (const onnx_import::Stage& stage : plan.stages) {
    const auto* host = std::get_if<onnx_import::HostStage>(&stage);
    if (host == nullptr) continue;
    for (const onnx_import::HostNode& node : host->nodes) {
      std::string entry =
          fmt::format("{}: {}", network.model.graph.nodes[node.node].op_type, node.reason);
      if (!seen.insert(entry).second) continue;
      text += (text.empty() ? "" : "; ") + entry;
    }
  }
  return text;
}

/// Runs a case on the simulated NPU: stages equal their graphs' CPU reference in every byte,
/// outputs are as expected within the case's tolerance.
class NpuCase {
 public:
  NpuCase(const onnx::Model& model, const NpuConfig& config, const std::vector<DataSet>& sets)
      : config_(config) {
    onnx_import::SimplifyOptions options;
    const auto bindable = bindable_inputs(model, onnx_import::Bound::kParameters);
    for (const auto& [name, value] : sets[0].inputs) {
      options.input_shapes[name] = value.shape;
      if (bindable.contains(name) && is_same_in(sets, name)) options.input_values[name] = value;
    }
    network_ = simplify(model, options);
    plan_ = onnx_run::compile_plan(network_, config, {});
  }

  /// "NPU", "NPU+host" or "host", and why not all is on the NPU.
  void describe(CaseResult& result) const {
    const auto is_npu = [](const onnx_import::Stage& stage) {
      return std::holds_alternative<onnx_import::NpuStage>(stage);
    };
    const auto& stages = plan_.plan.stages;
    const bool any = std::any_of(stages.begin(), stages.end(), is_npu);
    const bool all = std::all_of(stages.begin(), stages.end(), is_npu);
    result.where = !any ? "host" : all ? "NPU" : "NPU+host";
    result.reason = host_reasons(network_, plan_.plan);
    if (stages.empty()) result.reason = "nothing to compute: outputs are constants or inputs";
    if (any) machine_ = std::make_unique<onnx_run::StageMachine>(config_, plan_, MachineOptions{});
  }

  /// Empty if the set's outputs are right.
  [[nodiscard]] std::string run(const DataSet& set) const {
    if (machine_ == nullptr) return "";
    std::string wrong;
    const auto on_npu = [&](std::size_t stage, const onnx_import::NpuStage& npu,
                            const std::vector<TensorData>& inputs) {
      std::vector<TensorData> outputs = machine_->run(stage, inputs);
      const reference::Values expected = reference::run_integer(npu.graph, inputs);
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const auto id = static_cast<std::size_t>(npu.outputs[i].tensor);
        if (wrong.empty() && outputs[i].bytes != expected.tensors.at(id).bytes) {
          wrong = fmt::format("{}: the NPU's \"{}\" differs from the graph's reference", set.name,
                              npu.outputs[i].value);
        }
      }
      return outputs;
    };
    const std::vector<onnx::Value> got = run_plan(network_, plan_.plan, set.inputs, on_npu);
    return wrong.empty() ? difference(set, got) : wrong;
  }

 private:
  const NpuConfig& config_;
  onnx_import::Network network_;
  onnx_run::CompiledPlan plan_;
  mutable std::unique_ptr<onnx_run::StageMachine> machine_;
};

CaseResult unsupported(CaseResult result, std::string reason) {
  result.status = CaseStatus::kUnsupported;
  result.where.clear();
  result.reason = std::move(reason);
  return result;
}

CaseResult failed(CaseResult result, std::string reason) {
  result.status = CaseStatus::kFail;
  result.reason = std::move(reason);
  return result;
}

CaseResult run_case(const OnnxCase& c, const NpuConfig& config) {
  CaseResult result{c.name, CaseStatus::kPass, "", ""};
  if (std::find(kContradictions.begin(), kContradictions.end(), c.name) != kContradictions.end()) {
    return unsupported(result, "the data wrap around where the operator's definition saturates");
  }
  std::optional<onnx::Model> model;
  std::vector<DataSet> sets;
  try {
    model = onnx::parse_model(c.files.at(std::string(kModel)), c.name + "/model.onnx");
    if (const std::string reason = onnx::unsupported_reason(*model); !reason.empty()) {
      return unsupported(result, reason);
    }
    sets = data_sets(c, *model);
    if (sets.empty()) return unsupported(result, "no test data");
    result.where = "host";
    for (const DataSet& set : sets) {  // A variant that the operator refuses throws.
      std::string wrong = difference(set, onnx::run(*model, set.inputs));
      if (!wrong.empty()) return failed(result, "CPU reference: " + wrong);
    }
  } catch (const Error& error) {
    return unsupported(result, error.what());
  }
  try {
    const NpuCase npu(*model, config, sets);
    npu.describe(result);
    for (const DataSet& set : sets) {
      std::string wrong = npu.run(set);
      if (!wrong.empty()) return failed(result, std::move(wrong));
    }
  } catch (const Error& error) {
    return failed(result, error.what());
  }
  return result;
}

/// One line per field; none of them has line ends.
std::string pack(const CaseResult& r) {
  return fmt::format("{}\n{}\n{}", static_cast<int>(r.status), r.where, r.reason);
}

void unpack(const std::string& text, CaseResult& r) {
  const std::size_t first = text.find('\n');
  const std::size_t second = text.find('\n', first + 1);
  r.status = static_cast<CaseStatus>(text[0] - '0');
  r.where = text.substr(first + 1, second - first - 1);
  r.reason = text.substr(second + 1);
}

}  // namespace

std::string_view name_of(CaseStatus status) {
  constexpr std::string_view kNames[] = {"pass", "fail", "unsupported"};
  return kNames[static_cast<std::size_t>(status)];
}

std::vector<CaseResult> run_onnx_cases(
    const std::vector<OnnxCase>& cases, const NpuConfig& config,
    const std::function<void(std::size_t, std::size_t)>& on_case) {
  std::vector<CaseResult> results(cases.size());
  std::size_t finished = 0;
  run_in_processes(
      cases.size(), {.workers = 0, .timeout_s = 60},
      [&](std::size_t i) { return pack(run_case(cases[i], config)); },
      [&](std::size_t i, const TaskResult& task) {
        results[i].name = cases[i].name;
        if (task.status == TaskStatus::kDone) {
          unpack(task.text, results[i]);
        } else {
          results[i].where = "host";
          results[i].reason = task.text;
        }
        on_case(++finished, cases.size());
      });
  return results;
}

}  // namespace npu::conformance
