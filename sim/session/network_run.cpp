#include <fmt/format.h>

#include <memory>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/npy.h"
#include "sim/base/sha256.h"
#include "sim/base/yaml_map.h"
#include "sim/config/sections.h"
#include "sim/interchange/scalesim_reports.h"
#include "sim/report/writers.h"
#include "sim/session/build_report.h"
#include "sim/session/inference.h"
#include "sim/session/input_set.h"
#include "sim/session/listing.h"
#include "sim/session/network.h"
#include "sim/session/onnx_run.h"
#include "sim/session/rerun_files.h"
#include "sim/session/run.h"

namespace npu::session {
namespace {

/// Of all kinds of models.
void check_request(const RunRequest& r) {
  if (!r.calibration.empty() && r.calibrate.empty()) fail("--calibration: only with --calibrate");
  if (r.samples && *r.samples < 1) fail("--samples: must be at least 1, got {}", *r.samples);
  if (r.simulate_all && !r.timing_only) {
    fail("--simulate-all: only a timing-only run leaves repeated layers out");
  }
  if (!r.timing_only) return;
  if (r.keeps_outputs) fail("--save-outputs: a timing-only run has no outputs");
  if (r.keeps_tensors) fail("--save-tensors: a timing-only run has no tensors");
  if (!r.labels.empty()) fail("--labels: a timing-only run has no outputs");
}

void check_graph_request(const RunRequest& r) {
  if (r.model.path.empty() && r.program.empty()) fail("run: --model or --program is needed");
  if (!r.calibrate.empty()) fail("--calibrate: only for float ONNX models");
  if (r.program.empty()) return;
  if (!r.mapping.empty()) fail("--mapping: a program is mapped already, --program takes none");
  if (r.model.path.empty() && r.model.attention != kernels::AttentionVariant::kAuto) {
    fail("--attention: a program is mapped already, --program takes none");
  }
}

/// One run from start to end; the steps are called in order.
class Session {
 public:
  Session(const RunRequest& request, const Observer& observer)
      : request_(request),
        config_(request.config),
        show_(observer.show),
        profile_(observer.profile != nullptr ? *observer.profile : own_profile_) {}

  void prepare() {
    if (!request_.model.path.empty()) {
      show_(fmt::format("reading {}", request_.model.path));
      network_ = load_network(request_.model, request_.timing_only);
      notes_ = network_->notes;
    }
    if (!request_.mapping.empty()) {
      mapping_sha256_ = sha256_hex(read_file(request_.mapping, YamlMap::kMaxFileBytes));
    }
    build(leaves_repeats_out() ? 1 : 0);
    choose_inputs();
    profile_.charge(Profile::kElaborate);
  }

  void simulate() {
    run_samples();
    while (!is_steady()) {
      host_.reset();
      comparison_.reset();
      machine_.reset();
      Machine::reset_kernel();
      build(kernels::next_effort(effort_));
      run_samples();
    }
    report_ = build_report(config_, machine_->program(), machine_->stats(), no_layer_before_);
    report_.timing_only = request_.timing_only;
    if (!mapping_sha256_.empty()) report_.provenance["mapping_sha256"] = mapping_sha256_;
    note_what_is_missing();
    if (explains_) add_critical_path();
    if (request_.keeps_activity) activity_ = machine_->activity();
    if (!request_.timing_only) report_.accuracy = comparison_->result();
    report_.host_ops = host_->host_ops(config_.host);
    report_.notes = std::move(notes_);
  }

  RunResult finish() {
    RunResult result;
    result.mismatch = find_mismatch();
    add_tensors(result);
    result.activity = std::move(activity_);
    add_files(result);
    result.report = std::move(report_);
    return result;
  }

 private:
  /// SCALE-Sim's reports count what every tile moved.
  [[nodiscard]] bool leaves_repeats_out() const {
    return request_.timing_only && !request_.simulate_all && !request_.keeps_scalesim_reports;
  }

