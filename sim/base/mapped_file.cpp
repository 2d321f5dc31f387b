#include "sim/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "sim/base/error.h"

namespace npu {
namespace {

std::string reason() { return std::generic_category().message(errno); }

/// Closes a descriptor at the end of a scope; a mapping outlives it.
struct Descriptor {
  int number;
  explicit Descriptor(int opened) : number(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

}  // namespace

MappedFile::MappedFile(const std::string& path, std::int64_t max_bytes) {
  // Not blocking: a pipe has no writer yet, and is refused below.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number < 0 && errno == ENOENT) fail("{}: no such file", path);
  if (file.number < 0) fail("{}: cannot open for reading: {}", path, reason());
  struct stat status {};
  if (::fstat(file.number, &status) != 0) fail("{}: cannot read: {}", path, reason());
  if (!S_ISREG(status.st_mode)) fail("{}: not a regular file", path);
  if (status.st_size > max_bytes) {
    fail("{}: at most {} bytes are read, got {}", path, max_bytes, status.st_size);
  }
  if (status.st_size == 0) fail("{}: the file is empty", path);
  size_ = static_cast<std::size_t>(status.st_size);
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (address == MAP_FAILED) fail("{}: cannot map into memory: {}", path, reason());
  address_ = address;
}

MappedFile::~MappedFile() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

}  // namespace npu
