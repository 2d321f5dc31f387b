#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace npu {

/// A regular file mapped read-only into memory: its pages are read when they are touched, and
/// nothing of it is held twice. A file that another process shortens while it is mapped ends the
/// program by a signal, as with every mapping.
class MappedFile {
 public:
  /// @throws Error `file: …` if it cannot be read, is not a regular file, is empty or is longer
  /// than `max_bytes`.
  MappedFile(const std::string& path, std::int64_t max_bytes);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(address_), size_};
  }

 private:
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace npu