  /// Loads or compiles the program and builds the machine around it.
  void build(int repeat_effort) {
    isa::Program program;
    effort_ = repeat_effort;
    if (!request_.program.empty()) {
      program = isa::load(request_.program);
      if (network_) require_compiled_from(*network_, program, request_.program);
      profile_.charge(Profile::kLoad);
    } else {
      profile_.charge(Profile::kLoad);
      show_("mapping");
      kernels::Compiled compiled = compile_mapped(
          *network_, config_, {.timing_only = request_.timing_only, .repeat_effort = repeat_effort},
          request_.mapping);
      if (effort_ <= 1) {
        const auto lines = attention_notes(network_->mapped, compiled.attention);
        notes_.insert(notes_.end(), lines.begin(), lines.end());
      }
      mapping_yaml_ = std::move(compiled.mapping_yaml);
      program = std::move(compiled.program);
      repeats_ = std::move(compiled.repeats);
      profile_.charge(Profile::kCompile);
    }
    explains_ = request_.keeps_files && repeats_.periods.empty();
    const bool compares = network_ && request_.references != References::kNone;
    machine_ = std::make_unique<Machine>(
        config_, std::move(program),
        MachineOptions{
            .timing_only = request_.timing_only,
            .trace = request_.keeps_files || request_.keeps_scalesim_reports,
            .record_schedule = explains_,
            .record_activity = request_.keeps_activity,
            .capture_tensors = !request_.timing_only && (compares || request_.keeps_tensors)});
    if (network_) kernels::apply_roundings(network_->original, machine_->program());
    host_ = std::make_unique<Host>(*machine_, network_ ? &network_->mapped : nullptr);
    comparison_ =
        std::make_unique<Comparison>(network_ ? &network_->original : nullptr, machine_->program(),
                                     host_->outputs(), request_.references);
  }

  void run_samples() {
    const std::int64_t samples = inputs_->samples();
    for (std::int64_t i = 0; i < samples; ++i) {
      show_(fmt::format("sample {} of {}", i + 1, samples));
      if (i > 0 && i + 1 == samples) no_layer_before_ = machine_->stats().events_per_layer.back();
      if (request_.timing_only) {
        machine_->run();
        profile_.charge(Profile::kSimulate);
      } else {
        infer(i);
      }
    }
  }

  /// Whether the steady periods of repeated layers took the same time, those of the last sample.
  [[nodiscard]] bool is_steady() const {
    if (repeats_.periods.empty()) return true;
    const RunStats stats = machine_->stats();
    return repeats_.is_steady(stats.span_cycles(), stats.run_cycles.back());
  }

  void note_what_is_missing() {
    if (!repeats_.periods.empty()) {
      notes_.push_back(
          fmt::format("layers and tiles that repeat were simulated once: {} of {} layers, {} of {} "
                      "cycles; --simulate-all simulates each",
                      report_.layers.size(), repeats_.stands_in.size(),
                      report_.stats.simulated_cycles, report_.stats.total_cycles));
    }
    if (request_.keeps_files && !explains_) notes_.emplace_back(kNoRepeatedPath);
    if (request_.keeps_activity && !repeats_.periods.empty()) {
      notes_.emplace_back("--vcd: repeated layers are there once, as they were simulated");
    }
  }

  void add_critical_path() {
    report_.critical_path = report::NamedPath{
        .path = find_critical_path(machine_->schedule()), .layers = {}, .mnemonics = {}};
    for (const report::LayerRow& layer : report_.layers) {
      report_.critical_path->layers.push_back(layer.name);
    }
    for (const report::InstructionLabel& label : report_.instructions) {
      report_.critical_path->mnemonics.push_back(label.mnemonic);
    }
  }

  void choose_inputs() {
    if (!request_.inputs.empty()) {
      inputs_ = InputSet::load(request_.inputs, host_->inputs(), request_.samples);
    } else if (request_.timing_only) {
      inputs_ = InputSet::random({}, request_.samples.value_or(1));
    } else {
      inputs_ = InputSet::random(host_->inputs(), request_.samples.value_or(1));
      notes_.emplace_back("no --input: random values, seed 1");
    }
    if (!request_.labels.empty()) comparison_->load_labels(request_.labels, inputs_->samples());
    if (!network_) notes_.emplace_back("no --model: outputs are not compared with a reference");
    if (!rounds_like_reference()) {
      notes_.push_back(
          fmt::format("vector_unit.requantize.rounding is {}, the integer reference rounds {}: "
                      "differences between them are a property of this NPU",
                      name_of(config_.vector_unit.rounding), name_of(Rounding::kTfliteDouble)));
    }
  }

