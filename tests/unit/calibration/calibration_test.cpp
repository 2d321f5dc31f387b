#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <span>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/calibration/calibrate.h"
#include "sim/calibration/predictor.h"
#include "sim/calibration/search.h"
#include "workloads/graph/network_builder.h"

namespace npu::calibration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no npu::Error was thrown";
  return "";
}

ConfigDocument edge() {
  return ConfigDocument::load(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/edge.yaml");
}

std::vector<Parameter> parameters_of(const std::string& text) {
  const std::string path = ::testing::TempDir() + "/npusim_parameters.yaml";
  write_file(path, std::as_bytes(std::span(text)));
  const auto remove = [&] { std::filesystem::remove(path); };
  try {
    auto all = read_parameters(path);
    remove();
    return all;
  } catch (...) {
    remove();
    throw;
  }
}

/// Layers of several shapes, with the cycles that `truth` takes for them.
std::vector<Measurement> measured_by(const ConfigDocument& truth) {
  std::string csv = "type,in_h,in_w,in_c,out_c,kernel_h,kernel_w,stride,pad,cycles\n";
  for (int i = 0; i < 5; ++i) {
    csv += fmt::format("conv,{0},{0},{1},{2},3,3,1,1,1\n", 6 + 2 * i, 8 + 8 * i, 16 + 4 * i);
    csv += fmt::format("fully_connected,,,{},{},,,,,1\n", 64 + 96 * i, 10 + 20 * i);
  }
  csv += "depthwise,12,12,16,16,3,3,2,1,1\nconv,9,9,12,40,1,1,1,0,1\n";
  std::vector<Measurement> all = read_measurements(CsvTable::parse(csv, "m.csv"), "m.csv");
  const std::vector<Parameter> none;
  Predictor predictor(truth, none, all, 0);
  std::vector<std::size_t> rows(all.size());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
  predictor.prepare({Point{}}, rows);
  for (const std::size_t row : rows) all[row].cycles = predictor.cycles(Point{}, row);
  return all;
}

TEST(Calibration, RecoversTheParametersOfASyntheticMeasurement) {
  ConfigDocument truth = edge();
  truth.set("dma.setup_cycles", "70");
  truth.set("mac_array.pipeline_latency_cycles", "24");
  const auto parameters = parameters_of(
      "parameters:\n  dma.setup_cycles: {min: 0, max: 120, step: 10}\n"
      "  mac_array.pipeline_latency_cycles: {min: 0, max: 40, step: 4}\n");
  const Calibration c =
      calibrate(edge(), parameters, measured_by(truth), "m.csv", {}, [](std::size_t) {});
  EXPECT_EQ(c.parameters[0].after, "70");
  EXPECT_EQ(c.parameters[1].after, "24");
  EXPECT_EQ(c.parameters[0].before, "16");
  EXPECT_EQ(c.fitted.mean_percent, 0);
  EXPECT_EQ(c.held_out.mean_percent, 0);
  EXPECT_GT(c.held_out_before.mean_percent, 1);
  EXPECT_EQ(c.fitted.rows + c.held_out.rows, 12U);
  EXPECT_EQ(c.interval.low_percent, 0);
  EXPECT_EQ(c.interval.high_percent, 0);

  const NpuConfig written = c.document.parse();
  EXPECT_EQ(written.dma.setup_cycles, 70);
  ASSERT_TRUE(written.calibration);
  EXPECT_EQ(written.calibration->held_out_rows, 4);
  EXPECT_THAT(c.document.get("dma.sources.setup_cycles"),
              HasSubstr("fitted: npusim calibrate on 8 rows of m.csv, mean error 0 %, held out 0"));
}

TEST(Calibration, SaysWhichParameterTheRowsDoNotShow) {
  ConfigDocument truth = edge();
  truth.set("dma.setup_cycles", "48");
  const auto parameters = parameters_of(
      "parameters:\n  vector_unit.softmax_cycles: {min: 2, max: 16}\n"
      "  dma.setup_cycles: {min: 0, max: 96, step: 8}\n");
  const Calibration c = calibrate(edge(), parameters, measured_by(truth), "m.csv",
                                  {.held_out_share = 0.5}, [](std::size_t) {});
  EXPECT_FALSE(c.parameters[0].has_effect);
  EXPECT_EQ(c.parameters[0].after, "8");
  EXPECT_EQ(c.parameters[1].after, "48");
  EXPECT_THAT(c.warnings, ::testing::Contains(HasSubstr(
                              "vector_unit.softmax_cycles: no fitted row's cycles depend on it")));
  EXPECT_FALSE(c.document.has("vector_unit.sources.softmax_cycles"));
}

TEST(Calibration, RefusesWhatItCannotFit) {
  const std::vector<Measurement> rows = measured_by(edge());
  const auto message = [&](const std::string& list) {
    return error_of([&] {
      (void)calibrate(edge(), parameters_of("parameters:\n" + list), rows, "m.csv", {},
                      [](std::size_t) {});
    });
  };
  EXPECT_THAT(message("  dma.setup: {min: 0, max: 1}\n"),
              HasSubstr("dma.setup: the configuration has no such value"));
  EXPECT_THAT(message("  mac_array.kind: {min: 0, max: 1}\n"),
              HasSubstr("mac_array.kind: only numbers can be fitted, got systolic"));
  EXPECT_THAT(message("  dma.setup_cycles: {min: -9, max: -1}\n"),
              HasSubstr("dma.setup_cycles: must be 0 to 10000, got -1"));
}

TEST(Parameters, AreStrict) {
  const auto message = [](const std::string& text) {
    return error_of([&] { (void)parameters_of(text); });
  };
  EXPECT_THAT(message("parameters: {}\n"), HasSubstr("must name at least one parameter"));
  EXPECT_THAT(message("parameters:\n  a.b: {min: 2, max: 1}\n"),
              HasSubstr("npusim_parameters.yaml:2:22: parameters.a.b.max: must be at least min"));
  EXPECT_THAT(message("parameters:\n  a.b: {min: 0, max: 1, step: 0}\n"),
              HasSubstr("step: must be above 0, got 0"));
  EXPECT_THAT(message("parameters:\n  a.b: {min: 0, max: 9, step: 0.000001}\n"),
              HasSubstr("must leave at most 1000000 values"));
  EXPECT_THAT(message("parameters:\n  a.b: {min: 0, maxx: 1}\n"), HasSubstr("max"));
  const Parameter p = parameters_of("parameters:\n  a.b: {min: 1, max: 2, step: 0.25}\n").at(0);
  EXPECT_EQ(p.points, 5);
  EXPECT_EQ(p.value(1), "1.25");
  EXPECT_EQ(p.nearest(1.6), 2);
  EXPECT_EQ(p.nearest(99), 4);
}

TEST(Measurements, AreStrict) {
  const auto message = [](const std::string& text) {
    return error_of([&] { (void)read_measurements(CsvTable::parse(text, "m.csv"), "m.csv"); });
  };
  const std::string header = "type,in_h,in_w,in_c,out_c,kernel_h,kernel_w,stride,pad,cycles\n";
  EXPECT_THAT(message("type,in_c,out_c\nfully_connected,1,1\n"),
              HasSubstr("m.csv: no column \"cycles\""));
  EXPECT_THAT(message(header + "conv,8,8,4,4,3,3,1,1,0\n"), HasSubstr("m.csv:2: cycles: expected"));
  EXPECT_THAT(message(header + "pool,8,8,4,4,3,3,1,1,9\n"),
              HasSubstr("m.csv:2: type: must be one of conv, depthwise, fully_connected"));
  EXPECT_THAT(message(header + "conv,8,8,4,,3,3,1,1,9\n"), HasSubstr("m.csv:2: out_c: expected"));
  EXPECT_THAT(message(header + "depthwise,8,8,4,6,3,3,1,1,9\n"),
              HasSubstr("m.csv:2: out_c: must be a multiple of in_c = 4"));
  EXPECT_THAT(message(header + "conv,2,2,4,4,5,5,1,0,9\n"), HasSubstr("m.csv:2: "));
  EXPECT_THAT(message("model,cycles\nno_such.tflite,9\n"), HasSubstr("no_such.tflite"));
}

TEST(Split, DependsOnTheSeedAlone) {
  const Split a = split_rows(20, 0.3, 1);
  EXPECT_EQ(a.held_out.size(), 6U);
  EXPECT_EQ(a.fitted.size(), 14U);
  EXPECT_EQ(a.held_out, split_rows(20, 0.3, 1).held_out);
  EXPECT_NE(a.held_out, split_rows(20, 0.3, 2).held_out);
  EXPECT_THAT(error_of([] { (void)split_rows(3, 0.3, 1); }),
              HasSubstr("at least two rows to fit and two to hold out are needed, got 3 rows"));
}

TEST(ResidualIntervals, AreThoseOfSplitConformalPrediction) {
  std::vector<double> nineteen;
  for (int i = 1; i <= 19; ++i) nineteen.push_back(i);
  const ResidualInterval exact = residual_interval(nineteen, 90);
  EXPECT_EQ(exact.low_percent, 1);
  EXPECT_EQ(exact.high_percent, 19);
  EXPECT_NEAR(exact.level_percent, 90, 1e-9);
  const ResidualInterval half = residual_interval(nineteen, 50);
  EXPECT_EQ(half.low_percent, 5);
  EXPECT_EQ(half.high_percent, 15);
  EXPECT_NEAR(half.level_percent, 50, 1e-9);
  const ResidualInterval few = residual_interval({3, -1, 2}, 90);
  EXPECT_EQ(few.low_percent, -1);
  EXPECT_EQ(few.high_percent, 3);
  EXPECT_NEAR(few.level_percent, 50, 1e-9);
}

TEST(Search, FindsTheBottomOfAValleyAcrossParameters) {
  const std::vector<Parameter> parameters = {{.key = "a", .min = 0, .step = 1, .points = 64},
                                             {.key = "b", .min = 0, .step = 1, .points = 64},
                                             {.key = "c", .min = 0, .step = 1, .points = 5}};
  std::size_t calls = 0;
  const auto objective = [&](const std::vector<Point>& points) {
    std::vector<double> values;
    for (const Point& p : points) {
      const auto a = static_cast<double>(p[0]), b = static_cast<double>(p[1]),
                 c = static_cast<double>(p[2]);
      values.push_back(10 * std::pow(a + b - 60, 2) + std::pow(a - b - 20, 2) + std::pow(c - 4, 2));
      ++calls;
    }
    return values;
  };
  const SearchResult r = search(parameters, {0, 0, 0}, objective, {.max_evaluations = 2000});
  EXPECT_THAT(r.best, ElementsAre(40, 20, 4));
  EXPECT_TRUE(r.is_converged);
  EXPECT_EQ(r.evaluations, calls);
  std::vector<Parameter> small = parameters;
  for (Parameter& p : small) p.points = 5;
  EXPECT_EQ(search(small, {0, 0, 0}, objective, {}).evaluations, 125U);
  EXPECT_THAT(search(small, {0, 0, 0}, objective, {}).best, ElementsAre(4, 4, 4));
  const SearchResult spent = search(parameters, {0, 0, 0}, objective, {.max_evaluations = 5});
  EXPECT_FALSE(spent.is_converged);
  EXPECT_LE(spent.evaluations, 5U);
}

}  // namespace
}  // namespace npu::calibration
