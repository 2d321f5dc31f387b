#include "sim/sweep/sqlite.h"

#include <sqlite3.h>

#include "sim/base/error.h"

namespace npu::sweep {
namespace {

constexpr int kBusyMs = 60'000;
constexpr int kMaxValueBytes = 1 << 28;

}  // namespace

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close(handle); }

Database::Database(const std::string& path, Mode mode) : path_(path) {
  const int flags = mode == Mode::kRead    ? SQLITE_OPEN_READONLY
                    : mode == Mode::kWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                           : SQLITE_OPEN_READWRITE;
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  handle_.reset(opened);
  if (code != SQLITE_OK) refuse(code);
  sqlite3_busy_timeout(opened, kBusyMs);
  // A file from elsewhere may hold anything: no code runs out of its schema.
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
}

void Database::refuse(int code) const {
  const char* const what = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  constexpr int kPrimary = 0xff;
  switch (code & kPrimary) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      fail("{}: damaged, or no database of a sweep: {}", path_, what);
    case SQLITE_FULL:
      fail("{}: no space left on the device; every point that was stored before is kept", path_);
    case SQLITE_IOERR:
      fail("{}: cannot be read or written: {}; every point that was stored before is kept", path_,
           what);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      fail("{}: cannot be opened for this: {}", path_, what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      fail("{}: another process keeps it locked", path_);
    case SQLITE_NOMEM:
      throw std::bad_alloc();
    default:
      fail("{}: {}", path_, what);
  }
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) refuse(code);
}

std::int64_t Database::integer(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  const int code = sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                      &statement_, nullptr);
  if (code != SQLITE_OK) database.refuse(code);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int index, std::string_view text) {
  // The copy lasts until the next binding. An empty view may have no address.
  const int code = sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(),
                                       text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) database_.refuse(code);
  return *this;
}

Statement& Statement::bind(int index, std::int64_t number) {
  const int code = sqlite3_bind_int64(statement_, index, number);
  if (code != SQLITE_OK) database_.refuse(code);
  return *this;
}

Statement& Statement::bind(int index, double number) {
  const int code = sqlite3_bind_double(statement_, index, number);
  if (code != SQLITE_OK) database_.refuse(code);
  return *this;
}

Statement& Statement::bind(int index, const std::optional<double>& number) {
  if (number) return bind(index, *number);
  const int code = sqlite3_bind_null(statement_, index);
  if (code != SQLITE_OK) database_.refuse(code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const int extended = sqlite3_extended_errcode(database_.handle());
  sqlite3_reset(statement_);
  database_.refuse(extended);
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

std::string Statement::text(int column) const {
  const unsigned char* const text = sqlite3_column_text(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), size};
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::optional<double> Statement::number(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return sqlite3_column_double(statement_, column);
}

Attached::Attached(Database& database, const std::string& path) : database_(database) {
  Statement(database, "ATTACH ? AS other").bind(1, path).run();
}

Attached::~Attached() {
  sqlite3_exec(database_.handle(), "DETACH other", nullptr, nullptr, nullptr);
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!is_open_) return;
  // Some faults have rolled back already; then this one fails, and that is right.
  sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  is_open_ = false;
}

}  // namespace npu::sweep
