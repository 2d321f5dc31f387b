#include "workloads/onnx/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/error.h"

namespace npu::onnx {
namespace {

/// A file descriptor, closed at the end.
struct Descriptor {
  int number = -1;
  explicit Descriptor(int descriptor) : number(descriptor) {}
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

}  // namespace

MappedFile::MappedFile(const std::string& path, std::int64_t max_bytes) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail("{}: no such file", path);
  if (!S_ISREG(status.st_mode)) fail("{}: not a regular file", path);
  if (status.st_size > max_bytes) {
    fail("{}: at most {} bytes are read, got {}", path, max_bytes, status.st_size);
  }
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number < 0) fail("{}: cannot open for reading", path);
  if (status.st_size == 0) return;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (bytes == MAP_FAILED) fail("{}: cannot read", path);
  content_ = {static_cast<const char*>(bytes), size};
}

MappedFile::~MappedFile() {
  if (!content_.empty()) ::munmap(const_cast<char*>(content_.data()), content_.size());
}

}  // namespace npu::onnx
