#include "sim/session/profile.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <ctime>
#include <string_view>

#include "sim/base/peak_memory.h"

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
                           static_cast<double>(peak_memory_kib().value_or(0)) / 1024.0);
}

}  // namespace npu::session
