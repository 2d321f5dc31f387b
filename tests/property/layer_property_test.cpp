// Random layers on random NPUs: what the simulator promises, for every seed.

#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/lowering/compile.h"
#include "tests/property/check_layer.h"
#include "tests/support/random_config.h"
#include "tests/support/random_graph.h"
#include "workloads/graph/network_builder.h"

namespace npu::test {
namespace {

using graph::OpKind;

struct Kind {
  OpKind op;
  DType type;
};

/// Every operator that the NPU runs with every activation type that it has there.
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds = [] {
    std::vector<Kind> all;
    for (int op = 0; op <= static_cast<int>(OpKind::kSvdf); ++op) {
      for (const DType type : layer_types(static_cast<OpKind>(op))) {
        std::mt19937_64 rng(1);
        const graph::Graph sample = random_layer(rng, static_cast<OpKind>(op), type);
        if (kernels::place_of(sample, sample.nodes[0]) != kernels::Place::kNpu) continue;
        all.push_back({static_cast<OpKind>(op), type});
      }
    }
    return all;
  }();
  return kKinds;
}

class LayerProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(LayerProperty, ExactRaceFreeClosedAndRepeatable) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    const std::uint64_t seed = GetParam() * std::uint64_t{10} + i;
    std::mt19937_64 rng(seed);
    const Kind kind = kinds()[seed % kinds().size()];
    // Mostly small; every fifth layer is too large for the smaller scratchpads.
    const int size = seed % 5 == 0 ? 48 : 12;
    SCOPED_TRACE(fmt::format("seed {}: {} {}", seed, name_of(kind.op), name_of(kind.type)));
    const graph::Graph graph = random_layer(rng, kind.op, kind.type, size);
    const std::vector<TensorData> inputs = random_inputs(rng, graph);
    check_layer(graph, inputs, random_config(rng));
    if (HasFatalFailure()) return;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, LayerProperty, testing::Range<std::uint64_t>(0, 60));

TEST(PaddedLayer, TilesOfPaddingAloneAreExact) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 rng(seed);
    const auto pick = [&](int low, int high) {
      return low + static_cast<int>(rng() % static_cast<std::uint64_t>(high - low + 1));
    };
    graph::Window w = graph::square_window(pick(1, 3), pick(1, 4), 0);
    w.pad_top = pick(0, 6);
    w.pad_bottom = pick(0, 12);
    w.pad_left = pick(0, 6);
    w.pad_right = pick(0, 12);
    graph::NetworkBuilder net("padded", graph::Payload::kRequired);
    const graph::TensorId x = net.input({1, pick(3, 12), pick(3, 12), pick(1, 20)});
    graph::Graph graph = net.finish({net.conv(x, pick(1, 40), w)});
    for (graph::Tensor& t : graph.tensors) {
      for (std::byte& b : t.data) b = static_cast<std::byte>(pick(0, 255));
    }
    check_layer(graph, random_inputs(rng, graph), random_config(rng));
    if (HasFatalFailure()) return;
  }
}

class PresetProperty : public testing::TestWithParam<const char*> {};

TEST_P(PresetProperty, EveryOperatorRuns) {
  const NpuConfig config =
      load_npu_config(fmt::format("{}/configs/npu/{}.yaml", NPUSIM_SOURCE_DIR, GetParam()));
  std::uint64_t seed = 1000;
  for (const Kind& kind : kinds()) {
    std::mt19937_64 rng(++seed);
    SCOPED_TRACE(fmt::format("seed {}: {} {}", seed, name_of(kind.op), name_of(kind.type)));
    const graph::Graph graph = random_layer(rng, kind.op, kind.type, 24);
    check_layer(graph, random_inputs(rng, graph), config);
    if (HasFatalFailure()) return;
  }
}
INSTANTIATE_TEST_SUITE_P(Presets, PresetProperty,
                         testing::Values("edge", "gemmini_16x16", "nvdla_small", "ethos_u55_256",
                                         "tpu_v1", "davinci"),
                         [](const auto& instance) { return std::string(instance.param); });

class NetworkProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(NetworkProperty, ExactRaceFreeClosedAndRepeatable) {
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::uint64_t seed = GetParam() * std::uint64_t{4} + i;
    std::mt19937_64 rng(seed);
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const graph::Graph graph = random_network(rng, i == 0 ? 40 : 12);
    const std::vector<TensorData> inputs = random_inputs(rng, graph);
    check_layer(graph, inputs, random_config(rng));
    if (HasFatalFailure()) return;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, NetworkProperty, testing::Range<std::uint64_t>(0, 15));

}  // namespace
}  // namespace npu::test
