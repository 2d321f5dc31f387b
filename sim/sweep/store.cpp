#include "sim/sweep/store.h"

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/suggest.h"

namespace npu::sweep {
namespace {

constexpr std::int64_t kApplicationId = 0x6e707573;  // "npus"
constexpr std::int64_t kVersion = 1;

constexpr std::array<std::pair<std::string_view, Status>, 7> kStatusNames = {
    {{"done", Status::kDone},
     {"invalid", Status::kInvalid},
     {"run_fault", Status::kRunFault},
     {"internal_error", Status::kInternal},
     {"crash", Status::kCrash},
     {"time_limit", Status::kTimeLimit},
     {"memory_limit", Status::kMemoryLimit}}};

constexpr const char* kSchema = R"(
CREATE TABLE points(hash TEXT PRIMARY KEY, request TEXT NOT NULL, status TEXT NOT NULL,
  error TEXT NOT NULL, error_limit INTEGER NOT NULL, metrics TEXT NOT NULL, bound_by TEXT NOT NULL)
  WITHOUT ROWID;
CREATE TABLE provenance(hash TEXT PRIMARY KEY, version TEXT NOT NULL, program_sha256 TEXT NOT NULL,
  host TEXT NOT NULL, engine TEXT NOT NULL, finished_at TEXT NOT NULL, wall_s REAL NOT NULL,
  peak_memory_mib REAL) WITHOUT ROWID;
CREATE TABLE sources(sha256 TEXT PRIMARY KEY, path TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE point_sources(hash TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY(hash, sha256))
  WITHOUT ROWID;
CREATE TABLE sweeps(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, header TEXT NOT NULL,
  file TEXT NOT NULL);
CREATE TABLE sweep_points(sweep INTEGER NOT NULL, ordinal INTEGER NOT NULL, hash TEXT NOT NULL,
  model TEXT NOT NULL, parameters TEXT NOT NULL, PRIMARY KEY(sweep, ordinal)) WITHOUT ROWID;
CREATE TABLE slurm_jobs(name TEXT PRIMARY KEY, folder TEXT NOT NULL, sweep TEXT NOT NULL)
  WITHOUT ROWID;
)";

constexpr std::string_view kPointColumns =
    "status, error, error_limit, metrics, bound_by, hash, request";
/// The other tables of which merge() takes over rows, with their columns.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kBesidePoints = {
    {{"provenance",
      "hash, version, program_sha256, host, engine, finished_at, wall_s, peak_memory_mib"},
     {"sources", "sha256, path, text"},
     {"point_sources", "hash, sha256"}}};

/// Of a row that begins as kPointColumns does.
Result read_result(const Statement& row, const std::string& path) {
  Result result;
  const std::string status = row.text(0);
  bool is_known = false;
  for (const auto& [name, value] : kStatusNames) {
    if (name != status) continue;
    result.status = value;
    is_known = true;
  }
  if (!is_known) fail("{}: damaged: a point has the status {}", path, status);
  result.error = row.text(1);
  result.limit = row.integer(2);
  result.metrics = parse_metrics(row.text(3), path);
  result.bound_by = row.text(4);
  return result;
}

}  // namespace

std::string_view name_of(Status status) {
  for (const auto& [name, value] : kStatusNames) {
    if (value == status) return name;
  }
  NPU_CHECK(false, "a status");
}

Store::Store(const std::string& path, Database::Mode mode) : database_(path, mode) {
  if (mode != Database::Mode::kRead) {
    // What put() returned from survives a crash of the machine, too.
    database_.execute("PRAGMA synchronous=FULL; PRAGMA journal_mode=DELETE");
  }
  const bool is_empty = database_.integer("SELECT count(*) FROM sqlite_master") == 0;
  if (is_empty && mode == Database::Mode::kWrite) create();
  check_kind();
}

void Store::create() {
  Transaction transaction(database_);
  // Another process may have been first.
  if (database_.integer("SELECT count(*) FROM sqlite_master") == 0) {
    database_.execute(kSchema);
    database_.execute(
        fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kApplicationId, kVersion));
  }
  transaction.commit();
}

