#include "sim/sweep/store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "sim/base/file.h"
#include "tests/unit/base/expect_error.h"
#include "tests/unit/sweep/sweep_maker.h"

namespace npu::sweep {
namespace {

using test::Made;
using Mode = Database::Mode;

Job job(const std::string& hash) {
  Job j;
  j.hash = hash;
  j.request = "{}";
  j.sources = {std::make_shared<const SourceFile>(SourceFile{"p", "sum", "text"})};
  return j;
}
Result done(double cycles) {
  Result r;
  r.metrics[static_cast<std::size_t>(Metric::kCycles)] = cycles;
  r.bound_by = "dma";
  return r;
}
Result failed(Status status, std::int64_t limit = 0) {
  Result r;
  r.status = status;
  r.error = "why";
  r.limit = limit;
  return r;
}

TEST(Store, KeepsPoints) {
  const Made made("");
  const std::string path = made.path("s.db");
  {
    Store store(path, Mode::kWrite);
    EXPECT_FALSE(store.find("a"));
    store.put(job("a"), done(0.1), {});
    store.put(job("b"), failed(Status::kCrash), {});
    store.put(job("b"), failed(Status::kTimeLimit, 5), {});
  }
  Store store(path, Mode::kRead);
  const auto a = store.find("a");
  ASSERT_TRUE(a && a->is_done());
  EXPECT_EQ(a->metrics, done(0.1).metrics);
  EXPECT_EQ(a->bound_by, "dma");
  const auto b = store.find("b");
  ASSERT_TRUE(b);
  EXPECT_EQ(b->status, Status::kTimeLimit);
  EXPECT_EQ(b->error, "why");
  EXPECT_EQ(b->limit, 5);
}

TEST(Store, FailuresRunAgainWhereALimitWasRaised) {
  const Made made("");
  Store store(made.path("s.db"), Mode::kWrite);
  store.put(job("time"), failed(Status::kTimeLimit, 5), {});
  store.put(job("memory"), failed(Status::kMemoryLimit, 100), {});
  store.put(job("invalid"), failed(Status::kInvalid), {});
  store.put(job("done"), done(1), {});
  EXPECT_TRUE(store.find("time", {.seconds = 5, .memory_mib = 0}));
  EXPECT_FALSE(store.find("time", {.seconds = 6, .memory_mib = 0}));
  EXPECT_TRUE(store.find("memory", {.seconds = 6, .memory_mib = 99}));
  EXPECT_FALSE(store.find("memory", {.seconds = 5, .memory_mib = 101}));
  EXPECT_FALSE(store.find("memory", {.seconds = 5, .memory_mib = 0}));  // No limit.
  EXPECT_TRUE(store.find("invalid", {.seconds = 9, .memory_mib = 900}));
  EXPECT_FALSE(store.find("invalid", {.failed = true}));
  EXPECT_TRUE(store.find("done", {.failed = true}));
}

TEST(Store, MergesWithItsOwnFirst) {
  const Made made("");
  Store store(made.path("s.db"), Mode::kWrite);
  store.put(job("both"), done(1), {});
  store.put(job("bad"), failed(Status::kCrash), {});
  Store other(made.path("o.db"), Mode::kWrite);
  other.put(job("both"), done(2), {});
  other.put(job("bad"), done(3), {});
  other.put(job("new"), done(4), {});
  other.check_results();
  EXPECT_EQ(store.merge(other), (std::vector<std::string>{"bad", "both", "new"}));
  EXPECT_EQ(store.find("both")->metrics, done(1).metrics);
  EXPECT_EQ(store.find("bad")->metrics, done(3).metrics);
  EXPECT_EQ(store.find("new")->metrics, done(4).metrics);
  EXPECT_EQ(store.merge(other).size(), 3U);
}

TEST(Store, MergesOnAfterAFault) {
  const Made made("");
  Store store(made.path("s.db"), Mode::kWrite);
  store.put(job("bad"), failed(Status::kCrash), {});
  Store other(made.path("o.db"), Mode::kWrite);
  other.put(job("bad"), done(1), {});
  Store broken(made.path("b.db"), Mode::kWrite);
  broken.put(job("bad"), done(2), {});
  Database(made.path("b.db"), Mode::kWrite).execute("ALTER TABLE points DROP COLUMN bound_by");
  EXPECT_THAT(error_of([&] { broken.check_results(); }),
              testing::HasSubstr("b.db: no such column: bound_by"));
  EXPECT_NE(error_of([&] { (void)store.merge(broken); }), "");
  EXPECT_EQ(store.find("bad")->status, Status::kCrash);  // Nothing was taken over.
  EXPECT_EQ(store.merge(other), std::vector<std::string>{"bad"});
  EXPECT_TRUE(store.find("bad")->is_done());
}

TEST(Store, MakesOneOnlyWhereItMay) {
  const Made made("");
  EXPECT_THAT(error_of([&] { const Store none(made.path("o.db"), Mode::kWriteExisting); }),
              testing::HasSubstr("o.db: cannot be opened for this: unable to open"));
  EXPECT_FALSE(std::filesystem::exists(made.path("o.db")));
  std::ofstream(made.path("o.db")).close();
  EXPECT_THAT(error_of([&] { const Store none(made.path("o.db"), Mode::kWriteExisting); }),
              testing::HasSubstr("o.db: a SQLite database, but not of npusim sweep"));
  EXPECT_EQ(std::filesystem::file_size(made.path("o.db")), 0U);
}

TEST(Store, ChecksTheResultsOfAnother) {
  const Made made("");
  Store store(made.path("s.db"), Mode::kWrite);
  store.put(job("good"), done(1), {});
  store.check_results();
  Database edited(made.path("s.db"), Mode::kWrite);
  edited.execute("INSERT INTO points VALUES('a','','fine','',0,'{}','')");
  EXPECT_THAT(error_of([&] { store.check_results(); }),
              testing::HasSubstr("s.db: damaged: a point has the status fine"));
  edited.execute("DELETE FROM points; DROP TABLE point_sources");
  EXPECT_THAT(error_of([&] { store.check_results(); }),
              testing::HasSubstr("s.db: no such table: point_sources"));
}

TEST(Store, ListsSweeps) {
  const Made made("");
  Store store(made.path("s.db"), Mode::kWrite);
  EXPECT_THAT(error_of([&] { (void)store.header("x"); }),
              testing::HasSubstr("s.db: there is no sweep in it"));
  store.begin_sweep({.name = "one", .file_text = "f", .json = "{}"});
  store.list("one", {{"h1", "m", {"1", "a b"}}, {"h2", "m", {}}});
  store.list("one", {{"h3", "m", {"x"}}});
  const auto lines = store.lines("one");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].values, (std::vector<std::string>{"1", "a b"}));
  EXPECT_EQ(lines[2].hash, "h3");
  store.begin_sweep({.name = "one", .file_text = "g", .json = "{}"});
  EXPECT_TRUE(store.lines("one").empty());
  EXPECT_EQ(store.header("one").file_text, "g");
  EXPECT_THAT(error_of([&] { (void)store.lines("ones"); }),
              testing::HasSubstr("s.db: no sweep ones in it (did you mean `one`?)"));
  EXPECT_THAT(error_of([&] { (void)read_table(store, ""); }),
              testing::HasSubstr("s.db: damaged: the description of the sweep one"));
}

