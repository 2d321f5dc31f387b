#include "sim/base/process_pool.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <stdexcept>
#include <thread>

#include "tests/unit/base/expect_error.h"

namespace npu {
namespace {

std::map<std::size_t, TaskResult> run(std::size_t count, const ProcessPoolOptions& options,
                                      const std::function<std::string(std::size_t)>& task) {
  std::map<std::size_t, TaskResult> results;
  run_in_processes(count, options, task, [&](std::size_t i, const TaskResult& result) {
    EXPECT_TRUE(results.emplace(i, result).second) << i << " ended twice";
  });
  return results;
}

TEST(ProcessPool, EveryTaskEndsOnceInAProcessOfItsOwn) {
  for (const unsigned workers : {1U, 3U, 0U}) {
    int calls = 0;
    const auto results = run(7, {.workers = workers}, [&](std::size_t i) {
      ++calls;
      return fmt::format("{} {} {}", i * i, calls, ::getpid());
    });
    ASSERT_EQ(results.size(), 7U);
    EXPECT_EQ(calls, 0);  // What tasks do to this process's memory stays with them.
    for (const auto& [i, result] : results) {
      EXPECT_EQ(result.status, TaskStatus::kDone);
      EXPECT_TRUE(result.text.starts_with(fmt::format("{} 1 ", i * i))) << result.text;
      EXPECT_FALSE(result.text.ends_with(fmt::format(" {}", ::getpid())));
    }
  }
  EXPECT_TRUE(run(0, {}, [](std::size_t) { return ""; }).empty());
}

TEST(ProcessPool, LongAndBinaryTextArrivesWhole) {
  const auto results = run(2, {.workers = 2}, [](std::size_t i) {
    std::string text(i == 0 ? 0 : 3'000'000, '\0');
    for (std::size_t at = 0; at < text.size(); ++at) text[at] = static_cast<char>(at % 251);
    return text;
  });
  EXPECT_EQ(results.at(0).text, "");
  EXPECT_EQ(results.at(0).status, TaskStatus::kDone);
  ASSERT_EQ(results.at(1).text.size(), 3'000'000U);
  EXPECT_EQ(results.at(1).text[2'999'999], static_cast<char>(2'999'999 % 251));
}

TEST(ProcessPool, FailuresAreToldApart) {
  const auto results = run(8, {.workers = 2, .timeout_s = 1}, [](std::size_t i) -> std::string {
    switch (i) {
      case 0:
        fail("line {}", 3);
      case 1:
        throw RunFault("deadlock");
      case 2:
        throw std::runtime_error("ours");
      case 3:
        throw 5;  // NOLINT(hicpp-exception-baseclass): what is no exception at all.
      case 4:
        ::raise(SIGKILL);
        break;
      case 5:
        ::_exit(0);
      case 6:
        ::pause();
        break;
      default:
        break;
    }
    return "fine";
  });
  const auto is = [&](std::size_t i, TaskStatus status, const std::string& text) {
    EXPECT_EQ(results.at(i).status, status) << i;
    EXPECT_EQ(results.at(i).text, text) << i;
  };
  is(0, TaskStatus::kError, "line 3");
  is(1, TaskStatus::kRunFault, "deadlock");
  is(2, TaskStatus::kInternal, "ours");
  is(3, TaskStatus::kInternal, "unknown exception");
  is(4, TaskStatus::kCrash, "killed by signal 9");
  is(5, TaskStatus::kCrash, "ended without a result");
  is(6, TaskStatus::kTimeout, "took more than 1 s");
  is(7, TaskStatus::kDone, "fine");
}

TEST(ProcessPool, WithoutALimitTasksTakeTheirTime) {
  const auto results = run(1, {.timeout_s = 0}, [](std::size_t) -> std::string {
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));  // Longer than a poll.
    return "late";
  });
  EXPECT_EQ(results.at(0).status, TaskStatus::kDone);
  EXPECT_EQ(results.at(0).text, "late");
}

TEST(ProcessPool, ExceptionFromDoneEndsTheTasksUnderWay) {
  int calls = 0;
  const auto run_until = [&] {
    run_in_processes(
        3, {.workers = 3},
        [](std::size_t i) {
          if (i > 0) ::pause();
          return std::string("first");
        },
        [&](std::size_t i, const TaskResult& result) {
          ++calls;
          fail("task {} said {}", i, result.text);
        });
  };
  EXPECT_EQ(error_of(run_until), "task 0 said first");
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace npu
