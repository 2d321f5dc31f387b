#include "sim/cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace npu::cli {
namespace {

double now_s() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Progress::Progress() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::show(const std::string& text) {
  if (!is_terminal_) return;
  fmt::print(stderr, "\r\033[K{}", text);
  std::fflush(stderr);
  is_shown_ = true;
}

void Progress::clear() {
  if (!is_shown_) return;
  std::fputs("\r\033[K", stderr);
  is_shown_ = false;
}

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
  return out;
}

}  // namespace npu::cli
