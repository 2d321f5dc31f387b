#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace npu::test {

/// Folder of the public models and golden tensors: the environment variable NPUSIM_SHARED, or
/// `shared` beside the source tree. It may be absent; tests that need it skip then.
[[nodiscard]] inline std::filesystem::path shared_folder() {
  const char* folder = std::getenv("NPUSIM_SHARED");
  if (folder != nullptr) return folder;
  return std::filesystem::path(NPUSIM_SOURCE_DIR).parent_path() / "shared";
}

/// A file or folder below it, "models/golden".
[[nodiscard]] inline std::string shared_path(const std::string& relative) {
  return (shared_folder() / relative).string();
}

[[nodiscard]] inline bool have_shared() {
  return std::filesystem::is_directory(shared_folder() / "models");
}

}  // namespace npu::test

/// First statement of a test that needs the shared data.
#define NPUSIM_REQUIRE_SHARED()                                    \
  do {                                                             \
    if (!npu::test::have_shared()) {                               \
      GTEST_SKIP() << "no data at " << npu::test::shared_folder(); \
    }                                                              \
  } while (false)
