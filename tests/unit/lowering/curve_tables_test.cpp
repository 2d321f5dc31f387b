// Tables of the int16 functions against TFLite's values where a plain rounding would miss them.
#include "kernels/lowering/curve_tables.h"

#include <gtest/gtest.h>

#include <numeric>

#include "kernels/lowering/quantize.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::OpKind;

TEST(CurveTables, LogisticSamplesLieAboveTheFunction) {
  const auto s = logistic_samples();
  EXPECT_EQ(s[0], 32768);
  EXPECT_EQ(s[4], 35493);   // 65536 / (1 + exp(−4/24)) = 35492.36
  EXPECT_EQ(s[28], 49975);  // 49973.95
  EXPECT_EQ(s[254], 65534);
  EXPECT_EQ(s[255], 65535);
  EXPECT_EQ(std::accumulate(s.begin(), s.end(), std::int64_t{0}), 15670629);
}

TEST(CurveTables, SoftmaxSamples) {
  const auto e = exponential_samples();
  EXPECT_EQ(e[0], 2);  // 32768 · exp(−10) = 1.49, less half the error of the chord
  EXPECT_EQ(e[509], 30902);
  EXPECT_EQ(e[511], 32133);
  EXPECT_EQ(e[512], 32767);
  const auto r = reciprocal_samples();
  EXPECT_EQ(r[0], 32767);
  EXPECT_EQ(r[160], 24966);  // of TFLite Micro; 24967 in double
  EXPECT_EQ(r[294], 20816);  // 20815
  EXPECT_EQ(r[512], 16384);
}

TEST(CurveTables, Words) {
  CurveWords w = curve_words(OpKind::kLogistic, 0x1p-12F);
  EXPECT_EQ(w.multiplier, 3);
  EXPECT_EQ(w.shift, 0);
  EXPECT_EQ(w.fraction, 9);
  EXPECT_EQ(w.limit, 65534);
  EXPECT_EQ(w.positive, 512);
  EXPECT_EQ(w.negative, (1 << 25) + 511);
  EXPECT_EQ(w.out_shift, 10);
  w = curve_words(OpKind::kTanh, 0x1p-11F);
  EXPECT_EQ(w.multiplier, 6);
  EXPECT_EQ(w.shift, 0);
  EXPECT_EQ(w.fraction, 8);
  EXPECT_EQ(w.limit, 65535);
  EXPECT_EQ(w.positive, -(1 << 23) + 128);
  EXPECT_EQ(w.negative, (1 << 23) + 127);
  EXPECT_EQ(w.out_shift, 8);
  // 2^-13 has no exact path: 1.5 · 2^14 with 14 places.
  w = curve_words(OpKind::kTanh, 0x1p-13F);
  EXPECT_EQ(w.multiplier, 24576);
  EXPECT_EQ(w.shift, 14);
  w = curve_words(OpKind::kLogistic, 0x1p-44F);
  EXPECT_EQ(w.multiplier, 1);  // 1.5, truncated
  EXPECT_EQ(w.shift, 31);
}

TEST(LookupTable, AFunctionWithAFixedOutputTakesNoOther) {
  graph::Graph g;
  g.tensors.resize(2);
  for (graph::Tensor& t : g.tensors) {
    t.type = DType::kInt8;
    t.shape = {4};
  }
  g.tensors[0].quantization = graph::Quantization{{0.5F}, {0}, 0};
  g.tensors[1].quantization = graph::Quantization{{1.0F / 128}, {-128}, 0};
  g.nodes.push_back({OpKind::kLogistic, {0}, {1}, {}, 5});
  try {
    (void)lookup_table(g, g.nodes[0], Rounding::kTfliteDouble);
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "operator #5 LOGISTIC: output quantization must be (0.00390625, -128), got "
                 "(0.0078125, -128)");
  }
}

}  // namespace
}  // namespace npu::kernels
