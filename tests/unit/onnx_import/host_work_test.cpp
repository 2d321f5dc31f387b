#include "kernels/onnx_import/host_work.h"

#include <gtest/gtest.h>

#include "tests/unit/onnx_import/models.h"

namespace npu::onnx_import {
namespace {

std::vector<double> zeros(std::size_t count) { return std::vector<double>(count); }

HostWork work_of(ModelMaker& maker) {
  return host_work(simplify(std::move(maker.output("y").model()), {}), 0);
}

TEST(HostWork, MatrixProductsCountEveryMultiplication) {
  ModelMaker batched;
  batched.input("a", {2, 3, 5}).input("b", {2, 5, 7}).node("MatMul", {"a", "b"}, {"y"});
  const HostWork w = work_of(batched);
  EXPECT_EQ(w.macs, 2 * 3 * 5 * 7);
  EXPECT_EQ(w.elements, 30 + 70);
  EXPECT_EQ(w.bytes, 4 * (30 + 70 + 42));

  ModelMaker vector;
  vector.input("a", {3, 5}).input("b", {5}).node("MatMul", {"a", "b"}, {"y"});
  EXPECT_EQ(work_of(vector).macs, 15);

  ModelMaker gemm;
  gemm.input("a", {3, 5})
      .input("b", {7, 5})
      .node("Gemm", {"a", "b"}, {"y"}, {{"transB", std::int64_t{1}}});
  EXPECT_EQ(work_of(gemm).macs, 3 * 5 * 7);
}

TEST(HostWork, ConvolutionsCountTheirTapsPerResult) {
  ModelMaker conv;
  conv.input("x", {1, 4, 6, 6})
      .constant("w", {8, 2, 3, 3}, zeros(144))
      .node("Conv", {"x", "w"}, {"y"}, {{"group", std::int64_t{2}}});
  EXPECT_EQ(work_of(conv).macs, 8 * 4 * 4 * 2 * 9);

  ModelMaker transposed;
  transposed.input("x", {1, 4, 6, 6})
      .constant("w", {4, 3, 2, 2}, zeros(48))
      .node("ConvTranspose", {"x", "w"}, {"y"});
  EXPECT_EQ(work_of(transposed).macs, 4 * 36 * 3 * 4);
}

TEST(HostWork, EverythingElseIsElementsAndBytes) {
  ModelMaker sum;
  sum.input("x", {10, 20}).node("ReduceMax", {"x"}, {"y"});
  const HostWork w = work_of(sum);
  EXPECT_EQ(w.macs, 0);
  EXPECT_EQ(w.elements, 200);
  EXPECT_EQ(w.bytes, 4 * 201);
}

}  // namespace
}  // namespace npu::onnx_import
