#include "sim/base/child_process.h"

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
#include <utility>

#include "sim/base/error.h"

namespace npu {
namespace {

using Clock = std::chrono::steady_clock;

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

/// What posix_spawn needs, freed when it goes.
struct SpawnSettings {
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

pid_t spawn(const std::vector<std::string>& arguments, const Pipe& out, const Pipe& err,
            bool whole_group) {
  SpawnSettings settings;
  posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&settings.actions, out.write_end(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&settings.actions, err.write_end(), STDERR_FILENO);
  if (whole_group) posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> copies = arguments;
  std::vector<char*> words;
  for (std::string& word : copies) words.push_back(word.data());
  words.push_back(nullptr);
  pid_t pid = -1;
  const int code = ::posix_spawnp(&pid, words.front(), &settings.actions, &settings.attributes,
                                  words.data(), environ);
  if (code == ENOENT) fail("{}: no such program", arguments.front());
  if (code != 0) fail("{}: cannot be started: {}", arguments.front(), std::strerror(code));
  return pid;
}

/// The process and what it writes. Killed and waited for when it goes, if it is not over.
class Child {
 public:
  Child(const std::vector<std::string>& arguments, bool whole_group)
      : name_(arguments.front()), whole_group_(whole_group) {
    pid_ = spawn(arguments, out_, err_, whole_group);
    out_.close_write();
    err_.close_write();
    polled_ = {{{out_.read_end(), POLLIN, 0}, {err_.read_end(), POLLIN, 0}}};
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ < 0) return;
    kill();
    (void)reap();
  }

  /// Whether the process has ended; it is not waited for and its number stays its own.
  [[nodiscard]] bool has_ended() {
    siginfo_t info{};
    const int code = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    if (code != 0 && errno != EINTR) {
      pid_ = -1;  // Not its number any more.
      fail("{}: cannot be waited for: {}", name_, std::strerror(errno));
    }
    return code == 0 && info.si_pid == pid_;
  }

  /// Reads what there is, waiting so long for it; false if there was nothing.
  bool read_some(std::chrono::milliseconds wait) {
    const int ready = ::poll(polled_.data(), polled_.size(), static_cast<int>(wait.count()));
    if (ready < 0 && errno != EINTR) fail("{}: cannot be read: {}", name_, std::strerror(errno));
    if (ready <= 0) return false;
    for (std::size_t i = 0; i < polled_.size(); ++i) {
      if (polled_[i].fd < 0 || polled_[i].revents == 0) continue;
      std::array<char, 65536> buffer{};
      const ssize_t got = ::read(polled_[i].fd, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        polled_[i].fd = -1;
      } else {
        (i == 0 ? output_.out : output_.err).append(buffer.data(), static_cast<std::size_t>(got));
      }
    }
    return true;
  }

  [[nodiscard]] std::size_t bytes() const { return output_.out.size() + output_.err.size(); }

  /// Of a process that has ended.
  ProcessOutput take() {
    if (whole_group_) kill();  // What it left running.
    constexpr int kOfSignals = 128;
    const int status = reap();
    output_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : kOfSignals + WTERMSIG(status);
    return std::move(output_);
  }

 private:
  void kill() const { ::kill(whole_group_ ? -pid_ : pid_, SIGKILL); }
  int reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

  std::string name_;
  bool whole_group_;
  Pipe out_, err_;
  pid_t pid_ = -1;
  std::array<pollfd, 2> polled_{};  ///< Negative descriptors: streams that are at their end.
  ProcessOutput output_;
};

}  // namespace

ProcessOutput run_program(const std::vector<std::string>& arguments, const ProcessLimits& limits) {
  constexpr std::chrono::milliseconds kPause{10}, kNone{0};
  Child child(arguments, limits.whole_group);
  const Clock::time_point end = Clock::now() + limits.time;
  while (true) {
    // Asked for first: what it wrote before its end is there to be read.
    const bool has_ended = child.has_ended();
    const bool has_read = child.read_some(has_ended ? kNone : kPause);
    if (child.bytes() > limits.bytes) {
      fail("{}: wrote more than {} bytes", arguments.front(), limits.bytes);
    }
    if (has_ended && !has_read) return child.take();
    if (Clock::now() > end) {
      fail("{}: took longer than {} s", arguments.front(),
           std::chrono::duration<double>(limits.time).count());
    }
  }
}

}  // namespace npu
