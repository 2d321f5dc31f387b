// Networks of equal blocks: repeated layers simulated once against all of them simulated.
#include <gtest/gtest.h>

#include <random>

#include "kernels/lowering/compile.h"
#include "sim/core/machine.h"
#include "sim/power/ledger.h"
#include "tests/support/random_config.h"
#include "tests/support/simulate.h"
#include "workloads/graph/network_builder.h"

namespace npu {
namespace {

using graph::NetworkBuilder;
using graph::OpKind;
using graph::TensorId;

constexpr double kAgreement = 0.005;

std::uint64_t pick(std::mt19937_64& rng, std::uint64_t low, std::uint64_t high) {
  return low + rng() % (high - low + 1);
}

std::int64_t size(std::mt19937_64& rng, std::uint64_t low, std::uint64_t high) {
  return static_cast<std::int64_t>(pick(rng, low, high));
}

/// One to four operators; the same for every block of a network.
struct Block {
  std::vector<std::uint64_t> operators;
  std::int64_t inner = 1;

  explicit Block(std::mt19937_64& rng) : inner(size(rng, 16, 300)) {
    for (std::uint64_t i = pick(rng, 1, 4); i > 0; --i) operators.push_back(rng() % 5);
  }

  TensorId dense(NetworkBuilder& net, TensorId x) const {
    const std::int64_t width = net.shape(x)[1];
    for (const std::uint64_t op : operators) {
      if (op == 0) x = net.binary(OpKind::kAdd, x, net.fully_connected(x, width));
      if (op == 1) x = net.fully_connected(net.fully_connected(x, inner), width);
      if (op == 2) x = net.softmax(x);
      if (op == 3) x = net.binary(OpKind::kMul, x, net.unary(OpKind::kLogistic, x));
      if (op == 4) x = net.fully_connected(x, width, graph::Activation::kRelu);
    }
    return x;
  }

  TensorId image(NetworkBuilder& net, TensorId x) const {
    const std::int64_t channels = net.shape(x)[3];
    for (const std::uint64_t op : operators) {
      if (op == 0) x = net.binary(OpKind::kAdd, x, net.conv(x, channels, window(1)));
      if (op == 1) x = net.conv(net.conv(x, inner, window(1)), channels, window(1));
      if (op == 2) x = net.depthwise(x, window(3));
      if (op == 3) x = net.unary(OpKind::kLeakyRelu, x);
      if (op == 4) x = net.conv(x, channels, window(3));
    }
    return x;
  }

