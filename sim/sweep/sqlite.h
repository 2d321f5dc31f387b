#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace npu::sweep {

class Database;

/// A prepared statement; lives shorter than its database.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  /// Parameters count from 1.
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, std::int64_t number);
  Statement& bind(int index, double number);
  Statement& bind(int index, const std::optional<double>& number);

  /// True while there is a row. @throws Error as Database.
  bool step();
  /// Runs to the end and is ready to be bound again.
  void run();
  void reset();

  /// Columns count from 0.
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::optional<double> number(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

/// A SQLite database. Every fault is an Error that starts with the file's name and says what to
/// make of it: damaged, no space, not writable, in use.
class Database {
 public:
  enum class Mode : std::uint8_t {
    kRead,
    kWrite,  ///< A file that is not there is made.
    kWriteExisting,
  };
  Database(const std::string& path, Mode mode);

  void execute(const std::string& sql);
  [[nodiscard]] std::int64_t integer(const std::string& sql);
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }
  /// Throws the Error for a result code of SQLite.
  [[noreturn]] void refuse(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// Another database's file under the name `other` while it lives, which is longer than any
/// transaction or statement that reads it.
class Attached {
 public:
  Attached(Database& database, const std::string& path);
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  ~Attached();

 private:
  Database& database_;
};

/// Everything between its construction and commit() happens, or nothing.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& database_;
  bool is_open_ = true;
};

}  // namespace npu::sweep
