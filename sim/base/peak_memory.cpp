#include "sim/base/peak_memory.h"

#include <fstream>
#include <string>

namespace npu {

std::optional<std::int64_t> peak_memory_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key;) {
    std::int64_t kibibytes = 0;
    if (key == "VmHWM:" && status >> kibibytes) return kibibytes;
  }
  return std::nullopt;
}

}  // namespace npu
