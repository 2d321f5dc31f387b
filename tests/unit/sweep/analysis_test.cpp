#include "sim/sweep/analysis.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "sim/sweep/page_data.h"

namespace npu::sweep {
namespace {

Row row(const std::string& model, std::vector<std::string> values, double latency, double energy) {
  Row r;
  r.hash = "h";
  r.model = model;
  r.values = std::move(values);
  r.result.emplace();
  r.result->metrics[static_cast<std::size_t>(Metric::kLatency)] = latency;
  r.result->metrics[static_cast<std::size_t>(Metric::kEnergy)] = energy;
  r.result->bound_by = "dram";
  return r;
}

Table table() {
  Table t;
  t.name = "t";
  t.models = {"m"};
  t.parameters = {{"a.x", false}, {"a.y", false}, {"a.z", true}};
  t.objectives = {Metric::kLatency, Metric::kEnergy};
  return t;
}

std::vector<bool> front(const Table& t) {
  std::vector<bool> marks;
  for (const Row& r : t.rows) marks.push_back(r.is_pareto);
  return marks;
}

TEST(Metrics, CostsAreLessIsBetter) {
  Metrics metrics;
  metrics[static_cast<std::size_t>(Metric::kLatency)] = 3;
  metrics[static_cast<std::size_t>(Metric::kEfficiency)] = 2;
  metrics[static_cast<std::size_t>(Metric::kEnergy)] = std::numeric_limits<double>::infinity();
  EXPECT_EQ(costs_of(metrics, {Metric::kEfficiency, Metric::kLatency}),
            (std::vector<double>{-2, 3}));
  EXPECT_FALSE(costs_of(metrics, {Metric::kLatency, Metric::kTop1}));
  EXPECT_FALSE(costs_of(metrics, {Metric::kLatency, Metric::kEnergy}));
}

TEST(Analysis, ParetoFront) {
  Table t = table();
  t.rows = {row("m", {"1", "1", "0"}, 1, 5), row("m", {"2", "1", "0"}, 2, 3),
            row("m", {"1", "2", "0"}, 2, 4), row("m", {"2", "2", "0"}, 3, 3),
            row("m", {"3", "3", "0"}, 2, 3), row("m", {"4", "4", "0"}, 0, 9)};
  mark_pareto(t);
  EXPECT_EQ(front(t), (std::vector<bool>{true, true, false, false, true, true}));
  t.objectives = {Metric::kLatency};
  mark_pareto(t);
  EXPECT_EQ(front(t), (std::vector<bool>{false, false, false, false, false, true}));
}

TEST(Analysis, ModelsHaveFrontsOfTheirOwnAndMoreMayBeBetter) {
  Table t = table();
  t.models = {"m", "n"};
  t.rows = {row("m", {"1", "1", "0"}, 1, 1), row("n", {"1", "1", "0"}, 2, 2),
            row("m", {"1", "2", "0"}, 3, 3)};
  Row failed = row("n", {"9", "9", "0"}, 0, 0);
  failed.result->status = Status::kCrash;
  t.rows.push_back(failed);
  t.rows.emplace_back().values = {"9", "8", "0"};
  mark_pareto(t);
  EXPECT_EQ(front(t), (std::vector<bool>{true, true, false, false, false}));
  for (Row& r : t.rows) {
    if (r.is_done())
      r.result->metrics[static_cast<std::size_t>(Metric::kEfficiency)] =
          *r.metric(Metric::kLatency);
  }
  t.objectives = {Metric::kEfficiency};
  mark_pareto(t);
  EXPECT_EQ(front(t), (std::vector<bool>{false, true, true, false, false}));
}

double share(const Table& t, std::size_t parameter, Metric metric, int trend) {
  for (const Sensitivity& s : sensitivity_of(t)) {
    if (s.parameter != parameter || s.metric != metric) continue;
    EXPECT_EQ(s.trend, trend);
    return s.share;
  }
  return -1;
}

/// latency = 10·x − y + 20 on a full grid; energy = x·y about the middle: all interaction.
Table grid() {
  Table t = table();
  for (const double x : {0, 1, 2}) {
    for (const double y : {0, 1, 2}) {
      t.rows.push_back(row("m", {fmt::format("{}", x), fmt::format("{}", y), "0"}, 10 * x - y + 20,
                           5 + (x - 1) * (y - 1)));
    }
  }
  return t;
}

TEST(Analysis, SensitivityOfAGridIsTheShareOfMainEffects) {
  const Table t = grid();
  EXPECT_NEAR(share(t, 0, Metric::kLatency, 1), 100.0 / 101, 1e-12);
  EXPECT_NEAR(share(t, 1, Metric::kLatency, -1), 1.0 / 101, 1e-12);
  EXPECT_NEAR(share(t, 0, Metric::kEnergy, 0), 0, 1e-12);
  EXPECT_EQ(share(t, 2, Metric::kEnergy, 0), -1);  // Derived.
  EXPECT_EQ(share(t, 0, Metric::kCycles, 0), -1);  // Not measured.
}

TEST(Analysis, SensitivityOfRandomPointsIsRankCorrelation) {
  Table t = table();
  t.method = Method::kRandom;
  t.rows = {row("m", {"1", "b", "0"}, 1, 1), row("m", {"10", "a", "0"}, 8, 1),
            row("m", {"100", "b", "0"}, 27, 1), row("m", {"1000", "a", "0"}, 64, 1)};
  EXPECT_DOUBLE_EQ(share(t, 0, Metric::kLatency, 1), 1);
  EXPECT_DOUBLE_EQ(share(t, 1, Metric::kLatency, 0), 0.2);
  EXPECT_EQ(share(t, 0, Metric::kEnergy, 0), -1);  // It does not vary.
}

TEST(Analysis, ModelsOfOtherSizesDoNotDrownTheParameters) {
  Table t = table();
  t.models = {"m", "n"};
  t.rows = {row("m", {"1", "1", "0"}, 1, 1), row("m", {"2", "1", "0"}, 2, 1),
            row("n", {"1", "1", "0"}, 1000, 1), row("n", {"2", "1", "0"}, 2000, 1)};
  EXPECT_DOUBLE_EQ(share(t, 0, Metric::kLatency, 1), 1);
}

TEST(Table, TextAndCsv) {
  Table t = table();
  t.rows = {row("m", {"1", "a,b", "0"}, 0.1, 2)};
  Row failed;
  failed.model = "m";
  failed.values = {"2", "x", "0"};
  failed.result.emplace();
  failed.result->status = Status::kInvalid;
  failed.result->error = "rows: must be \"1\"";
  t.rows.push_back(failed);
  t.rows.emplace_back().values = {"3", "x", "0"};
  mark_pareto(t);
  EXPECT_EQ(table_csv(t),
            "point,model,a.x,a.y,a.z,status,cycles,latency_ms,inferences_per_s,energy_uj,"
            "average_power_mw,tops_per_w,mac_utilization,dram_bytes,peak_macs_per_cycle,sram_bytes,"
            "max_abs_error,top1,bound_by,pareto,error\n"
            "0,m,1,\"a,b\",0,done,,0.1,,2,,,,,,,,,dram,1,\n"
            "1,m,2,x,0,invalid,,,,,,,,,,,,,,0,\"rows: must be \"\"1\"\"\"\n"
            "2,,3,x,0,pending,,,,,,,,,,,,,,0,\n");
  const std::string text = table_text(t);
  EXPECT_NE(text.find("point 1: invalid: rows: must be \"1\"\n"), std::string::npos) << text;
  EXPECT_NE(text.find("Pareto front of latency_ms (less) energy_uj (less)\n"), std::string::npos);
  EXPECT_NE(text.find(" pending\n"), std::string::npos) << text;
}

TEST(Table, PageData) {
  Table t = grid();
  Row failed;
  failed.hash = "f";
  failed.model = "m";
  failed.values = {"0", "word", "0"};
  failed.result.emplace();
  failed.result->status = Status::kTimeLimit;
  failed.result->error = "took more than 1 s";
  t.rows.push_back(failed);
  mark_pareto(t);
  t.sensitivity = sensitivity_of(t);
  const nlohmann::json page = page_data(t);
  EXPECT_EQ(page.at("kind"), "sweep");
  EXPECT_EQ(page.at("name"), "t");
  EXPECT_EQ(page.at("models"), nlohmann::json({"m"}));
  EXPECT_EQ(page.at("objectives"), nlohmann::json({"latency_ms", "energy_uj"}));
  EXPECT_EQ(page.at("parameters")[0],
            nlohmann::json({{"key", "a.x"}, {"derived", false}, {"values", {0.0, 1.0, 2.0}}}));
  EXPECT_EQ(page.at("parameters")[1].at("values"), nlohmann::json({0.0, 1.0, 2.0, "word"}));
  ASSERT_EQ(page.at("metrics").size(), 2U);
  EXPECT_EQ(
      page.at("metrics")[0],
      nlohmann::json(
          {{"name", "latency_ms"}, {"label", "Latency"}, {"unit", "ms"}, {"better", "less"}}));
  const nlohmann::json& point = page.at("points")[2];
  EXPECT_EQ(point.at("id"), 2);
  EXPECT_EQ(point.at("status"), "done");
  EXPECT_EQ(point.at("bound_by"), "dram");
  EXPECT_EQ(point.at("pareto"), true);
  EXPECT_EQ(point.at("error"), nullptr);
  EXPECT_EQ(point.at("parameters"), nlohmann::json({{"a.x", 0.0}, {"a.y", 2.0}, {"a.z", 0.0}}));
  EXPECT_EQ(point.at("metrics"), nlohmann::json({{"latency_ms", 18.0}, {"energy_uj", 4.0}}));
  EXPECT_EQ(page.at("points")[9].at("status"), "failed");
  EXPECT_EQ(page.at("points")[9].at("error"), "time_limit: took more than 1 s");
  EXPECT_EQ(page.at("sensitivity")[0].at("parameter"), "a.x");
  EXPECT_EQ(page.at("sensitivity")[0].at("metric"), "latency_ms");
  EXPECT_EQ(page.at("sensitivity")[0].at("trend"), 1);
}

}  // namespace
}  // namespace npu::sweep
