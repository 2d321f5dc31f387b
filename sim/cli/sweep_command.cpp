// npusim sweep: many points, here or on a cluster, one database.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/mapped_file.h"
#include "sim/base/sha256.h"
#include "sim/cli/commands.h"
#include "sim/cli/progress.h"
#include "sim/cli/sweep_point.h"
#include "sim/session/config_path.h"
#include "sim/session/model_options.h"
#include "sim/session/version.h"
#include "sim/sweep/shard.h"
#include "sim/sweep/slurm_engine.h"
#include "sim/sweep/sweep.h"
#include "sim/sweep/table.h"
#include "workloads/onnx/reader.h"

namespace npu::cli {
namespace {

struct SweepArguments {
  std::string file, db, csv, name, engine = "local", shard, points, partition;
  std::vector<std::string> merge, sbatch_options;
  unsigned workers = 0, resubmissions = 3, poll_seconds = 2;
  std::uint64_t tasks = 0;
  bool show = false, retry_failed = false;
  std::vector<std::string> given;  ///< The options of the command line.
};

constexpr std::uint64_t kMaxTasks = 100'000;

/// What is known of the time that is left, from what was computed now.
class Clock {
 public:
  [[nodiscard]] std::string left(const sweep::Counts& c) const {
    if (c.computed == 0 || c.finished >= c.points) return "";
    const double seconds = std::chrono::duration<double>(Steady::now() - begin_).count();
    const auto rest = static_cast<std::int64_t>(seconds / static_cast<double>(c.computed) *
                                                static_cast<double>(c.points - c.finished));
    constexpr std::int64_t kMinute = 60, kHour = 3600;
    return fmt::format(", {}:{:02}:{:02} left", rest / kHour, rest % kHour / kMinute,
                       rest % kMinute);
  }

