#include "workloads/importers/scalesim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace npu::importers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kConv =
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
    "Strides,\n";
const std::string kProduct = "Layer, M, N, K,\n";

ScaleSimNetwork read(const std::string& text, const DescriptionOptions& options = {}) {
  return parse_scalesim(text, "topology.csv", options);
}

std::string error_of(const std::string& text, const DescriptionOptions& options = {}) {
  try {
    (void)read(text, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ScaleSim, Convolutions) {
  const ScaleSimNetwork t =
      read(kConv + "Conv1, 224, 224, 7, 7, 3, 64, 2,\n\nConvDP2,112,112,3,3,32,1,1\r\n");
  EXPECT_THAT(t.notes, IsEmpty());
  ASSERT_EQ(t.network.layers.size(), 2U);
  // ceil((224 − 7 + 2) / 2) = 110: the last window reaches beyond the input.
  EXPECT_EQ(t.network.layers[0].shape, (Shape{1, 110, 110, 64}));
  EXPECT_EQ(t.network.layers[0].macs, std::int64_t{110} * 110 * 49 * 3 * 64);
  EXPECT_EQ(t.network.layers[1].shape, (Shape{1, 110, 110, 32}));
  EXPECT_EQ(t.network.layers[1].macs, std::int64_t{110} * 110 * 9 * 32);
  EXPECT_EQ(t.network.parameter_count(), 49 * 3 * 64 + 9 * 32);
  EXPECT_EQ(t.network.graph.inputs.size(), 2U);
  EXPECT_EQ(t.network.graph.outputs.size(), 2U);
  EXPECT_EQ(t.network.graph.name, "topology");
}

TEST(ScaleSim, StridesOfTwoDirections) {
  const ScaleSimNetwork t = read(
      "Layer name,IFMAP Height,IFMAP Width,Filter Height,Filter Width,Channels,Num Filter,Stride "
      "height,Stride width,\na,8,9,3,2,4,5,1,3,\n");
  EXPECT_EQ(t.network.layers[0].shape, (Shape{1, 6, 4, 5}));
}

TEST(ScaleSim, Products) {
  const ScaleSimNetwork t = read("Layer,M,N,K,Batch\nqkv,128,2304,768,1\nscores,128,128,64,12\n");
  ASSERT_EQ(t.network.layers.size(), 13U);
  EXPECT_EQ(t.network.layers[0].macs, std::int64_t{128} * 2304 * 768);
  EXPECT_EQ(t.network.layers[12].name, "scores.11");
  EXPECT_EQ(t.network.mac_count(), 128 * (2304 * 768 + 12 * 128 * 64));
}

TEST(ScaleSim, ColumnsWithoutMeaningGetANote) {
  EXPECT_THAT(read("Layer, M, N, K, Sparsity,\na,4,4,4,2:4,\nb,4,4,4,1:1,x,y\n").notes,
              ElementsAre("topology.csv: column Sparsity has no meaning here",
                          "topology.csv: column 6 has no name and no meaning here"));
}

TEST(ScaleSim, Errors) {
  EXPECT_EQ(error_of(""), "topology.csv: a topology needs a line of columns and layers");
  EXPECT_EQ(error_of(kConv), "topology.csv: a topology needs a line of columns and layers");
  EXPECT_EQ(error_of("Layer name, IFMAP Height, IFMAP Width,\n"),
            "topology.csv:1: no column Filter Height: expected those of a SCALE-Sim topology, "
            "convolutions (Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, "
            "Channels, Num Filter, Strides) or products (Layer, M, N, K)");
  EXPECT_EQ(error_of("Layer, M, N, K, m\n"), "topology.csv:1: column m is there twice");
  EXPECT_EQ(error_of(kProduct + "a,4,0,4\n"),
            "topology.csv:2: N: must be an integer from 1 to 16777216, got 0");
  EXPECT_EQ(error_of(kProduct + "a,4,4\n"),
            "topology.csv:2: K: must be an integer from 1 to 16777216, got nothing");
  EXPECT_EQ(error_of(kProduct + ",4,4,4\n"), "topology.csv:2: Layer: must be a name, got nothing");
  EXPECT_EQ(error_of(kConv + "a,4,4,5,4,1,1,1,\n"),
            "topology.csv:2: Filter Height: must fit an input of 4, got 5");
  EXPECT_EQ(error_of(kProduct + "a,16777216,1,16777216\n"),
            "topology.csv:2: an input of more than 2^31 elements, [16777216,16777216]");
  EXPECT_EQ(error_of(kProduct + "a,1,16777216,16777216\n"),
            "topology.csv:2: topology: weights of more than 2147483648 bytes");
  EXPECT_EQ(error_of(kProduct + "a,1,1,1\n", {.parameters = {{"tokens", 3}}}),
            "topology.csv: the network has no parameter tokens");
  std::string many = kProduct;
  for (int i = 0; i <= 10'000; ++i) many += "a,1,1,1\n";
  EXPECT_EQ(error_of(many), "topology.csv: more than 10000 layers");
}

}  // namespace
}  // namespace npu::importers
