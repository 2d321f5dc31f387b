#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace npu::interchange {

/// A configuration of another simulator as an NPU of this one.
///
/// What the file says is taken over where there is something like it here; the rest of the NPU is
/// assumed: as fast as can be said where the other simulator has no limit, so that what it limits
/// is what limits here. docs/interchange.md lists the keys.
struct ImportedConfig {
  /// As it would stand in `configs/npu`: the files that it names are relative to that folder.
  std::string yaml;
  /// One line per key that is approximated, then one per key that is dropped, then what is assumed.
  std::vector<std::string> notes;
};

/// SCALE-Sim's .cfg, versions 1 to 3 (scalesim/scale_config.py).
/// @throws Error `file:line: section.key: …`.
[[nodiscard]] ImportedConfig import_scalesim_config(std::string_view text, const std::string& file);

/// ONNXim's .json (src/Common.cc, initialize_config).
/// @throws Error `file:line: key: …`.
[[nodiscard]] ImportedConfig import_onnxim_config(std::string_view text, const std::string& file);

/// One of the two, by the end of the name. @throws Error also for other ends and unreadable files.
[[nodiscard]] ImportedConfig import_config(const std::string& path);

/// Whether import_config() takes files of this name.
[[nodiscard]] bool is_importable(std::string_view path);

}  // namespace npu::interchange
