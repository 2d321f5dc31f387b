#include "sim/publish/timeline.h"

#include <gtest/gtest.h>

namespace npu::publish {
namespace {

/// One track of `count` spans of 4 cycles, one every 10, `per_layer` of them of one layer.
Trace regular(std::size_t count, std::size_t per_layer) {
  Trace t;
  t.names = {"a", "b"};
  t.layers = {""};
  TraceTrack track{.name = "mac_array", .spans = {}};
  for (std::size_t i = 0; i < count; ++i) {
    const auto layer = static_cast<std::uint32_t>(i / per_layer + 1);
    if (layer == t.layers.size()) t.layers.push_back("L" + std::to_string(layer));
    track.spans.push_back({i * 10, i * 10 + 4, 0, layer, static_cast<std::int64_t>(i)});
  }
  t.tracks = {track};
  t.begin = 0;
  t.end = count * 10 - 6;
  return t;
}

std::uint64_t busy_of(const Timeline& timeline) {
  std::uint64_t busy = 0;
  for (const Bar& bar : timeline.tracks.at(0).bars) busy += bar.busy;
  return busy;
}

TEST(Timeline, KeepsEverySpanWhereThereIsRoom) {
  const Timeline t = make_timeline(regular(100, 10), 100);
  EXPECT_EQ(t.merged_cycles, 0U);
  EXPECT_EQ(t.spans, 100U);
  ASSERT_EQ(t.tracks.at(0).bars.size(), 100U);
  EXPECT_EQ(t.tracks[0].bars[7].instruction, 7);
  EXPECT_EQ(t.tracks[0].bars[7].spans, 1U);
}

TEST(Timeline, MergesNeighboursOfALayerWithinTheLeastPowerOfTwo) {
  // One too few: two spans span 14 cycles, so 16 is the first that merges.
  const Timeline t = make_timeline(regular(100, 10), 99);
  EXPECT_EQ(t.merged_cycles, 16U);
  EXPECT_FALSE(t.merges_layers);
  ASSERT_EQ(t.tracks.at(0).bars.size(), 50U);
  const Bar& bar = t.tracks[0].bars[0];
  EXPECT_EQ(bar.begin, 0U);
  EXPECT_EQ(bar.end, 14U);
  EXPECT_EQ(bar.busy, 8U);
  EXPECT_EQ(bar.spans, 2U);
  EXPECT_EQ(busy_of(t), 400U);
}

TEST(Timeline, NeverMergesLayersWhileTheirSpansFit) {
  const Timeline t = make_timeline(regular(100, 10), 10);
  EXPECT_FALSE(t.merges_layers);
  ASSERT_EQ(t.tracks.at(0).bars.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(t.tracks[0].bars[i].layer, i + 1);
  EXPECT_EQ(busy_of(t), 400U);
}

TEST(Timeline, MergesLayersWhereTheyAloneAreTooMany) {
  const Timeline t = make_timeline(regular(100, 10), 9);
  EXPECT_TRUE(t.merges_layers);
  EXPECT_LE(t.tracks.at(0).bars.size(), 9U);
  EXPECT_EQ(busy_of(t), 400U);
}

TEST(Timeline, OverlapCountsOnce) {
  Trace trace = regular(1, 1);
  trace.tracks[0].spans = {{0, 10, 0, 1, 0}, {5, 30, 1, 1, 1}, {6, 8, 0, 1, 2}};
  trace.tracks.push_back({.name = "dma0", .spans = {}});
  trace.end = 30;
  const Timeline t = make_timeline(trace, 2);
  ASSERT_EQ(t.tracks.at(0).bars.size(), 1U);
  const Bar& bar = t.tracks[0].bars[0];
  EXPECT_EQ(bar.busy, 30U);
  EXPECT_EQ(bar.spans, 3U);
  EXPECT_EQ(bar.name, 1U);  // Of the longest.
  EXPECT_EQ(bar.instruction, 1);
}

Trace with_power(std::vector<std::uint64_t> begins, std::vector<double> watts) {
  Trace t;
  t.power = {{.component = "a", .begins = begins, .watts = watts},
             {.component = "b", .begins = std::move(begins), .watts = std::move(watts)}};
  return t;
}

TEST(Power, WindowsStayWhereThereIsRoom) {
  const PowerOverTime p = make_power(with_power({0, 10, 20, 25}, {1, 2, 3}), 3);
  EXPECT_EQ(p.begins, (std::vector<std::uint64_t>{0, 10, 20, 25}));
  EXPECT_EQ(p.watts.at(1), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(p.peak_watts, (std::vector<double>{2, 4, 6}));
}

TEST(Power, MeansKeepTheEnergyAndThePeak) {
  const PowerOverTime p = make_power(with_power({0, 10, 20, 25}, {1, 2, 3}), 2);
  EXPECT_EQ(p.windows, 3U);
  EXPECT_EQ(p.begins, (std::vector<std::uint64_t>{0, 20, 25}));
  EXPECT_EQ(p.watts.at(0), (std::vector<double>{1.5, 3}));
  EXPECT_EQ(p.peak_watts, (std::vector<double>{4, 6}));
}

TEST(Power, IsEmptyWithoutCounters) { EXPECT_TRUE(make_power(Trace(), 10).components.empty()); }

}  // namespace
}  // namespace npu::publish
