#include "sim/session/onnx_run.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include "kernels/onnx_import/host_work.h"
#include "kernels/onnx_import/run_plan.h"
#include "kernels/reference/reference.h"
#include "sim/base/npy.h"
#include "sim/onnx/calibration.h"
#include "sim/onnx/input_files.h"
#include "sim/onnx/stage_machine.h"
#include "sim/report/writers.h"
#include "sim/session/build_report.h"
#include "sim/session/inference.h"
#include "sim/session/input_set.h"
#include "sim/session/listing.h"
#include "sim/session/network.h"
#include "sim/session/onnx_request.h"
#include "sim/session/rerun_files.h"
#include "sim/session/version.h"
#include "workloads/onnx/reader.h"

namespace npu::session {
namespace {

using onnx_import::HostNode;
using onnx_import::HostStage;
using onnx_import::NpuStage;

/// What the reference of ONNX has computed, as a float reference. Whole numbers beyond 2^24 are
/// rounded.
TensorData float_reference(const onnx::Value& value) {
  if (value.type == onnx::ElementType::kFloat) return onnx_run::tensor_of(value);
  return onnx_run::tensor_of(
      onnx::from_doubles(onnx::ElementType::kFloat, value.shape, to_doubles(value)));
}

class OnnxSession {
 public:
  OnnxSession(const RunRequest& request, const Observer& observer)
      : request_(request),
        config_(request.config),
        show_(observer.show),
        profile_(observer.profile != nullptr ? *observer.profile : own_profile_) {}

  void prepare() {
    show_(fmt::format("reading {}", request_.model.path));
    onnx::Model model = onnx::read_model(request_.model.path);
    onnx_import::SimplifyOptions simplify;
    const importers::DescriptionOptions given = description_options(request_.model, true);
    simplify.dimensions.insert(given.parameters.begin(), given.parameters.end());
    std::vector<onnx_run::InputArray> arrays;
    if (!request_.inputs.empty()) {
      arrays = onnx_run::read_arrays(request_.inputs, model, "--input");
      simplify.input_ranges = onnx_run::ranges_of(arrays, model);
      simplify.input_values = onnx_run::take_bound(arrays, model);
      for (const auto& [name, value] : simplify.input_values) {
        notes_.push_back(
            fmt::format("input \"{}\" decides about shapes: its value is a constant", name));
      }
    }
    network_ = onnx_import::simplify(std::move(model), simplify);
    profile_.charge(Profile::kLoad);
    show_("mapping");
    compile(given.precision);
    note_attention();
    if (request_.references != References::kAll) release_constants(network_, plan_.plan);
    profile_.charge(Profile::kCompile);
    const auto is_npu = [](const auto& stage) { return std::holds_alternative<NpuStage>(stage); };
    if (std::ranges::none_of(plan_.plan.stages, is_npu)) {
      fail("{}: nothing of it runs on the NPU{}", request_.model.path, first_reason());
    }
    const MachineOptions machine{.timing_only = request_.timing_only,
                                 .trace = request_.keeps_files};
    machine_ = std::make_unique<onnx_run::StageMachine>(config_, plan_, machine);
    if (!request_.calibrate.empty()) {
      const auto stage = std::ranges::find_if(plan_.plan.stages, is_npu);
      host_ = std::make_unique<Host>(machine_->machine(), &std::get<NpuStage>(*stage).graph);
    }
    if (!request_.inputs.empty()) {
      inputs_ = onnx_run::samples_of(std::move(arrays), network_, request_.samples);
    } else if (!request_.timing_only) {
      inputs_ = onnx_run::random_inputs(network_, request_.samples.value_or(1));
      notes_.emplace_back("no --input: random values, seed 1");
    } else {
      inputs_.samples.resize(static_cast<std::size_t>(request_.samples.value_or(1)));
    }
    if (!request_.labels.empty()) {
      labels_ = read_labels(request_.labels, std::ssize(inputs_.samples));
    }
    last_.resize(plan_.plan.stages.size());
    profile_.charge(Profile::kElaborate);
  }

