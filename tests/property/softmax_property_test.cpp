// SOFTMAX over floats in three and in two passes on random NPUs against the reference's rows; its
// cycles and traffic.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "isa/unroll.h"
#include "kernels/mapper/decisions.h"
#include "kernels/mapper/mapping_error.h"
#include "sim/timing/vector_timing.h"
#include "tests/property/check_layer.h"
#include "tests/support/graph_maker.h"
#include "tests/support/random_config.h"
#include "tests/support/random_general.h"
#include "tests/support/random_graph.h"
#include "tests/support/simulate.h"

namespace npu::test {
namespace {

using graph::OpKind;
using mapper::LayerDecision;
using std::int64_t;

graph::Graph softmax(DType type, int64_t rows, int64_t row, float beta = 1) {
  GraphMaker maker("softmax");
  const graph::TensorId x = maker.input(type, {rows, row}, {});
  const graph::TensorId y = maker.activation(type, {rows, row}, {});
  for (const graph::TensorId id : {x, y}) maker.requantize(id, std::nullopt);
  maker.node(OpKind::kSoftmax, {x}, {y}, graph::SoftmaxAttrs{.beta = beta});
  return maker.finish({y});
}

mapper::Decisions decide(const LayerDecision& layer) {
  mapper::Decisions decisions;
  decisions.layers.push_back(layer);
  return decisions;
}

class SoftmaxProperty : public testing::TestWithParam<std::uint64_t> {
 protected:
  /// run(rng, seed) for a few seeds of their own.
  template <typename Run>
  void over_seeds(std::uint64_t first, std::uint64_t count, Run&& run) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t seed = first + GetParam() * count + i;
      SCOPED_TRACE(fmt::format("seed {}", seed));
      std::mt19937_64 rng(seed);
      run(rng, seed);
      if (HasFatalFailure()) return;
    }
  }
};

/// Shapes, types, infinities and NaNs; passes and blocks as decided or chosen around what is.
TEST_P(SoftmaxProperty, DecidedIsExactRaceFreeClosedAndRepeatable) {
  over_seeds(0, 8, [](std::mt19937_64& rng, std::uint64_t seed) {
    const std::vector<DType> types = general_types(OpKind::kSoftmax);
    const graph::Graph graph =
        random_general(rng, OpKind::kSoftmax, types[seed % types.size()], seed % 4 == 0 ? 60 : 12);
    const std::vector<TensorData> inputs = special_inputs(rng, graph);
    Draw draw(rng);
    const Shape& shape = graph.tensor(graph.inputs[0]).shape;
    const int64_t row = shape.empty() ? 1 : shape.back();
    LayerDecision d{.layer = "SOFTMAX #0"};
    if (!draw.one_in(4)) d.passes = draw.one_in(4) ? 3 : 2;
    if (d.passes != 3 && !draw.one_in(3)) d.block = draw.integer(1, row);
    if (draw.one_in(2)) d.cut_units = draw.integer(1, graph.tensor(0).bytes() / row / 4 + 1);
    if (draw.one_in(3)) d.buffers.push_back({.name = "x", .slots = draw.small(1, 4)});
    const NpuConfig config = random_config(rng);
    mapper::Decisions decisions = decide(d);
    try {
      (void)kernels::compile(graph, config, {.timing_only = true, .decisions = &decisions});
    } catch (const mapper::MappingError&) {
      decisions.layers[0].cut_units = std::nullopt;  // More rows than the layer or the NPU has.
    }
    check_layer(graph, inputs, config, {.decisions = &decisions});
  });
}

/// Rows that the scratchpad does not hold go in two passes by themselves.
TEST_P(SoftmaxProperty, LongRowsAreExactRaceFreeClosedAndRepeatable) {
  over_seeds(1000, 3, [](std::mt19937_64& rng, std::uint64_t seed) {
    const std::vector<DType> types = general_types(OpKind::kSoftmax);
    Draw draw(rng);
    NpuConfig config = random_config(rng);
    config.scratchpad.capacity_bytes = int64_t{1024} << draw.integer(0, 2);
    // A row has x, y and numbers between them in its type.
    const DType type = types[seed % types.size()];
    const int64_t least = config.scratchpad.capacity_bytes / (2 * size_of(type));
    const graph::Graph graph = softmax(type, draw.integer(1, 3), draw.integer(least, 6 * least),
                                       draw.one_in(2) ? 1.0F : 0.25F);
    const std::string mapping = kernels::compile(graph, config, {.timing_only = true}).mapping_yaml;
    ASSERT_THAT(mapping, testing::HasSubstr("softmax: {passes: 2, block: "));
    check_layer(graph, special_inputs(rng, graph), config);
  });
}

/// The softmax of an unfused ATTENTION, masks and bytes included.
TEST_P(SoftmaxProperty, OfAttentionIsExactRaceFreeClosedAndRepeatable) {
  over_seeds(2000, 4, [](std::mt19937_64& rng, std::uint64_t seed) {
    const graph::Graph graph = random_attention(rng, seed % 4 == 0 ? 40 : 14);
    const std::vector<TensorData> inputs = random_inputs(rng, graph);
    Draw draw(rng);
    const int64_t keys = graph.tensor(graph.nodes[0].inputs[1]).shape[2];
    const mapper::Decisions decisions =
        decide({.layer = "SOFTMAX #0", .block = draw.integer(1, keys)});
    NpuConfig config = random_config(rng);
    for (int* cycles : {&config.mac_array.float16_cycles, &config.mac_array.bfloat16_cycles,
                        &config.mac_array.float32_cycles}) {
      *cycles = draw.small(1, 4);
    }
    check_layer(graph, inputs, config,
                {.attention = kernels::AttentionVariant::kUnfused, .decisions = &decisions});
  });
}
INSTANTIATE_TEST_SUITE_P(Seeds, SoftmaxProperty, testing::Range<std::uint64_t>(0, 15));

