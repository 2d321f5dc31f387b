#include "sim/cli/model_arguments.h"

#include <map>
#include <string>

namespace npu::cli {

void add_dimension_options(CLI::App& command, session::ModelOptions& options) {
  command
      .add_option("--dim", options.dims,
                  "NAME=N: a parameter of a network description, or a symbolic dimension of an "
                  "ONNX model (INPUT[AXIS]=N where it has no name)")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command.add_option("--precision", options.precision,
                     "type of a described network's activations and weights; storage of an ONNX "
                     "model's floats on the NPU");
}

void add_model_options(CLI::App& command, session::ModelOptions& options) {
  add_dimension_options(command, options);
  command.add_option("--weights", options.weights,
                     "of a described network: none (timing only) or seed:N; seed:1 if left out, "
                     "none with --timing-only");
  command.add_flag("!--no-fusion", options.fuse, "keep every operator as it is in the model");
  command
      .add_option("--attention", options.attention,
                  "how ATTENTION runs: fused (scores stay on chip), unfused, auto (the one with "
                  "fewer predicted cycles; attention in steps stays in steps)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, kernels::AttentionVariant>(
          kernels::kAttentionVariants.begin(), kernels::kAttentionVariants.end())))
      ->default_str("auto");
}

}  // namespace npu::cli
