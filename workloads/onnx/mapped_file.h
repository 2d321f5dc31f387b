#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace npu::onnx {

/// A regular file mapped for reading: its bytes take no memory of the process of their own.
class MappedFile {
 public:
  /// @throws Error `file: …` if it cannot be read, is not a regular file or is longer than
  /// `max_bytes`.
  MappedFile(const std::string& path, std::int64_t max_bytes);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::string_view content() const { return content_; }

 private:
  std::string_view content_;
};

}  // namespace npu::onnx
