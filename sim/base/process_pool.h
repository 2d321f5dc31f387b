#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace npu {

/// How a task in a process of its own ended.
enum class TaskStatus : std::uint8_t {
  kDone,
  kError,     ///< npu::Error: the input is at fault.
  kRunFault,  ///< npu::RunFault.
  kInternal,  ///< Any other exception.
  kCrash,     ///< A signal, or an exit without result.
  kTimeout,
  kMemory,  ///< Out of the memory that it may have.
};

struct TaskResult {
  TaskStatus status = TaskStatus::kCrash;
  std::string text;  ///< What the task returned; the message where it failed.
  double wall_s = 0;
  int signal = 0;  ///< That killed it; of kCrash.
};

struct ProcessPoolOptions {
  unsigned workers = 1;      ///< Processes at a time; 0: as many as the machine has cores.
  unsigned timeout_s = 600;  ///< Of one task; a task beyond it is killed. 0: no limit.
  /// Of one task: private writable memory (RLIMIT_DATA), what it inherits included; 0: no limit.
  /// The first allocation beyond it ends the task.
  unsigned memory_mib = 0;
};

/// Runs task(i) for every i below `count`, each in a process forked from this one (SystemC allows
/// one simulation per process, and a crash stays with its task). `done` is called in this process
/// as tasks end, in the order of their ends; an exception from it kills the tasks under way.
/// The caller must have neither threads nor a simulation.
/// @throws Error if the system refuses a process.
void run_in_processes(std::size_t count, const ProcessPoolOptions& options,
                      const std::function<std::string(std::size_t)>& task,
                      const std::function<void(std::size_t, const TaskResult&)>& done);

}  // namespace npu
