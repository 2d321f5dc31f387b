#include "tests/mapping/mapping_case.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "kernels/lowering/attention_expand.h"
#include "kernels/lowering/partition.h"
#include "kernels/mapper/mapping_reader.h"
#include "kernels/reference/reference.h"
#include "sim/core/hazard_checker.h"
#include "tests/support/random_config.h"
#include "tests/support/random_general.h"
#include "tests/support/random_graph.h"
#include "tests/support/simulate.h"

namespace npu::test {
namespace {

using graph::OpKind;
using std::int64_t;

/// One layer; every other one of those that are cut in more ways than most.
graph::Graph random_operator(std::mt19937_64& rng) {
  constexpr auto kTiled = std::to_array<OpKind>(
      {OpKind::kConv2d, OpKind::kDepthwiseConv2d, OpKind::kTransposeConv, OpKind::kFullyConnected,
       OpKind::kAveragePool2d, OpKind::kMaxPool2d, OpKind::kMean, OpKind::kSum, OpKind::kSvdf});
  for (;;) {
    const OpKind kind =
        rng() % 2 == 0 ? kTiled[rng() % kTiled.size()]
                       : static_cast<OpKind>(rng() % static_cast<std::uint64_t>(graph::kOpKinds));
    const std::vector<DType> types =
        kind > OpKind::kSvdf ? std::vector<DType>{} : layer_types(kind);
    const std::vector<DType> general = general_types(kind);
    if (types.empty() && general.empty()) continue;
    const bool first = general.empty() || (!types.empty() && rng() % 2 == 0);
    graph::Graph graph = first ? random_layer(rng, kind, types[rng() % types.size()], 14)
                               : random_general(rng, kind, general[rng() % general.size()], 12);
    if (graph.inputs.empty()) continue;
    if (kernels::place_of(graph, graph.nodes[0]) == kernels::Place::kNpu) return graph;
  }
}

class Chooser {
 public:
  explicit Chooser(std::mt19937_64& rng) : rng_(rng) {}

  bool one_in(std::uint64_t n) { return rng_() % n == 0; }
  int slots() { return static_cast<int>(1 + rng_() % 3); }
  /// 1 to n, often n, else about uniform in its logarithm.
  int64_t size(int64_t n) {
    if (n <= 1 || one_in(3)) return n;
    int64_t low = n;
    while (low > 1 && !one_in(3)) low = (low + 1) / 2;
    return std::min<int64_t>(n,
                             low + static_cast<int64_t>(rng_() % static_cast<std::uint64_t>(low)));
  }
  template <typename T>
  void maybe(std::optional<T>& field, T value) {
    if (!one_in(3)) field = value;
  }