TEST(Store, KeepsSlurmJobs) {
  const Made made("");
  Store store(made.path("s.db"), Mode::kWrite);
  store.add_slurm_job("one", {"j2", "f2"});
  store.add_slurm_job("one", {"j1", "f1"});
  store.add_slurm_job("two", {"j3", "f3"});
  store.remove_slurm_job("j2");
  const auto jobs = store.slurm_jobs("one");
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].folder, "f1");
}

TEST(Store, RefusesWhatIsNoDatabaseOfASweep) {
  const Made made("");
  const auto refusal = [&](const std::string& name, Mode mode) {
    return error_of([&] { const Store store(made.path(name), mode); });
  };
  EXPECT_THAT(refusal("net.yaml", Mode::kWrite),
              testing::HasSubstr("net.yaml: damaged, or no database of a sweep: file is not a "
                                 "database"));
  EXPECT_THAT(refusal("none.db", Mode::kRead),
              testing::HasSubstr("none.db: cannot be opened for this: unable to open"));
  EXPECT_THAT(refusal("no/none.db", Mode::kWrite),
              testing::HasSubstr("no/none.db: cannot be opened for this: unable to open"));
  {
    Database other(made.path("other.db"), Mode::kWrite);
    other.execute("CREATE TABLE t(x)");
  }
  EXPECT_THAT(refusal("other.db", Mode::kWrite),
              testing::HasSubstr("other.db: a SQLite database, but not of npusim sweep"));
  { const Store store(made.path("new.db"), Mode::kWrite); }
  {
    Database newer(made.path("new.db"), Mode::kWrite);
    newer.execute("PRAGMA user_version=7");
  }
  EXPECT_THAT(refusal("new.db", Mode::kRead),
              testing::HasSubstr("new.db: a database of version 7, this program reads version 1"));
  {
    const Store store(made.path("odd.db"), Mode::kWrite);
    Database odd(made.path("odd.db"), Mode::kWrite);
    odd.execute("INSERT INTO points VALUES('a','','fine','',0,'{}','')");
    odd.execute("INSERT INTO points VALUES('b','','done','',0,'{','')");
    odd.execute("INSERT INTO points VALUES('c','','done','',0,'{\"x\":1}','')");
  }
  Store store(made.path("odd.db"), Mode::kRead);
  EXPECT_THAT(error_of([&] { (void)store.find("a"); }),
              testing::HasSubstr("odd.db: damaged: a point has the status fine"));
  EXPECT_THAT(error_of([&] { (void)store.find("b"); }),
              testing::HasSubstr("odd.db: the metrics of a point are no JSON object"));
  EXPECT_THAT(error_of([&] { (void)store.find("c"); }), testing::HasSubstr("not a metric: x"));
}

