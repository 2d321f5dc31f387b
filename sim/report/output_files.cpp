#include "sim/report/output_files.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "sim/base/error.h"
#include "sim/base/file.h"

namespace npu::report {
namespace {

namespace fs = std::filesystem;

/// Removes the temporary folder unless the commit has used it up.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    fs::remove_all(path_, error);
    fs::create_directory(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

void OutputFiles::add(std::string name, std::string content) {
  const bool is_new = files_.emplace(std::move(name), std::move(content)).second;
  NPU_CHECK(is_new, "one output file per name");
}

void OutputFiles::commit() {
  try {
    fs::path target = fs::absolute(directory_).lexically_normal();
    if (!target.has_filename()) target = target.parent_path();
    if (fs::exists(target) && !fs::is_directory(target)) fail("is not a folder");
    if (target.has_parent_path()) fs::create_directories(target.parent_path());
    const TemporaryFolder temporary(
        target.parent_path() / fmt::format(".{}.{}.part", target.filename().string(), getpid()));
    for (const auto& [name, content] : files_) {
      write_file(temporary.path() / name, content);
    }
    if (!fs::exists(target)) {
      fs::rename(temporary.path(), target);
    } else {
      for (const auto& [name, content] : files_) fs::rename(temporary.path() / name, target / name);
    }
  } catch (const fs::filesystem_error& error) {
    fail("{}: cannot write the output: {}", directory_, error.code().message());
  } catch (const Error& error) {
    fail("{}: cannot write the output: {}", directory_, error.what());
  }
  files_.clear();
}

}  // namespace npu::report