  void simulate() {
    for (std::size_t i = 0; i < inputs_.samples.size(); ++i) {
      show_(fmt::format("sample {} of {}", i + 1, inputs_.samples.size()));
      run_cycles_.push_back(0);
      if (request_.timing_only) {
        time();
      } else {
        infer(inputs_.samples[i]);
      }
    }
  }

  RunResult finish() {
    report_ = build_report(config_, merged_program(), merged_stats(), {});
    report_.timing_only = request_.timing_only;
    if (!request_.timing_only) report_.accuracy = accuracy();
    report_.host_ops = host_ops();
    if (reference_classes_.samples() > 0) {
      notes_.push_back(fmt::format("top-1 against the labels of the reference in float: {:.2f} %",
                                   100 * reference_classes_.top1()));
    }
    report_.notes = std::move(notes_);
    RunResult result;
    if (!mismatch_.empty()) result.mismatch = mismatch_;
    add_files(result);
    result.report = std::move(report_);
    return result;
  }

 private:
  void compile(const std::optional<DType>& precision) {
    check_onnx_precision(precision, request_);
    if (precision != DType::kInt8) {
      plan_ = onnx_run::compile_plan(network_, config_,
                                     {precision, request_.timing_only, request_.model.attention});
      return;
    }
    const std::string text = request_.calibration.empty() ? "minmax" : request_.calibration;
    const onnx_run::CalibrationMethod method = onnx_run::parse_calibration(text);
    const auto samples = onnx_run::samples_of(onnx_run::read_arrays(request_.calibrate,
                                                                    network_.model, "--calibrate"),
                                              network_, std::nullopt)
                             .samples;
    plan_ = onnx_run::compile_quantized(
        network_, config_, samples, method,
        {.timing_only = request_.timing_only, .attention = request_.model.attention});
    notes_.push_back(fmt::format("quantized to int8 after training: ranges by {} over {} samples",
                                 text, samples.size()));
  }

  void note_attention() {
    bool has_attention = false;
    for (std::size_t s = 0; s < plan_.plan.stages.size(); ++s) {
      const auto* stage = std::get_if<NpuStage>(&plan_.plan.stages[s]);
      if (stage == nullptr) continue;
      const auto lines = attention_notes(stage->graph, plan_.programs[s].attention);
      has_attention = has_attention || !lines.empty();
      notes_.insert(notes_.end(), lines.begin(), lines.end());
    }
    if (!has_attention) require_no_attention_option(request_.model, request_.model.path);
  }

  [[nodiscard]] std::vector<TensorData> run_stage(std::size_t s, const NpuStage& stage,
                                                  const std::vector<TensorData>& operands) {
    if (!host_) return machine_->run(s, operands);
    TensorMap values = host_->infer(operands);
    std::vector<TensorData> outputs;
    for (const onnx_import::Binding& b : stage.outputs) outputs.push_back(values.at(b.tensor));
    return outputs;
  }

  /// The first output, as the session and, where it ran, the reference have it.
  void add_classes(const onnx::Value& value, const onnx::Value* expected) {
    if (labels_.empty()) return;
    if (!report::is_class_vector(value.shape)) {
      fail("--labels: the output has shape {}, not one score per class", to_string(value.shape));
    }
    const std::int64_t label = labels_.at(static_cast<std::size_t>(label_classes_.samples()));
    label_classes_.add_label(report::real_values(onnx_run::tensor_of(value), {}), label);
    if (expected == nullptr) return;
    reference_classes_.add_label(report::real_values(onnx_run::tensor_of(*expected), {}), label);
  }

  [[nodiscard]] std::string first_reason() const {
    const std::vector<report::HostOp> ops = host_ops();
    return ops.empty() ? "" : ": " + ops[0].name;
  }

  void time() {
    for (std::size_t s = 0; s < plan_.plan.stages.size(); ++s) {
      if (!std::holds_alternative<NpuStage>(plan_.plan.stages[s])) continue;
      machine_->run_timing(s);
      take_totals(s);
    }
    profile_.charge(Profile::kSimulate);
  }

