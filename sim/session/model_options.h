#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernels/lowering/compile.h"
#include "workloads/importers/network_description.h"

namespace npu::session {

/// Which network a command reads and how, as the command line gives it.
struct ModelOptions {
  std::string path;               ///< File or name of a shipped network.
  std::vector<std::string> dims;  ///< "tokens=64": parameters of a description, symbols of an ONNX
                                  ///< model.
  std::string precision;          ///< Empty: the model's.
  std::string weights;            ///< "none", "seed:42" or empty; of a description.
  bool fuse = true;
  /// Not kAuto: attention that the model has in steps is made ATTENTION first.
  kernels::AttentionVariant attention = kernels::AttentionVariant::kAuto;
};

/// The options of a network description. @throws Error naming the option.
/// @param timing_only  weights have no values where --weights does not say otherwise; else they are
/// drawn from seed 1.
[[nodiscard]] importers::DescriptionOptions description_options(const ModelOptions& options,
                                                                bool timing_only);

/// The options as the provenance has them.
[[nodiscard]] std::string options_text(const ModelOptions& options);
/// For a network without attention. @throws Error if --attention says how it should run.
void require_no_attention_option(const ModelOptions& options, const std::string& path);

/// The file that a model's name means: itself if it exists, or the network of that name in the
/// folder of shipped networks: $NPUSIM_MODELS if set, else `workloads/models` in the nearest folder
/// above the program that has one.
/// @throws Error if it is neither.
[[nodiscard]] std::string find_model(const std::string& name);
/// The shipped networks, sorted. @throws Error if there is no folder of them.
[[nodiscard]] std::vector<std::string> shipped_models();

}  // namespace npu::session