void Store::check_kind() {
  const std::string& path = database_.path();
  if (database_.integer("PRAGMA application_id") != kApplicationId) {
    fail("{}: a SQLite database, but not of npusim sweep", path);
  }
  const std::int64_t version = database_.integer("PRAGMA user_version");
  if (version != kVersion) {
    fail("{}: a database of version {}, this program reads version {}", path, version, kVersion);
  }
  check_size();
  Statement check(database_, "PRAGMA integrity_check(1)");
  if (check.step() && check.text(0) != "ok") fail("{}: damaged: {}", path, check.text(0));
}

/// SQLite takes a last page that was cut for one that ends in zeros.
void Store::check_size() {
  database_.execute("BEGIN");
  const std::int64_t bytes =
      database_.integer("PRAGMA page_count") * database_.integer("PRAGMA page_size");
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(database_.path(), error);
  database_.execute("COMMIT");
  if (!error && size < static_cast<std::uintmax_t>(bytes)) {
    fail("{}: damaged: {} bytes, should have {}", database_.path(), size, bytes);
  }
}

std::optional<Result> Store::find(const std::string& hash) {
  Statement row(database_,
                "SELECT status, error, error_limit, metrics, bound_by FROM points WHERE hash=?");
  row.bind(1, hash);
  if (!row.step()) return std::nullopt;
  return read_result(row, database_.path());
}

std::optional<Result> Store::find(const std::string& hash, const RetryRule& rule) {
  std::optional<Result> result = find(hash);
  if (!result || result->is_done()) return result;
  const auto is_raised = [&](std::int64_t limit) {
    return result->limit > 0 && (limit == 0 || limit > result->limit);
  };
  const bool again = rule.failed ||
                     (result->status == Status::kTimeLimit && is_raised(rule.seconds)) ||
                     (result->status == Status::kMemoryLimit && is_raised(rule.memory_mib));
  if (again) return std::nullopt;
  return result;
}

void Store::put(const Job& job, const Result& result, const Provenance& p) {
  Transaction transaction(database_);
  Statement point(database_, "INSERT OR REPLACE INTO points VALUES(?,?,?,?,?,?,?)");
  point.bind(1, job.hash).bind(2, job.request).bind(3, name_of(result.status));
  point.bind(4, result.error).bind(5, result.limit).bind(6, metrics_json(result.metrics));
  point.bind(7, result.bound_by).run();
  Statement how(database_, "INSERT OR REPLACE INTO provenance VALUES(?,?,?,?,?,?,?,?)");
  how.bind(1, job.hash).bind(2, p.version).bind(3, p.program_sha256).bind(4, p.host);
  how.bind(5, p.engine).bind(6, p.finished_at).bind(7, p.wall_s).bind(8, p.peak_memory_mib).run();
  Statement source(database_, "INSERT OR IGNORE INTO sources VALUES(?,?,?)");
  Statement link(database_, "INSERT OR IGNORE INTO point_sources VALUES(?,?)");
  for (const auto& file : job.sources) {
    source.bind(1, file->sha256).bind(2, file->path).bind(3, file->text).run();
    link.bind(1, job.hash).bind(2, file->sha256).run();
  }
  transaction.commit();
}

void Store::check_results() {
  {
    Statement point(database_, fmt::format("SELECT {} FROM points", kPointColumns));
    while (point.step()) (void)read_result(point, database_.path());
  }
  for (const auto& [table, columns] : kBesidePoints) {
    Statement row(database_, fmt::format("SELECT {} FROM {}", columns, table));
    row.run();
  }
}

std::vector<std::string> Store::merge(const Store& other) {
  const Attached attached(database_, other.path());
  Transaction transaction(database_);
  const auto take = [&](std::string_view table, std::string_view columns) {
    database_.execute(
        fmt::format("INSERT OR IGNORE INTO {0}({1}) SELECT {1} FROM other.{0}", table, columns));
  };
  // A result of its own is as good; a failure gives way.
  database_.execute(
      "DELETE FROM points WHERE status<>'done' AND hash IN (SELECT hash FROM other.points);"
      "DELETE FROM provenance WHERE hash NOT IN (SELECT hash FROM points);");
  take("points", kPointColumns);
  for (const auto& [table, columns] : kBesidePoints) take(table, columns);
  std::vector<std::string> hashes;
  {
    Statement row(database_, "SELECT hash FROM other.points ORDER BY hash");
    while (row.step()) hashes.push_back(row.text(0));
  }
  transaction.commit();
  return hashes;
}

