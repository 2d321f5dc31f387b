#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace npu::sweep {

/// One job array.
struct SlurmSubmission {
  std::string name, partition;  ///< An empty partition is the cluster's default.
  std::uint64_t tasks = 1;
  unsigned cpus_per_task = 1;
  std::string working_folder;        ///< Of the tasks.
  std::string folder, script;        ///< Where its logs go; the file that each task runs.
  std::vector<std::string> options;  ///< More of sbatch's.
};

/// Submits a job array that Slurm does not start again by itself.
/// @return its job id. @throws Error with sbatch's words, and if its answer is not one.
std::string submit(const SlurmSubmission& submission);
/// The arguments that submit() gives to sbatch.
[[nodiscard]] std::vector<std::string> sbatch_arguments(const SlurmSubmission& submission);
/// "12" or "12;cluster". @throws Error for any other answer.
[[nodiscard]] std::string parse_job_id(const std::string& answer);

/// The tasks of a job array that wait, run or end just now; empty when all are gone.
/// @throws Error with squeue's words, and if its answer is none.
[[nodiscard]] std::set<std::uint64_t> queued_tasks(const std::string& job_name);
/// Lines "12_3|RUNNING". @throws Error for any other line.
[[nodiscard]] std::set<std::uint64_t> parse_queue(const std::string& answer);

/// A text as one word of a shell.
[[nodiscard]] std::string shell_word(const std::string& text);

}  // namespace npu::sweep
