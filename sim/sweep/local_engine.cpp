#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <thread>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/peak_memory.h"
#include "sim/base/process_pool.h"
#include "sim/sweep/answer.h"
#include "sim/sweep/engine.h"

namespace npu::sweep {
namespace {

std::optional<double> peak_memory_mib() {
  constexpr double kKibPerMib = 1024;
  const std::optional<std::int64_t> kibibytes = peak_memory_kib();
  if (!kibibytes) return std::nullopt;
  return static_cast<double>(*kibibytes) / kKibPerMib;
}

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

Status status_of(TaskStatus status) {
  switch (status) {
    case TaskStatus::kDone:
      return Status::kDone;
    case TaskStatus::kError:
      return Status::kInvalid;
    case TaskStatus::kRunFault:
      return Status::kRunFault;
    case TaskStatus::kInternal:
      return Status::kInternal;
    case TaskStatus::kCrash:
      return Status::kCrash;
    case TaskStatus::kTimeout:
      return Status::kTimeLimit;
    case TaskStatus::kMemory:
      return Status::kMemoryLimit;
  }
  NPU_CHECK(false, "a status of a task");
}

/// One line, whatever a message holds.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

/// Whoever ends a whole sweep may reach a point's process first: that is no result of the point.
void check_not_stopped(const TaskResult& task) {
  constexpr std::chrono::seconds kUntilThisOneIsKilled{2};
  if (task.signal == SIGTERM || task.signal == SIGINT || task.signal == SIGHUP) {
    fail("sweep: stopped by signal {}; every finished point is kept", task.signal);
  }
  if (task.signal == SIGKILL) std::this_thread::sleep_for(kUntilThisOneIsKilled);
}

/// The result of a task that failed.
Result failure(const TaskResult& task, const Job& job, const Limits& limits) {
  Result result;
  result.status = status_of(task.status);
  result.error = one_line(task.text);
  // The same wherever the configuration lies.
  const std::string& path = job.config_path;
  const std::size_t at = path.empty() ? std::string::npos : result.error.find(path);
  if (at != std::string::npos) {
    result.error.replace(at, path.size(), std::filesystem::path(path).filename().string());
  }
  if (result.status == Status::kTimeLimit) result.limit = limits.seconds_per_point;
  if (result.status == Status::kMemoryLimit && limits.memory_mib_per_point > 0) {
    result.limit = limits.memory_mib_per_point;
    result.error = fmt::format("needs more than {} MiB", result.limit);
  }
  return result;
}

}  // namespace

Job Planner::job(std::uint64_t candidate) const {
  const std::optional<Point> point = space.point(candidate);
  if (!point) fail("{}: candidate {} is excluded by a condition", sweep.path, candidate);
  return resolver.resolve(*point);
}

void LocalEngine::run(const Planner& planner, const std::vector<Pending>& pending, Store& store,
                      const std::function<void(const Result&)>& done) {
  const Limits& limits = planner.sweep.limits;
  const auto task = [&](std::size_t i) {
    const Job job = planner.job(pending[i].candidate);
    if (job.error) throw Error(*job.error);
    const Measured measured = evaluate_(job);
    return answer_text(measured, peak_memory_mib());
  };
  const auto ended = [&](std::size_t i, const TaskResult& task_result) {
    check_not_stopped(task_result);
    const Job job = planner.job(pending[i].candidate);
    const Origin& origin = options_.origin;
    Provenance provenance{.version = origin.version,
                          .program_sha256 = origin.program_sha256,
                          .host = origin.host,
                          .engine = origin.engine,
                          .finished_at = now_utc(),
                          .wall_s = task_result.wall_s,
                          .peak_memory_mib = std::nullopt};
    Result result;
    if (task_result.status == TaskStatus::kDone) {
      Answer answer = read_answer(task_result.text);
      result = std::move(answer.result);
      result.error = one_line(std::move(result.error));
      provenance.peak_memory_mib = answer.peak_memory_mib;
    } else {
      result = failure(task_result, job, limits);
    }
    store.put(job, result, provenance);
    done(result);
  };
  run_in_processes(pending.size(),
                   {.workers = options_.workers,
                    .timeout_s = limits.seconds_per_point,
                    .memory_mib = limits.memory_mib_per_point},
                   task, ended);
}

}  // namespace npu::sweep
