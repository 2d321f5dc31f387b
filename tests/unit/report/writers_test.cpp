#include "sim/report/writers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace npu::report {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

LayerRow layer_row(std::string name, std::int64_t macs, const LayerStats& stats, double energy_pj) {
  return {std::move(name), macs, stats, energy_pj, {{"dram", energy_pj}}};
}

LayerStats layer_stats(std::uint64_t begin_cycle, std::uint64_t end_cycle) {
  LayerStats stats;
  stats.begin_cycle = begin_cycle;
  stats.end_cycle = end_cycle;
  return stats;
}

/// Two inferences of a network with two layers on a machine of 1 GHz, 16 MAC/cycle, 4 DRAM
/// bytes/cycle.
Report example() {
  Report r;
  r.config_name = "edge";
  r.model_name = "net.tflite";
  r.provenance = {{"npusim", "0.1.0"}};
  r.clock_period_ps = 1000;
  r.peak_macs_per_cycle = 16;
  r.peak_dram_bytes_per_cycle = 4;
  r.dma_channels = 2;
  r.stats.total_cycles = 2000;
  r.stats.run_cycles = {1100, 900};
  r.stats.last_run_begin_cycle = 1100;
  r.macs_per_inference = 3200;
  LayerStats conv = layer_stats(1100, 1500);
  conv.mac_busy_cycles = 300;
  conv.dma_busy_cycles = 200;
  conv.dram_read_bytes = 400;
  LayerStats pool = layer_stats(1500, 2000);
  pool.vector_busy_cycles = 100;
  pool.dram_write_bytes = 1600;
  r.layers = {layer_row("CONV_2D #0", 3200, conv, 1500),
              layer_row("a \"quoted\", name", 0, pool, 500)};
  UnitStats unit;
  unit.name = "mac_array";
  unit.timeline.advance(Bucket::kBusy, 600);
  unit.timeline.advance(Bucket::kIdle, 2000);
  r.stats.units = {unit};
  r.ledger.rows = {
      {"mac_array", "mac_int8", 6400, 0.25, 1600, SourceClass::kPublished, "a paper, table 1"},
      {"dram", "leakage", 2000, 1.2, 2400, SourceClass::kAssumed, "guess"}};
  r.stats.power_components = {"mac_array"};
  r.stats.power = {{0, 1000, {0.5}}, {1000, 2000, {1.5}}};
  r.stats.tracks = {"mac_array"};
  r.stats.spans = {{0, 0, 100, 400}, {0, 0, 1200, 1500}, {0, 1, 1400, 1600}};
  r.instructions = {{"mac.conv", "CONV_2D #0"}, {"vec.add", "x"}};
  return r;
}

TensorAccuracy accuracy_row() {
  TensorAccuracy t;
  t.id = 3;
  t.name = "out";
  t.layer = "CONV_2D #0";
  t.integer.elements = 10;
  t.integer.sqnr_db = std::numeric_limits<double>::infinity();
  t.float_error.emplace();
  t.float_error->elements = 10;
  t.float_error->differing = 1;
  t.float_error->sqnr_db = 31.25;
  return t;
}

Accuracy accuracy(std::vector<TensorAccuracy> outputs, std::vector<TensorAccuracy> tensors) {
  Accuracy a;
  a.samples = 2;
  a.outputs = std::move(outputs);
  a.tensors = std::move(tensors);
  return a;
}

TEST(Figures, FollowFromTheCounts) {
  const Figures f = figures_of(example());
  EXPECT_DOUBLE_EQ(f.latency_ms, 1e-3);  // 1,000 cycles of 1 ns.
  EXPECT_DOUBLE_EQ(f.inferences_per_s, 1e6);
  EXPECT_DOUBLE_EQ(f.total_energy_pj, 4000);
  EXPECT_DOUBLE_EQ(f.energy_per_inference_pj, 2000);
  EXPECT_DOUBLE_EQ(f.average_power_mw, 2.0);  // 4 nJ in 2 us.
  EXPECT_DOUBLE_EQ(f.pj_per_mac, 4000.0 / 6400);
  EXPECT_DOUBLE_EQ(f.tops_per_w, 12800.0 / 4000);
  EXPECT_DOUBLE_EQ(f.mac_utilization, 6400.0 / (2000 * 16));
  EXPECT_DOUBLE_EQ(f.dram_bytes_per_inference, 2000);
}

