#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/lowering/compile.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::Graph;
using graph::TensorId;
using testing::HasSubstr;

NpuConfig config() {
  NpuConfig c = load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/edge.yaml");
  c.mac_array.float16_cycles = c.mac_array.bfloat16_cycles = c.mac_array.float32_cycles = 1;
  return c;
}

TensorId add(Graph& g, DType type, Shape shape, bool is_input) {
  graph::Tensor t;
  t.name = fmt::format("t{}", g.tensors.size());
  t.type = type;
  t.shape = std::move(shape);
  g.tensors.push_back(std::move(t));
  const auto id = static_cast<TensorId>(g.tensors.size()) - 1;
  if (is_input) g.inputs.push_back(id);
  return id;
}

/// a · b of two inputs.
Graph matmul(DType type, const Shape& a, const Shape& b, const Shape& y) {
  Graph g;
  const TensorId ta = add(g, type, a, true);
  const TensorId tb = add(g, type, b, true);
  const TensorId ty = add(g, type, y, false);
  g.nodes.push_back(
      {graph::OpKind::kMatMul, {ta, tb, graph::kAbsent}, {ty}, graph::MatMulAttrs{}, 0});
  g.outputs = {ty};
  graph::verify(g);
  return g;
}

std::int64_t count(const Compiled& compiled, isa::Opcode opcode) {
  return std::count_if(compiled.program.code.begin(), compiled.program.code.end(),
                       [&](const isa::Instruction& i) { return i.opcode == opcode; });
}

TEST(MatMul, AnArrayWithoutTheFloatTypeIsAnErrorThatNamesTheKey) {
  const Graph g = matmul(DType::kBfloat16, {4, 8}, {8, 4}, {4, 4});
  NpuConfig without = config();
  without.mac_array.bfloat16_cycles = 0;
  EXPECT_NO_THROW(static_cast<void>(compile(g, config(), {})));
  try {
    static_cast<void>(compile(g, without, {}));
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("MATMUL #0: `edge` has no bfloat16 multiplication: "
                                    "mac_array.bfloat16_cycles is 0"));
  }
}

TEST(MatMul, SmallProductsShareAStep) {
  // 32 heads of 8 × 16 × 8: a load of each operand, an output and a store serve several heads.
  const Graph g = matmul(DType::kFloat16, {32, 8, 16}, {32, 16, 8}, {32, 8, 8});
  const Compiled compiled = compile(g, config(), {.timing_only = true});
  const std::int64_t outputs = count(compiled, isa::Opcode::kOutput);
  EXPECT_LE(outputs, 4);
  EXPECT_EQ(count(compiled, isa::Opcode::kDmaStore), outputs);
}

TEST(MatMul, ProductsThatShareBAreOne) {
  // 16 × [4, 32] by one [32, 8]: rows of one product.
  const Graph g = matmul(DType::kFloat16, {16, 4, 32}, {32, 8}, {16, 4, 8});
  const Compiled compiled = compile(g, config(), {.timing_only = true});
  EXPECT_THAT(compiled.mapping_yaml, HasSubstr("out_c: 8, in_c: 32"));
  EXPECT_LE(count(compiled, isa::Opcode::kGemm), 8);
}

/// Grouped heads, float16: q[1,heads,rows,64] on key_heads keys.
Graph attention(std::int64_t heads, std::int64_t key_heads, std::int64_t rows, std::int64_t keys) {
  Graph g;
  const TensorId q = add(g, DType::kFloat16, {1, heads, rows, 64}, true);
  const TensorId k = add(g, DType::kFloat16, {1, key_heads, keys, 64}, true);
  const TensorId v = add(g, DType::kFloat16, {1, key_heads, keys, 64}, true);
  const TensorId y = add(g, DType::kFloat16, {1, heads, rows, 64}, false);
  g.nodes.push_back({graph::OpKind::kAttention,
                     {q, k, v, graph::kAbsent},
                     {y},
                     graph::AttentionAttrs{.scale = 0.125F},
                     0});
  g.outputs = {y};
  graph::verify(g);
  return g;
}

TEST(Attention, FusedMovesOperandsOnly) {
  const Graph g = attention(8, 2, 32, 256);
  const Compiled compiled =
      compile(g, config(), {.timing_only = true, .attention = AttentionVariant::kFused});
  ASSERT_EQ(compiled.attention.size(), 1U);
  const AttentionChoice& c = compiled.attention[0];
  EXPECT_TRUE(c.fused);
  EXPECT_GT(c.key_block, 0);
  EXPECT_GE(c.fused_dram_bytes, (2 * 8 * 32 + 2 * 2 * 256) * 64 * 2);
  EXPECT_THAT(compiled.mapping_yaml, HasSubstr("variant: fused, key_block: "));
  EXPECT_EQ(compiled.program.provenance.at("attention"), fmt::format("3:{}", c.key_block));
}

TEST(Attention, ProvenanceGivesTheGraphItsRoundings) {
  Graph g = attention(2, 2, 4, 16);
  isa::Program program;
  apply_roundings(g, program);
  EXPECT_EQ(std::get<graph::AttentionAttrs>(g.nodes[0].attrs).key_block, 0);
  program.provenance["attention"] = "3:16";
  apply_roundings(g, program);
  EXPECT_EQ(std::get<graph::AttentionAttrs>(g.nodes[0].attrs).key_block, 16);
  program.provenance["attention"] = "3;16";
  try {
    apply_roundings(g, program);
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "program: provenance `attention` is no list of output:key_block: 3;16");
  }
}

TEST(Attention, TheSmallestTileMustFit) {
  NpuConfig small = config();
  small.scratchpad.capacity_bytes = 1024;
  const Graph g = attention(2, 2, 4, 16);
  try {
    static_cast<void>(compile(g, small, {.attention = AttentionVariant::kFused}));
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("scratchpad: the smallest tile needs "));
  }
  small = config();
  small.accumulator.capacity_bytes = 64;
  try {
    static_cast<void>(compile(g, small, {.attention = AttentionVariant::kFused}));
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(),
                HasSubstr("accumulator: the smallest tile needs 640 bytes, 64 are there"));
  }
}

}  // namespace
}  // namespace npu::kernels
