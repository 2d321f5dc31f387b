#include "sim/session/profile.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <ctime>
#include <fstream>
#include <string_view>

namespace npu::session {
namespace {

double now_s() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(time).count();
}

double cpu_s() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// High-water mark of the resident memory [kB]. getrusage would tell the parent's if that was
/// larger.
std::int64_t peak_memory_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key;) {
    std::int64_t kilobytes = 0;
    if (key == "VmHWM:" && status >> kilobytes) return kilobytes;
  }
  return 0;
}

}  // namespace

Profile::Profile() : last_s_(now_s()) {}

void Profile::charge(Phase phase) {
  const double now = now_s();
  seconds_[phase] += now - last_s_;
  last_s_ = now;
}

std::string Profile::text() const {
  constexpr std::array<std::string_view, kCount> kNames = {"load",     "compile",   "elaborate",
                                                           "simulate", "reference", "report"};
  std::string out;
  for (std::size_t i = 0; i < kCount; ++i) {
    out += fmt::format("profile: {}_s {:.6f}\n", kNames[i], seconds_[i]);
  }
  return out + fmt::format("profile: cpu_s {:.6f}\nprofile: peak_memory_mb {:.3f}\n", cpu_s(),
                           static_cast<double>(peak_memory_kb()) / 1024.0);
}

}  // namespace npu::session
