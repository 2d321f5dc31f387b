// Small mistakes in good programs: those that change the result are caught, and the instruction is
// named.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <regex>

#include "isa/unroll.h"
#include "kernels/lowering/compile.h"
#include "kernels/reference/reference.h"
#include "sim/base/npy.h"
#include "sim/core/hazard_checker.h"
#include "tests/support/mutate.h"
#include "tests/support/race_oracle.h"
#include "tests/support/random_config.h"
#include "tests/support/random_graph.h"
#include "tests/support/simulate.h"
#include "workloads/importers/tflite.h"
#include "workloads/passes/passes.h"

namespace npu::test {
namespace {

using graph::OpKind;

/// Where a good program comes from. No preset: a random NPU.
struct Source {
  const char* name;
  const char* preset;
  std::optional<OpKind> layer;  ///< Otherwise a random network.
  DType type = DType::kInt8;
  int size = 12;
  std::uint64_t seed = 0;
};

constexpr auto kDigits = "digits";
constexpr std::array kSources = {
    Source{"conv", nullptr, OpKind::kConv2d, DType::kInt8, 32, 0},
    Source{"depthwise", "gemmini_16x16", OpKind::kDepthwiseConv2d, DType::kInt8, 40, 1},
    Source{"fully_connected", nullptr, OpKind::kFullyConnected, DType::kInt16, 64, 2},
    Source{"transpose_conv", "nvdla_small", OpKind::kTransposeConv, DType::kInt8, 24, 3},
    Source{"add", "ethos_u55_256", OpKind::kAdd, DType::kInt8, 40, 4},
    Source{"average_pool", nullptr, OpKind::kAveragePool2d, DType::kUint8, 32, 5},
    Source{"concatenation", "davinci", OpKind::kConcatenation, DType::kInt8, 32, 6},
    Source{"softmax", "tpu_v1", OpKind::kSoftmax, DType::kInt8, 24, 7},
    Source{"network", nullptr, std::nullopt, DType::kInt8, 20, 408},
    Source{"network_edge", "edge", std::nullopt, DType::kInt8, 16, 9},
    Source{kDigits, "edge", std::nullopt},
};

NpuConfig config_of(const Source& source, std::mt19937_64& rng) {
  if (source.preset == nullptr) return random_config(rng);
  return load_npu_config(fmt::format("{}/configs/npu/{}.yaml", NPUSIM_SOURCE_DIR, source.preset));
}

/// A program that computes its network, and how it does.
struct Good {
  graph::Graph network;
  NpuConfig config;
  isa::Program program;
  std::map<std::int32_t, TensorData> inputs;
  reference::Values expected;
  Simulation run;
};

/// The first sample of the test set.
TensorData digit(const graph::Tensor& input) {
  const TensorData all =
      read_npy(fmt::format("{}/workloads/models/digits/test_images.npy", NPUSIM_SOURCE_DIR));
  TensorData one{.type = all.type, .shape = input.shape, .bytes = all.bytes};
  one.bytes.resize(static_cast<std::size_t>(input.bytes()));
  return one;
}

Good make_good(const Source& source) {
  std::mt19937_64 rng(source.seed);
  Good good;
  std::vector<TensorData> inputs;
  if (std::string_view(source.name) == kDigits) {
    good.network = importers::load_tflite(
        fmt::format("{}/workloads/models/digits/digits_int8.tflite", NPUSIM_SOURCE_DIR));
    inputs = {digit(good.network.tensor(good.network.inputs[0]))};
  } else {
    good.network = source.layer ? random_layer(rng, *source.layer, source.type, source.size)
                                : random_network(rng, source.size);
    inputs = random_inputs(rng, good.network);
  }
  good.config = config_of(source, rng);
  graph::Graph mapped = good.network;
  (void)passes::fuse(mapped);
  good.program = kernels::compile(mapped, good.config, {}).program;
  for (std::size_t i = 0; i < inputs.size(); ++i) good.inputs[good.network.inputs[i]] = inputs[i];
  good.expected = reference::run_integer(good.network, inputs);
  good.run = simulate(good.config, good.program, good.inputs, {});
  return good;
}

/// Tensors that the compiler adds have no reference.
bool differs(const Good& good, std::int32_t id, const std::vector<std::byte>& bytes) {
  const auto at = static_cast<std::size_t>(id);
  return at < good.expected.tensors.size() && bytes != good.expected.tensors[at].bytes;
}

/// The first tensor, as the program makes them, that is not the reference's, as `npusim run`
/// compares them; the output that differs if none of them does.
const isa::TensorRecord* first_mismatch(const Good& good, const Simulation& run) {
  std::vector<const isa::TensorRecord*> order;
  for (const isa::TensorRecord& t : good.program.tensors) order.push_back(&t);
  std::ranges::stable_sort(order, {}, &isa::TensorRecord::ready_after);
  for (const isa::TensorRecord* t : order) {
    const auto& bytes = run.tensors.at(t->id);
    if (!bytes.empty() && differs(good, t->id, bytes)) return t;
  }
  for (const isa::TensorRecord* t : order) {
    const auto at = run.outputs.find(t->id);
    if (at != run.outputs.end() && differs(good, t->id, at->second)) return t;
  }
  return nullptr;
}

bool names_instruction(const std::string& message) {
  static const std::regex kPattern("instruction \\d+");
  return std::regex_search(message, kPattern);
}

struct Tally {
  int mutants = 0;
  int changed = 0;   ///< The result, when nothing is checked before the run.
  int refused = 0;   ///< Of those: before the run, or at an instruction in it, …
  int deadlock = 0;  ///< … by the deadlock diagnosis, …
  int compared = 0;  ///< … by the comparison, …
  int placed = 0;    ///< … which names an instruction of the layer that has the mistake.
  int latent = 0;    ///< Refused although this run's timing gives the right result.

