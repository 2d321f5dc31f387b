#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/sweep/metrics.h"
#include "sim/sweep/resolver.h"
#include "sim/sweep/sqlite.h"

namespace npu::sweep {

/// How a point ended. Stored as a word; kDone alone has metrics.
enum class Status : std::uint8_t {
  kDone,
  kInvalid,   ///< The configuration or an input is at fault.
  kRunFault,  ///< A fault of the simulated run.
  kInternal,  ///< A fault of npusim.
  kCrash,     ///< The process was killed.
  kTimeLimit,
  kMemoryLimit,
};
[[nodiscard]] std::string_view name_of(Status status);

/// What a point gave. The same whenever and wherever it runs.
struct Result {
  Status status = Status::kDone;
  std::string error;  ///< One line; empty where it is done.
  Metrics metrics;
  std::string bound_by;
  std::int64_t limit = 0;  ///< The limit that ended it; else 0.

  [[nodiscard]] bool is_done() const { return status == Status::kDone; }
};

/// How a result came about; beside the table, for it differs each time.
struct Provenance {
  std::string version, program_sha256, host, engine, finished_at;
  double wall_s = 0;
  std::optional<double> peak_memory_mib;
};

/// Limits under which a stored failure counts: one that a smaller limit ended is run again.
struct RetryRule {
  std::int64_t seconds = 0, memory_mib = 0;  ///< 0: none.
  bool failed = false;                       ///< All failures again.
};

/// One line of a sweep as it is listed in the database.
struct Listed {
  std::string hash, model;
  std::vector<std::string> values;
};

/// What a sweep is, for who reads its table without its file.
struct SweepHeader {
  std::string name, file_text;
  std::string json;  ///< Parameters, models, objectives, method: table.h.
};

/// The database of sweeps: one SQLite file (application id "npus", version 1) with a rollback
/// journal, every point a transaction of its own that is on the disk when put() returns. Results
/// are shared by all sweeps in it; a point is known by its hash.
///
/// Tables: points (hash, request, status, error, error_limit, metrics, bound_by), provenance
/// (hash, version, program_sha256, host, engine, finished_at, wall_s, peak_memory_mib), sources
/// (sha256, path, text), point_sources (hash, sha256), sweeps (name, header, file), sweep_points
/// (sweep, ordinal, hash, model, parameters), slurm_jobs (name, folder, sweep).
class Store {
 public:
  /// Opens or, by Mode::kWrite, makes one. @throws Error for a file that is damaged, something
  /// else, of another version, or not accessible.
  Store(const std::string& path, Database::Mode mode);

  [[nodiscard]] std::optional<Result> find(const std::string& hash);
  /// find(), but nothing for a failure that is to be run again.
  [[nodiscard]] std::optional<Result> find(const std::string& hash, const RetryRule& rule);
  /// Adds or replaces a point's result.
  void put(const Job& job, const Result& result, const Provenance& provenance);
  /// Reads all that merge() takes over. @throws Error for what cannot be read or is no result.
  void check_results();
  /// Takes over the points of another database, which must be right (check_results()); results of
  /// this one's own first. @return the hashes of the other's points.
  /// @throws Error for a fault of this database; then nothing was taken over.
  std::vector<std::string> merge(const Store& other);

  /// Begins the list of a sweep anew; its results stay.
  void begin_sweep(const SweepHeader& header);
  /// Puts lines behind the sweep's list.
  void list(const std::string& sweep, const std::vector<Listed>& lines);
  [[nodiscard]] std::vector<std::string> sweeps();
  /// @throws Error for a name that is not there, with the nearest.
  [[nodiscard]] SweepHeader header(const std::string& sweep);
  [[nodiscard]] std::vector<Listed> lines(const std::string& sweep);

  struct SlurmJob {
    std::string name, folder;
  };
  void add_slurm_job(const std::string& sweep, const SlurmJob& job);
  void remove_slurm_job(const std::string& name);
  [[nodiscard]] std::vector<SlurmJob> slurm_jobs(const std::string& sweep);

  [[nodiscard]] const std::string& path() const { return database_.path(); }

 private:
  void check_kind();
  void check_size();
  void create();
  [[nodiscard]] std::int64_t sweep_id(const std::string& name);

  Database database_;
};

/// Keeps other sweeps from a database while it lives: a lock on `<path>.lock`, which the system
/// drops with the process. The file stays.
class StoreLock {
 public:
  /// @param waiting  called once if another process has it, before waiting.
  /// @throws Error if the lock's file cannot be made.
  StoreLock(const std::string& path, const std::function<void()>& waiting);
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;
  ~StoreLock();

 private:
  int fd_ = -1;
};

}  // namespace npu::sweep