TEST(Figures, AreZeroWithoutMacs) {
  Report r = example();
  r.macs_per_inference = 0;
  EXPECT_EQ(figures_of(r).pj_per_mac, 0);
}

TEST(BoundBy, NamesTheBusiestUnit) {
  const Report r = example();
  EXPECT_EQ(bound_by(r, r.layers[0]), "mac_array");
  EXPECT_EQ(bound_by(r, r.layers[1]), "dram");  // 1,600 B at 4 B/cycle: 400 of 500 cycles.
}

TEST(BoundBy, LatencyBelowHalf) {
  const Report r = example();
  LayerRow layer = layer_row("x", 0, layer_stats(0, 100), 0);
  layer.stats.dma_busy_cycles = 100;  // Mean of two channels: 50.
  EXPECT_EQ(bound_by(r, layer), "dma");
  layer.stats.dma_busy_cycles = 99;
  EXPECT_EQ(bound_by(r, layer), "latency");
}

TEST(Csv, QuotesFieldsAndNamesUnits) {
  Report r = example();
  r.accuracy = accuracy({}, {accuracy_row()});
  const std::string text = layers_csv(r);
  EXPECT_THAT(text, StartsWith("layer,begin_cycle,end_cycle,cycles,macs,utilization,bound_by,"));
  EXPECT_THAT(
      text,
      HasSubstr("\nCONV_2D #0,1100,1500,400,3200,0.5,mac_array,300,0,200,400,0,1500,0,31.25,1,"
                "0,1500\n"));
  EXPECT_THAT(text, HasSubstr(",repeats,energy_mac_array_pj,energy_dram_pj\n"));
  EXPECT_THAT(text, HasSubstr("\n\"a \"\"quoted\"\", name\",1500,2000,500,0,0,dram,"));
}

TEST(Csv, LedgerHasSourceAndClass) {
  EXPECT_EQ(energy_csv(example()),
            "component,event,count,energy_per_event_pj,energy_pj,class,source\n"
            "mac_array,mac_int8,6400,0.25,1600,published,\"a paper, table 1\"\n"
            "dram,leakage,2000,1.2,2400,assumed,guess\n");
}

TEST(Summary, HoldsTotalsBucketsAndAccuracy) {
  Report r = example();
  r.accuracy = accuracy({accuracy_row()}, {});
  r.accuracy->labels = ClassAgreement{.top1 = 0.5, .top5 = 1.0};
  r.peaks = {.macs_per_cycle = {{"int8", 16}, {"int16", 8}},
             .bytes_per_cycle = {{"dram", 4}},
             .capacity_bytes = {{"scratchpad", 1024}}};
  const Json j = Json::parse(summary_json(r));
  EXPECT_EQ(j["peaks"], Json({{"macs_per_cycle", {{"int8", 16.0}, {"int16", 8.0}}},
                              {"bytes_per_cycle", {{"dram", 4.0}}},
                              {"capacity_bytes", {{"scratchpad", 1024}}}}));
  EXPECT_EQ(j["total_cycles"], 2000);
  EXPECT_EQ(j["total_energy_pj"], 4000.0);
  EXPECT_EQ(j["cycles_per_inference"], Json({1100, 900}));
  EXPECT_EQ(j["units"][0]["buckets"]["busy_cycles"], 600);
  EXPECT_EQ(j["units"][0]["buckets"]["idle_cycles"], 1400);
  EXPECT_EQ(j["energy"]["by_component"]["dram_pj"], 2400.0);
  EXPECT_DOUBLE_EQ(j["energy"]["by_source_class"]["published_share"], 0.4);
  EXPECT_TRUE(j["accuracy"]["outputs"][0]["integer_reference"]["sqnr_db"].is_null());
  EXPECT_EQ(j["accuracy"]["outputs"][0]["float_reference"]["sqnr_db"], 31.25);
  EXPECT_EQ(j["accuracy"]["label_accuracy"]["top1_share"], 0.5);
  EXPECT_EQ(j["layers_last_inference"][0]["bound_by"], "mac_array");
}

