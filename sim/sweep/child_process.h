#pragma once

#include <string>
#include <vector>

namespace npu::sweep {

struct ProcessOutput {
  int exit_code = 0;  ///< 128 + signal where one ended it.
  std::string out, err;
};

/// Runs a program of the search path, without a shell, and waits for it.
/// @throws Error if it cannot be started, takes longer than two minutes or writes more than 16 MiB;
/// then it is killed.
[[nodiscard]] ProcessOutput run_program(const std::vector<std::string>& arguments);

}  // namespace npu::sweep
