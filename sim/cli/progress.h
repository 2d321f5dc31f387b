#pragma once

#include <string>

namespace npu::cli {

/// A line on stderr that says what is going on, if stderr is a terminal; nothing otherwise.
class Progress {
 public:
  Progress();
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const std::string& text);
  void clear();

 private:
  bool is_terminal_;
  bool is_shown_ = false;
};

}  // namespace npu::cli
