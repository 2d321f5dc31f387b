#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace npu::test {

/// A new empty folder that goes away with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

/// How a program ended.
struct ProgramRun {
  int exit_code = -1;  ///< −1: killed by a signal or not started.
  std::string output;  ///< stdout and stderr.
};

/// Runs the npusim of this build without a shell and waits for it.
[[nodiscard]] ProgramRun run_npusim(const std::vector<std::string>& arguments);

}  // namespace npu::test