  static graph::Window window(int kernel) { return graph::square_window(kernel, 1, kernel / 2); }
};

/// Something in front, blocks in one or two runs, something behind.
graph::Graph network(std::mt19937_64& rng) {
  NetworkBuilder net("blocks");
  const bool is_image = rng() % 2 == 0;
  TensorId x = is_image ? net.input({1, size(rng, 6, 14), size(rng, 6, 14), size(rng, 8, 48)})
                        : net.input({size(rng, 1, 64), size(rng, 32, 400)});
  for (std::uint64_t runs = pick(rng, 1, 2); runs > 0; --runs) {
    x = is_image ? net.conv(x, size(rng, 8, 64), graph::square_window(1, 1, 0))
                 : net.fully_connected(x, size(rng, 32, 400));
    const Block block(rng);
    for (std::uint64_t i = pick(rng, 12, 60); i > 0; --i) {
      x = is_image ? block.image(net, x) : block.dense(net, x);
    }
  }
  return net.finish({net.fully_connected(x, 10)});
}

/// As `npusim run --timing-only` does it: again with more where it was not steady.
test::Simulation repeated_once(const NpuConfig& config, const graph::Graph& graph) {
  for (int effort = 1;; effort = kernels::next_effort(effort)) {
    kernels::Compiled compiled =
        kernels::compile(graph, config, {.timing_only = true, .repeat_effort = effort});
    RunStats stats;
    {
      Machine machine(config, std::move(compiled.program), {.timing_only = true});
      machine.run();
      stats = machine.stats();
    }
    Machine::reset_kernel();
    test::Simulation s;
    for (const LayerStats& l : stats.layers) s.dram_bytes += l.dram_read_bytes + l.dram_write_bytes;
    if (effort > 0 && !compiled.repeats.is_steady(stats.span_cycles(), stats.run_cycles.back())) {
      continue;
    }
    s.outcome = test::Outcome::kDone;
    s.total_cycles = stats.total_cycles;
    s.macs = stats.simulated_cycles;
    s.ledger_pj =
        make_ledger(config.energy, config.clock, stats.events, stats.total_cycles).total_pj();
    s.buckets_close = true;
    for (const UnitStats& u : stats.units) {
      s.buckets_close &= u.timeline.accounted() == stats.total_cycles;
    }
    for (const PowerSample& p : stats.power) {
      for (const double watts : p.watts) {
        s.power_pj += watts * static_cast<double>((p.end_cycle - p.begin_cycle) * p.repeats) *
                      static_cast<double>(config.clock.period_ps());
      }
    }
    return s;
  }
}

/// Few layers of many tiles each.
graph::Graph long_layers(std::mt19937_64& rng) {
  NetworkBuilder net("long");
  if (rng() % 2 == 0) {
    TensorId x = net.input({size(rng, 1, 8), size(rng, 500, 3000)});
    x = net.fully_connected(x, size(rng, 2000, 8000));
    return net.finish({net.fully_connected(x, size(rng, 64, 512))});
  }
  const std::int64_t edge = size(rng, 40, 120);
  TensorId x = net.input({1, edge, edge, size(rng, 4, 32)});
  x = net.conv(x, size(rng, 16, 96), graph::square_window(3, 1, 1));
  x = net.depthwise(x, graph::square_window(3, 1, 1));
  x = net.unary(OpKind::kLeakyRelu, x);
  return net.finish({net.conv(x, size(rng, 16, 96), graph::square_window(1, 1, 0))});
}

/// Repeats simulated once against all of them simulated.
void check(const NpuConfig& config, const graph::Graph& graph) {
  const auto once = test::in_child([&] { return repeated_once(config, graph); }, 300);
  ASSERT_EQ(once.outcome, test::Outcome::kDone) << once.message;
  kernels::Compiled all = kernels::compile(graph, config, {.timing_only = true});
  const auto each = test::simulate(config, all.program, {}, {.timing_only = true});
  ASSERT_EQ(each.outcome, test::Outcome::kDone) << each.message;
  const auto agree = [](double a, double b) { return std::abs(a - b) <= kAgreement * b; };
  EXPECT_TRUE(agree(static_cast<double>(once.total_cycles), static_cast<double>(each.total_cycles)))
      << once.total_cycles << " of " << each.total_cycles << " cycles, simulated " << once.macs;
  EXPECT_TRUE(agree(once.ledger_pj, each.ledger_pj))
      << once.ledger_pj << " of " << each.ledger_pj << " pJ";
  EXPECT_TRUE(agree(static_cast<double>(once.dram_bytes), static_cast<double>(each.dram_bytes)))
      << once.dram_bytes << " of " << each.dram_bytes << " bytes";
  EXPECT_TRUE(once.buckets_close);
  EXPECT_NEAR(once.power_pj, once.ledger_pj, 1e-9 * once.ledger_pj);
  if (std::getenv("NPUSIM_SHOW") != nullptr) {
    fmt::print(
        "{:.4f} % of cycles, simulated {:.1f} %, {} cycles\n",
        100.0 *
            (static_cast<double>(once.total_cycles) / static_cast<double>(each.total_cycles) - 1),
        100.0 * static_cast<double>(once.macs) / static_cast<double>(once.total_cycles),
        each.total_cycles);
  }
}

class RepeatsProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RepeatsProperty, AgreeWithAllOfThemSimulated) {
  std::mt19937_64 rng(GetParam());
  for (int i = 0; i < 4; ++i) {
    SCOPED_TRACE(fmt::format("seed {} network {}", GetParam(), i));
    const NpuConfig config = test::random_config(rng);
    check(config, network(rng));
  }
}

TEST_P(RepeatsProperty, TilesOfLongLayersAgreeWithAllOfThemSimulated) {
  std::mt19937_64 rng(GetParam() + 1000);
  for (int i = 0; i < 2; ++i) {
    SCOPED_TRACE(fmt::format("seed {} network {}", GetParam(), i));
    NpuConfig config = test::random_config(rng);
    config.scratchpad.capacity_bytes *= 16;  // For tiles of many bytes.
    config.accumulator.capacity_bytes *= 16;
    check(config, long_layers(rng));
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, RepeatsProperty, testing::Range<std::uint64_t>(0, 12));

}  // namespace
}  // namespace npu
