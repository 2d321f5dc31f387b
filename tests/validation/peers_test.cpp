// Other simulators' rows: what npusim's figures keep whatever the reference says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "sim/base/error.h"
#include "sim/base/math.h"
#include "sim/base/process_pool.h"
#include "sim/timing/mac_timing.h"
#include "sim/validation/peer_suites.h"
#include "sim/validation/simulate.h"
#include "sim/validation/suite.h"

namespace npu::validation {
namespace {

const SuiteContext kContext{NPUSIM_SOURCE_DIR "/configs"};

CsvTable shipped(const std::string& stem) {
  return CsvTable::load(kContext.configs + "/validation/" + stem + ".csv");
}

const Suite& suite(const std::string& name) {
  for (const Suite& s : suites()) {
    if (s.name == name) return s;
  }
  throw std::runtime_error("no suite " + name);
}

TEST(Peers, ConfigurationsLoadAndSayWhereTheyAreFrom) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kContext.configs + "/npu/peers")) {
    SCOPED_TRACE(entry.path());
    const NpuConfig c = load_npu_config(entry.path().string());
    EXPECT_EQ(c.name, entry.path().stem().string());
    EXPECT_GE(c.sources.size(), 10U);
    ++files;
  }
  EXPECT_GE(files, 7);
}

/// Fill and drain conventions are the whole difference to SCALE-Sim's compute cycles: one cycle;
/// rows that a block of the stationary operand does not have; results that leave the array through
/// its columns.
TEST(Peers, ArrayCyclesDifferFromScaleSimByTheirConventionsOnly) {
  std::size_t compared = 0;
  std::map<int, NpuConfig> configs;
  for (const int array : {32, 128}) {
    configs[array] = load_npu_config(kContext.npu(fmt::format("peers/scalesim_{}", array)));
  }
  for (const ScaleSimRow& row : read_scalesim_rows(shipped("scalesim_layers"), false)) {
    SCOPED_TRACE(row.name);
    MacArrayConfig array = configs.at(row.array).mac_array;
    array.dataflow = row.dataflow;
    const PeerLayer& l = row.layer;
    const std::int64_t side = row.array;
    timing::MacTile tile;
    tile.m = l.m();
    tile.n = l.n();
    tile.k = l.k();
    tile.taps = std::int64_t{l.window.kernel_h} * l.window.kernel_w;
    std::int64_t expected = static_cast<std::int64_t>(row.compute_cycles) + 1;
    if (row.dataflow == Dataflow::kOutputStationary) {
      expected += ceil_div(l.m(), side) * ceil_div(l.n(), side) * side;
    } else {
      const std::int64_t across = row.dataflow == Dataflow::kWeightStationary ? l.n() : l.m();
      const std::int64_t missing = ceil_div(l.k(), side) * side - l.k();
      expected -= missing * ceil_div(across, side);
    }
    EXPECT_EQ(timing::mac_tile(array, tile).total_cycles, expected);
    ++compared;
  }
  EXPECT_EQ(compared, 150U);
}

/// Operands and results cross the DRAM interface at least once. In a product of one row a weight
/// has one use and is read once, and no partial sum is stored.
TEST(Peers, TrafficIsNeverBelowCompulsoryAndSingleUseOperandsAreReadOnce) {
  const std::vector<ScaleSimRow> rows = read_scalesim_rows(shipped("scalesim_layers"), true);
  ASSERT_EQ(rows.size(), 102U);
  std::size_t single_use = 0;
  run_in_processes(
      rows.size(), {.workers = 0},
      [&](std::size_t i) {
        NpuConfig config =
            load_npu_config(kContext.npu(fmt::format("peers/scalesim_{}", rows[i].array)));
        config.mac_array.dataflow = rows[i].dataflow;
        config.dram.channels = rows[i].array / 32;
        const RunStats stats = simulate(config, network_of(rows[i].layer));
        std::uint64_t read = 0;
        std::uint64_t written = 0;
        for (const LayerStats& layer : stats.layers) {
          read += layer.dram_read_bytes;
          written += layer.dram_write_bytes;
        }
        return fmt::format("{} {} {}", read, written,
                           stats.events.at(static_cast<std::size_t>(Event::kDmaByte)));
      },
      [&](std::size_t i, const TaskResult& task) {
        SCOPED_TRACE(rows[i].name);
        ASSERT_EQ(task.status, TaskStatus::kDone) << task.text;
        const PeerLayer& l = rows[i].layer;
        std::istringstream figures(task.text);
        std::int64_t read = 0;
        std::int64_t written = 0;
        std::int64_t moved = 0;  // Without the rest of bursts of which a transfer needs a part.
        figures >> read >> written >> moved;
        const std::int64_t operands = l.input_bytes() + l.weight_bytes();
        EXPECT_GE(read, operands);
        EXPECT_GE(written, l.output_bytes());
        EXPECT_GE(moved, operands + l.output_bytes());
        if (l.m() > 1) return;
        ++single_use;
        // Every weight and every result once, a record of 12 bytes per channel, the input once or
        // once per block of channels.
        constexpr std::int64_t kRecordBytes = 12;
        const std::int64_t inputs =
            moved - l.weight_bytes() - l.output_bytes() - l.n() * kRecordBytes;
        EXPECT_EQ(inputs % l.input_bytes(), 0);
        EXPECT_LE(inputs / l.input_bytes(), ceil_div(l.n(), rows[i].array));
      });
  EXPECT_GE(single_use, 6U);
}

