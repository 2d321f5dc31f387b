#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "sim/base/error.h"
#include "sim/cli/commands.h"
#include "sim/cli/model_arguments.h"
#include "sim/cli/progress.h"
#include "sim/config/sections.h"
#include "sim/report/output_files.h"
#include "sim/report/writers.h"
#include "sim/session/config_path.h"
#include "sim/session/run.h"
#include "sim/vcd/vcd_file.h"

namespace npu::cli {
namespace {

using session::References;

struct RunOptions {
  std::string npu = session::kDefaultConfig;
  session::RunRequest request;
  std::string out, save_outputs, save_tensors, scalesim_reports, vcd;
  bool profile = false;
};

void write_files(const std::string& folder, session::Files& files) {
  if (!folder.empty()) report::OutputFiles(folder, std::move(files)).commit();
}

/// Runs, prints the report and writes the files. @return the exit code. @throws Error, RunFault.
int run(RunOptions& o) {
  Progress progress;
  session::Profile profile;
  o.request.config = load_npu_config(session::find_config(o.npu));
  o.request.keeps_files = !o.out.empty();
  o.request.keeps_outputs = !o.save_outputs.empty();
  o.request.keeps_tensors = !o.save_tensors.empty();
  o.request.keeps_activity = !o.vcd.empty();
  std::optional<vcd::VcdFile> waves;
  if (!o.vcd.empty()) waves.emplace(o.vcd);
  o.request.keeps_scalesim_reports = !o.scalesim_reports.empty();
  session::RunResult result = session::run(
      o.request,
      {.show = [&](const std::string& text) { progress.show(text); }, .profile = &profile});
  progress.clear();
  if (waves) waves->write(result.activity, result.report.clock_period_ps);
  write_files(o.save_outputs, result.outputs);
  write_files(o.save_tensors, result.tensors);
  write_files(o.scalesim_reports, result.scalesim_reports);
  write_files(o.out, result.files);
  if (waves && !result.mismatch) waves->commit();
  const std::string text = report::text_report(result.report);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    fail("stdout: cannot write");
  }
  profile.charge(session::Profile::kReport);
  if (o.profile) {
    fmt::print(stderr, "{}profile: total_cycles {}\nprofile: simulation_events {}\n",
               profile.text(), result.report.stats.total_cycles, result.report.stats.kernel_events);
  }
  if (result.mismatch) throw RunFault(*result.mismatch);
  return kSuccess;
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "run a network on the simulated NPU");
  command->add_option("--npu", options->npu, "configuration: a YAML file or the name of a preset")
      ->capture_default_str();
  command->add_option("--model", options->request.model.path,
                      "network: a .tflite or .onnx file, a description (.yaml) or its name, or a "
                      "SCALE-Sim topology (.csv)");
  add_model_options(*command, options->request.model);
  command->add_option("--program", options->request.program,
                      "compiled program to run; with --model its outputs are compared");
  command
      ->add_option("--input", options->request.inputs,
                   ".npy file, once per network input: the input's shape, or one leading dimension "
                   "more for samples; for ONNX models .pb and .npz, too; random values if left out")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command->add_option("--samples", options->request.samples, "run only the first N samples");
  command->add_option("--labels", options->request.labels,
                      ".npy file with the right class of each sample");
  command
      ->add_option("--calibrate", options->request.calibrate,
                   "of a float ONNX model with --precision int8: samples that the ranges of its "
                   "tensors are taken from, files as for --input")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command
      ->add_option("--calibration", options->request.calibration,
                   "range of a tensor: minmax, or percentile:P, of which (100 - P) / 2 percent of "
                   "the values are cut off at either end")
      ->default_str("minmax");
  command->add_option("--out", options->out, "folder for the report's files");
  command->add_option("--save-outputs", options->save_outputs, "folder for output0.npy, ...");
  command->add_option("--save-tensors", options->save_tensors,
                      "folder for t<index>.npy (three digits), every tensor of the first sample");
  command->add_option("--scalesim-reports", options->scalesim_reports,
                      "folder for COMPUTE_REPORT.csv, BANDWIDTH_REPORT.csv and "
                      "DETAILED_ACCESS_REPORT.csv in SCALE-Sim's columns");
  command->add_option("--vcd", options->vcd,
                      "file for the last inference's unit states and queues over time, to be seen "
                      "with GTKWave");
  command->add_flag(
      "--timing-only", options->request.timing_only,
      "move no data; the same cycles, layers and tiles that repeat often simulated once");
  command->add_flag("--simulate-all", options->request.simulate_all,
                    "with --timing-only: simulate repeated layers each time");
  command
      ->add_option("--reference", options->request.references,
                   "what to compare with: all (integer and float), integer, none")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, References>{{"all", References::kAll},
                                            {"integer", References::kInteger},
                                            {"none", References::kNone}}))
      ->default_str("all");
  command->add_option("--mapping", options->request.mapping,
                      "mapping to take, whole or in part: a mapping.yaml as `--out` writes it");
  command->add_flag("--profile", options->profile, "print the time of each phase on stderr");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace npu::cli
