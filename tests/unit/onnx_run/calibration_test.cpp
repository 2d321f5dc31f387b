#include "sim/onnx/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace npu::onnx_run {
namespace {

using passes::Range;

graph::Graph one_tensor() {
  graph::Graph g;
  g.tensors.resize(2);
  g.tensors[0].name = "x";
  return g;
}

/// Tensor 0 is float, tensor 1 is none.
std::vector<TensorData> sample(const std::vector<float>& values) {
  TensorData x{DType::kFloat32, {static_cast<std::int64_t>(values.size())}, {}};
  x.bytes.resize(values.size() * sizeof(float));
  std::memcpy(x.bytes.data(), values.data(), x.bytes.size());
  return {x, TensorData{DType::kInt32, {1}, std::vector<std::byte>(4)}};
}

TEST(Calibration, ExtremesOverAllSamples) {
  RangeObserver observer;
  observer.see(one_tensor(), sample({1, 2, 3}));
  observer.see(one_tensor(), sample({-4, 2, 2.5F}));
  EXPECT_EQ(observer.ranges({}), (passes::Ranges{{0, Range{-4, 3}}}));
}

TEST(Calibration, PercentilesCutOffBothEnds) {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) values.push_back(static_cast<float>(i) / 1000);
  values.front() = -100;
  values.back() = 100;
  RangeObserver observer;
  observer.see(one_tensor(), sample(values));
  observer.count(sample(values));
  const Range all = observer.ranges({100}).at(0);
  EXPECT_EQ(all, (Range{-100, 100}));
  // 0.5 % of 1000 values are five at either end: the outlier goes, the next part stays.
  const Range most = observer.ranges({99}).at(0);
  EXPECT_GE(most.low, -0.1F);
  EXPECT_LE(most.low, 0.1F);
  EXPECT_GE(most.high, 0.9F);
  EXPECT_LE(most.high, 1.1F);
}

TEST(Calibration, ValuesThatAreAllEqual) {
  RangeObserver observer;
  observer.see(one_tensor(), sample({2, 2}));
  observer.count(sample({2, 2}));
  EXPECT_EQ(observer.ranges({99.9}).at(0), (Range{2, 2}));
}

TEST(Calibration, ValuesMustBeFinite) {
  RangeObserver observer;
  EXPECT_THAT(
      [&] {
        observer.see(one_tensor(), sample({1, NAN}));
      },
      testing::ThrowsMessage<Error>(testing::HasSubstr("tensor `x`: calibration gives nan")));
}

TEST(Calibration, Methods) {
  EXPECT_FALSE(parse_calibration("minmax").percentile.has_value());
  EXPECT_EQ(parse_calibration("percentile:99.9").percentile, 99.9);
  for (const char* text : {"", "minmax2", "percentile:", "percentile:49", "percentile:nan"}) {
    EXPECT_THAT([&] { (void)parse_calibration(text); },
                testing::ThrowsMessage<Error>(testing::HasSubstr(
                    "--calibration: expected minmax or percentile:P with P from 50 to 100")));
  }
}

}  // namespace
}  // namespace npu::onnx_run
