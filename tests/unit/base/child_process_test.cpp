#include "sim/base/child_process.h"

#include <sys/time.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/unit/base/expect_error.h"

namespace npu {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

TEST(ChildProcess, RunsWithoutAShell) {
  const ProcessOutput said = run_program({"echo", "a b", "$HOME;"});
  EXPECT_EQ(said.out, "a b $HOME;\n");
  EXPECT_EQ(said.exit_code, 0);
  const ProcessOutput failed = run_program({"sh", "-c", "echo oops >&2; exit 3"});
  EXPECT_EQ(failed.err, "oops\n");
  EXPECT_EQ(failed.exit_code, 3);
  EXPECT_EQ(run_program({"sh", "-c", "kill -9 $$"}).exit_code, 137);
  EXPECT_EQ(run_program({"cat"}).out, "");  // There is no input.
  EXPECT_EQ(error_of([] { (void)run_program({"npusim-no-such-program"}); }),
            "npusim-no-such-program: no such program");
}

TEST(ChildProcess, ReadsToTheEnd) {
  const ProcessOutput said =
      run_program({"sh", "-c", "head -c 3000000 /dev/zero; head -c 70000 /dev/zero >&2"});
  EXPECT_EQ(said.out.size(), 3'000'000U);
  EXPECT_EQ(said.err.size(), 70'000U);
}

TEST(ChildProcess, IsLimited) {
  EXPECT_EQ(error_of([] {
              (void)run_program({"head", "-c", "20000000", "/dev/zero"});
            }),
            "head: wrote more than 16777216 bytes");
  EXPECT_EQ(error_of([] {
              (void)run_program({"sleep", "60"}, {.time = milliseconds(200)});
            }),
            "sleep: took longer than 0.2 s");
}

/// No stream says that it still runs.
TEST(ChildProcess, IsLimitedWithItsStreamsClosed) {
  const auto begin = Clock::now();
  EXPECT_EQ(error_of([] {
              (void)run_program({"sh", "-c", "exec >&- 2>&-; exec sleep 60"},
                                {.time = milliseconds(300)});
            }),
            "sh: took longer than 0.3 s");
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(30));
}

TEST(ChildProcess, SignalsDoNotEndTheWait) {
  struct sigaction action {};
  action.sa_handler = [](int) {};  // Without SA_RESTART: calls end with EINTR.
  ASSERT_EQ(::sigaction(SIGALRM, &action, nullptr), 0);
  const itimerval often{{0, 1000}, {0, 1000}}, never{};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &often, nullptr), 0);
  const ProcessOutput said = run_program({"sh", "-c", "sleep 0.3; echo late; exit 3"});
  ASSERT_EQ(::setitimer(ITIMER_REAL, &never, nullptr), 0);
  EXPECT_EQ(said.out, "late\n");
  EXPECT_EQ(said.exit_code, 3);
}

/// A child that nobody can wait for is no success.
TEST(ChildProcess, LostChildrenAreErrors) {
  std::signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(error_of([] { (void)run_program({"true"}); }),
            "true: cannot be waited for: No child processes");
  std::signal(SIGCHLD, SIG_DFL);
}

TEST(ChildProcess, AGroupEndsWithItsFirst) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / fmt::format("npusim_group{}", ::getpid());
  const std::string script = fmt::format("(sleep 1; echo late >{}) & echo first", file.string());
  const ProcessOutput said = run_program({"sh", "-c", script}, {.whole_group = true});
  EXPECT_EQ(said.out, "first\n");
  EXPECT_EQ(said.exit_code, 0);
  std::this_thread::sleep_for(milliseconds(1500));
  EXPECT_FALSE(std::filesystem::exists(file));
  // Alone it is not waited for either, though the other has its streams.
  const auto begin = Clock::now();
  EXPECT_EQ(run_program({"sh", "-c", "sleep 20 & echo first"}).out, "first\n");
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(15));
}

}  // namespace
}  // namespace npu
