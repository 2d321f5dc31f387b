#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace npu {

struct ProcessOutput {
  int exit_code = 0;  ///< 128 + signal where one ended it.
  std::string out, err;
};

struct ProcessLimits {
  std::chrono::milliseconds time{120'000};     ///< From its start to its end.
  std::size_t bytes = std::size_t{16} << 20U;  ///< Of both streams together.
  bool whole_group = false;  ///< It is a process group of its own, which is killed at its end.
};

/// Runs a program of the search path, without a shell and without input, and waits for its end;
/// not for processes that it leaves behind, whatever streams of its they keep open.
/// @throws Error if it cannot be started or waited for, or goes beyond a limit; then it is killed.
[[nodiscard]] ProcessOutput run_program(const std::vector<std::string>& arguments,
                                        const ProcessLimits& limits = {});

}  // namespace npu