/// Cut anywhere, a database is refused, or it is whole: nothing is read that was not written.
TEST(Store, CutDatabasesAreRefused) {
  const Made made("");
  {
    Store store(made.path("s.db"), Mode::kWrite);
    for (int i = 0; i < 60; ++i) store.put(job(fmt::format("hash{}", i)), done(i), {});
  }
  const std::string whole = read_file(made.path("s.db"), 1 << 24);
  int refused = 0;
  for (std::size_t part = 1; part < 24; ++part) {
    const std::string path = made.path(fmt::format("cut{}.db", part));
    const std::string cut = whole.substr(0, whole.size() * part / 24);
    write_file(path, cut);
    const std::string message = error_of([&] { const Store store(path, Mode::kWrite); });
    EXPECT_THAT(message, testing::HasSubstr("damaged"));
    ++refused;
    EXPECT_EQ(read_file(path, 1 << 24), cut);  // Left as it was.
  }
  EXPECT_EQ(refused, 23);
}

TEST(StoreLock, WaitsForTheOther) {
  const Made made("");
  const std::string path = made.path("s.db");
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const StoreLock lock(path, [] {});
    (void)!::write(fds[1], "x", 1);
    ::usleep(200'000);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(fds[0], &byte, 1), 1);
  bool waited = false;
  const StoreLock lock(path, [&] { waited = true; });
  EXPECT_TRUE(waited);
  ::waitpid(child, nullptr, 0);
  EXPECT_THAT(error_of([&] { const StoreLock none(made.path("no/x.db"), [] {}); }),
              testing::HasSubstr("no/x.db.lock: cannot be written: No such file or directory"));
}

}  // namespace
}  // namespace npu::sweep
