#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sim/base/error.h"
#include "sim/sweep/store.h"

namespace npu::sweep {

StoreLock::StoreLock(const std::string& path, const std::function<void()>& waiting) {
  constexpr int kEveryoneMay = 0644;
  const std::string file = path + ".lock";
  fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kEveryoneMay);
  if (fd_ < 0) fail("{}: cannot be written: {}", file, std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK) waiting();
  while (::flock(fd_, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const int code = errno;
    ::close(fd_);
    fail("{}: cannot be locked: {}", file, std::strerror(code));
  }
}

StoreLock::~StoreLock() { ::close(fd_); }

}  // namespace npu::sweep