 private:
  using Steady = std::chrono::steady_clock;
  Steady::time_point begin_ = Steady::now();
};

std::string host_name() {
  constexpr std::size_t kMaxName = 256;
  std::array<char, kMaxName> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

sweep::Origin origin_of(const std::string& engine) {
  constexpr std::int64_t kMaxProgramBytes = std::int64_t{1} << 32;
  const MappedFile program("/proc/self/exe", kMaxProgramBytes);
  return {.version = session::kVersion,
          .program_sha256 = sha256_hex(program.bytes()),
          .host = host_name(),
          .engine = engine};
}

void show_table(const sweep::Table& table, const std::string& csv) {
  if (!csv.empty()) write_file(csv, sweep::table_csv(table));
  const std::string text = sweep::table_text(table);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    fail("stdout: cannot write");
  }
}

void check_show(const SweepArguments& a) {
  static constexpr std::array<std::string_view, 4> kOptions = {"--show", "--db", "--name", "--csv"};
  if (!a.file.empty()) fail("--show: reads a database, takes no sweep file");
  for (const std::string& name : a.given) {
    if (std::ranges::find(kOptions, name) == kOptions.end()) {
      fail("{}: not with --show, which computes nothing", name);
    }
  }
  if (a.db.empty()) fail("--show: --db is needed");
}

void check_arguments(const SweepArguments& a) {
  if (a.show) return check_show(a);
  if (a.file.empty()) fail("sweep: a sweep file is needed, or --show with --db");
  if (!a.name.empty()) fail("--name: only with --show; a sweep file has its name");
  if (a.shard.empty() && !a.points.empty()) fail("--points: only with --shard");
  if (!a.shard.empty() && !a.csv.empty()) fail("--csv: a shard has no table");
  const bool is_slurm = a.engine == "slurm";
  if (is_slurm && !a.shard.empty()) fail("--shard: --engine slurm makes its own");
  if (is_slurm && (a.tasks < 1 || a.tasks > kMaxTasks)) {
    fail("--tasks: must be 1 to {} with --engine slurm, got {}", kMaxTasks, a.tasks);
  }
  const bool has_slurm_option = a.tasks > 0 || !a.partition.empty() || !a.sbatch_options.empty();
  if (!is_slurm && has_slurm_option) {
    fail("--tasks, --partition, --sbatch: only with --engine slurm");
  }
}

std::string database_of(const SweepArguments& a) {
  if (!a.db.empty()) return a.db;
  return std::filesystem::path(a.file).stem().string() + ".db";
}

/// Where this process computes, for the record.
std::string engine_name() {
  const char* const job = std::getenv("SLURM_ARRAY_JOB_ID");
  const char* const task = std::getenv("SLURM_ARRAY_TASK_ID");
  return job != nullptr && task != nullptr ? fmt::format("slurm {}_{}", job, task) : "local";
}

std::unique_ptr<sweep::Engine> make_engine(const SweepArguments& a, const std::string& db,
                                           Progress& progress) {
  namespace fs = std::filesystem;
  if (a.engine == "local") {
    return std::make_unique<sweep::LocalEngine>(
        run_point, sweep::LocalOptions{.workers = a.workers, .origin = origin_of(engine_name())});
  }
  sweep::SlurmOptions options;
  options.partition = a.partition;
  options.tasks = a.tasks;
  options.workers_per_task = std::max(1U, a.workers);
  options.sbatch_options = a.sbatch_options;
  options.program = fs::read_symlink("/proc/self/exe").string();
  options.folder = fs::absolute(db).lexically_normal().string() + ".slurm";
  options.resubmissions = a.resubmissions;
  options.poll = std::chrono::seconds(a.poll_seconds);
  options.tell = [&progress](const std::string& text) { progress.show(text); };
  return std::make_unique<sweep::SlurmEngine>(std::move(options));
}

sweep::ModelFiles find_model(const std::string& name) {
  sweep::ModelFiles files{session::find_model(name), {}};
  if (!files.path.ends_with(".onnx")) return files;
  try {
    files.external = onnx::external_files(files.path);
  } catch (const Error&) {
    files.external.clear();  // The run says what is wrong with it.
  }
  return files;
}

int run_sweep_file(const SweepArguments& a) {
  const sweep::SweepFile file = sweep::load_sweep(a.file);
  sweep::Configurations configurations(session::find_config);
  sweep::Resolver resolver(file, configurations, find_model, session::kVersion);
  resolver.check();
  const sweep::Space space(file, configurations);
  const sweep::Planner planner{file, space, resolver};
  const std::string db = database_of(a);
  const sweep::StoreLock lock(
      db, [&] { fmt::print(stderr, "npusim: {}: another sweep is at work on it, waiting\n", db); });
  sweep::Store store(db, sweep::Database::Mode::kWrite);
  for (const std::string& path : a.merge) {
    std::error_code ignored;
    if (std::filesystem::equivalent(path, db, ignored)) {
      fail("--merge: {} is the sweep's own database", path);
    }
    // Written to, to end what a killed writer left.
    sweep::Store other(path, sweep::Database::Mode::kWriteExisting);
    other.check_results();
    (void)store.merge(other);
  }
  Progress progress;
  const std::unique_ptr<sweep::Engine> engine = make_engine(a, db, progress);
  const Clock clock;
  sweep::SweepOptions options{.retry_failed = a.retry_failed};
  options.progress = [&](const sweep::Counts& c) {
    progress.show(
        fmt::format("{} of {} points, {} failed{}", c.finished, c.points, c.failed, clock.left(c)));
  };
  const sweep::Counts counts = a.shard.empty()
                                   ? sweep::run_sweep(planner, store, *engine, options)
                                   : sweep::run_shard(planner, store, *engine, options,
                                                      sweep::parse_shard(a.shard), a.points);
  progress.clear();
  if (a.shard.empty()) show_table(sweep::read_table(store, file.name), a.csv);
  fmt::print(stderr, "npusim: {} points, {} failed, {} computed now; {}\n", counts.points,
             counts.failed, counts.computed, db);
  return kSuccess;
}

int sweep_command(const SweepArguments& a) {
  check_arguments(a);
  if (!a.show) return run_sweep_file(a);
  show_table(sweep::open_table(a.db, a.name), a.csv);
  return kSuccess;
}

}  // namespace

void add_sweep(CLI::App& app, Action& action) {
  auto options = std::make_shared<SweepArguments>();
  CLI::App* command =
      app.add_subcommand("sweep", "run many configurations and models, keep their results");
  command->add_option("file", options->file, "the sweep (.yaml)");
  command->add_option("--db", options->db,
                      "database of results; the sweep file's name with .db if left out");
  command->add_option("--csv", options->csv, "write the table");
  command->add_option("--workers", options->workers, "points at a time; 0: as many as cores")
      ->capture_default_str();
  command->add_flag("--retry-failed", options->retry_failed, "run the points that failed again");
  command->add_flag("--show", options->show, "print a database's table, compute nothing");
  command->add_option("--name", options->name, "with --show: which sweep of the database");
  command->add_option("--merge", options->merge, "take over the results of another database first")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command->add_option("--shard", options->shard,
                      "I/N: only every Nth point from the Ith on (0 to N-1)");
  command->add_option("--points", options->points,
                      "with --shard: the points to choose from, a list that npusim wrote");
  command->add_option("--engine", options->engine, "where points run: local, slurm")
      ->check(CLI::IsMember({"local", "slurm"}))
      ->capture_default_str();
  command->add_option("--tasks", options->tasks, "slurm: tasks of the job array");
  command->add_option("--partition", options->partition,
                      "slurm: partition; the cluster's default if left out");
  command
      ->add_option("--sbatch", options->sbatch_options,
                   "slurm: an option for sbatch (--sbatch=--time=60); may be given several times")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command
      ->add_option("--resubmissions", options->resubmissions,
                   "slurm: how often lost points are submitted again")
      ->capture_default_str();
  command->add_option("--poll", options->poll_seconds, "slurm: seconds between looks at the queue")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->callback([command, options, &action] {
    for (const CLI::Option* option : command->parse_order()) {
      options->given.push_back(option->get_name());
    }
    action = [options] { return sweep_command(*options); };
  });
}

}  // namespace npu::cli
