#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "sim/sweep/sweep.h"
#include "sim/sweep/table.h"

namespace npu::sweep::test {

/// A sweep over the edge preset and a file as its model, in a folder of its own. Its
/// configurations are presets by name, or files.
class Made {
 public:
  struct File {
    std::string name, text;
  };
  explicit Made(const std::string& rest, const std::string& name = "made",
                const std::vector<File>& files = {})
      : folder_(std::filesystem::temp_directory_path() /
                ("npusim_" + name + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "net.yaml") << "a model\n";
    for (const File& file : files) std::ofstream(folder_ / file.name) << file.text;
    text_ = "sweep: " + name + "\nmodels: [net.yaml]\n" + rest;
    load();
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  ~Made() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  /// From the text anew, as the next start of the program would.
  void load(const std::string& version = "v1") {
    sweep = parse_sweep(text_, (folder_ / "s.yaml").string());
    configurations.emplace([](const std::string& name) {
      if (name.ends_with(".yaml")) return name;
      return std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/" + name + ".yaml";
    });
    resolver.emplace(
        sweep, *configurations,
        [&](const std::string& n) {
          return ModelFiles{n, external};
        },
        version);
    space.emplace(sweep, *configurations);
  }
  [[nodiscard]] Planner planner() { return {sweep, *space, *resolver}; }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  /// The point of a candidate's number as "value value".
  [[nodiscard]] std::string point(std::uint64_t candidate) const {
    const auto p = space->point(candidate);
    if (!p) return "-";
    std::string text;
    for (const std::string& value : p->values) text += (text.empty() ? "" : " ") + value;
    return text;
  }

  std::vector<std::string> external;  ///< Of the model.
  SweepFile sweep;
  std::optional<Configurations> configurations;
  std::optional<Resolver> resolver;
  std::optional<Space> space;

 private:
  std::filesystem::path folder_;
  std::string text_;
};

}  // namespace npu::sweep::test
