#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/sweep/engine.h"

namespace npu::sweep {

struct SlurmOptions {
  std::string partition;  ///< Empty: the cluster's default.
  std::uint64_t tasks = 1;
  unsigned workers_per_task = 1;
  std::vector<std::string> sbatch_options;
  std::string program;  ///< npusim, as the nodes find it.
  /// Seen by this machine and the nodes; other sweeps' arrays may have files in it. Made, and
  /// removed at a good end if nothing is left in it.
  std::string folder;
  unsigned resubmissions = 3;
  std::chrono::milliseconds poll{2000};
  std::function<void(const std::string&)> tell = [](const std::string&) {};
};

/// Job arrays of Slurm. Every task of an array runs one shard of the points, by `npusim sweep
/// --shard`, into a database of its own, which this process takes over when the task is gone from
/// the queue: no database is written by two machines. Points that no task brought back (killed,
/// node lost, out of time) are submitted again, a bounded number of times.
///
/// An array is written down in the store before it is submitted: a sweep that is ended while its
/// jobs run waits for them when it is started again, and computes nothing twice.
class SlurmEngine final : public Engine {
 public:
  explicit SlurmEngine(SlurmOptions options) : options_(std::move(options)) {}
  void run(const Planner& planner, const std::vector<Pending>& pending, Store& store,
           const std::function<void(const Result&)>& done) override;

 private:
  /// Points that no result came back for, by hash.
  using Missing = std::unordered_map<std::string, Pending>;

  void collect_array(const Store::SlurmJob& job, Store& store, Missing& missing,
                     const std::function<void(const Result&)>& done);
  [[nodiscard]] std::optional<Store> open_shard(const std::string& path);
  void collect_shards(const Store::SlurmJob& job, const std::set<std::uint64_t>& queued,
                      Store& store, Missing& missing,
                      const std::function<void(const Result&)>& done);
  void submit_array(const Planner& planner, const std::vector<Pending>& points, Store& store);
  [[nodiscard]] std::set<std::uint64_t> look_at_queue(const std::string& name);

  SlurmOptions options_;
};

}  // namespace npu::sweep
