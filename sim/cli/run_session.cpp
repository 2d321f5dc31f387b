#include "sim/cli/run_session.h"

#include <cstdio>
#include <memory>
#include <utility>

#include "sim/base/npy.h"
#include "sim/cli/build_report.h"
#include "sim/cli/commands.h"
#include "sim/cli/config_path.h"
#include "sim/cli/listing.h"
#include "sim/cli/network.h"
#include "sim/cli/onnx_session.h"
#include "sim/cli/progress.h"
#include "sim/cli/rerun_files.h"
#include "sim/config/sections.h"
#include "sim/report/output_files.h"
#include "sim/report/writers.h"

namespace npu::cli {
namespace {

void check_options(const RunOptions& o) {
  if (o.model.path.empty() && o.program.empty()) fail("run: --model or --program is needed");
  if (o.samples && *o.samples < 1) fail("--samples: must be at least 1, got {}", *o.samples);
  if (o.simulate_all && !o.timing_only) {
    fail("--simulate-all: only a timing-only run leaves repeated layers out");
  }
  if (!o.calibrate.empty()) fail("--calibrate: only for float ONNX models");
  if (!o.timing_only) return;
  if (!o.save_outputs.empty()) fail("--save-outputs: a timing-only run has no outputs");
  if (!o.save_tensors.empty()) fail("--save-tensors: a timing-only run has no tensors");
  if (!o.labels.empty()) fail("--labels: a timing-only run has no outputs");
}

/// One run from start to end; the steps are called in order.
class Session {
 public:
  explicit Session(const RunOptions& options)
      : options_(options), config_(load_npu_config(find_config(options.npu))) {}

  void prepare() {
    if (!options_.model.path.empty()) {
      progress_.show(fmt::format("reading {}", options_.model.path));
      network_ = load_network(options_.model, options_.timing_only);
      notes_ = network_->notes;
    }
    build(options_.timing_only && !options_.simulate_all ? 1 : 0);
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
    report_.timing_only = options_.timing_only;
    note_what_is_missing();
    if (explains_) add_critical_path();
    if (!options_.timing_only) report_.accuracy = comparison_->result();
    report_.host_ops = host_->host_ops();
    report_.notes = std::move(notes_);
  }

  int finish() {
    progress_.clear();
    const std::optional<std::string> mismatch = find_mismatch();
    write_tensors();
    write_report();
    const std::string text = report::text_report(report_);
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
      fail("stdout: cannot write");
    }
    profile_.charge(Profile::kReport);
    if (options_.profile) {
      fmt::print(stderr, "{}profile: total_cycles {}\nprofile: simulation_events {}\n",
                 profile_.text(), report_.stats.total_cycles, report_.stats.kernel_events);
    }
    if (mismatch) throw RunFault(*mismatch);
    return kSuccess;
  }

 private:
  /// Loads or compiles the program and builds the machine around it.
  void build(int repeat_effort) {
    isa::Program program;
    effort_ = repeat_effort;
    if (!options_.program.empty()) {
      program = isa::load(options_.program);
      profile_.charge(Profile::kLoad);
    } else {
      profile_.charge(Profile::kLoad);
      progress_.show("mapping");
      kernels::Compiled compiled = compile_network(*network_, config_,
                                                   {.timing_only = options_.timing_only,
                                                    .attention = options_.attention,
                                                    .repeat_effort = repeat_effort});
      if (effort_ <= 1) {
        const auto lines = attention_notes(network_->mapped, compiled.attention);
        notes_.insert(notes_.end(), lines.begin(), lines.end());
      }
      mapping_yaml_ = std::move(compiled.mapping_yaml);
      program = std::move(compiled.program);
      repeats_ = std::move(compiled.repeats);
      profile_.charge(Profile::kCompile);
    }
    explains_ = !options_.out.empty() && repeats_.periods.empty();
    const bool compares = network_ && options_.references != References::kNone;
    machine_ = std::make_unique<Machine>(
        config_, std::move(program),
        MachineOptions{.timing_only = options_.timing_only,
                       .trace = !options_.out.empty(),
                       .record_schedule = explains_,
                       .capture_tensors =
                           !options_.timing_only && (compares || !options_.save_tensors.empty())});
    if (network_) kernels::apply_attention(network_->original, machine_->program());
    host_ = std::make_unique<Host>(*machine_, network_ ? &network_->mapped : nullptr);
    comparison_ =
        std::make_unique<Comparison>(network_ ? &network_->original : nullptr, machine_->program(),
                                     host_->outputs(), options_.references);
  }