  [[nodiscard]] int caught() const { return refused + deadlock + compared; }
  Tally& operator+=(const Tally& other) {
    mutants += other.mutants;
    changed += other.changed;
    refused += other.refused;
    deadlock += other.deadlock;
    compared += other.compared;
    placed += other.placed;
    latent += other.latent;
    return *this;
  }
};

void print(std::string_view name, const Tally& t) {
  fmt::print(
      "{:24} {:4} mutants, {:4} change the result: {:3} refused, {:3} deadlock, {:3} compared "
      "({:3} in its layer); "
      "{:3} refused that happen to be right\n",
      name, t.mutants, t.changed, t.refused, t.deadlock, t.compared, t.placed, t.latent);
}

bool stopped(const Simulation& run) {
  return run.outcome == Outcome::kError || run.outcome == Outcome::kRunFault;
}

Tally assess(const Good& good, const Mutant& mutant) {
  Tally tally{.mutants = 1};
  const Simulation checked = simulate(good.config, mutant.program, good.inputs, {});
  const Simulation free = stopped(checked) ? simulate(good.config, mutant.program, good.inputs,
                                                      {.check_hazards = false})
                                           : checked;
  for (const Simulation* run : {&checked, &free}) {
    EXPECT_TRUE(run->outcome == Outcome::kDone || stopped(*run))
        << static_cast<int>(run->outcome) << ' ' << run->message;
    if (stopped(*run)) {
      EXPECT_TRUE(names_instruction(run->message)) << run->message;
    }
  }
  const bool changes = stopped(free) || free.outputs != good.run.outputs;
  tally.changed = changes ? 1 : 0;
  if (stopped(checked)) {
    const bool deadlock = checked.message.starts_with("deadlock");
    EXPECT_TRUE(changes || !deadlock) << checked.message;
    (changes ? (deadlock ? tally.deadlock : tally.refused) : tally.latent) = 1;
    return tally;
  }
  const isa::TensorRecord* mismatch = first_mismatch(good, checked);
  if (mismatch == nullptr) return tally;
  EXPECT_GE(mismatch->ready_after, 0) << "no instruction to name for tensor " << mismatch->name;
  if (!changes) return tally;
  tally.compared = 1;
  const auto layer = [&](std::size_t index) { return mutant.program.layer_of.at(index); };
  if (layer(static_cast<std::size_t>(mismatch->ready_after)) == layer(mutant.index)) {
    tally.placed = 1;
  }
  return tally;
}

class Mutation : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    good_ = make_good(kSources.at(GetParam()));
    ASSERT_EQ(good_.run.outcome, Outcome::kDone) << good_.run.message;
    ASSERT_EQ(first_mismatch(good_, good_.run), nullptr);
    ASSERT_FALSE(good_.run.outputs.empty());
  }
  Good good_;
};

TEST_P(Mutation, WhatChangesTheResultIsCaught) {
  constexpr int kPerMistake = 12;
  std::mt19937_64 rng(1000 + GetParam());
  Draw draw(rng);
  Tally all;
  for (int m = 0; m < kMistakeCount; ++m) {
    const auto mistake = static_cast<Mistake>(m);
    Tally tally;
    for (int i = 0; i < kPerMistake; ++i) {
      const std::optional<Mutant> mutant = mutate(good_.program, mistake, draw);
      if (!mutant) break;
      SCOPED_TRACE(mutant->what);
      tally += assess(good_, *mutant);
    }
    print(name_of(mistake), tally);
    all += tally;
  }
  print("total", all);
  EXPECT_GE(all.mutants, 30);
  EXPECT_GE(all.changed, all.mutants / 3);
  EXPECT_GE(all.caught(), 0.95 * all.changed);
  EXPECT_GE(all.refused + all.deadlock, 0.3 * all.changed);
  EXPECT_GE(all.placed, 0.75 * all.compared);
}

/// The order that a pair of tokens gives is needed exactly where its loss leaves a race, whatever
/// this run's timing makes of it.
TEST_P(Mutation, DroppedPairsAreCaughtExactlyWhereTheyLeaveARace) {
  constexpr std::int64_t kMostInstructions = 1500;
  constexpr std::size_t kMostPairs = 120;
  const std::int64_t instructions = isa::Unroller(good_.program.code).dynamic_count();
  ASSERT_LE(instructions, kMostInstructions);
  ASSERT_FALSE(has_race(good_.program));
  const std::vector<TokenPair> pairs = token_pairs(good_.program);
  ASSERT_GE(pairs.size(), 1U);
  const std::size_t step = (pairs.size() + kMostPairs - 1) / kMostPairs;
  int dropped = 0;
  int caught = 0;
  for (std::size_t i = 0; i < pairs.size(); i += step) {
    SCOPED_TRACE(fmt::format("instruction {} to {}", pairs[i].giver, pairs[i].taker));
    const isa::Program program = without(good_.program, pairs[i]);
    std::string message;
    try {
      check_program(program, good_.config);
    } catch (const RunFault& fault) {
      message = fault.what();
    }
    EXPECT_EQ(message.starts_with("hazard: instruction "), has_race(program)) << message;
    ++dropped;
    caught += message.empty() ? 0 : 1;
  }
  fmt::print("{} instructions, {} pairs dropped, {} leave a race and are caught\n", instructions,
             dropped, caught);
  EXPECT_GE(caught, 1);
}

INSTANTIATE_TEST_SUITE_P(Sources, Mutation, testing::Range(std::size_t{0}, kSources.size()),
                         [](const auto& instance) {
                           return std::string(kSources.at(instance.param).name);
                         });

}  // namespace
}  // namespace npu::test
