#include "sim/sweep/engine.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <new>

#include "sim/base/file.h"
#include "sim/sweep/answer.h"
#include "sim/sweep/shard.h"
#include "tests/unit/base/expect_error.h"
#include "tests/unit/sweep/sweep_maker.h"

namespace npu::sweep {
namespace {

using test::Made;
using Mode = Database::Mode;

/// Figures that follow from the configuration, without a simulation.
Measured figures(const Job& job) {
  const NpuConfig config = parse_npu_config(job.config_text, job.config_path);
  Measured m;
  const double rows = config.mac_array.rows, lanes = config.vector_unit.lanes;
  m.metrics[static_cast<std::size_t>(Metric::kLatency)] = 100 / rows + 10 / lanes;
  m.metrics[static_cast<std::size_t>(Metric::kEnergy)] = rows + lanes;
  m.bound_by = "dram";
  return m;
}

const std::string kGrid =
    "parameters: {mac_array.rows: [4, 8, 16, 32], vector_unit.lanes: [1, 2, 4]}\n";

Counts run(Made& made, Store& store, unsigned workers = 2, const Evaluate& evaluate = figures,
           const SweepOptions& options = {}) {
  LocalEngine engine(evaluate, {.workers = workers, .origin = {}});
  return run_sweep(made.planner(), store, engine, options);
}

TEST(LocalEngine, ComputesEachPointOnce) {
  Made made(kGrid);
  Store store(made.path("s.db"), Mode::kWrite);
  Counts counts = run(made, store);
  EXPECT_EQ(counts.points, 12U);
  EXPECT_EQ(counts.finished, 12U);
  EXPECT_EQ(counts.computed, 12U);
  const std::string csv = table_csv(read_table(store, "made"));
  counts = run(made, store, 1, [](const Job&) -> Measured { throw Error("never"); });
  EXPECT_EQ(counts.computed, 0U);
  EXPECT_EQ(counts.finished, 12U);
  EXPECT_EQ(table_csv(read_table(store, "made")), csv);
  Store single(made.path("single.db"), Mode::kWrite);
  EXPECT_EQ(run(made, single, 1).computed, 12U);
  EXPECT_EQ(table_csv(read_table(single, "made")), csv);
}

TEST(LocalEngine, EqualPointsAreOne) {
  Made made("parameters: {mac_array.rows: [8], mac_array.cols: [8, 16], run.samples: [1]}\n");
  made.sweep.parameters[1].values = {"8", "8"};  // A file cannot say so.
  Store store(made.path("s.db"), Mode::kWrite);
  const Counts counts = run(made, store);
  EXPECT_EQ(counts.points, 2U);
  EXPECT_EQ(counts.finished, 2U);
  EXPECT_EQ(counts.computed, 1U);
}

TEST(LocalEngine, FailuresAreRowsAndDoNotStopTheRest) {
  Made made(
      "parameters: {mac_array.rows: [1, 2, 3, 4, 5, 0, 7]}\nlimits: {seconds_per_point: 1}\n");
  Store store(made.path("s.db"), Mode::kWrite);
  const auto faulty = [](const Job& job) -> Measured {
    switch (parse_npu_config(job.config_text, job.config_path).mac_array.rows) {
      case 1:
        throw RunFault("deadlock");
      case 2:
        throw std::logic_error("two\nlines");
      case 3:
        std::signal(SIGSEGV, SIG_DFL);
        ::raise(SIGSEGV);
        break;
      case 4:
        ::pause();
        break;
      case 5:
        throw std::bad_alloc();
      default:
        break;
    }
    return figures(job);
  };
  EXPECT_EQ(run(made, store, 4, faulty).failed, 6U);
  const Table table = read_table(store, "made");
  const auto is = [&](std::size_t i, Status status, const std::string& error) {
    EXPECT_EQ(table.rows.at(i).result->status, status) << i;
    EXPECT_EQ(table.rows.at(i).result->error, error) << i;
  };
  is(0, Status::kRunFault, "deadlock");
  is(1, Status::kInternal, "two lines");
  is(2, Status::kCrash, "killed by signal 11");
  is(3, Status::kTimeLimit, "took more than 1 s");
  is(4, Status::kMemoryLimit, "out of memory");
  is(5, Status::kInvalid, "edge.yaml:9:9: mac_array.rows: must be 1 to 1024, got 0");
  is(6, Status::kDone, "");
  EXPECT_EQ(run(made, store).computed, 0U);
  // All failures again, and what now works is done.
  EXPECT_EQ(run(made, store, 4, figures, {.retry_failed = true}).computed, 6U);
  EXPECT_EQ(run(made, store, 4, figures, {.retry_failed = true}).failed, 1U);
}

TEST(LocalEngine, FiguresThatAreNotFiniteAreAbsent) {
  Made made("parameters: {mac_array.rows: [4, 8, 16]}\n");
  Store store(made.path("s.db"), Mode::kWrite);
  const auto without_energy = [](const Job& job) {
    Measured m = figures(job);
    const bool is_first = job.config_text.find("rows: 4\n") != std::string::npos;
    const bool is_second = job.config_text.find("rows: 8\n") != std::string::npos;
    auto& energy = m.metrics[static_cast<std::size_t>(Metric::kEnergy)];
    if (is_first) energy = std::numeric_limits<double>::infinity();
    if (is_second) energy = std::numeric_limits<double>::quiet_NaN();
    return m;
  };
  EXPECT_EQ(run(made, store, 1, without_energy).failed, 0U);
  const Table table = read_table(store, "made");
  EXPECT_FALSE(table.rows.at(0).metric(Metric::kEnergy));
  EXPECT_FALSE(table.rows.at(1).metric(Metric::kEnergy));
  EXPECT_TRUE(table.rows.at(2).metric(Metric::kEnergy));
  EXPECT_TRUE(table.rows.at(0).metric(Metric::kLatency));
}

TEST(Answer, WhatCannotBeReadIsAFailure) {
  Measured measured;
  measured.metrics[static_cast<std::size_t>(Metric::kCycles)] = 7;
  measured.bound_by = "dma";
  const std::string good = answer_text(measured, 1.5);
  EXPECT_TRUE(read_answer(good).result.is_done());
  EXPECT_EQ(read_answer(good).result.metrics, measured.metrics);
  EXPECT_EQ(read_answer(good).peak_memory_mib, 1.5);
  EXPECT_FALSE(read_answer(answer_text(measured, std::nullopt)).peak_memory_mib);
  const auto error = [](const std::string& text) {
    const Result result = read_answer(text).result;
    EXPECT_EQ(result.status, Status::kInternal);
    return result.error;
  };
  for (const std::string& bad : {std::string(), std::string("{}"), std::string("7"),
                                 good.substr(0, good.size() - 1), "\xff" + good}) {
    EXPECT_EQ(error(bad), "the answer of a point's process is none");
  }
  EXPECT_EQ(error(R"({"metrics":"{\"cycles\":null}","bound_by":"","peak_memory_mib":null})"),
            "the answer of a point's process: not a metric: cycles");
}

#if !defined(__SANITIZE_ADDRESS__)
TEST(LocalEngine, MemoryIsLimited) {
  Made made("parameters: {mac_array.rows: [1, 2]}\nlimits: {memory_mib_per_point: 200}\n");
  Store store(made.path("s.db"), Mode::kWrite);
  const auto hungry = [](const Job& job) {
    const bool is_first = job.config_text.find("rows: 1\n") != std::string::npos;
    const std::vector<char> bytes(is_first ? std::size_t{300} << 20U : std::size_t{100} << 20U, 1);
    return bytes.back() == 1 ? figures(job) : Measured{};
  };
  EXPECT_EQ(run(made, store, 1, hungry).failed, 1U);
  const auto result = read_table(store, "made").rows.at(0).result;
  EXPECT_EQ(result->status, Status::kMemoryLimit);
  EXPECT_EQ(result->error, "needs more than 200 MiB");
  EXPECT_EQ(result->limit, 200);
}
#endif

TEST(LocalEngine, WhoStopsTheSweepDoesNotFailItsPoints) {
  Made made(kGrid);
  Store store(made.path("s.db"), Mode::kWrite);
  const auto stopped = [](const Job& job) {
    ::raise(SIGTERM);
    return figures(job);
  };
  EXPECT_EQ(error_of([&] { (void)run(made, store, 1, stopped); }),
            "sweep: stopped by signal 15; every finished point is kept");
  EXPECT_EQ(run(made, store).computed, 12U);
}

TEST(Sweep, GoesOnWhereItStopped) {
  Made made(kGrid);
  Store store(made.path("s.db"), Mode::kWrite);
  SweepOptions options;
  options.progress = [](const Counts& c) {
    if (c.computed == 5) fail("stop");
  };
  EXPECT_EQ(error_of([&] { (void)run(made, store, 1, figures, options); }), "stop");
  EXPECT_EQ(run(made, store).computed, 7U);
}

TEST(Sweep, Nsga2IsTheSeedsOwnAndGoesOn) {
  const std::string text =
      "parameters: {mac_array.rows: {range: {from: 1, to: 64}}, vector_unit.lanes: {range: {from: "
      "1, to: 64}}}\n"
      "when: mac_array.rows != 7\n"
      "search: {method: nsga2, population: 12, generations: 5, seed: 4}\n";
  Made made(text);
  Store store(made.path("s.db"), Mode::kWrite);
  const Counts counts = run(made, store, 2);
  EXPECT_GT(counts.computed, 24U);
  EXPECT_LE(counts.computed, 72U);
  const Table table = read_table(store, "made");
  const std::string csv = table_csv(table);
  EXPECT_EQ(run(made, store).computed, 0U);
  EXPECT_EQ(table_csv(read_table(store, "made")), csv);
  // Stopped in a generation and continued.
  Store second(made.path("t.db"), Mode::kWrite);
  SweepOptions options;
  options.progress = [](const Counts& c) {
    if (c.computed == 30) fail("stop");
  };
  EXPECT_EQ(error_of([&] { (void)run(made, second, 1, figures, options); }), "stop");
  EXPECT_EQ(run(made, second, 3).computed, counts.computed - 30);
  EXPECT_EQ(table_csv(read_table(second, "made")), csv);
  // The search found what random points would not: many on the front.
  const auto front = std::ranges::count_if(table.rows, [](const Row& r) { return r.is_pareto; });
  EXPECT_GE(front, 10);
  made.sweep.search.seed = 5;
  Store third(made.path("u.db"), Mode::kWrite);
  (void)run(made, third);
  EXPECT_NE(table_csv(read_table(third, "made")), csv);
  made.sweep.limits.points = 20;
  EXPECT_THAT(error_of([&] { (void)run(made, third); }),
              testing::HasSubstr("limits.points: the search needs more than 20 points"));
}

TEST(Sweep, Nsga2LeavesAxesWithoutAChoice) {
  const auto table = [](const std::string& one) {
    Made made(
        "parameters: {" + one +
        "mac_array.rows: {range: {from: 1, to: 64}}, vector_unit.lanes: {range: {from: 1, to: "
        "64}}}\nsearch: {method: nsga2, population: 8, generations: 2}\n");
    Store store(made.path("s.db"), Mode::kWrite);
    (void)run(made, store);
    return read_table(store, "made");
  };
  const Table with = table("dma.channels: [2], "), without = table("");
  ASSERT_EQ(with.rows.size(), without.rows.size());
  for (std::size_t i = 0; i < with.rows.size(); ++i) {
    EXPECT_EQ(with.rows[i].values, (std::vector<std::string>{"2", without.rows[i].values.at(0),
                                                             without.rows[i].values.at(1)}));
  }
}

TEST(Sweep, ItsMethodReadsBack) {
  for (const auto& [name, method] : kMethodNames) {
    const Made made(
        fmt::format("parameters: {{mac_array.rows: [4, 8]}}\nsearch: {{method: {}{}}}\n", name,
                    method == Method::kRandom ? ", points: 1" : ""));
    Store store(made.path("s.db"), Mode::kWrite);
    store.begin_sweep(header_of(made.sweep));
    EXPECT_EQ(made.sweep.search.method, method);
    EXPECT_EQ(read_table(store, "made").method, method);
    EXPECT_EQ(name_of(method), name);
  }
}

TEST(Shard, PartsMakeTheWhole) {
  Made made(kGrid);
  Store store(made.path("s.db"), Mode::kWrite);
  LocalEngine engine(figures, {.workers = 2, .origin = {}});
  std::vector<std::string> parts;
  for (const std::string shard : {"0/3", "1/3", "2/3"}) {
    parts.push_back(made.path("p" + shard.substr(0, 1) + ".db"));
    Store part(parts.back(), Mode::kWrite);
    EXPECT_EQ(run_shard(made.planner(), part, engine, {}, parse_shard(shard), "").computed, 4U);
    EXPECT_EQ(run_shard(made.planner(), part, engine, {}, parse_shard(shard), "").computed, 0U);
  }
  for (const std::string& part : parts) {
    EXPECT_EQ(store.merge(Store(part, Mode::kRead)).size(), 4U);
  }
  EXPECT_EQ(run(made, store).computed, 0U);
}

TEST(Shard, ListsOfPoints) {
  Made made(kGrid);
  Store store(made.path("s.db"), Mode::kWrite);
  LocalEngine engine(figures, {.workers = 1, .origin = {}});
  const std::string list = made.path("list");
  const auto write = [&](const std::string& text) { write_file(list, text); };
  const std::vector<Pending> points = {{3, made.planner().job(3).hash},
                                       {7, made.planner().job(7).hash}};
  const std::string good = points_text("made", points);
  write(good);
  const auto run_list = [&] {
    return run_shard(made.planner(), store, engine, {}, parse_shard("0/1"), list);
  };
  EXPECT_EQ(run_list().computed, 2U);
  const auto refusal = [&](const std::string& text) {
    write(text);
    return error_of([&] { (void)run_list(); });
  };
  EXPECT_THAT(refusal(""), testing::HasSubstr("list: not a list of points"));
  EXPECT_THAT(refusal("x\n"), testing::HasSubstr("list: not a list of points"));
  EXPECT_THAT(refusal(points_text("x", points)),
              testing::HasSubstr("list: points of another sweep"));
  EXPECT_THAT(refusal(good.substr(0, good.size() - 1)),
              testing::HasSubstr("list:3: the line does not end"));
  EXPECT_THAT(refusal(good + "8\n"), testing::HasSubstr("list:4: expected a number and a hash"));
  EXPECT_THAT(refusal(points_text("made", {{99, std::string(64, 'a')}})),
              testing::HasSubstr("list: candidate 99 is none of this sweep"));
  EXPECT_THAT(
      refusal(points_text("made", {{4, points[0].hash}})),
      testing::HasSubstr("list: candidate 4 is another point here: the sweep, a file that it "
                         "names or npusim has changed"));
}

TEST(Shard, IsWritten) {
  EXPECT_EQ(parse_shard("3/4").index, 3U);
  EXPECT_EQ(parse_shard("3/4").count, 4U);
  for (const std::string bad : {"", "1", "/2", "1/", "2/2", "-1/2", "1/2x", "0/0", "0/100001"}) {
    EXPECT_THAT(error_of([&] { (void)parse_shard(bad); }),
                testing::HasSubstr("--shard: expected I/N with I from 0 to N-1, N at most 100000, "
                                   "got " +
                                   bad));
  }
}

}  // namespace
}  // namespace npu::sweep
