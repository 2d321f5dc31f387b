// Public networks: all of them import, with the operators, sizes and quantization they are known
// to have.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/shared.h"
#include "workloads/importers/tflite.h"

namespace npu::test {
namespace {

using Counts = std::map<std::string, int>;

Counts operators_of(const graph::Graph& graph) {
  Counts counts;
  for (const graph::Node& node : graph.nodes) ++counts[std::string(name_of(node.kind))];
  return counts;
}

std::int64_t macs_of(const graph::Graph& graph) {
  std::int64_t macs = 0;
  for (const graph::Node& node : graph.nodes) macs += mac_count(graph, node);
  return macs;
}

std::vector<std::string> networks_below(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(shared_path(folder))) {
    if (entry.path().extension() == ".tflite") paths.push_back(entry.path().string());
  }
  return paths;
}

struct Known {
  std::string path;
  Counts operators;
  std::int64_t macs;
};

TEST(Models, OperatorsAndMacs) {
  NPUSIM_REQUIRE_SHARED();
  const Counts mobilenet = {{"CONV_2D", 15},
                            {"DEPTHWISE_CONV_2D", 13},
                            {"AVERAGE_POOL_2D", 1},
                            {"RESHAPE", 1},
                            {"SOFTMAX", 1}};
  const Counts resnet = {{"CONV_2D", 9}, {"ADD", 3},     {"AVERAGE_POOL_2D", 1},
                         {"RESHAPE", 1}, {"SOFTMAX", 1}, {"FULLY_CONNECTED", 1}};
  const std::vector<Known> known = {
      {"mlperf_tiny/pretrainedResnet_quant.tflite", resnet, 12'501'632},
      {"mlperf_tiny/pretrainedResnet.tflite", resnet, 12'501'632},
      {"mlperf_tiny/kws_ref_model.tflite",
       {{"CONV_2D", 5},
        {"DEPTHWISE_CONV_2D", 4},
        {"AVERAGE_POOL_2D", 1},
        {"RESHAPE", 1},
        {"FULLY_CONNECTED", 1},
        {"SOFTMAX", 1}},
       2'656'768},
      {"mlperf_tiny/ad01_int8.tflite", {{"FULLY_CONNECTED", 10}}, 264'192},
      {"coral/mobilenet_v1_0.25_128_quant.tflite", mobilenet, 13'570'304},
      {"tflite_support/mobilenet_v1_0.25_224_quant.tflite", mobilenet, 41'030'528},
      {"tflm/keyword_scrambled.tflite",
       {{"SVDF", 7}, {"FULLY_CONNECTED", 5}, {"QUANTIZE", 2}, {"SOFTMAX", 1}},
       21'056},
  };
  for (const Known& k : known) {
    SCOPED_TRACE(k.path);
    const graph::Graph graph = importers::load_tflite(shared_path("models/tflite/" + k.path));
    EXPECT_EQ(operators_of(graph), k.operators);
    EXPECT_EQ(macs_of(graph), k.macs);
  }
}

TEST(Models, AllImport) {
  NPUSIM_REQUIRE_SHARED();
  const std::vector<std::string> paths = networks_below("models/tflite");
  EXPECT_GE(paths.size(), 15U);
  for (const std::string& path : paths) {
    EXPECT_NO_THROW(EXPECT_FALSE(importers::load_tflite(path).nodes.empty())) << path;
  }
}

TEST(Models, AllSeanetOperatorsImport) {
  NPUSIM_REQUIRE_SHARED();
  const std::map<std::string, graph::OpKind> kinds = {
      {"add", graph::OpKind::kAdd},
      {"conv", graph::OpKind::kConv2d},
      {"leaky_relu", graph::OpKind::kLeakyRelu},
      {"pad", graph::OpKind::kPad},
      {"quantize", graph::OpKind::kQuantize},
      {"strided_slice", graph::OpKind::kStridedSlice},
      {"sub", graph::OpKind::kSub},
      {"transpose_conv", graph::OpKind::kTransposeConv}};
  const std::vector<std::string> paths = networks_below("models/kernel_vectors/seanet_int16x8");
  EXPECT_EQ(paths.size(), 66U);
  for (const std::string& path : paths) {
    SCOPED_TRACE(path);
    const graph::Graph graph = importers::load_tflite(path);
    ASSERT_EQ(graph.nodes.size(), 1U);
    EXPECT_EQ(graph.nodes[0].kind,
              kinds.at(std::filesystem::path(path).parent_path().filename().string()));
    EXPECT_EQ(graph.tensor(graph.outputs.at(0)).type, DType::kInt16);
  }
}

void expect_tensor(const graph::Graph& graph, graph::TensorId id, const nlohmann::json& meta) {
  EXPECT_EQ(id, meta.at("index").get<graph::TensorId>());
  const graph::Tensor& t = graph.tensor(id);
  std::string type(name_of(t.type));
  for (char& c : type) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(type, meta.at("type").get<std::string>());
  EXPECT_EQ(t.shape, meta.at("shape").get<Shape>());
  if (!t.quantization.has_value()) return;
  EXPECT_FLOAT_EQ(t.quantization->scale[0], meta.at("scale").get<float>());
  EXPECT_EQ(t.quantization->zero_point[0], meta.at("zero_point").get<int>());
}

TEST(Models, EdgesAreThoseOfTheGoldenTensors) {
  NPUSIM_REQUIRE_SHARED();
  int networks = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shared_path("models/golden"))) {
    std::ifstream in(entry.path() / "meta.json");
    const nlohmann::json meta = nlohmann::json::parse(in);
    const std::string model = meta.value("model", "");
    if (!model.ends_with(".tflite") || !meta.at("inputs").at(0).contains("index")) continue;
    SCOPED_TRACE(model);
    const graph::Graph graph = importers::load_tflite(shared_path("models/" + model));
    ASSERT_EQ(graph.inputs.size(), meta.at("inputs").size());
    ASSERT_EQ(graph.outputs.size(), meta.at("outputs").size());
    expect_tensor(graph, graph.inputs[0], meta.at("inputs").at(0));
    expect_tensor(graph, graph.outputs[0], meta.at("outputs").at(0));
    ++networks;
  }
  EXPECT_GE(networks, 10);
}

TEST(Models, OurDigitsNetworkImports) {
  const graph::Graph graph = importers::load_tflite(std::string(NPUSIM_SOURCE_DIR) +
                                                    "/workloads/models/digits/digits_int8.tflite");
  EXPECT_EQ(graph.tensor(graph.inputs.at(0)).type, DType::kInt8);
  EXPECT_EQ(macs_of(graph), 199'936);
}

}  // namespace
}  // namespace npu::test
