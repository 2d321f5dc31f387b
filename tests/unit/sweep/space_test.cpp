#include "sim/sweep/space.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "sim/base/file.h"
#include "tests/unit/base/expect_error.h"
#include "tests/unit/sweep/sweep_maker.h"

namespace npu::sweep {
namespace {

using test::Made;

const std::string kConfigs = std::string(NPUSIM_SOURCE_DIR) + "/configs/";

/// The edge preset with parts of its text replaced.
std::string edge(const std::vector<std::pair<std::string, std::string>>& changes) {
  std::string text = read_file(kConfigs + "npu/edge.yaml", 1 << 20);
  const auto replace = [&](const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  };
  for (const auto& [from, to] : changes) replace(from, to);
  replace("../energy", kConfigs + "energy");
  replace("../dram", kConfigs + "dram");
  return text;
}
/// On a DRAM of fixed latency whose values the device file has.
std::string fixed_latency_edge(int rows) {
  return edge({{"rows: 32", fmt::format("rows: {}", rows)},
               {"lpddr4_3200_x16", "fixed_latency"},
               {"  channels: 2\n  source: \"assumed: one 32-bit", "  source: \"one 32-bit"}});
}

TEST(Space, LastAxisIsTheFastest) {
  const Made made("parameters: {mac_array.rows: [8, 16], dma.channels: [2, 3, 4]}\n");
  EXPECT_EQ(made.space->size(), 6U);
  EXPECT_EQ(made.point(0), "8 2");
  EXPECT_EQ(made.point(1), "8 3");
  EXPECT_EQ(made.point(5), "16 4");
  EXPECT_EQ(made.space->candidate(0, {1, 2}), 5U);
  EXPECT_EQ(chosen_candidates(made.sweep, *made.space).size(), 6U);
}

TEST(Space, ZippedParametersAdvanceTogether) {
  const Made made(
      "parameters: {mac_array.rows: [8, 16], dma.channels: [2, 3], vector_unit.lanes: [4, 5]}\n"
      "zip: [[vector_unit.lanes, mac_array.rows]]\n");
  EXPECT_EQ(made.space->size(), 4U);
  EXPECT_EQ(made.point(1), "8 3 4");
  EXPECT_EQ(made.point(2), "16 2 5");
}

TEST(Space, DerivesAndExcludes) {
  const Made made(
      "parameters:\n"
      "  mac_array.rows: [8, 16, 32]\n"
      "  mac_array.cols: {expression: 'min(mac_array.rows, 16)'}\n"
      "  vector_unit.lanes: {expression: 'mac_array.cols * 2 + dma.channels'}\n"
      "when: ['mac_array.rows != 16', \"model == 'net'\", \"mac_array.dataflow == "
      "'weight_stationary'\"]\n");
  EXPECT_EQ(made.point(0), "8 8 20");
  EXPECT_EQ(made.point(1), "-");
  EXPECT_EQ(made.point(2), "32 16 36");
  EXPECT_EQ(chosen_candidates(made.sweep, *made.space), (std::vector<std::uint64_t>{0, 2}));
}

TEST(Space, NamesThePointOfAFault) {
  const Made made(
      "parameters: {mac_array.rows: [8, 16], mac_array.cols: {expression: '8 / (mac_array.rows - "
      "16)'}}\n");
  EXPECT_EQ(made.point(0), "8 -1");
  EXPECT_THAT(error_of([&] { (void)made.point(1); }),
              testing::AllOf(testing::HasSubstr("s.yaml:3:39: parameters.mac_array.cols: "),
                             testing::EndsWith("; at model = net, mac_array.rows = 16")));
}

TEST(Space, RefusesNamesThatNothingHas) {
  const auto refusal = [](const std::string& rest) {
    return error_of([&] { const Made made(rest); });
  };
  EXPECT_THAT(refusal("when: [mac_array.rowz > 1]\n"), testing::HasSubstr("s.yaml:3:1: when: "));
  EXPECT_THAT(refusal("when: [mac_array.rowz > 1]\n"),
              testing::HasSubstr("mac_array.rowz: the configuration has no such value (did you "
                                 "mean `mac_array.rows`?)"));
  EXPECT_THAT(refusal("when: [systolic == 1]\n"),
              testing::HasSubstr("systolic is no parameter of this sweep and no value of the "
                                 "configuration; texts stand in ''"));
}

TEST(Space, NamesAreOfThePointsConfigurations) {
  const std::vector<Made::File> files = {{"a.yaml", fixed_latency_edge(8)},
                                         {"b.yaml", fixed_latency_edge(16)}};
  const Made made(
      "parameters: {npu: [./a.yaml, ./b.yaml]}\n"
      "when: dram.fixed_latency.read_latency_clocks * mac_array.rows < 500\n",
      "made", files);
  EXPECT_NE(made.point(0), "-");
  EXPECT_EQ(made.point(1), "-");
  EXPECT_THAT(error_of([&] {
                const Made none("parameters: {npu: [./a.yaml]}\nwhen: dram.timing == 1\n", "none",
                                files);
              }),
              testing::HasSubstr("a.yaml: dram.timing: the configuration has no such value"));
}

TEST(Space, IsBounded) {
  std::string huge = "parameters:\n";
  for (int i = 0; i < 5; ++i) huge += fmt::format("  a.b{}: {{range: {{from: 1, to: 9999}}}}\n", i);
  EXPECT_THAT(error_of([&] { const Made made(huge); }),
              testing::HasSubstr("s.yaml: parameters: at most 2^53 combinations, got more"));
  const std::string large =
      "parameters: {a.b: {range: {from: 1, to: 9999}}, a.c: {range: {from: 1, "
      "to: 9999}}}\n";
  const Made grid(large);
  EXPECT_THAT(error_of([&] { (void)chosen_candidates(grid.sweep, *grid.space); }),
              testing::HasSubstr("a grid walks at most 10000000 combinations, got 99980001: use "
                                 "search.method random or nsga2"));
  const Made few("parameters: {dma.channels: [2, 3, 4]}\nlimits: {points: 2}\n");
  EXPECT_THAT(error_of([&] { (void)chosen_candidates(few.sweep, *few.space); }),
              testing::HasSubstr("limits.points: the sweep has more than 2 points"));
  const Made none("parameters: {dma.channels: [2, 3, 4]}\nwhen: dma.channels > 4\n");
  EXPECT_THAT(error_of([&] { (void)chosen_candidates(none.sweep, *none.space); }),
              testing::HasSubstr("when: no point meets the conditions"));
  const Made many(
      "parameters: {dma.channels: [2]}\nsearch: {method: random, points: 9}\nlimits: {points: "
      "2}\n");
  EXPECT_THAT(error_of([&] { (void)chosen_candidates(many.sweep, *many.space); }),
              testing::HasSubstr("limits.points: the search asks for 9 points, 2 are allowed"));
}

TEST(Space, RandomPointsAreDifferentAndTheSeedsOwn) {
  const auto draw = [](const std::string& range, int seed) {
    const Made made(
        fmt::format("parameters: {{a.b: {{range: {{from: 1, to: {}}}}}, a.c: {{range: "
                    "{{from: 1, to: {}}}}}}}\n"
                    "when: a.b % 2 == 0\n"
                    "search: {{method: random, points: 30, seed: {}}}\n",
                    range, range, seed));
    return chosen_candidates(made.sweep, *made.space);
  };
  for (const std::string range : {"20", "9000"}) {  // Walked; drawn from.
    const auto points = draw(range, 1);
    EXPECT_EQ(points.size(), 30U);
    EXPECT_EQ(std::set<std::uint64_t>(points.begin(), points.end()).size(), 30U);
    EXPECT_EQ(points, draw(range, 1));
    EXPECT_NE(points, draw(range, 2));
  }
  EXPECT_EQ(draw("4", 1).size(), 8U);  // There are no more.
}

TEST(Resolver, EqualJobsHaveEqualHashes) {
  Made made("parameters: {mac_array.rows: [32, 16], run.attention: [auto, fused]}\n");
  made.resolver->check();
  std::set<std::string> hashes;
  for (std::uint64_t c = 0; c < 4; ++c) hashes.insert(made.planner().job(c).hash);
  EXPECT_EQ(hashes.size(), 4U);
  Made other("parameters: {run.attention: [fused, auto], mac_array.rows: [16, 32]}\n", "other");
  other.resolver->check();
  for (std::uint64_t c = 0; c < 4; ++c) {
    EXPECT_TRUE(hashes.contains(other.planner().job(c).hash)) << c;
  }
  const std::string before = made.planner().job(0).hash;
  std::ofstream(made.path("net.yaml")) << "another model\n";
  made.load();
  EXPECT_NE(made.planner().job(0).hash, before);
  std::ofstream(made.path("net.yaml")) << "a model\n";
  made.load();
  EXPECT_EQ(made.planner().job(0).hash, before);
  made.load("v2");
  EXPECT_NE(made.planner().job(0).hash, before);
}

TEST(Resolver, FilesBesideTheModelAreOfItsHash) {
  Made made("");
  const auto hash = [&](const std::string& weights) {
    if (!weights.empty()) std::ofstream(made.path("weights.bin")) << weights;
    made.load();
    made.resolver->check();
    return made.planner().job(0).hash;
  };
  const std::string alone = hash("one");
  made.external = {made.path("weights.bin")};
  const std::string one = hash("one"), two = hash("two");
  EXPECT_NE(one, alone);
  EXPECT_NE(one, two);
  EXPECT_EQ(hash("one"), one);
  std::ofstream(made.path("weights.bin")) << "two";
  EXPECT_EQ(made.planner().job(0).hash, one);  // Read once in a sweep.
  std::filesystem::remove(made.path("weights.bin"));
  EXPECT_NE(hash(""), one);
}

TEST(Resolver, RefusesKeysThatNoPointCanHave) {
  const auto refusal = [](const std::string& rest) {
    Made made(rest);
    return error_of([&] { made.resolver->check(); });
  };
  EXPECT_THAT(refusal("parameters: {mac_array.rosw: [1]}\n"),
              testing::AllOf(testing::HasSubstr("s.yaml:3:14: parameters.mac_array.rosw: "),
                             testing::HasSubstr("unknown key (did you mean `rows`?)")));
  EXPECT_THAT(refusal("parameters: {macarray.rows: [1]}\n"),
              testing::HasSubstr("the file has no section macarray"));
  EXPECT_THAT(refusal("parameters: {mac_array.rows.x: [1]}\n"),
              testing::HasSubstr("rows is 32, not a section"));
  EXPECT_THAT(refusal("parameters: {npu: [edge, nothing]}\n"), testing::HasSubstr("no such file"));
  EXPECT_THAT(refusal("parameters: {host.sources: [1]}\n"),
              testing::HasSubstr("sources is a mapping, not a value"));
  Made made("parameters: {mac_array.pipeline_latency_cycles: [-1]}\n");
  made.resolver->check();  // One point's fault.
  Made gone("");
  std::filesystem::remove(gone.path("net.yaml"));
  EXPECT_THAT(error_of([&] { gone.resolver->check(); }),
              testing::HasSubstr("net.yaml: no such file"));
}

TEST(Resolver, KeysAreOfThePointsConfigurations) {
  const std::string whole = edge({});
  const std::vector<Made::File> files = {{"a.yaml", fixed_latency_edge(8)},
                                         {"b.yaml", fixed_latency_edge(16)},
                                         {"bare.yaml", whole.substr(0, whole.find("\nhost:") + 1)}};
  const auto check = [&](const std::string& npus, const std::string& key) {
    Made made(fmt::format("npu: ./bare.yaml\nparameters: {{npu: [{}], {}: [2]}}\n", npus, key),
              "made", files);
    made.resolver->check();
  };
  const std::string both = "./a.yaml, ./b.yaml";
  check(both, "dram.fixed_latency.read_latency_clocks");
  check(both, "host.call_us");  // The base, which no point uses, has no host.
  EXPECT_THAT(error_of([&] { check(both, "dram.data_rate"); }),
              testing::AllOf(testing::HasSubstr("parameters.dram.data_rate: "),
                             testing::HasSubstr("a.yaml:"), testing::HasSubstr("unknown key")));
  check("./bare.yaml, ./b.yaml", "dram.data_rate");
  check("./bare.yaml, ./b.yaml", "host.call_us");
  EXPECT_THAT(error_of([&] { check("./bare.yaml", "host.call_us"); }),
              testing::HasSubstr("the file has no section host"));
}

}  // namespace
}  // namespace npu::sweep
