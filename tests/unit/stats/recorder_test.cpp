#include "sim/stats/recorder.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>

#include "sim/stats/timeline.h"

namespace npu {
namespace {

TEST(EventNames, AreSnakeCaseAndUnique) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kEventCount; ++i) names.insert(name_of(static_cast<Event>(i)));
  EXPECT_EQ(names.size(), kEventCount);
  EXPECT_EQ(name_of(Event::kMacInt8), "mac_int8");
  EXPECT_EQ(name_of(Event::kMacInt16), "mac_int16");
  EXPECT_EQ(name_of(Event::kWeightRegisterWrite), "weight_register_write");
  EXPECT_EQ(name_of(Event::kVectorOp), "vector_op");
  EXPECT_EQ(name_of(Event::kDmaByte), "dma_byte");
  EXPECT_EQ(name_of(Event::kInstruction), "instruction");
  EXPECT_EQ(name_of(Event::kDramRefresh), "dram_refresh");
}

TEST(EventNames, BelongToComponents) {
  EXPECT_EQ(component_of(Event::kMacInt8), "mac_array");
  EXPECT_EQ(component_of(Event::kWeightRegisterWrite), "mac_array");
  EXPECT_EQ(component_of(Event::kScratchpadWrite), "scratchpad");
  EXPECT_EQ(component_of(Event::kAccumulatorRead), "accumulator");
  EXPECT_EQ(component_of(Event::kVectorOp), "vector_unit");
  EXPECT_EQ(component_of(Event::kDmaByte), "dma");
  EXPECT_EQ(component_of(Event::kInstruction), "sequencer");
  EXPECT_EQ(component_of(Event::kDramActivate), "dram");
}

TEST(Recorder, CountsPerLayerAndInTotal) {
  Recorder recorder(2);
  recorder.count(Event::kMacInt8, 10, 0, 0, 4);
  recorder.count(Event::kMacInt8, 5, 1, 4, 5);
  recorder.count(Event::kMacInt8, 1, -1, 5, 5);
  constexpr auto kMac = static_cast<std::size_t>(Event::kMacInt8);
  EXPECT_EQ(recorder.totals()[kMac], 16U);
  ASSERT_EQ(recorder.per_layer().size(), 3U);
  EXPECT_EQ(recorder.per_layer()[0][kMac], 10U);
  EXPECT_EQ(recorder.per_layer()[1][kMac], 5U);
  EXPECT_EQ(recorder.per_layer()[2][kMac], 1U);
}

TEST(Recorder, TellsTheActivityHook) {
  Recorder recorder(1);
  std::string seen;
  recorder.on_activity = [&seen](Event e, std::uint64_t n, std::uint64_t begin, std::uint64_t end) {
    seen += std::string(name_of(e)) + " " + std::to_string(n) + " " + std::to_string(begin) + ".." +
            std::to_string(end);
  };
  recorder.count(Event::kDramRead, 3, 0, 7, 9);
  recorder.count(Event::kDramRead, 0, 0, 9, 9);
  EXPECT_EQ(seen, "dram_read 3 7..9");
}

TEST(Recorder, KeepsSpansOnlyWhenTracing) {
  Recorder recorder(0);
  EXPECT_EQ(recorder.add_track("dma0"), 0U);
  EXPECT_EQ(recorder.add_track("dram0"), 1U);
  recorder.span({.track = 1, .instruction = 4, .begin_cycle = 1, .end_cycle = 2});
  EXPECT_TRUE(recorder.spans().empty());
  recorder.trace_enabled = true;
  recorder.span({.track = 1, .instruction = 4, .begin_cycle = 1, .end_cycle = 2});
  ASSERT_EQ(recorder.spans().size(), 1U);
  EXPECT_EQ(recorder.spans()[0].track, 1U);
  EXPECT_EQ(recorder.tracks()[1], "dram0");
}

TEST(Recorder, RefusesLayersAndIntervalsThatCannotBe) {
  Recorder recorder(2);
  EXPECT_THROW(recorder.count(Event::kMacInt8, 1, 2, 0, 1), std::logic_error);
  EXPECT_THROW(recorder.count(Event::kMacInt8, 1, -2, 0, 1), std::logic_error);
  EXPECT_THROW(recorder.count(Event::kMacInt8, 1, 0, 2, 1), std::logic_error);
}

TEST(Timeline, ClosesByConstruction) {
  Timeline timeline;
  timeline.advance(Bucket::kIdle, 10);
  timeline.advance(Bucket::kBusy, 15);
  timeline.advance(Bucket::kWaitDram, 12);
  timeline.advance(Bucket::kWaitDram, 20);
  std::uint64_t sum = 0;
  for (const std::uint64_t cycles : timeline.all()) sum += cycles;
  EXPECT_EQ(sum, 20U);
  EXPECT_EQ(timeline.accounted(), 20U);
  EXPECT_EQ(timeline.cycles(Bucket::kBusy), 5U);
  EXPECT_EQ(timeline.cycles(Bucket::kWaitDram), 5U);
  EXPECT_EQ(name_of(Bucket::kWaitDram), "wait_dram");
}

}  // namespace
}  // namespace npu
