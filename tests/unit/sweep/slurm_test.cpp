#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "sim/base/file.h"
#include "sim/sweep/shard.h"
#include "sim/sweep/slurm_commands.h"
#include "sim/sweep/slurm_engine.h"
#include "tests/unit/base/expect_error.h"
#include "tests/unit/sweep/sweep_maker.h"

namespace npu::sweep {
namespace {

using test::Made;

TEST(SlurmCommands, JobIds) {
  EXPECT_EQ(parse_job_id("12\n"), "12");
  EXPECT_EQ(parse_job_id("12;cluster\n"), "12");
  for (const std::string bad : {"", "\n", "x\n", "Submitted batch job 12\n", "12\n13\n"}) {
    EXPECT_THAT(error_of([&] { (void)parse_job_id(bad); }),
                testing::HasSubstr("--engine slurm: sbatch answered "));
  }
}

TEST(SlurmCommands, Queues) {
  EXPECT_EQ(parse_queue(""), std::set<std::uint64_t>{});
  EXPECT_EQ(parse_queue("7_0|RUNNING\n7_12|PENDING\n"), (std::set<std::uint64_t>{0, 12}));
  EXPECT_EQ(parse_queue("7_3|COMPLETING"), std::set<std::uint64_t>{3});
  for (const std::string bad : {"7|RUNNING\n", "7_[0-3]|PENDING\n", "7_3\n", "7_3|\n", "_3|R\n",
                                "7_|R\n", "\n", "x_1|R\n", "7_99999999999999999999|R\n"}) {
    EXPECT_THAT(error_of([&] { (void)parse_queue(bad); }),
                testing::HasSubstr("--engine slurm: squeue answered "))
        << bad;
  }
}

TEST(SlurmCommands, Arguments) {
  EXPECT_EQ(
      sbatch_arguments({.name = "n",
                        .partition = "p",
                        .tasks = 4,
                        .cpus_per_task = 2,
                        .working_folder = "/w",
                        .folder = "/f",
                        .script = "/f/n.sh",
                        .options = {"--time=5"}}),
      (std::vector<std::string>{"sbatch", "--parsable", "--no-requeue", "--job-name=n",
                                "--array=0-3", "--ntasks=1", "--cpus-per-task=2", "--chdir=/w",
                                "--output=/f/n_%a.log", "--partition=p", "--time=5", "/f/n.sh"}));
  EXPECT_EQ(shell_word("a b'c$"), "'a b'\\''c$'");
}

/// sbatch and squeue as scripts; the array's tasks are this test's to play.
class FakeSlurm : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    const std::string script = "#!/bin/sh\n" + text;
    write_file(made.path(name), script);
    std::filesystem::permissions(made.path(name), std::filesystem::perms::owner_all);
  }
  void SetUp() override {
    ::setenv("PATH", (made.path("") + ":" + std::getenv("PATH")).c_str(), 1);
    write("squeue", "exit 0\n");
    options.program = made.path("program");
    options.folder = made.path("s.db.slurm");
    options.tasks = 2;
    options.poll = std::chrono::milliseconds(1);
  }
  Counts run() {
    SlurmEngine engine(options);
    return run_sweep(made.planner(), *store, engine, {});
  }

  /// Submits an array of all points, and ends before it looks at it. @return the array's files'
  /// common part.
  std::string submit_and_go() {
    write("sbatch", "echo 5\nexit 1\n");
    EXPECT_THAT(error_of([&] { (void)run(); }), testing::HasSubstr("sbatch ended with 1"));
    write("sbatch", "exit 9\n");  // Nothing is left to submit.
    const auto jobs = store->slurm_jobs("made");
    EXPECT_EQ(jobs.size(), 1U);
    return options.folder + "/" + jobs.at(0).name;
  }
  Counts run_task(const std::string& array, unsigned task, const Measured& measured = {}) {
    Store shard(fmt::format("{}_{}.db", array, task), Database::Mode::kWrite);
    LocalEngine engine([&](const Job&) { return measured; }, {.workers = 1, .origin = {}});
    return run_shard(made.planner(), shard, engine, {}, {0, 1}, array + ".points");
  }

