#include "sim/session/config_path.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "sim/base/error.h"
#include "sim/interchange/import_config.h"

namespace npu::session {
namespace {

namespace fs = std::filesystem;

/// Empty if there is none.
fs::path configs_folder() {
  if (const char* set = std::getenv("NPUSIM_CONFIGS"); set != nullptr && *set != '\0') return set;
  std::error_code error;
  fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  while (!error && !folder.empty()) {
    if (fs::is_directory(folder / "configs" / "npu", error)) return folder / "configs";
    if (folder == folder.parent_path()) break;
    folder = folder.parent_path();
    error.clear();
  }
  return {};
}

}  // namespace

std::string find_config(const std::string& name) {
  std::error_code error;
  if (fs::exists(name, error)) {
    if (interchange::is_importable(name)) {
      fail("{}: is no configuration of npusim: `npusim import {} -o npu.yaml` makes one of it",
           name, name);
    }
    return name;
  }
  const bool is_preset =
      !name.empty() && name.find('/') == std::string::npos && !name.ends_with(".yaml");
  if (!is_preset) fail("{}: no such file", name);
  const fs::path folder = configs_folder();
  if (folder.empty()) {
    fail(
        "{}: no such file, and no folder `configs` above the program to look for a preset in; set "
        "NPUSIM_CONFIGS",
        name);
  }
  const fs::path preset = folder / "npu" / (name + ".yaml");
  if (!fs::exists(preset, error)) fail("{}: no such file, and no preset {}", name, preset.string());
  return preset.string();
}

std::string find_configs_folder() {
  const fs::path folder = configs_folder();
  if (folder.empty()) fail("no folder `configs` above the program; set NPUSIM_CONFIGS");
  return folder.string();
}

}  // namespace npu::session
