#include "sim/base/process_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>
#include <thread>
#include <vector>

#include "sim/base/error.h"

namespace npu {
namespace {

using Clock = std::chrono::steady_clock;

struct Worker {
  std::size_t index = 0;
  pid_t pid = -1;
  int fd = -1;
  Clock::time_point begin;
  std::string bytes;  ///< One byte of status, then the text.
};

TaskResult run_task(const std::function<std::string(std::size_t)>& task, std::size_t index) {
  try {
    return {TaskStatus::kDone, task(index)};
  } catch (const Error& error) {
    return {TaskStatus::kError, error.what()};
  } catch (const RunFault& fault) {
    return {TaskStatus::kRunFault, fault.what()};
  } catch (const std::bad_alloc&) {
    return {TaskStatus::kMemory, "out of memory"};
  } catch (const std::exception& error) {
    return {TaskStatus::kInternal, error.what()};
  } catch (...) {
    return {TaskStatus::kInternal, "unknown exception"};
  }
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Where the one task of this process answers.
int answer_fd = -1;

/// In place of std::bad_alloc, which a coroutine of SystemC would turn into another exception.
[[noreturn]] void end_out_of_memory() {
  constexpr std::string_view kText = "out of memory";
  const char status = static_cast<char>(TaskStatus::kMemory);
  write_all(answer_fd, {&status, 1});
  write_all(answer_fd, kText);
  ::_exit(0);
}

/// False if the system refuses the limit.
bool limit_memory(unsigned mebibytes) {
  if (mebibytes == 0) return true;
  const rlim_t bytes = rlim_t{mebibytes} << 20U;
  const rlimit limit{bytes, bytes};
  return ::setrlimit(RLIMIT_DATA, &limit) == 0;
}

/// The processes under way; those left are killed when it goes.
class Pool {
 public:
  Pool(const std::function<std::string(std::size_t)>& task, const ProcessPoolOptions& options)
      : task_(task), timeout_(options.timeout_s), memory_mib_(options.memory_mib) {}
  ~Pool() {
    for (const Worker& w : workers_) {
      ::kill(w.pid, SIGKILL);
      reap(w);
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  [[nodiscard]] std::size_t size() const { return workers_.size(); }

  void start(std::size_t index) {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) fail("cannot make a pipe: {}", std::strerror(errno));
    // What is buffered here must not be written twice.
    std::fflush(nullptr);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) {
      const int code = errno;
      ::close(fds[0]);
      ::close(fds[1]);
      fail("cannot start a process: {}", std::strerror(code));
    }
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent || !limit_memory(memory_mib_)) ::_exit(1);
      answer_fd = fds[1];
      std::set_new_handler(end_out_of_memory);
      const TaskResult result = run_task(task_, index);
      write_all(fds[1], static_cast<char>(result.status) + result.text);
      std::fflush(nullptr);
      ::_exit(0);
    }
    ::close(fds[1]);
    workers_.push_back({index, pid, fds[0], Clock::now(), {}});
  }

  /// Waits until at least one task ended or some time passed; ended tasks are handed to `done`.
  void collect(const std::function<void(std::size_t, const TaskResult&)>& done) {
    constexpr int kPollMs = 1000;
    std::vector<pollfd> polled;
    for (const Worker& w : workers_) polled.push_back({w.fd, POLLIN, 0});
    if (::poll(polled.data(), polled.size(), kPollMs) < 0 && errno != EINTR) {
      fail("cannot wait for a process: {}", std::strerror(errno));
    }
    for (std::size_t i = polled.size(); i-- > 0;) {
      const bool is_over = polled[i].revents != 0 && !read_some(workers_[i]);
      const auto now = Clock::now();
      const bool is_late = timeout_.count() > 0 && now > workers_[i].begin + timeout_;
      if (!is_over && !is_late) continue;
      const Worker worker = std::move(workers_[i]);
      workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(i));
      TaskResult result;
      if (is_over) {
        result = result_of(worker);
      } else {
        ::kill(worker.pid, SIGKILL);
        reap(worker);
        result = {TaskStatus::kTimeout, fmt::format("took more than {} s", timeout_.count())};
      }
      result.wall_s = std::chrono::duration<double>(now - worker.begin).count();
      done(worker.index, result);
    }
  }

 private:
  /// False at the end of the worker's output.
  static bool read_some(Worker& w) {
    char buffer[65536];
    const ssize_t got = ::read(w.fd, buffer, sizeof buffer);
    if (got < 0) return errno == EINTR;
    w.bytes.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  static int reap(const Worker& w) {
    ::close(w.fd);
    int status = 0;
    while (::waitpid(w.pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

  static TaskResult result_of(const Worker& w) {
    const int status = reap(w);
    if (WIFSIGNALED(status)) {
      TaskResult killed{TaskStatus::kCrash, fmt::format("killed by signal {}", WTERMSIG(status))};
      killed.signal = WTERMSIG(status);
      return killed;
    }
    if (w.bytes.empty()) return {TaskStatus::kCrash, "ended without a result"};
    return {static_cast<TaskStatus>(w.bytes[0]), w.bytes.substr(1)};
  }

  const std::function<std::string(std::size_t)>& task_;
  std::chrono::seconds timeout_;
  unsigned memory_mib_;
  std::vector<Worker> workers_;
};

}  // namespace

void run_in_processes(std::size_t count, const ProcessPoolOptions& options,
                      const std::function<std::string(std::size_t)>& task,
                      const std::function<void(std::size_t, const TaskResult&)>& done) {
  const unsigned workers =
      options.workers > 0 ? options.workers : std::max(1U, std::thread::hardware_concurrency());
  Pool pool(task, options);
  for (std::size_t next = 0; next < count || pool.size() > 0;) {
    while (next < count && pool.size() < workers) pool.start(next++);
    pool.collect(done);
  }
}

}  // namespace npu
