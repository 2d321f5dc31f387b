#include "sim/publish/trace_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace npu::publish {
namespace {

constexpr std::int64_t kPeriodPs = 1250;

std::string trace_of(const std::string& events) {
  return R"({"displayTimeUnit":"ns","otherData":{"clock_period_ps":"1250"},"traceEvents":[)" +
         events + "]}";
}

std::string thread(int tid, const std::string& name) {
  return fmt::format(R"({{"ph":"M","pid":1,"tid":{},"name":"thread_name","args":{{"name":"{}"}}}})",
                     tid, name);
}

std::string error_of(const std::string& text) {
  try {
    (void)read_trace(text, "trace.json", kPeriodPs);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Trace, TracksSpansAndLayers) {
  const Trace t = read_trace(
      trace_of(thread(0, "layers") + "," + thread(3, "dma0") + "," + thread(2, "mac_array") +
               R"(,{"ph":"X","pid":1,"tid":0,"name":"CONV_2D #0","ts":0.000000,"dur":0.125000,
                    "args":{"cycles":100,"bound_by":"dram","repeats":1}},
                  {"ph":"X","pid":1,"tid":2,"name":"mac.conv","ts":0.050000,"dur":0.012500,
                   "args":{"instruction":7,"layer":"CONV_2D #0","cycles":10}},
                  {"ph":"X","pid":1,"tid":2,"name":"busy","ts":0.001250,"dur":0.001250,
                   "args":{"instruction":-1,"layer":"","cycles":1}})"),
      "trace.json", kPeriodPs);
  ASSERT_EQ(t.tracks.size(), 2U);
  EXPECT_EQ(t.tracks[0].name, "mac_array");
  EXPECT_EQ(t.tracks[1].name, "dma0");
  const std::vector<TraceSpan>& spans = t.tracks[0].spans;
  ASSERT_EQ(spans.size(), 2U);  // By begin.
  EXPECT_EQ(spans[0].begin, 1U);
  EXPECT_EQ(spans[0].end, 2U);
  EXPECT_EQ(spans[0].layer, 0U);
  EXPECT_EQ(spans[0].instruction, -1);
  EXPECT_EQ(spans[1].begin, 40U);
  EXPECT_EQ(spans[1].end, 50U);
  EXPECT_EQ(t.names.at(spans[1].name), "mac.conv");
  EXPECT_EQ(t.layers.at(spans[1].layer), "CONV_2D #0");
  EXPECT_EQ(t.layer("CONV_2D #0"), spans[1].layer);
  EXPECT_EQ(t.layer("no such"), 0U);
  EXPECT_EQ(t.layer_spans.spans.at(0).end, 100U);
  EXPECT_EQ(t.begin, 0U);
  EXPECT_EQ(t.end, 100U);
}

TEST(Trace, PowerCountersEndWithTheirLastValue) {
  const Trace t =
      read_trace(trace_of(R"({"ph":"C","pid":1,"name":"power dram [W]","ts":0,"args":{"W":0.5}},
                  {"ph":"C","pid":1,"name":"power dram [W]","ts":0.0125,"args":{"W":1.5}},
                  {"ph":"C","pid":1,"name":"power dram [W]","ts":0.02,"args":{"W":0}},
                  {"ph":"C","pid":1,"name":"occupied dram0 [%]","ts":0,"args":{"percent":50}})"),
                 "trace.json", kPeriodPs);
  ASSERT_EQ(t.power.size(), 1U);
  EXPECT_EQ(t.power[0].component, "dram");
  EXPECT_EQ(t.power[0].begins, (std::vector<std::uint64_t>{0, 10, 16}));
  EXPECT_EQ(t.power[0].watts, (std::vector<double>{0.5, 1.5}));
}

TEST(Trace, IsEmptyWithoutEvents) {
  const Trace t = read_trace(trace_of(""), "trace.json", kPeriodPs);
  EXPECT_TRUE(t.tracks.empty());
  EXPECT_EQ(t.begin, 0U);
  EXPECT_EQ(t.end, 0U);
}

TEST(Trace, RefusesWhatIsNoTrace) {
  EXPECT_EQ(error_of("{"), "trace.json: byte 2: not JSON");
  EXPECT_EQ(error_of("{}"), "trace.json: traceEvents: is missing");
  EXPECT_EQ(error_of("[1, 2]"), "trace.json: traceEvents: is missing");
  EXPECT_EQ(error_of(trace_of(R"({"ph":"X","tid":1,"name":"a"})")),
            "trace.json: a span has no tid, ts or dur: \"a\"");
  EXPECT_EQ(error_of(trace_of(R"({"ph":"X","tid":1,"name":"a","ts":-1,"dur":1})")),
            "trace.json: ts of \"a\": must lie from 0 to 9e+15 cycles, got -1 us");
  EXPECT_EQ(error_of(trace_of(R"({"ph":"X","tid":1,"name":"a","ts":0,"dur":1e300})")),
            "trace.json: dur of \"a\": must lie from 0 to 9e+15 cycles, got 1e+300 us");
  EXPECT_EQ(error_of(trace_of(R"({"ph":"X","tid":18446744073709551615,"name":"a"})")),
            "trace.json: tid: the number is too large");
  EXPECT_EQ(error_of(trace_of(R"({"ph":"X","ts":1e999})")),
            "trace.json: a number is beyond the range of a double");
  EXPECT_EQ(error_of(trace_of(R"({"ph":"C","name":"power a [W]","ts":1,"args":{"W":"x"}})")),
            "trace.json: \"power a [W]\" has no ts or W");
  const std::string at_one = R"({"ph":"C","name":"power a [W]","ts":1,"args":{"W":1}})";
  EXPECT_EQ(error_of(trace_of(at_one + "," + at_one)),
            "trace.json: \"power a [W]\": its times must grow, got 1 us");
  EXPECT_EQ(error_of(trace_of(R"({"a":[[[[[[[1]]]]]]]})")), "trace.json: more than 8 levels");
}

TEST(Trace, PowerOfAllComponentsHasTheSameWindows) {
  EXPECT_EQ(error_of(trace_of(R"({"ph":"C","name":"power a [W]","ts":0,"args":{"W":1}},
                                 {"ph":"C","name":"power a [W]","ts":1,"args":{"W":0}},
                                 {"ph":"C","name":"power b [W]","ts":0,"args":{"W":1}},
                                 {"ph":"C","name":"power b [W]","ts":2,"args":{"W":0}})")),
            "trace.json: power b has other windows than power a");
}

TEST(Trace, BoundsItsTracks) {
  std::string events;
  for (int i = 0; i < 257; ++i) events += (i == 0 ? "" : ",") + thread(i, "t");
  EXPECT_EQ(error_of(trace_of(events)), "trace.json: more than 256 tracks");
}

}  // namespace
}  // namespace npu::publish