TEST(Summary, SurvivesNamesThatAreNotUtf8) {
  Report r = example();
  r.model_name = "\xff\xfe.tflite";
  EXPECT_FALSE(Json::parse(summary_json(r)).is_discarded());
}

TEST(Trace, CoversTheLastInference) {
  const Json j = Json::parse(trace_json(example()));
  std::vector<Json> spans, power, occupied;
  for (const Json& e : j["traceEvents"]) {
    if (e["ph"] == "X" && e["tid"] == 1) spans.push_back(e);
    if (e["ph"] == "C" && e["name"] == "power mac_array [W]") power.push_back(e);
    if (e["ph"] == "C" && e["name"] == "occupied mac_array [%]") occupied.push_back(e);
  }
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0]["name"], "mac.conv");
  EXPECT_DOUBLE_EQ(spans[0]["ts"], 1.2);
  EXPECT_DOUBLE_EQ(spans[0]["dur"], 0.3);
  EXPECT_EQ(spans[0]["args"]["layer"], "CONV_2D #0");
  // The first window ends before the last inference begins at cycle 1,100.
  ASSERT_EQ(power.size(), 2U);
  EXPECT_DOUBLE_EQ(power[0]["ts"], 1.0);
  EXPECT_DOUBLE_EQ(power[0]["args"]["W"], 1.5);
  EXPECT_DOUBLE_EQ(power[1]["ts"], 2.0);
  EXPECT_DOUBLE_EQ(power[1]["args"]["W"], 0);
  // Cycles 1,200 to 1,600 of 1,000 to 2,000; the overlap of the spans counts once.
  ASSERT_EQ(occupied.size(), 2U);
  EXPECT_DOUBLE_EQ(occupied[0]["args"]["percent"], 40.0);
}

TEST(Text, ShowsLayersTotalsAccuracyAndSources) {
  Report r = example();
  r.accuracy = accuracy({accuracy_row()}, {});
  r.host_ops = {{.name = "operator #9 DEQUANTIZE", .bytes = 40, .seconds = 2e-6}};
  r.host_power_mw = 500;
  r.notes = {"no input given"};
  const std::string text = text_report(r);
  EXPECT_THAT(text, StartsWith("net.tflite on edge, 2 inferences\n"));
  EXPECT_THAT(text, HasSubstr("bound_by"));
  EXPECT_THAT(text, HasSubstr("average_power_mw         2\n"));
  EXPECT_THAT(text, HasSubstr("equal in every bit"));
  EXPECT_THAT(text, HasSubstr("sqnr_db 31.25"));
  EXPECT_THAT(text, HasSubstr("host: operator #9 DEQUANTIZE, bytes 40, time_us 2\n"));
  EXPECT_THAT(text, HasSubstr("published 40.0 %, assumed 60.0 %; uncalibrated"));
  EXPECT_THAT(text, HasSubstr("note: no input given\n"));
}

TEST(Text, SaysWhatDiffers) {
  Report r = example();
  TensorAccuracy t = accuracy_row();
  t.integer.differing = 1;
  t.integer.max_lsb_difference = 4;
  r.accuracy = accuracy({t}, {});
  EXPECT_THAT(text_report(r), HasSubstr("DIFFERS in 1 elements (10.0000 %), by up to 4 LSB"));
}

TEST(Writers, GiveTheSameBytesTwice) {
  const Report r = example();
  EXPECT_EQ(summary_json(r), summary_json(r));
  EXPECT_EQ(trace_json(r), trace_json(r));
}

}  // namespace
}  // namespace npu::report
