#include "sim/sweep/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "sim/base/error.h"

namespace npu::sweep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kMostTime{120};
constexpr std::size_t kMostBytes = std::size_t{16} << 20U;

/// Both ends of a pipe, closed when it goes.
class Pipe {
 public:
  Pipe() {
    if (::pipe2(fds_.data(), O_CLOEXEC) != 0) fail("cannot make a pipe: {}", std::strerror(errno));
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_write();
    ::close(fds_[0]);
  }
  void close_write() {
    if (fds_[1] >= 0) ::close(fds_[1]);
    fds_[1] = -1;
  }
  [[nodiscard]] int read_end() const { return fds_[0]; }
  [[nodiscard]] int write_end() const { return fds_[1]; }

 private:
  std::array<int, 2> fds_{-1, -1};
};

pid_t spawn(const std::vector<std::string>& arguments, const Pipe& out, const Pipe& err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write_end(), STDERR_FILENO);
  std::vector<std::string> copies = arguments;
  std::vector<char*> words;
  for (std::string& word : copies) words.push_back(word.data());
  words.push_back(nullptr);
  pid_t pid = -1;
  const int code = ::posix_spawnp(&pid, words.front(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code == ENOENT) fail("{}: no such program", arguments.front());
  if (code != 0) fail("{}: cannot be started: {}", arguments.front(), std::strerror(code));
  return pid;
}

/// False at the end of the stream.
bool read_some(int fd, std::string& text) {
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR;
  text.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

/// Reads both streams to their ends; false if it took too long or was too much.
bool read_all(const Pipe& out, const Pipe& err, ProcessOutput& output) {
  constexpr int kPollMs = 1000;
  const Clock::time_point end = Clock::now() + kMostTime;
  std::array<pollfd, 2> polled = {{{out.read_end(), POLLIN, 0}, {err.read_end(), POLLIN, 0}}};
  const std::array<std::string*, 2> texts = {&output.out, &output.err};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    if (::poll(polled.data(), polled.size(), kPollMs) < 0 && errno != EINTR) return false;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].fd < 0 || polled[i].revents == 0) continue;
      if (!read_some(polled[i].fd, *texts[i])) polled[i].fd = -1;
    }
    if (Clock::now() > end || output.out.size() + output.err.size() > kMostBytes) return false;
  }
  return true;
}

}  // namespace

ProcessOutput run_program(const std::vector<std::string>& arguments) {
  Pipe out, err;
  const pid_t pid = spawn(arguments, out, err);
  out.close_write();
  err.close_write();
  ProcessOutput output;
  const bool is_complete = read_all(out, err, output);
  if (!is_complete) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!is_complete) fail("{}: took too long or wrote too much", arguments.front());
  constexpr int kOfSignals = 128;
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : kOfSignals + WTERMSIG(status);
  return output;
}

}  // namespace npu::sweep