  void infer(std::int64_t sample) {
    const std::vector<TensorData> inputs = inputs_->sample(sample);
    TensorMap values = host_->infer(inputs);
    profile_.charge(Profile::kSimulate);
    TensorMap captured;
    if (sample == 0) captured = host_->captured();
    comparison_->add(sample, inputs, values, captured);
    profile_.charge(Profile::kReference);
    if (request_.keeps_outputs) {
      outputs_.resize(host_->outputs().size());
      for (std::size_t i = 0; i < outputs_.size(); ++i) {
        outputs_[i].push_back(values.at(host_->outputs()[i]));
      }
    }
    if (sample == 0 && request_.keeps_tensors) {
      tensors_ = std::move(captured);
      tensors_.merge(values);
    }
  }

  /// The integer reference rounds as TFLite's default build does; hardware that is configured to
  /// round otherwise differs from it by right, and the accuracy figures say by how much.
  [[nodiscard]] bool rounds_like_reference() const {
    return config_.vector_unit.rounding == Rounding::kTfliteDouble;
  }

  /// Runs the mismatching sample once more to see its tensors; the report is made already.
  std::optional<std::string> find_mismatch() {
    const std::optional<std::int64_t> sample = comparison_->mismatching_sample();
    if (!sample || !rounds_like_reference()) return std::nullopt;
    const std::vector<TensorData> inputs = inputs_->sample(*sample);
    machine_->capture_next_run();
    (void)host_->infer(inputs);
    return "the NPU differs from the integer reference: " +
           comparison_->describe_mismatch(inputs, host_->captured());
  }

  void add_tensors(RunResult& result) const {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      result.outputs[fmt::format("output{}.npy", i)] =
          format_npy(stack(outputs_[i], inputs_->has_sample_dimension()));
    }
    for (const auto& [id, data] : tensors_) {
      result.tensors[fmt::format("t{:03}.npy", id)] = format_npy(data);
    }
  }

  [[nodiscard]] MappedBy mapped_by() const {
    if (!request_.program.empty()) return MappedBy::kProgram;
    return request_.mapping.empty() ? MappedBy::kMapper : MappedBy::kMappingFile;
  }

  void add_files(RunResult& result) const {
    if (request_.keeps_scalesim_reports) {
      result.scalesim_reports =
          interchange::scalesim_reports(report_, machine_->program(), config_);
    }
    if (!request_.keeps_files) return;
    result.files = report::report_files(report_);
    result.files["program.lst"] = listing(machine_->program());
    if (!mapping_yaml_.empty()) result.files["mapping.yaml"] = mapping_yaml_;
    add_config_files(result.files, config_);
    if (explains_) {
      add_rerun_files(result.files, {.config = config_,
                                     .program = machine_->program(),
                                     .path = *report_.critical_path,
                                     .run_cycles = report_.stats.run_cycles,
                                     .model = network_ ? network_->file_name : "",
                                     .model_sha256 = network_ ? network_->sha256 : "",
                                     .model_options = request_.model,
                                     .mapped_by = mapped_by()});
    }
  }

  const RunRequest& request_;
  const NpuConfig& config_;
  const std::function<void(const std::string&)>& show_;
  Profile own_profile_;
  Profile& profile_;
  std::optional<Network> network_;
  std::string mapping_sha256_;  ///< Of the file that was given, if any.
  std::string mapping_yaml_;
  kernels::RepeatPlan repeats_;
  int effort_ = 0;  ///< Of kernels::CompileOptions.
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Comparison> comparison_;
  std::optional<InputSet> inputs_;
  std::vector<std::string> notes_;
  bool explains_ = false;  ///< The files of `npusim explain` are written.
  EventCounts no_layer_before_{};
  std::vector<std::vector<TensorData>> outputs_;  ///< Per output, its samples.
  TensorMap tensors_;                             ///< Of sample 0.
  ActivityLog activity_;
  report::Report report_;
};

}  // namespace

RunResult run(const RunRequest& request, const Observer& observer) {
  check_request(request);
  if (request.model.path.ends_with(".onnx")) return run_onnx(request, observer);
  check_graph_request(request);
  Session session(request, observer);
  session.prepare();
  session.simulate();
  return session.finish();
}

}  // namespace npu::session