std::string refused(const std::string& name, const std::string& text) {
  try {
    static_cast<void>(suite(name).cases(CsvTable::parse(text, "rows.csv"), kContext));
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Peers, RowsThatAreAtFault) {
  const std::string zigzag = "tag,layer,dims,latency_total\nx_tpu_like,L,";
  EXPECT_EQ(refused("zigzag_layers", zigzag + "\"{'K': 4\",5\n"),
            "rows.csv:2: dims: expected loop bounds as {'K': 64, 'C': 3} from 1 to 65536, got "
            "\"{'K': 4\"");
  EXPECT_EQ(refused("zigzag_layers", zigzag + "\"{'K': 4}\",5\n"),
            "rows.csv:2: dims: no bound \"C\"");
  EXPECT_EQ(refused("zigzag_layers",
                    zigzag + "\"{'K': 4, 'C': 3, 'OY': 1, 'OX': 1, 'FY': 99, 'FX': 1}\",5\n"),
            "rows.csv:2: dims: FY must be at most 15, got 99");
  const std::string onnxim = "config,model,layer,compute_time_cycles\nedge32_c1,";
  EXPECT_EQ(refused("onnxim_layers", onnxim + "vgg,L,5\n"),
            "rows.csv:2: model: expected resnet18_gen, resnet50_gen, bert_base_s128_l1, gemm_… or "
            "conv_…, got \"vgg\"");
  EXPECT_EQ(refused("onnxim_layers", onnxim + "gemm_1_2,MatMul_1,5\n"),
            "rows.csv:2: model: expected gemm_M_N_K or conv_hH_cC_mM_kK_sS with numbers from 1 to "
            "65536, got \"gemm_1_2\"");
  EXPECT_EQ(refused("onnxim_layers", onnxim + "conv_h9_c1_m1_k99_s1,FusedConv_1,5\n"),
            "rows.csv:2: model: image above 4096, kernel above 15 or stride above 15");
  std::string projections = "config,model,layer,compute_time_cycles\n";
  for (int i = 0; i < 4; ++i) projections += "edge32_c1,resnet18_gen,Conv_1,5\n";
  EXPECT_EQ(refused("onnxim_layers", projections),
            "rows.csv:5: layer: resnet18_gen has fewer layers, got \"Conv_1\"");
  EXPECT_EQ(refused("maestro_bandwidth",
                    "mapping,noc_bw,offchip_bw,cycles,pes,macs\nresnet18_kcp_ws_c32,1,1,1,9,1\n"),
            "rows.csv:2: pes: expected an integer from 1024 to 1024, got \"9\"");
  EXPECT_EQ(refused("scalesim_layers", "array\n64\n"),
            "rows.csv:2: array: expected one of 32, 128, got \"64\"");
}

TEST(Peers, RowsThatAreNoComparisonAreLeftOut) {
  EXPECT_EQ(suite("timeloop_layers").cases(shipped("timeloop"), kContext).size(), 7U);
  EXPECT_EQ(suite("maestro_bandwidth").cases(shipped("maestro_bw_sensitivity"), kContext).size(),
            16U);
  EXPECT_EQ(suite("onnxim_layers").cases(shipped("onnxim_layers"), kContext).size(), 166U);
  EXPECT_EQ(suite("zigzag_layers").cases(shipped("zigzag_layers"), kContext).size(), 12U);
}

}  // namespace
}  // namespace npu::validation