  Made made{"parameters: {mac_array.rows: [4, 8, 16]}\n"};
  std::optional<Store> store{std::in_place, made.path("s.db"), Database::Mode::kWrite};
  SlurmOptions options;
};

TEST_F(FakeSlurm, LostPointsAreSubmittedABoundedNumberOfTimes) {
  write("sbatch", "echo x >> " + made.path("count") + "\necho 5\n");
  options.resubmissions = 2;
  EXPECT_EQ(error_of([&] { (void)run(); }),
            "--engine slurm: 3 points did not come back from 3 jobs; what their tasks said is in " +
                options.folder + "; every finished point is kept");
  EXPECT_EQ(read_file(made.path("count"), 100), "x\nx\nx\n");
  EXPECT_TRUE(store->slurm_jobs("made").empty());
}

TEST_F(FakeSlurm, SaysWhatSlurmSaid) {
  write("sbatch", "echo 'sbatch: error: invalid partition' >&2; exit 1\n");
  EXPECT_EQ(error_of([&] { (void)run(); }),
            "--engine slurm: sbatch ended with 1: sbatch: error: invalid partition");
  write("squeue", "echo 'no controller' >&2; exit 1\n");
  EXPECT_EQ(error_of([&] { (void)run(); }), "--engine slurm: squeue ended with 1: no controller");
  ::setenv("PATH", "/nowhere", 1);
  EXPECT_EQ(error_of([&] { (void)run(); }), "--engine slurm: squeue: no such program");
}

TEST_F(FakeSlurm, DamagedShardsAreLostPoints) {
  write("sbatch", "for last; do :; done\necho garbage > ${last%.sh}_0.db\necho 5\n");
  options.resubmissions = 1;
  EXPECT_THAT(error_of([&] { (void)run(); }),
              testing::HasSubstr("3 points did not come back from 2 jobs"));
}

TEST_F(FakeSlurm, ABadShardCostsNoOther) {
  const std::string array = submit_and_go();
  for (const unsigned task : {0, 1}) EXPECT_EQ(run_task(array, task).computed, 3U);
  Database(array + "_0.db", Database::Mode::kWrite)
      .execute("ALTER TABLE points DROP COLUMN bound_by");
  EXPECT_EQ(run().finished, 3U);
}

TEST_F(FakeSlurm, AFaultOfItsOwnDatabaseKeepsTheShards) {
  constexpr std::size_t kFits = 1 << 20, kDoesNot = 2 << 20;
  const std::string array = submit_and_go();
  EXPECT_EQ(run_task(array, 1, {.metrics = {}, .bound_by = std::string(kDoesNot, 'x')}).computed,
            3U);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{kFits, RLIM_INFINITY}, free{RLIM_INFINITY, RLIM_INFINITY};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  EXPECT_THAT(error_of([&] { (void)run(); }), testing::HasSubstr("s.db: "));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &free), 0);
  EXPECT_TRUE(std::filesystem::exists(array + "_1.db"));
  EXPECT_EQ(run().finished, 3U);
}

TEST_F(FakeSlurm, TakesOverWhatItsJobsMadeWhileItWasGone) {
  const std::string array = submit_and_go();
  EXPECT_EQ(run_task(array, 1).computed, 3U);
  std::ofstream(array + "_1.log") << "what the task said\n";
  EXPECT_EQ(run().finished, 3U);
  EXPECT_FALSE(std::filesystem::exists(options.folder));
}

TEST_F(FakeSlurm, LeavesTheFilesOfOtherSweeps) {
  const std::string array = submit_and_go();
  EXPECT_EQ(run_task(array, 1).computed, 3U);
  std::ofstream(array + "_1.log") << "what the task said\n";
  const std::string other = options.folder + "/npusim-00";
  store->add_slurm_job("other", {"npusim-00", options.folder});
  for (const std::string end : {".points", ".sh", "_0.db", "_0.log"}) {
    std::ofstream(other + end) << "of another sweep\n";
  }
  EXPECT_EQ(run().finished, 3U);
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(options.folder)) {
    left.insert(entry.path().filename());
  }
  EXPECT_EQ(left, (std::set<std::string>{"npusim-00.points", "npusim-00.sh", "npusim-00_0.db",
                                         "npusim-00_0.log"}));
}

}  // namespace
}  // namespace npu::sweep
