#include "sim/report/path_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace npu::report {
namespace {

using ::testing::HasSubstr;

PathStep step(std::uint64_t begin, std::uint64_t end, std::uint32_t unit, std::int32_t layer,
              Cause cause, Handover handover) {
  PathStep s{.begin_cycle = begin,
             .end_cycle = end,
             .unit = unit,
             .layer = layer,
             .instruction = layer < 0 ? -1 : 0,
             .handover = handover};
  s.cycles[static_cast<std::size_t>(cause)] = end - begin;
  return s;
}

NamedPath sample() {
  NamedPath named;
  named.layers = {"CONV_2D #0", "a \"b\", c"};
  named.mnemonics = {"mac.conv"};
  named.path = {.begin_cycle = 5,
                .end_cycle = 105,
                .units = {"mac_array", "dma0", "sequencer"},
                .steps = {step(5, 15, 2, -1, Cause::kFetch, Handover::kStart),
                          step(15, 75, 1, 0, Cause::kRowMiss, Handover::kDispatch),
                          step(75, 105, 0, 1, Cause::kBusy, Handover::kToken)}};
  return named;
}

std::string error_of(const std::string& from, const std::string& to) {
  std::string text = critical_path_csv(sample());
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  try {
    (void)read_critical_path(text, "p.csv", sample().layers);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(PathFile, ReadsBackWhatItWrote) {
  const std::string text = critical_path_csv(sample());
  NamedPath read = read_critical_path(text, "p.csv", sample().layers);
  EXPECT_EQ(read.path.begin_cycle, 5U);
  EXPECT_EQ(read.path.end_cycle, 105U);
  read.mnemonics = {"mac.conv"};
  EXPECT_EQ(critical_path_csv(read), text);
  EXPECT_NO_THROW(read.path.check());
}

TEST(PathFile, RefusesWhatIsNoPath) {
  EXPECT_THAT(error_of("15,75,dma0", "16,75,dma0"),
              HasSubstr("p.csv:3: begin_cycle: the step before ends at 15, got 16"));
  EXPECT_THAT(error_of("75,105,mac_array", "75,104,mac_array"),
              HasSubstr("p.csv:4: the causes sum to 30 cycles, the step is from 75 to 104"));
  EXPECT_THAT(error_of("token", "taken"), HasSubstr("p.csv:4: handover: unknown name \"taken\""));
  EXPECT_THAT(error_of("CONV_2D #0", "CONV_2D #9"),
              HasSubstr("p.csv:3: layer: the program has no \"CONV_2D #9\""));
  EXPECT_THAT(error_of("busy_cycles", "lazy_cycles"), HasSubstr("no column \"busy_cycles\""));
  EXPECT_THAT(error_of("5,15,", "x,15,"), HasSubstr("p.csv:2: begin_cycle: expected an integer"));
  const std::string header = critical_path_csv({});
  try {
    (void)read_critical_path(header, "p.csv", {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "p.csv: no step");
  }
}

TEST(PathFile, SharesSumToTheRun) {
  const PathSummary s = summarize(sample());
  EXPECT_EQ(s.total_cycles, 100U);
  ASSERT_EQ(s.shares.size(), 3U);
  EXPECT_EQ(s.shares[0].unit, "dram");
  EXPECT_EQ(s.shares[0].cycles, 60U);
  EXPECT_EQ(s.shares[1].unit, "mac_array");
  EXPECT_EQ(s.shares[2].unit, "sequencer");
  ASSERT_EQ(s.layers.size(), 3U);
  EXPECT_EQ(s.layers[0].cycles + s.layers[1].cycles + s.layers[2].cycles, 100U);
  EXPECT_EQ(s.layers[2].layer, "");
  EXPECT_EQ(s.handovers[static_cast<std::size_t>(Handover::kToken)], 1U);
  const std::string text = path_text(s);
  EXPECT_THAT(text, HasSubstr("where the time went: critical path of 100 cycles"));
  EXPECT_THAT(text, HasSubstr("   60.00         60  dram         row_miss\n"));
  EXPECT_THAT(text, HasSubstr("start 1, order 0, token 1, dispatch 1, queue_full 0"));
}

}  // namespace
}  // namespace npu::report
