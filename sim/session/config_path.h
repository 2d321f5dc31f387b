#pragma once

#include <string>

namespace npu::session {

/// The configuration that `--npu` means: a file, or the name of a preset ("edge" for npu/edge.yaml
/// in the folder of configurations). That folder is $NPUSIM_CONFIGS if set, else `configs` in the
/// nearest folder above the program that has one.
/// @throws Error if it is neither, naming where presets were looked for.
[[nodiscard]] std::string find_config(const std::string& name);

/// That folder. @throws Error if there is none.
[[nodiscard]] std::string find_configs_folder();

inline constexpr const char* kDefaultConfig = "edge";

}  // namespace npu::session
