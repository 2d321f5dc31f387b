#include "sim/sweep/slurm_engine.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <random>
#include <string_view>
#include <system_error>
#include <thread>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/sweep/shard.h"
#include "sim/sweep/slurm_commands.h"

namespace npu::sweep {
namespace {

namespace fs = std::filesystem;

/// A name that no other array of the cluster has.
std::string new_name() {
  std::random_device random;
  return fmt::format("npusim-{:08x}{:08x}", random(), random());
}

struct ShardFile {
  std::uint64_t task = 0;
  std::string path;
};

/// The databases that an array's tasks have made so far.
std::vector<ShardFile> shard_files(const Store::SlurmJob& job) {
  constexpr std::string_view kSuffix = ".db";
  const std::string prefix = job.name + "_";
  std::vector<ShardFile> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(job.folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) continue;
    const char* const begin = name.data() + prefix.size();
    const char* const end = name.data() + name.size() - kSuffix.size();
    ShardFile file{.task = 0, .path = entry.path().string()};
    const auto [stop, code] = std::from_chars(begin, end, file.task);
    if (code == std::errc() && stop == end) files.push_back(std::move(file));
  }
  std::ranges::sort(files, {}, [](const ShardFile& f) { return f.task; });
  return files;
}

/// @param logs  those, too.
void remove_files(const Store::SlurmJob& job, bool logs) {
  std::error_code ignored;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(job.folder, ignored)) {
    if (entry.path().filename().string().starts_with(job.name)) files.push_back(entry.path());
  }
  for (const fs::path& file : files) {
    if (logs || file.extension() != ".log") fs::remove(file, ignored);
  }
}

/// In the order of the sweep: shards hold equal parts of it.
std::vector<Pending> in_order(const std::unordered_map<std::string, Pending>& missing) {
  std::vector<Pending> points;
  for (const auto& [hash, point] : missing) points.push_back(point);
  std::ranges::sort(points, {}, [](const Pending& p) { return p.candidate; });
  return points;
}

}  // namespace

std::set<std::uint64_t> SlurmEngine::look_at_queue(const std::string& name) {
  // A controller that restarts does not answer for a while.
  constexpr int kTries = 10;
  for (int i = 1;; ++i) {
    try {
      return queued_tasks(name);
    } catch (const Error& error) {
      if (i == kTries) throw;
      options_.tell(error.what());
    }
    std::this_thread::sleep_for(options_.poll);
  }
}

/// Nothing for a shard that cannot be read: its points are missing, no more.
std::optional<Store> SlurmEngine::open_shard(const std::string& path) {
  try {
    // Written to, to end what a killed writer left.
    std::optional<Store> shard(std::in_place, path, Database::Mode::kWriteExisting);
    shard->check_results();
    return shard;
  } catch (const Error& error) {
    options_.tell(error.what());
    return std::nullopt;
  }
}

void SlurmEngine::collect_shards(const Store::SlurmJob& job, const std::set<std::uint64_t>& queued,
                                 Store& store, Missing& missing,
                                 const std::function<void(const Result&)>& done) {
  for (const ShardFile& file : shard_files(job)) {
    if (queued.contains(file.task)) continue;
    std::vector<std::string> hashes;
    if (const std::optional<Store> shard = open_shard(file.path)) hashes = store.merge(*shard);
    std::error_code ignored;
    fs::remove(file.path, ignored);
    fs::remove(file.path + ".lock", ignored);
    for (const std::string& hash : hashes) {
      const std::optional<Result> result = store.find(hash);
      if (result && missing.erase(hash) > 0) done(*result);
    }
  }
}

void SlurmEngine::collect_array(const Store::SlurmJob& job, Store& store, Missing& missing,
                                const std::function<void(const Result&)>& done) {
  while (true) {
    const std::set<std::uint64_t> queued = look_at_queue(job.name);
    collect_shards(job, queued, store, missing, done);
    if (queued.empty()) break;
    options_.tell(fmt::format("{}: {} tasks in the queue", job.name, queued.size()));
    std::this_thread::sleep_for(options_.poll);
  }
  remove_files(job, false);
  store.remove_slurm_job(job.name);
}

void SlurmEngine::submit_array(const Planner& planner, const std::vector<Pending>& points,
                               Store& store) {
  const Store::SlurmJob job{new_name(), options_.folder};
  std::error_code error;
  fs::create_directories(job.folder, error);
  if (error) fail("{}: cannot be made: {}", job.folder, error.message());
  const std::string base = job.folder + "/" + job.name;
  const std::uint64_t tasks = std::min<std::uint64_t>(options_.tasks, points.size());
  write_file(base + ".points", points_text(planner.sweep.name, points));
  write_file(
      base + ".sh",
      fmt::format("#!/bin/sh\nexec {} sweep {} --shard \"$SLURM_ARRAY_TASK_ID/{}\" --points "
                  "{} --workers {} --db {}\"$SLURM_ARRAY_TASK_ID\".db\n",
                  shell_word(options_.program), shell_word(planner.sweep.path), tasks,
                  shell_word(base + ".points"), options_.workers_per_task, shell_word(base + "_")));
  store.add_slurm_job(planner.sweep.name, job);
  const std::string id = submit({.name = job.name,
                                 .partition = options_.partition,
                                 .tasks = tasks,
                                 .cpus_per_task = options_.workers_per_task,
                                 .working_folder = fs::current_path().string(),
                                 .folder = job.folder,
                                 .script = base + ".sh",
                                 .options = options_.sbatch_options});
  options_.tell(fmt::format("job {}: {} points in {} tasks", id, points.size(), tasks));
}

void SlurmEngine::run(const Planner& planner, const std::vector<Pending>& pending, Store& store,
                      const std::function<void(const Result&)>& done) {
  Missing missing;
  for (const Pending& point : pending) missing.emplace(point.hash, point);
  std::vector<Store::SlurmJob> collected;
  const auto collect = [&] {
    for (const Store::SlurmJob& job : store.slurm_jobs(planner.sweep.name)) {
      collect_array(job, store, missing, done);
      collected.push_back(job);
    }
  };
  collect();  // What was submitted before this program was ended.
  for (unsigned submitted = 0; !missing.empty(); ++submitted) {
    if (submitted > options_.resubmissions) {
      fail(
          "--engine slurm: {} points did not come back from {} jobs; what their tasks said is in "
          "{}; every finished point is kept",
          missing.size(), submitted, options_.folder);
    }
    submit_array(planner, in_order(missing), store);
    collect();
  }
  for (const Store::SlurmJob& job : collected) remove_files(job, true);
  std::error_code ignored;
  fs::remove(options_.folder, ignored);  // Stays while it has files of other sweeps.
}

}  // namespace npu::sweep
