// Suites of published figures: which rows are compared, what is refused, the stand-ins' sizes.

#include "sim/validation/published.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/base/error.h"
#include "workloads/graph/network_table.h"

namespace npu::validation {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const SuiteContext kContext{std::string(NPUSIM_SOURCE_DIR) + "/configs"};

std::vector<std::string> shipped_rows(const Suite& suite) {
  std::vector<std::string> names;
  const CsvTable rows = CsvTable::load(kContext.configs + "/validation/" + suite.rows + ".csv");
  for (const Case& c : suite.cases(rows, kContext)) {
    EXPECT_GT(c.reference, 0) << suite.name << " " << c.row;
    names.push_back(c.row);
  }
  return names;
}

std::string error_of(const Suite& suite, const std::string& rows) {
  try {
    (void)suite.cases(CsvTable::parse(rows, "rows.csv"), kContext);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(PublishedSuites, RowsWithoutAKnownNetworkAreLeftOut) {
  EXPECT_THAT(shipped_rows(ethos_cycles_suite()),
              ElementsAre("asr", "img_class", "kws_asr(asr part)"));
  EXPECT_THAT(shipped_rows(ethos_traffic_suite()),
              ElementsAre("asr", "img_class", "kws_asr(asr part)"));
  EXPECT_THAT(shipped_rows(tpu_v1_suite()), ElementsAre("MLP0", "MLP1", "LSTM0", "LSTM1", "CNN0"));
  EXPECT_EQ(shipped_rows(gemmini_suite()).size(), 132U);
  EXPECT_EQ(shipped_rows(eyeriss_suite()).size(), 18U);
  EXPECT_THAT(shipped_rows(nvdla_performance_suite()),
              ElementsAre("2048 MACs", "1024 MACs", "512 MACs", "256 MACs", "128 MACs", "64 MACs",
                          "32 MACs"));
}

TEST(PublishedSuites, RowsAtFault) {
  EXPECT_EQ(error_of(nvdla_performance_suite(), "macs,cbuf_KB,dram_GBps,fps\n48,128,1,5\n"),
            "rows.csv:2: macs: no NVDLA of 48 MACs");
  EXPECT_THAT(error_of(nvdla_performance_suite(), "macs,cbuf_KB,dram_GBps,fps\n64,128,0,5\n"),
              HasSubstr("rows.csv:2: dram_GBps: "));
  EXPECT_THAT(error_of(tpu_v1_suite(), "application,network,batch,tera_ops\nA,tpu_mlp0,0,1\n"),
              HasSubstr("rows.csv:2: batch: "));
  EXPECT_THAT(error_of(eyeriss_suite(), "network,layer\na,b\n"), HasSubstr("rows.csv"));
}

/// Table 1 of Jouppi et al.: weights and fully connected layers or convolutions.
TEST(PublishedSuites, StandInsHaveThePublishedWeights) {
  struct Published {
    const char* network;
    std::size_t weighted_layers, vector_layers;
    double million_weights, tolerance;
  };
  for (const Published& p : {Published{"tpu_mlp0", 5, 0, 20, 0.01},
                             {"tpu_mlp1", 4, 0, 5, 0.01},
                             {"tpu_lstm0", 24, 34, 52, 0.04},
                             {"tpu_lstm1", 37, 19, 34, 0.01},
                             {"tpu_cnn0", 16, 0, 8, 0.01}}) {
    const graph::Graph g = shipped_network(kContext, p.network, 2);
    std::size_t weighted = 0;
    double weights = 0;
    for (const graph::Node& n : g.nodes) {
      if (n.inputs.size() < 2) continue;
      ++weighted;
      weights += static_cast<double>(element_count(g.tensor(n.inputs[1]).shape));
    }
    EXPECT_EQ(weighted, p.weighted_layers) << p.network;
    EXPECT_EQ(g.nodes.size() - weighted, p.vector_layers) << p.network;
    EXPECT_NEAR(weights / 1e6, p.million_weights, p.tolerance * p.million_weights) << p.network;
  }
}

}  // namespace
}  // namespace npu::validation