std::int64_t Store::sweep_id(const std::string& name) {
  Statement row(database_, "SELECT id FROM sweeps WHERE name=?");
  row.bind(1, name);
  if (row.step()) return row.integer(0);
  const std::vector<std::string> known = sweeps();
  if (known.empty()) fail("{}: there is no sweep in it", database_.path());
  fail("{}: no sweep {} in it{}", database_.path(), name, did_you_mean(name, known));
}

void Store::begin_sweep(const SweepHeader& header) {
  Transaction transaction(database_);
  Statement insert(database_,
                   "INSERT INTO sweeps(name, header, file) VALUES(?,?,?) ON CONFLICT(name) DO "
                   "UPDATE SET header=excluded.header, file=excluded.file");
  insert.bind(1, header.name).bind(2, header.json).bind(3, header.file_text).run();
  Statement clear(database_, "DELETE FROM sweep_points WHERE sweep=?");
  clear.bind(1, sweep_id(header.name)).run();
  transaction.commit();
}

void Store::list(const std::string& sweep, const std::vector<Listed>& lines) {
  const std::int64_t id = sweep_id(sweep);
  Transaction transaction(database_);
  Statement count(database_, "SELECT count(*) FROM sweep_points WHERE sweep=?");
  count.bind(1, id);
  std::int64_t ordinal = count.step() ? count.integer(0) : 0;
  Statement insert(database_, "INSERT INTO sweep_points VALUES(?,?,?,?,?)");
  for (const Listed& line : lines) {
    insert.bind(1, id).bind(2, ordinal++).bind(3, line.hash).bind(4, line.model);
    insert.bind(5, nlohmann::json(line.values).dump()).run();
  }
  count.reset();
  transaction.commit();
}

std::vector<std::string> Store::sweeps() {
  Statement row(database_, "SELECT name FROM sweeps ORDER BY id");
  std::vector<std::string> names;
  while (row.step()) names.push_back(row.text(0));
  return names;
}

SweepHeader Store::header(const std::string& sweep) {
  Statement row(database_, "SELECT name, file, header FROM sweeps WHERE id=?");
  row.bind(1, sweep_id(sweep));
  if (!row.step()) fail("{}: damaged: the sweep {}", database_.path(), sweep);
  return {.name = row.text(0), .file_text = row.text(1), .json = row.text(2)};
}

std::vector<Listed> Store::lines(const std::string& sweep) {
  Statement row(database_,
                "SELECT hash, model, parameters FROM sweep_points WHERE sweep=? ORDER BY ordinal");
  row.bind(1, sweep_id(sweep));
  std::vector<Listed> lines;
  while (row.step()) {
    const nlohmann::json values = nlohmann::json::parse(row.text(2), nullptr, false);
    Listed line{.hash = row.text(0), .model = row.text(1), .values = {}};
    if (!values.is_array()) fail("{}: damaged: the parameters of a point", database_.path());
    for (const nlohmann::json& value : values) {
      if (!value.is_string()) fail("{}: damaged: the parameters of a point", database_.path());
      line.values.push_back(value.get<std::string>());
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

void Store::add_slurm_job(const std::string& sweep, const SlurmJob& job) {
  Transaction transaction(database_);
  Statement insert(database_, "INSERT INTO slurm_jobs VALUES(?,?,?)");
  insert.bind(1, job.name).bind(2, job.folder).bind(3, sweep).run();
  transaction.commit();
}

void Store::remove_slurm_job(const std::string& name) {
  Transaction transaction(database_);
  Statement remove(database_, "DELETE FROM slurm_jobs WHERE name=?");
  remove.bind(1, name).run();
  transaction.commit();
}

std::vector<Store::SlurmJob> Store::slurm_jobs(const std::string& sweep) {
  Statement row(database_, "SELECT name, folder FROM slurm_jobs WHERE sweep=? ORDER BY name");
  row.bind(1, sweep);
  std::vector<SlurmJob> jobs;
  while (row.step()) jobs.push_back({row.text(0), row.text(1)});
  return jobs;
}

}  // namespace npu::sweep
