#include "sim/interchange/scalesim_reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace npu::interchange {
namespace {

using ::testing::HasSubstr;

/// One matrix product of 4 x 8 x 16 (M, N, K) on an 8 x 8 array, weights and inputs loaded before.
class ScaleSimReports : public ::testing::Test {
 protected:
  ScaleSimReports() {
    config.mac_array.rows = config.mac_array.cols = 8;
    config.mac_array.weight_load_bytes_per_cycle = 8;
    program.layers = {{.name = "POOL #0"}, {.name = "GEMM #1", .macs = 512, .repeats = 3}};
    program.image = {{.name = "weights", .address = 0, .size = 128, .bytes = {}}};
    isa::Instruction weights{.opcode = isa::Opcode::kDmaLoad};
    weights.set(isa::Opd::kN0, 128);
    isa::Instruction input = weights;
    input.set(isa::Opd::kSrc, 4096);
    input.set(isa::Opd::kN0, 64);
    isa::Instruction store{.opcode = isa::Opcode::kDmaStore};
    store.set(isa::Opd::kN0, 32);
    store.set(isa::Opd::kDst, 8192);
    for (isa::Instruction* dma : {&weights, &input, &store}) {
      for (const isa::Opd opd : {isa::Opd::kN1, isa::Opd::kN2, isa::Opd::kN3}) dma->set(opd, 1);
    }
    isa::Instruction gemm{.opcode = isa::Opcode::kGemm};
    gemm.set(isa::Opd::kM, 4);
    gemm.set(isa::Opd::kN, 8);
    gemm.set(isa::Opd::kK, 16);
    gemm.set(isa::Opd::kRowStride, 16);
    gemm.set(isa::Opd::kWStride, 16);
    gemm.set(isa::Opd::kAccPitch, 8);
    program.code = {weights, input, gemm, store};
    program.layer_of = {1, 1, 1, 1};

    report.layers.resize(2);
    report.layers[1].macs = 512 * 3;
    report.layers[1].stats.repeats = 3;
    report.stats.last_run_begin_cycle = 1000;
    report.stats.spans = {{0, 0, 10, 20},       // Of a run before.
                          {0, 0, 1000, 1010},   // Weights.
                          {1, 1, 1005, 1015},   // Input.
                          {2, 2, 1020, 1060},   // Product.
                          {0, -1, 1000, 1100},  // Of no instruction.
                          {0, 3, 1065, 1073}};  // Store.
  }

  std::map<std::string, std::string> reports() { return scalesim_reports(report, program, config); }

  NpuConfig config;
  isa::Program program;
  report::Report report;
};

TEST_F(ScaleSimReports, ComputeReport) {
  // Both folds are full; 512 MACs in 40 cycles of 64 places.
  EXPECT_EQ(reports().at("COMPUTE_REPORT.csv"),
            "LayerID, Total Cycles (incl. prefetch), Total Cycles, Stall Cycles, Overall Util %, "
            "Mapping Efficiency %, Compute Util %,\n"
            "0, 219, 120, 0, 20.0, 100.0, 20.0,\n");
}

TEST_F(ScaleSimReports, BandwidthReport) {
  // Two folds of 8 read 4 x 8 inputs each, write 4 x 8 sums each.
  EXPECT_EQ(reports().at("BANDWIDTH_REPORT.csv"),
            "LayerID, Avg IFMAP SRAM BW, Avg FILTER SRAM BW, Avg OFMAP SRAM BW, Avg IFMAP DRAM BW, "
            "Avg FILTER DRAM BW, Avg OFMAP DRAM BW,\n"
            "0, 1.6, 3.2, 1.6, 6.4, 12.8, 4.0,\n");
}

TEST_F(ScaleSimReports, DetailedAccessReport) {
  EXPECT_EQ(reports().at("DETAILED_ACCESS_REPORT.csv"),
            "LayerID, SRAM IFMAP Start Cycle, SRAM IFMAP Stop Cycle, SRAM IFMAP Reads, SRAM Filter "
            "Start Cycle, SRAM Filter Stop Cycle, SRAM Filter Reads, SRAM OFMAP Start Cycle, SRAM "
            "OFMAP Stop Cycle, SRAM OFMAP Writes, DRAM IFMAP Start Cycle, DRAM IFMAP Stop Cycle, "
            "DRAM IFMAP Reads, DRAM Filter Start Cycle, DRAM Filter Stop Cycle, DRAM Filter Reads, "
            "DRAM OFMAP Start Cycle, DRAM OFMAP Stop Cycle, DRAM OFMAP Writes,\n"
            "0, 0, 39, 192, 0, 39, 384, 0, 39, 192, -15, -6, 192, -20, -11, 384, 45, 52, 96,\n");
}

TEST_F(ScaleSimReports, CyclesWithoutTheArrayAreStalls) {
  report.stats.spans.push_back({2, 2, 1070, 1110});
  EXPECT_THAT(reports().at("COMPUTE_REPORT.csv"), HasSubstr("\n0, 330, 270, 30, "));
}

TEST_F(ScaleSimReports, PartialFoldsLowerTheMappingEfficiency) {
  program.code[2].set(isa::Opd::kN, 6);
  EXPECT_THAT(reports().at("COMPUTE_REPORT.csv"), HasSubstr(", 75.0, "));
  config.mac_array.dataflow = Dataflow::kOutputStationary;  // 4 x 6 of 8 x 8.
  EXPECT_THAT(reports().at("COMPUTE_REPORT.csv"), HasSubstr(", 37.5, "));
  config.mac_array.dataflow = Dataflow::kInputStationary;  // 16 x 4 of 16 x 8.
  EXPECT_THAT(reports().at("COMPUTE_REPORT.csv"), HasSubstr(", 50.0, "));
}

}  // namespace
}  // namespace npu::interchange