 private:
  std::mt19937_64& rng_;
};

void decide_window(Chooser& choose, const mapper::LayerPlan& l, mapper::LayerDecision& d) {
  const mapper::WindowProblem& p = *l.window;
  choose.maybe(d.out_h, choose.size(p.out_h));
  choose.maybe(d.out_w, choose.size(p.out_w));
  if (p.kind == mapper::WindowKind::kDepthwise) {
    choose.maybe(d.out_c, p.multiplier * choose.size(p.out_c / p.multiplier));
  } else {
    choose.maybe(d.out_c, choose.size(p.out_c));
    if (p.kind != mapper::WindowKind::kPool) choose.maybe(d.in_c, choose.size(p.in_c));
  }
  choose.maybe(d.loop_order, choose.one_in(2) ? mapper::LoopOrder::kChannelsOuter
                                              : mapper::LoopOrder::kSpaceOuter);
  if (choose.one_in(3)) d.streamed = choose.one_in(2);
  if (p.kind != mapper::WindowKind::kPool && !d.streamed.value_or(false) && choose.one_in(3)) {
    d.acc_slots = choose.slots();
    d.streamed = false;
  }
  if (!l.products.lead.empty() && choose.one_in(2)) {
    d.images = choose.size(l.products.inner());
    if (*d.images > 1) d.out_w = d.out_c = d.in_c = std::nullopt;
  }
}

void decide_attention(Chooser& choose, const mapper::AttentionShape& s, mapper::LayerDecision& d) {
  choose.maybe(d.keys, choose.size(s.keys));
  if (choose.one_in(2)) {
    d.heads = choose.size(s.group);
    if (*d.heads > 1) return;
  }
  choose.maybe(d.rows, choose.size(s.rows));
}

void decide_softmax(Chooser& choose, int64_t row, mapper::LayerDecision& d) {
  choose.maybe(d.passes, choose.one_in(3) ? 3 : 2);
  if (d.passes.value_or(2) == 2) choose.maybe(d.block, choose.size(row));
}

}  // namespace

MappingCase random_case(std::uint64_t seed) {
  std::mt19937_64 rng(seed);
  MappingCase c;
  c.config = random_config(rng);
  for (int* cycles : {&c.config.mac_array.float16_cycles, &c.config.mac_array.bfloat16_cycles,
                      &c.config.mac_array.float32_cycles}) {
    *cycles = static_cast<int>(1 + rng() % 4);
  }
  switch (seed % 5) {
    case 0:
      c.graph = random_network(rng, seed % 2 == 0 ? 12 : 30);
      break;
    case 1:
      c.graph = random_matmul(rng, 16);
      break;
    case 2:
      c.graph = random_attention(rng, 14);
      c.attention =
          rng() % 2 == 0 ? kernels::AttentionVariant::kFused : kernels::AttentionVariant::kUnfused;
      break;
    default:
      c.graph = random_operator(rng);
  }
  c.what = fmt::format("seed {}: {} ({} nodes) on {} bytes", seed, name_of(c.graph.nodes[0].kind),
                       c.graph.nodes.size(), c.config.scratchpad.capacity_bytes);
  return c;
}

Mapped map_case(const MappingCase& c, const mapper::Decisions* decisions) {
  const std::vector<kernels::AttentionChoice> choices =
      kernels::choose_attention(c.graph, c.config, c.attention, decisions);
  Mapped m{kernels::expand_attention(kernels::split_rescaled_concatenations(c.graph), choices), {}};
  m.mapping = mapper::map_network(m.graph, c.config, kernels::partition(m.graph), decisions);
  return m;
}

mapper::Decisions decisions_of(const kernels::Compiled& compiled) {
  return mapper::MappingFile::parse(compiled.mapping_yaml, "mapping.yaml").decisions();
}

void expect_exact(const MappingCase& c, const mapper::Decisions& decisions, std::uint64_t seed) {
  const kernels::Compiled compiled =
      kernels::compile(c.graph, c.config, {.attention = c.attention, .decisions = &decisions});
  ASSERT_NO_THROW(check_program(compiled.program, c.config)) << "hazard or bounds";
  std::mt19937_64 rng(seed);
  const std::vector<TensorData> inputs = random_inputs(rng, c.graph);
  std::map<std::int32_t, TensorData> values;
  for (std::size_t i = 0; i < inputs.size(); ++i) values[c.graph.inputs[i]] = inputs[i];
  const Simulation run = simulate(c.config, compiled.program, values, {});
  ASSERT_EQ(run.outcome, Outcome::kDone) << run.message;
  graph::Graph rounded = c.graph;
  kernels::apply_roundings(rounded, compiled.program);
  const reference::Values expected = reference::run_integer(rounded, inputs);
  for (const graph::TensorId id : c.graph.outputs) {
    const auto it = run.tensors.find(id);
    ASSERT_NE(it, run.tensors.end());
    ASSERT_EQ(it->second, expected.tensors[static_cast<std::size_t>(id)].bytes) << "tensor " << id;
  }
}

mapper::Decisions random_decisions(std::mt19937_64& rng, const Mapped& mapped) {
  Chooser choose(rng);
  mapper::Decisions decisions;
  const mapper::Storages& storages = mapped.mapping.storages;
  for (const mapper::LayerPlan& l : mapped.mapping.layers) {
    if (choose.one_in(4)) continue;
    mapper::LayerDecision d{.layer = l.name};
    const graph::Node& node = mapped.graph.nodes[static_cast<std::size_t>(l.node)];
    if (l.window) {
      decide_window(choose, l, d);
    } else if (node.kind == OpKind::kAttention) {
      decide_attention(choose, mapper::attention_shape(mapped.graph, node), d);
    } else if (!l.box.chunk.empty()) {
      if (choose.one_in(2)) {
        d.box = l.box.chunk;
        for (int64_t& n : d.box) n = choose.size(n);
      }
    } else if (l.chunk > 0) {
      const mapper::ChunkProblem p =
          mapper::chunk_problem(mapped.graph, node, storages, l.softmax.block);
      const std::size_t level = rng() % p.levels.size();
      d.cut_level = level;
      const int64_t most = std::min(p.levels[level].units, mapper::kMaxChunkUnits);
      choose.maybe(d.cut_units, std::max(choose.size(most), most / 300));
      if (l.softmax.passes > 0) {
        const Shape& x = mapped.graph.tensor(node.inputs[0]).shape;
        decide_softmax(choose, x.empty() ? 1 : x.back(), d);
      }
    }
    for (const mapper::Buffer& b : l.buffers) {
      if (choose.one_in(2)) d.buffers.push_back({.name = b.name, .slots = choose.slots()});
    }
    decisions.layers.push_back(std::move(d));
  }
  for (const mapper::Storage& s : storages.all) {
    if (s.role != mapper::StorageRole::kIntermediate || s.bytes == 0 || choose.one_in(2)) continue;
    mapper::TensorDecision d{.tensor = s.tensors.front(), .resident = choose.one_in(2)};
    if (d.resident && choose.one_in(3))
      d.address = static_cast<int64_t>(rng() % 256) * mapper::kAlignment;
    decisions.tensors.push_back(d);
  }
  return decisions;
}

}  // namespace npu::test