  void take_totals(std::size_t stage) {
    last_[stage] = machine_->machine().last_run();
    run_cycles_.back() += last_[stage].cycles;
  }

  void infer(const onnx::Values& inputs) {
    const auto on_npu = [&](std::size_t s, const NpuStage& stage,
                            const std::vector<TensorData>& operands) {
      std::vector<TensorData> outputs = run_stage(s, stage, operands);
      take_totals(s);
      profile_.charge(Profile::kSimulate);
      if (request_.references != References::kNone) compare(s, stage, operands, outputs);
      return outputs;
    };
    std::vector<onnx::Value> outputs = run_plan(network_, plan_.plan, inputs, on_npu);
    profile_.charge(Profile::kReference);
    std::vector<onnx::Value> expected;
    if (request_.references == References::kAll) {
      onnx_import::Plan host;
      HostStage all;
      for (std::size_t n = 0; n < network_.model.graph.nodes.size(); ++n)
        all.nodes.push_back({n, ""});
      host.stages.emplace_back(std::move(all));
      expected = run_plan(network_, host, inputs, {});
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        float_meters_.try_emplace(i, report::RealScale{})
            .first->second.add_float(onnx_run::tensor_of(outputs[i]), float_reference(expected[i]));
      }
      profile_.charge(Profile::kReference);
    }
    add_classes(outputs.at(0), expected.empty() ? nullptr : expected.data());
    outputs_.resize(outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      TensorData data = onnx_run::tensor_of(outputs[i]);
      last_types_[i] = data.type;
      if (request_.keeps_outputs) outputs_[i].push_back(std::move(data));
    }
  }

  /// Every output of an NPU stage against the CPU reference of its graph.
  void compare(std::size_t s, const NpuStage& stage, const std::vector<TensorData>& operands,
               const std::vector<TensorData>& outputs) {
    const reference::Values expected = reference::run_integer(stage.graph, operands);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto id = static_cast<std::size_t>(stage.outputs[i].tensor);
      const std::string& name = stage.outputs[i].value;
      const auto first = exact_meters_.try_emplace(name, report::RealScale{})
                             .first->second.add_exact(outputs[i], expected.tensors.at(id));
      if (!first || !mismatch_.empty()) continue;
      mismatch_ = fmt::format(
          "the NPU differs from the graph's reference: stage {}, value \"{}\", "
          "element {}",
          s, name, *first);
    }
    profile_.charge(Profile::kReference);
  }

  [[nodiscard]] report::Accuracy accuracy() const {
    report::Accuracy a;
    a.samples = static_cast<std::int64_t>(inputs_.samples.size());
    for (std::size_t i = 0; i < network_.outputs.size(); ++i) {
      const auto exact = exact_meters_.find(network_.outputs[i].value);
      const auto real = float_meters_.find(i);
      report::TensorAccuracy row;
      row.id = static_cast<std::int32_t>(i);
      row.name = network_.outputs[i].name;
      row.type = last_types_.at(i);
      if (exact != exact_meters_.end()) row.integer = exact->second.result();
      if (real != float_meters_.end()) row.float_error = real->second.result();
      if (request_.references != References::kNone) a.outputs.push_back(std::move(row));
    }
    if (label_classes_.samples() > 0) {
      a.labels = report::ClassAgreement{label_classes_.top1(), label_classes_.top5()};
    }
    return a;
  }

  [[nodiscard]] std::vector<report::HostOp> host_ops() const {
    std::vector<report::HostOp> ops;
    for (const onnx_import::Stage& stage : plan_.plan.stages) {
      const auto* host = std::get_if<HostStage>(&stage);
      if (host == nullptr) continue;
      for (const HostNode& n : host->nodes) {
        const onnx_import::HostWork work = onnx_import::host_work(network_, n.node);
        const double seconds = config_.host
                                   ? config_.host->seconds(static_cast<double>(work.macs),
                                                           static_cast<double>(work.elements),
                                                           static_cast<double>(work.bytes))
                                   : 0;
        ops.push_back(
            {fmt::format("{} ({})", describe(network_.model.graph.nodes[n.node], n.node), n.reason),
             work.bytes, seconds});
      }
    }
    if (host_) {
      for (report::HostOp& op : host_->host_ops(config_.host)) ops.push_back(std::move(op));
    }
    return ops;
  }

