#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace npu {

/// The user's input is at fault (exit code 2). The message starts with the place:
/// `file:line:column: key: …` for YAML, `file: offset …` for binary files.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The simulated run itself failed (exit code 3): hazard, read of unwritten bytes, deadlock, or a
/// mismatch with the integer reference. The message names the instruction.
class RunFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Error with a formatted message.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

[[noreturn]] inline void check_failed(std::string_view condition, std::string_view message,
                                      std::string_view file, int line) {
  throw std::logic_error(
      fmt::format("{}:{}: internal error: {} ({})", file, line, message, condition));
}

}  // namespace npu

/// Our own invariant; a failure is a bug of npusim (std::logic_error, exit code 70).
#define NPU_CHECK(condition, message)                               \
  do {                                                              \
    if (!(condition)) {                                             \
      ::npu::check_failed(#condition, message, __FILE__, __LINE__); \
    }                                                               \
  } while (false)
