#include "sim/conformance/onnx_cases.h"

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <memory>

#include "sim/base/error.h"
#include "sim/base/file.h"

namespace npu::conformance {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxFileBytes = std::int64_t{64} << 20;
constexpr std::int64_t kMaxTotalBytes = std::int64_t{2} << 30;
constexpr std::string_view kModel = "model.onnx";

using FilesByPath = std::map<std::string, std::string>;

FilesByPath read_folder(const std::string& path) {
  FilesByPath files;
  std::int64_t total = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    if (!entry.is_regular_file()) continue;
    const std::string extension = entry.path().extension().string();
    if (extension != ".onnx" && extension != ".pb") continue;
    std::string content = read_file(entry.path().string(), kMaxFileBytes);
    total += static_cast<std::int64_t>(content.size());
    if (total > kMaxTotalBytes) fail("{}: more than {} bytes", path, kMaxTotalBytes);
    files.emplace(fs::relative(entry.path(), path).string(), std::move(content));
  }
  return files;
}

FilesByPath read_archive(const std::string& path) {
  const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_all(reader.get());
  constexpr std::size_t kBlock = 65536;
  const auto refuse = [&]() { fail("{}: {}", path, archive_error_string(reader.get())); };
  if (archive_read_open_filename(reader.get(), path.c_str(), kBlock) != ARCHIVE_OK) refuse();
  FilesByPath files;
  std::int64_t total = 0;
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK) refuse();
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    const std::string name = archive_entry_pathname(entry);
    if (!name.ends_with(".onnx") && !name.ends_with(".pb")) continue;
    std::string content;
    char buffer[kBlock];
    la_ssize_t got = 0;
    while ((got = archive_read_data(reader.get(), buffer, sizeof buffer)) > 0) {
      content.append(buffer, static_cast<std::size_t>(got));
      total += got;
      if (static_cast<std::int64_t>(content.size()) > kMaxFileBytes || total > kMaxTotalBytes) {
        fail("{}: {}: too large", path, name);
      }
    }
    if (got < 0) refuse();
    files.insert_or_assign(name, std::move(content));
  }
  return files;
}

}  // namespace

std::vector<OnnxCase> find_onnx_cases(const std::string& path) {
  std::error_code code;
  if (!fs::exists(path, code)) fail("{}: no such file or folder", path);
  FilesByPath files = fs::is_directory(path, code) ? read_folder(path) : read_archive(path);
  std::map<std::string, OnnxCase> cases;  // by folder
  for (const auto& [file, content] : files) {
    const fs::path at(file);
    if (at.filename() == kModel) {
      const std::string folder = at.parent_path().string();
      std::string name = at.parent_path().filename().string();
      if (name.empty()) name = fs::path(path).lexically_normal().filename().string();
      cases[folder].name = std::move(name);
    }
  }
  if (cases.empty()) fail("{}: holds no {}", path, kModel);
  for (auto& [file, content] : files) {
    const fs::path at(file);
    // A case's files lie in its folder or one below.
    for (fs::path folder = at.parent_path();; folder = folder.parent_path()) {
      const auto it = cases.find(folder.string());
      if (it != cases.end()) {
        it->second.files.emplace(
            at.lexically_relative(folder.empty() ? fs::path(".") : folder).string(),
            std::move(content));
        break;
      }
      if (folder.empty()) break;
    }
  }
  std::vector<OnnxCase> sorted;
  for (auto& [folder, c] : cases) sorted.push_back(std::move(c));
  return sorted;
}

}  // namespace npu::conformance
