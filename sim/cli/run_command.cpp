#include <memory>

#include "sim/cli/commands.h"
#include "sim/cli/config_path.h"
#include "sim/cli/network.h"
#include "sim/cli/run_session.h"

namespace npu::cli {

void add_run(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunOptions>();
  options->npu = kDefaultConfig;
  CLI::App* command = app.add_subcommand("run", "run a network on the simulated NPU");
  command->add_option("--npu", options->npu, "configuration: a YAML file or the name of a preset")
      ->capture_default_str();
  command->add_option("--model", options->model.path,
                      "network: a .tflite or .onnx file, a description (.yaml) or its name, or a "
                      "SCALE-Sim topology (.csv)");
  add_model_options(*command, options->model);
  command->add_option("--program", options->program,
                      "compiled program to run; with --model its outputs are compared");
  command
      ->add_option("--input", options->inputs,
                   ".npy file, once per network input: the input's shape, or one leading dimension "
                   "more for samples; for ONNX models .pb and .npz, too; random values if left out")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command->add_option("--samples", options->samples, "run only the first N samples");
  command->add_option("--labels", options->labels, ".npy file with the right class of each sample");
  command
      ->add_option("--calibrate", options->calibrate,
                   "of a float ONNX model with --precision int8: samples that the ranges of its "
                   "tensors are taken from, files as for --input")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command
      ->add_option("--calibration", options->calibration,
                   "range of a tensor: minmax, or percentile:P, of which (100 - P) / 2 percent of "
                   "the values are cut off at either end")
      ->default_str("minmax");
  command->add_option("--out", options->out, "folder for the report's files");
  command->add_option("--save-outputs", options->save_outputs, "folder for output0.npy, ...");
  command->add_option("--save-tensors", options->save_tensors,
                      "folder for t<index>.npy (three digits), every tensor of the first sample");
  command->add_flag("--timing-only", options->timing_only,
                    "move no data; the same cycles, layers that repeat often simulated once");
  command->add_flag("--simulate-all", options->simulate_all,
                    "with --timing-only: simulate repeated layers each time");
  command
      ->add_option("--reference", options->references,
                   "what to compare with: all (integer and float), integer, none")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, References>{{"all", References::kAll},
                                            {"integer", References::kInteger},
                                            {"none", References::kNone}}))
      ->default_str("all");
  add_attention_option(*command, options->attention);
  command->add_flag("--profile", options->profile, "print the time of each phase on stderr");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace npu::cli