/// What a program does with a softmax of 8 × 1024 floats, all of its rows in a tile.
struct Figures {
  int64_t loaded = 0, stored = 0;
  int64_t vector_cycles = 0;
};
constexpr int64_t kRows = 8, kRow = 1024;

Figures measure(const NpuConfig& config, const LayerDecision& layer, float beta) {
  const mapper::Decisions decisions = decide(layer);
  const kernels::Compiled compiled =
      kernels::compile(softmax(DType::kFloat32, kRows, kRow, beta), config,
                       {.timing_only = true, .decisions = &decisions});
  Figures f;
  isa::Unroller program(compiled.program.code);
  isa::Instruction i;
  std::int32_t index = 0;
  while (program.next(i, index)) {
    const bool load = i.opcode == isa::Opcode::kDmaLoad;
    if (!load && i.opcode != isa::Opcode::kDmaStore) continue;
    (load ? f.loaded : f.stored) +=
        i[isa::Opd::kN0] * i[isa::Opd::kN1] * i[isa::Opd::kN2] * i[isa::Opd::kN3];
  }
  const Simulation run = simulate(config, compiled.program, {}, {.timing_only = true});
  EXPECT_EQ(run.outcome, Outcome::kDone) << run.message;
  f.vector_cycles =
      static_cast<int64_t>(run.buckets.at("vector_unit")[static_cast<std::size_t>(Bucket::kBusy)]);
  return f;
}

/// Cycles of exponentials of a tile, and of the passes: docs/mapping.md.
class VectorCycles {
 public:
  VectorCycles(const NpuConfig& config, bool has_beta)
      : config_(config.vector_unit), has_beta_(has_beta) {}

  [[nodiscard]] int64_t three_passes() const {
    return 2 * reduce(kRow) + exponentials(kRow) + reciprocal() +
           op(timing::VectorClass::kMultiply, kRows * kRow);
  }
  [[nodiscard]] int64_t two_passes(int64_t block) const {
    const int64_t blocks = kRow / block;
    const int64_t bound = op(timing::VectorClass::kElementwise, kRows);
    const int64_t rescale = op(timing::VectorClass::kElementwise, kRows) + exponentials(1) +
                            op(timing::VectorClass::kMultiply, kRows);
    return blocks * (2 * reduce(block) + 2 * exponentials(block) +
                     op(timing::VectorClass::kMultiply, kRows * block)) +
           bound + (blocks - 1) * rescale + reciprocal();
  }

 private:
  [[nodiscard]] int64_t op(timing::VectorClass kind, int64_t elements, int64_t steps = 1) const {
    return timing::vector_op(config_, kind, elements, steps).busy_cycles;
  }
  [[nodiscard]] int64_t reduce(int64_t n) const {
    return op(timing::VectorClass::kReduce, kRows, n);
  }
  [[nodiscard]] int64_t reciprocal() const { return op(timing::VectorClass::kFunction, kRows); }
  [[nodiscard]] int64_t exponentials(int64_t n) const {
    return op(timing::VectorClass::kElementwise, kRows * n) +
           (has_beta_ ? op(timing::VectorClass::kMultiply, kRows * n) : 0) +
           op(timing::VectorClass::kFunction, kRows * n);
  }

  const VectorConfig& config_;
  bool has_beta_;
};

TEST(SoftmaxFigures, TwoPassesLoadTwiceAndComputeExponentialsTwice) {
  const NpuConfig config = load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml");
  constexpr int64_t kBytes = kRows * kRow * 4;
  for (const float beta : {1.0F, 0.5F}) {
    const VectorCycles expected(config, beta != 1.0F);
    LayerDecision d{.layer = "SOFTMAX #0", .cut_units = kRows, .passes = 3};
    const Figures three = measure(config, d, beta);
    EXPECT_EQ(three.loaded, kBytes);
    EXPECT_EQ(three.stored, kBytes);
    EXPECT_EQ(three.vector_cycles, expected.three_passes());
    d.passes = 2;
    for (const int64_t block : {256, 512, 1024}) {
      d.block = block;
      const Figures two = measure(config, d, beta);
      const bool held = block >= kRow / 2;  // The two slots of x hold the row.
      EXPECT_EQ(two.loaded, held ? kBytes : 2 * kBytes) << block;
      EXPECT_EQ(two.stored, kBytes) << block;
      EXPECT_EQ(two.vector_cycles, expected.two_passes(block)) << block;
      EXPECT_GT(two.vector_cycles, three.vector_cycles);
    }
    d.block = 256;
    d.buffers.push_back({.name = "x", .slots = 4});
    EXPECT_EQ(measure(config, d, beta).loaded, kBytes) << "what a slot holds is not loaded again";
  }
}

}  // namespace
}  // namespace npu::test
