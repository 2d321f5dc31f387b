#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/config/sections.h"

namespace npu {

inline std::string configs_folder() { return std::string(NPUSIM_SOURCE_DIR) + "/configs/"; }
inline std::string text_of(const std::string& name) {
  return read_file(configs_folder() + name, YamlMap::kMaxFileBytes);
}
/// All YAML files of a folder below configs/, sorted.
inline std::vector<std::string> yaml_files(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(configs_folder() + folder)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// `text` with the first `from` after the line "section:" replaced (anywhere if section is empty).
inline std::string replaced(std::string text, const std::string& section, const std::string& from,
                            const std::string& to) {
  const std::size_t start = section.empty() ? 0 : text.find("\n" + section + ":\n");
  const std::size_t at = start == std::string::npos ? start : text.find(from, start);
  if (at == std::string::npos) {
    ADD_FAILURE() << "no " << section << " " << from;
    return text;
  }
  return text.replace(at, from.size(), to);
}

/// The default preset as text, parsed as if it lay beside the others.
inline NpuConfig parse_edge(const std::string& text) {
  return parse_npu_config(text, configs_folder() + "npu/test.yaml");
}

/// The message of the Error that `action` throws; a failed expectation if it throws none.
template <typename Action>
[[nodiscard]] std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no npu::Error was thrown";
  return "";
}

/// The message for the default preset with one text replaced.
inline std::string edge_error(const std::string& section, const std::string& from,
                              const std::string& to) {
  const std::string text = replaced(text_of("npu/edge.yaml"), section, from, to);
  return error_of([&] { (void)parse_edge(text); });
}

}  // namespace npu