  /// The layers of all stages in their order; instructions are those of the last one.
  [[nodiscard]] isa::Program merged_program() const {
    isa::Program merged;
    for (const kernels::Compiled& c : plan_.programs) {
      const auto before = static_cast<std::int32_t>(merged.layers.size());
      merged.layers.insert(merged.layers.end(), c.program.layers.begin(), c.program.layers.end());
      if (c.program.code.empty()) continue;
      merged.provenance = c.program.provenance;
      merged.code = c.program.code;
      merged.layer_of = c.program.layer_of;
      for (std::int32_t& layer : merged.layer_of) layer += layer >= 0 ? before : 0;
    }
    merged.provenance["npusim"] = kVersion;
    merged.provenance["model"] = std::filesystem::path(request_.model.path).filename().string();
    merged.provenance["options"] = options_text(request_.model);
    return merged;
  }

  [[nodiscard]] RunStats merged_stats() const {
    RunStats stats = machine_->machine().stats();
    stats.run_cycles = run_cycles_;
    stats.layers.clear();
    EventCounts rest{};
    for (const RunTotals& totals : last_) {
      for (std::size_t e = 0; e < kEventCount; ++e) rest[e] += totals.events[e];
      for (const LayerStats& layer : totals.layers) {
        stats.layers.push_back(layer);
        for (std::size_t e = 0; e < kEventCount; ++e) rest[e] -= layer.events[e];
      }
    }
    stats.events_per_layer.clear();
    for (const LayerStats& layer : stats.layers) stats.events_per_layer.push_back(layer.events);
    stats.events_per_layer.push_back(rest);
    return stats;
  }

  void add_files(RunResult& result) const {
    for (std::size_t i = 0; i < outputs_.size() && request_.keeps_outputs; ++i) {
      result.outputs[fmt::format("output{}.npy", i)] =
          format_npy(stack(outputs_[i], inputs_.has_sample_dimension));
    }
    if (!request_.keeps_files) return;
    result.files = report::report_files(report_);
    add_config_files(result.files, config_);
    for (std::size_t s = 0; s < plan_.programs.size(); ++s) {
      const kernels::Compiled& c = plan_.programs[s];
      if (c.program.code.empty()) continue;
      result.files[fmt::format("program{}.lst", s)] = listing(c.program);
      result.files[fmt::format("mapping{}.yaml", s)] = c.mapping_yaml;
    }
  }

  const RunRequest& request_;
  const NpuConfig& config_;
  const std::function<void(const std::string&)>& show_;
  Profile own_profile_;
  Profile& profile_;
  onnx_import::Network network_;
  onnx_run::CompiledPlan plan_;
  std::unique_ptr<onnx_run::StageMachine> machine_;
  std::unique_ptr<Host> host_;  ///< Of a network quantized here: the conversions at its edges.
  onnx_run::InputSamples inputs_;
  std::vector<std::int64_t> labels_;
  report::ClassMeter label_classes_, reference_classes_;
  std::vector<std::string> notes_;
  std::vector<RunTotals> last_;  ///< By stage, of the last inference.
  std::vector<std::uint64_t> run_cycles_;
  std::map<std::string, report::ErrorMeter> exact_meters_;  ///< By value.
  std::map<std::size_t, report::ErrorMeter> float_meters_;  ///< By output.
  std::map<std::size_t, DType> last_types_;
  std::vector<std::vector<TensorData>> outputs_;  ///< Per output, its samples.
  std::string mismatch_;
  report::Report report_;
};

}  // namespace

RunResult run_onnx(const RunRequest& request, const Observer& observer) {
  check_onnx_request(request);
  OnnxSession session(request, observer);
  session.prepare();
  session.simulate();
  return session.finish();
}

}  // namespace npu::session
