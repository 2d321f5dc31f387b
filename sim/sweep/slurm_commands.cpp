#include "sim/sweep/slurm_commands.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

#include "sim/base/child_process.h"
#include "sim/base/error.h"
#include "sim/base/yaml_document.h"

namespace npu::sweep {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string first_line(const std::string& text) {
  return text.substr(0, std::min(text.find('\n'), text.size()));
}

std::string output_of(const std::vector<std::string>& arguments) {
  ProcessOutput output;
  try {
    output = run_program(arguments);
  } catch (const Error& error) {
    fail("--engine slurm: {}", error.what());
  }
  if (output.exit_code != 0) {
    fail("--engine slurm: {} ended with {}: {}", arguments.front(), output.exit_code,
         first_line(output.err));
  }
  return output.out;
}

}  // namespace

std::vector<std::string> sbatch_arguments(const SlurmSubmission& s) {
  std::vector<std::string> arguments = {"sbatch",
                                        "--parsable",
                                        "--no-requeue",
                                        "--job-name=" + s.name,
                                        fmt::format("--array=0-{}", s.tasks - 1),
                                        "--ntasks=1",
                                        fmt::format("--cpus-per-task={}", s.cpus_per_task),
                                        "--chdir=" + s.working_folder,
                                        fmt::format("--output={}/{}_%a.log", s.folder, s.name)};
  if (!s.partition.empty()) arguments.push_back("--partition=" + s.partition);
  arguments.insert(arguments.end(), s.options.begin(), s.options.end());
  arguments.push_back(s.script);
  return arguments;
}

std::string parse_job_id(const std::string& answer) {
  const std::string line = first_line(answer);
  std::string id = line.substr(0, line.find(';'));
  if (!is_number(id) || answer.size() > line.size() + 1) {
    fail("--engine slurm: sbatch answered {}, not a job's number",
         yaml::shown(std::string_view(answer)));
  }
  return id;
}

std::string submit(const SlurmSubmission& submission) {
  return parse_job_id(output_of(sbatch_arguments(submission)));
}

std::set<std::uint64_t> parse_queue(const std::string& answer) {
  std::set<std::uint64_t> tasks;
  std::string_view rest = answer;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t underscore = line.find('_'), bar = line.find('|');
    std::uint64_t task = 0;
    bool is_task = underscore != std::string_view::npos && bar != std::string_view::npos &&
                   underscore < bar && is_number(line.substr(0, underscore)) &&
                   is_number(line.substr(underscore + 1, bar - underscore - 1)) &&
                   bar + 1 < line.size();
    if (is_task) {
      const char* const stop = line.data() + bar;
      is_task = std::from_chars(line.data() + underscore + 1, stop, task).ec == std::errc();
    }
    if (!is_task) {
      fail("--engine slurm: squeue answered {}, not a task and its state", yaml::shown(line));
    }
    tasks.insert(task);
  }
  return tasks;
}

std::set<std::uint64_t> queued_tasks(const std::string& job_name) {
  return parse_queue(
      output_of({"squeue", "--noheader", "--array", "--name=" + job_name, "--format=%i|%T"}));
}

std::string shell_word(const std::string& text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

}  // namespace npu::sweep
