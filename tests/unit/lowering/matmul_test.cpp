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

}  // namespace
}  // namespace npu::kernels