  void run_samples() {
    const std::int64_t samples = inputs_->samples();
    for (std::int64_t i = 0; i < samples; ++i) {
      progress_.show(fmt::format("sample {} of {}", i + 1, samples));
      if (i > 0 && i + 1 == samples) no_layer_before_ = machine_->stats().events_per_layer.back();
      if (options_.timing_only) {
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
    std::vector<std::uint64_t> cycles;
    for (const LayerStats& layer : stats.layers) {
      cycles.push_back(layer.end_cycle - layer.begin_cycle);
    }
    return repeats_.uncertain_cycles(cycles) <=
           kernels::kSteadyShare * static_cast<double>(stats.run_cycles.back());
  }

  void note_what_is_missing() {
    if (!repeats_.periods.empty()) {
      notes_.push_back(
          fmt::format("layers that repeat were simulated once: {} of {} layers, {} of {} cycles; "
                      "--simulate-all simulates each",
                      repeats_.kept.size(), repeats_.stands_in.size(),
                      report_.stats.simulated_cycles, report_.stats.total_cycles));
    }
    if (!options_.out.empty() && !explains_) notes_.emplace_back(kNoRepeatedPath);
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
    if (!options_.inputs.empty()) {
      inputs_ = InputSet::load(options_.inputs, host_->inputs(), options_.samples);
    } else if (options_.timing_only) {
      inputs_ = InputSet::random({}, options_.samples.value_or(1));
    } else {
      inputs_ = InputSet::random(host_->inputs(), options_.samples.value_or(1));
      notes_.emplace_back("no --input: random values, seed 1");
    }
    if (!options_.labels.empty()) comparison_->load_labels(options_.labels, inputs_->samples());
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
    if (!options_.save_outputs.empty()) {
      outputs_.resize(host_->outputs().size());
      for (std::size_t i = 0; i < outputs_.size(); ++i) {
        outputs_[i].push_back(values.at(host_->outputs()[i]));
      }
    }
    if (sample == 0 && !options_.save_tensors.empty()) {
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

  void write_tensors() const {
    if (!options_.save_outputs.empty()) {
      report::OutputFiles files(options_.save_outputs);
      for (std::size_t i = 0; i < outputs_.size(); ++i) {
        files.add(fmt::format("output{}.npy", i),
                  format_npy(stack(outputs_[i], inputs_->has_sample_dimension())));
      }
      files.commit();
    }
    if (!options_.save_tensors.empty()) {
      report::OutputFiles files(options_.save_tensors);
      for (const auto& [id, data] : tensors_)
        files.add(fmt::format("t{:03}.npy", id), format_npy(data));
      files.commit();
    }
  }

  void write_report() const {
    if (options_.out.empty()) return;
    report::OutputFiles files(options_.out);
    files.add("report.txt", report::text_report(report_));
    files.add("summary.json", report::summary_json(report_));
    files.add("layers.csv", report::layers_csv(report_));
    files.add("energy.csv", report::energy_csv(report_));
    files.add("trace.json", report::trace_json(report_));
    files.add("program.lst", listing(machine_->program()));
    if (!mapping_yaml_.empty()) files.add("mapping.yaml", mapping_yaml_);
    if (explains_) {
      add_rerun_files(files, {.config = config_,
                              .program = machine_->program(),
                              .path = *report_.critical_path,
                              .run_cycles = report_.stats.run_cycles,
                              .model = network_ ? network_->file_name : "",
                              .model_sha256 = network_ ? network_->sha256 : "",
                              .model_options = options_.model,
                              .is_mapped = options_.program.empty()});
    }
    files.commit();
  }

  const RunOptions& options_;
  Progress progress_;
  Profile profile_;
  NpuConfig config_;
  std::optional<Network> network_;
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
  report::Report report_;
};

}  // namespace

int run(const RunOptions& options) {
  if (!options.calibration.empty() && options.calibrate.empty()) {
    fail("--calibration: only with --calibrate");
  }
  if (options.model.path.ends_with(".onnx")) return run_onnx(options);
  check_options(options);
  Session session(options);
  session.prepare();
  session.simulate();
  return session.finish();
}

}  // namespace npu::cli
