#include "sim/sweep/sweep_file.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/base/expect_error.h"

namespace npu::sweep {
namespace {

using Values = std::vector<std::string>;

const std::string kHead = "sweep: s\nmodels: [m]\n";

SweepFile parse(const std::string& text) { return parse_sweep(text, "dir/s.yaml"); }
std::string refusal(const std::string& text) {
  return error_of([&] { (void)parse(kHead + text); });
}
Values values(const std::string& form) {
  return parse(kHead + "parameters:\n  a.b: " + form + "\n").parameters.at(0).values;
}
std::string value_refusal(const std::string& form) {
  return refusal("parameters:\n  a.b: " + form + "\n");
}

TEST(SweepFile, ReadsEverything) {
  const SweepFile s = parse(R"(
sweep: all
npu: sub/base.yaml
models:
  - resnet18
  - {model: nets/net.tflite, dim: {size: 96, tokens: 4}, precision: int8, weights: none, fuse: false}
run: {timing_only: false, attention: fused, samples: 3, input: [x.npy], labels: l.npy}
parameters:
  mac_array.rows: [8, 16]
  mac_array.cols: {expression: "2 * mac_array.rows"}
  dma.channels: [2, 4]
  model.dim.size: [32]
  npu: [edge, other/x.yaml]
zip: [[dma.channels, mac_array.rows]]
when: "mac_array.cols < 64"
objectives: [energy_uj, tops_per_w]
search: {method: random, points: 7, seed: 9}
limits: {seconds_per_point: 5, memory_mib_per_point: 100, points: 1000}
)");
  EXPECT_EQ(s.name, "all");
  EXPECT_EQ(s.npu, "dir/sub/base.yaml");
  ASSERT_EQ(s.models.size(), 2U);
  EXPECT_EQ(s.models[0].label, "resnet18");
  EXPECT_EQ(s.models[0].settings.model, "resnet18");
  EXPECT_EQ(s.models[1].label, "net size=96 tokens=4 int8 none unfused");
  EXPECT_EQ(s.models[1].settings.model, "dir/nets/net.tflite");
  EXPECT_FALSE(s.models[1].settings.fuse);
  EXPECT_FALSE(s.models[0].settings.timing_only);
  EXPECT_EQ(s.models[0].settings.attention, "fused");
  EXPECT_EQ(s.models[0].settings.samples, 3);
  EXPECT_EQ(s.models[0].settings.inputs, Values{"dir/x.npy"});
  EXPECT_EQ(s.models[0].settings.labels, "dir/l.npy");
  ASSERT_EQ(s.parameters.size(), 5U);
  EXPECT_EQ(s.parameters[1].expression->text(), "2 * mac_array.rows");
  EXPECT_EQ(s.parameters[4].values, (Values{"edge", "dir/other/x.yaml"}));
  EXPECT_EQ(s.axes, (std::vector<std::vector<std::size_t>>{{0, 2}, {3}, {4}}));
  EXPECT_EQ(s.conditions.size(), 1U);
  EXPECT_EQ(s.objectives, (std::vector<Metric>{Metric::kEnergy, Metric::kEfficiency}));
  EXPECT_EQ(s.search.method, Method::kRandom);
  EXPECT_EQ(s.search.points, 7);
  EXPECT_EQ(s.search.seed, 9U);
  EXPECT_EQ(s.limits.seconds_per_point, 5U);
  EXPECT_EQ(s.limits.memory_mib_per_point, 100U);
  EXPECT_EQ(s.limits.points, 1000);
}

TEST(SweepFile, HasDefaults) {
  const SweepFile s = parse("sweep: s\nmodels: m\n");
  EXPECT_EQ(s.npu, "edge");
  EXPECT_TRUE(s.models.at(0).settings.timing_only);
  EXPECT_TRUE(s.parameters.empty());
  EXPECT_EQ(s.objectives, (std::vector<Metric>{Metric::kLatency, Metric::kEnergy}));
  EXPECT_EQ(s.search.method, Method::kGrid);
}

TEST(SweepFile, MakesValues) {
  EXPECT_EQ(values("[b, a]"), (Values{"b", "a"}));
  EXPECT_EQ(values("7"), Values{"7"});
  EXPECT_EQ(values("{values: [1, 2]}"), (Values{"1", "2"}));
  EXPECT_EQ(values("{range: {from: 1, to: 7, step: 3}}"), (Values{"1", "4", "7"}));
  EXPECT_EQ(values("{range: {from: 0.1, to: 0.3, step: 0.1}}"), (Values{"0.1", "0.2", "0.3"}));
  EXPECT_EQ(values("{range: {from: 2, to: 3}}"), (Values{"2", "3"}));
  EXPECT_EQ(values("{powers_of_two: {from: 4, to: 31}}"), (Values{"4", "8", "16"}));
  EXPECT_EQ(values("{powers_of_two: {from: 0.5, to: 2}}"), (Values{"0.5", "1", "2"}));
  EXPECT_EQ(values("{powers_of_two: {from: 9.332636185032189e-302, to: 1000000000000000}}").size(),
            1050U);  // 2^-1000; their ratio is no number.
  EXPECT_EQ(values("{log: {from: 1, to: 1000, count: 4}}"), (Values{"1", "10", "100", "1000"}));
  EXPECT_EQ(values("{log: {from: 1, to: 3, count: 7}}"), (Values{"1", "2", "3"}));
  EXPECT_EQ(values("{log: {from: 100, to: 1000, count: 3, multiple_of: 64}}"),
            (Values{"128", "320", "1024"}));
  EXPECT_EQ(values("{log: {from: 0.5, to: 2, count: 3}}"), (Values{"0.5", "1", "2"}));
}

TEST(SweepFile, RefusesValues) {
  EXPECT_EQ(value_refusal("{range: {from: 5, to: 4}}"),
            "dir/s.yaml:4:30: parameters.a.b.range.to: must be at least from = 5, got 4");
  EXPECT_EQ(value_refusal("{range: {from: 1, to: 4, step: 0}}"),
            "dir/s.yaml:4:39: parameters.a.b.range.step: must be above 0, got 0");
  EXPECT_EQ(value_refusal("{range: {from: 0, to: 1000000}}"),
            "dir/s.yaml:4:16: parameters.a.b.range.step: must leave at most 10000 values, got "
            "1000001");
  EXPECT_EQ(value_refusal("{powers_of_two: {from: 3, to: 8}}"),
            "dir/s.yaml:4:31: parameters.a.b.powers_of_two.from: must be a power of two, got 3");
  EXPECT_EQ(value_refusal("{powers_of_two: {from: 0, to: 8}}"),
            "dir/s.yaml:4:31: parameters.a.b.powers_of_two.from: must be a power of two, got 0");
  EXPECT_EQ(value_refusal("{log: {from: 0, to: 8, count: 3}}"),
            "dir/s.yaml:4:21: parameters.a.b.log.from: must be above 0, got 0");
  EXPECT_EQ(value_refusal("{log: {from: 1, to: 8, count: 1}}"),
            "dir/s.yaml:4:38: parameters.a.b.log.count: must be 2 to 10000, got 1");
  EXPECT_EQ(value_refusal("{}"),
            "dir/s.yaml:4:8: parameters.a.b: must have one of values, range, powers_of_two, log "
            "and expression, got 0");
  EXPECT_EQ(value_refusal("{values: [1], expression: '2'}"),
            "dir/s.yaml:4:8: parameters.a.b: must have one of values, range, powers_of_two, log "
            "and expression, got 2");
  EXPECT_EQ(value_refusal("{valeus: [1]}"),
            "dir/s.yaml:4:9: parameters.a.b.valeus: unknown key (did you mean `values`?)");
  EXPECT_EQ(value_refusal("[1, 2, 1]"), "dir/s.yaml:4:3: parameters.a.b: 1 is there twice");
  EXPECT_EQ(value_refusal("{expression: '1 +'}"),
            "dir/s.yaml:4:3: parameters.a.b: ends where a value is needed, column 4 of `1 +`");
  EXPECT_EQ(refusal("parameters: {rows: [1]}\n"),
            "dir/s.yaml:3:20: parameters.rows: must be `npu` or a key with its section "
            "(mac_array.rows), got no section");
}

TEST(SweepFile, RefusesOptions) {
  EXPECT_EQ(refusal("parameters: {model.dim.x: [0]}\n"),
            "dir/s.yaml:3:14: parameters.model.dim.x: must be an integer of at least 1, got 0");
  EXPECT_EQ(refusal("parameters: {run.attention: [fussed]}\n"),
            "dir/s.yaml:3:14: parameters.run.attention: must be one of auto, fused, unfused, got "
            "fussed (did you mean `fused`?)");
  EXPECT_EQ(refusal("parameters: {model.fuse: [yes]}\n"),
            "dir/s.yaml:3:14: parameters.model.fuse: must be true or false, got yes");
  EXPECT_EQ(refusal("parameters: {run.sample: [1]}\n"),
            "dir/s.yaml:3:14: parameters.run.sample: no option run.sample (did you mean "
            "`run.samples`?); known are model.precision, model.weights, model.fuse, "
            "run.timing_only, run.simulate_all, run.attention, run.references, run.samples, "
            "run.calibration and model.dim.NAME");
  EXPECT_EQ(refusal("run: {sample: 1}\n"),
            "dir/s.yaml:3:7: run.sample: unknown key (did you mean `samples`?)");
  EXPECT_EQ(refusal("run: {labels: [a.npy, b.npy]}\n"),
            "dir/s.yaml:3:15: run.labels: must be a single value, got a list");
  EXPECT_EQ(refusal("run: {samples: 0}\n"),
            "dir/s.yaml: run.samples: must be an integer of at least 1, got 0");
}

TEST(SweepFile, RefusesStructure) {
  EXPECT_EQ(refusal("bogus: 1\n"), "dir/s.yaml:3:1: bogus: unknown key");
  EXPECT_EQ(error_of([] { (void)parse("sweep: s\nmodels: [a, {model: x/a.tflite}]\n"); }),
            "dir/s.yaml:2:21: models[1].model: a is there twice: give one a `label`");
  EXPECT_EQ(refusal("objectives: [latency]\n"),
            "dir/s.yaml:3:13: objectives: must be metrics, got latency");
  EXPECT_EQ(refusal("objectives: [cycle]\n"),
            "dir/s.yaml:3:13: objectives: must be metrics, got cycle (did you mean `cycles`?)");
  EXPECT_EQ(refusal("objectives: [cycles, cycles]\n"),
            "dir/s.yaml:3:13: objectives: cycles is there twice");
  EXPECT_EQ(refusal("search: {method: nsga2, population: 10}\n"),
            "dir/s.yaml:3:37: search.population: must be a multiple of 4, got 10");
  const std::string two = "parameters: {a.a: [1], a.b: [1, 2]}\nsearch: {method: nsga2}\n";
  EXPECT_EQ(refusal(two + "objectives: cycles\n"),
            "dir/s.yaml:5:13: objectives: must be at least two for nsga2, got one");
  EXPECT_EQ(refusal("parameters: {a.a: [1], a.b: {expression: '1'}}\nsearch: {method: nsga2}\n"),
            "dir/s.yaml:4:9: search: nsga2 needs a parameter of at least two values, got none");
  EXPECT_EQ(refusal("search: {method: nsga2}\n"),
            "dir/s.yaml:3:9: search: nsga2 needs a parameter of at least two values, got none");
  EXPECT_EQ(parse(kHead + two).search.method, Method::kNsga2);
  EXPECT_EQ(refusal("search: {method: nsga}\n"),
            "dir/s.yaml:3:18: search.method: must be one of grid, random, nsga2, got nsga (did "
            "you mean `nsga2`?)");
  EXPECT_EQ(refusal("limits: {seconds_per_point: 0}\n"),
            "dir/s.yaml:3:29: limits.seconds_per_point: must be 1 to 604800, got 0");
  EXPECT_EQ(error_of([] { (void)parse("sweep: " + std::string(101, 'x') + "\nmodels: [m]\n"); }),
            "dir/s.yaml:1:8: sweep: must be a name of at most 100 bytes");
}

TEST(SweepFile, RefusesZips) {
  const std::string two = "parameters: {a.a: [1, 2], a.b: [1], a.c: {expression: '1'}, a.d: [3]}\n";
  EXPECT_EQ(refusal(two + "zip: a.a\n"),
            "dir/s.yaml:4:6: zip: must be a list of lists of parameters, got a.a");
  EXPECT_EQ(refusal(two + "zip: [a.a]\n"),
            "dir/s.yaml:4:7: zip: must be lists of at least two parameters, got a.a");
  EXPECT_EQ(refusal(two + "zip: [[a.a, a.x]]\n"),
            "dir/s.yaml:4:13: zip: a.x is no parameter of this sweep (did you mean `a.a`?)");
  EXPECT_EQ(refusal(two + "zip: [[a.a, a.c]]\n"),
            "dir/s.yaml:4:13: zip: a.c is derived by an expression");
  EXPECT_EQ(refusal(two + "zip: [[a.a, a.b]]\n"),
            "dir/s.yaml:4:13: zip: lists that advance together are equally long: a.a has 2 values, "
            "a.b has 1");
  EXPECT_EQ(refusal(two + "zip: [[a.b, a.b]]\n"), "dir/s.yaml:4:13: zip: a.b is there twice");
  EXPECT_EQ(refusal(two + "zip: [[a.b, a.d], [a.d, a.b]]\n"),
            "dir/s.yaml:4:20: zip: a.d is there twice");
}

TEST(SweepFile, DerivedValuesStandInTheirOrder) {
  EXPECT_EQ(
      refusal("parameters: {a.a: {expression: 'a.b'}, a.b: {expression: '1'}}\n"),
      "dir/s.yaml:3:14: parameters.a.a: a.b is derived by an expression itself and must stand "
      "above");
  EXPECT_EQ(
      refusal("parameters: {a.a: {expression: 'a.a'}}\n"),
      "dir/s.yaml:3:14: parameters.a.a: a.a is derived by an expression itself and must stand "
      "above");
}

}  // namespace
}  // namespace npu::sweep
