// Every shipped network against published counts: parameters, multiply-accumulates, layer by layer.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "sim/base/csv.h"
#include "sim/base/error.h"
#include "tests/support/shared.h"
#include "workloads/importers/network_description.h"

namespace npu::importers {
namespace {

using Parameters = std::map<std::string, std::int64_t, std::less<>>;

DescribedNetwork load(const std::string& name, const Parameters& parameters = {}) {
  return load_network_description(NPUSIM_SOURCE_DIR "/workloads/models/" + name + ".yaml",
                                  {.parameters = parameters});
}

struct Convolutional {
  const char* name;
  std::int64_t parameters, macs;
};
/// Sources: torchvision's metadata; MobileNetV1: a third party's weight count, and the sum over the
/// paper's table 1.
constexpr Convolutional kConvolutional[] = {{"resnet18", 11'689'512, 1'814'073'344},
                                            {"resnet50", 25'557'032, 4'089'184'256},
                                            {"mobilenet_v1", 4'231'976, 568'740'352},
                                            {"mobilenet_v2", 3'504'872, 300'774'272}};

TEST(ShippedNetworks, ConvolutionalCounts) {
  for (const Convolutional& c : kConvolutional) {
    const DescribedNetwork n = load(c.name);
    EXPECT_EQ(n.parameter_count(), c.parameters) << c.name;
    EXPECT_EQ(n.mac_count(), c.macs) << c.name;
    EXPECT_EQ(load(c.name, {{"batch", 3}}).mac_count(), 3 * c.macs) << c.name;
  }
}

struct Transformer {
  const char* name;
  std::int64_t parameters;
  std::int64_t macs_per_token;    ///< Linear layers and head.
  std::int64_t macs_per_context;  ///< Attention, per token and token that it sees.
};
/// Sources: published parameter counts; layers of the published configurations.
constexpr Transformer kDecoders[] = {{"gpt2", 124'439'808, 123'532'032, 18'432},
                                     {"llama2_7b", 6'738'415'616, 6'607'077'376, 262'144},
                                     {"qwen2_5_0_5b", 494'032'768, 493'961'216, 43'008},
                                     {"qwen2_5_7b", 7'615'616'512, 7'070'285'824, 200'704}};

TEST(ShippedNetworks, DecoderCounts) {
  for (const Transformer& t : kDecoders) {
    for (const std::int64_t past : {0, 1, 777}) {
      const DescribedNetwork n = load(t.name, {{"tokens", 1}, {"past", past}});
      EXPECT_EQ(n.parameter_count(), t.parameters) << t.name;
      EXPECT_EQ(n.mac_count(), t.macs_per_token + t.macs_per_context * (past + 1)) << t.name;
    }
    const DescribedNetwork prefill =
        load(t.name, {{"tokens", 24}, {"past", 40}, {"logits", 24}, {"batch", 2}});
    EXPECT_EQ(prefill.parameter_count(), t.parameters) << t.name;
    EXPECT_EQ(prefill.mac_count(), 2 * 24 * (t.macs_per_token + t.macs_per_context * 64)) << t.name;
  }
}

/// Sources: published parameter counts; BERT's multiply-accumulates are the sum over its layers at
/// 128 tokens with the pooler, ViT's torchvision's 17.564 G.
TEST(ShippedNetworks, EncoderCounts) {
  const DescribedNetwork bert = load("bert_base", {{"tokens", 128}});
  EXPECT_EQ(bert.parameter_count(), 109'482'240);
  EXPECT_EQ(bert.mac_count(), 11'174'215'680);
  const DescribedNetwork vit = load("vit_b16");
  EXPECT_EQ(vit.parameter_count(), 86'567'656);
  EXPECT_EQ(vit.mac_count(), 17'563'828'224);
  EXPECT_EQ(load("vit_b16", {{"batch", 2}}).mac_count(), 2 * 17'563'828'224);
  EXPECT_EQ(load("vit_b16", {{"batch", 2}}).parameter_count(), 86'567'656);
}

/// Keys and values of earlier tokens come in, those of the new ones go out.
TEST(ShippedNetworks, DecodersKeepKeysAndValues) {
  const graph::Graph g = load("qwen2_5_0_5b", {{"tokens", 1}, {"past", 100}, {"blocks", 2}}).graph;
  ASSERT_EQ(g.inputs.size(), 1U + 2 * 2);
  EXPECT_EQ(g.tensor(g.inputs[1]).shape, (Shape{1, 2, 100, 64}));
  ASSERT_EQ(g.outputs.size(), 1U + 2 * 2);
  EXPECT_EQ(g.tensor(g.outputs[0]).shape, (Shape{1, 151936}));
  EXPECT_EQ(g.tensor(g.outputs[1]).shape, (Shape{1, 2, 1, 64}));
}

/// What the recognition of repeated layers needs: equal nodes but for their tensors.
TEST(ShippedNetworks, BlocksAreEqualNodeByNode) {
  const graph::Graph one = load("llama2_7b", {{"tokens", 4}, {"past", 8}, {"blocks", 1}}).graph;
  const graph::Graph two = load("llama2_7b", {{"tokens", 4}, {"past", 8}, {"blocks", 2}}).graph;
  const graph::Graph three = load("llama2_7b", {{"tokens", 4}, {"past", 8}, {"blocks", 3}}).graph;
  const std::size_t period = two.nodes.size() - one.nodes.size();
  ASSERT_EQ(three.nodes.size(), two.nodes.size() + period);
  for (std::size_t i = 0; i < period; ++i) {
    const graph::Node& a = three.nodes[period + i];
    const graph::Node& b = three.nodes[2 * period + i];
    EXPECT_EQ(a.kind, b.kind);
    EXPECT_EQ(a.attrs, b.attrs);
    EXPECT_EQ(three.tensor(a.outputs[0]).shape, three.tensor(b.outputs[0]).shape);
  }
}

TEST(ShippedNetworks, EveryPrecision) {
  for (const auto& [word, type] : precision_names()) {
    for (const auto& file :
         std::filesystem::directory_iterator(NPUSIM_SOURCE_DIR "/workloads/models")) {
      if (file.path().extension() != ".yaml") continue;
      if (type == DType::kFloat32 && file.path().stem() == "qwen2_5_7b") continue;
      const DescribedNetwork n =
          load_network_description(file.path().string(), {.precision = type});
      EXPECT_GT(n.mac_count(), 0);
      EXPECT_EQ(n.graph.tensor(n.graph.inputs[0]).type, type) << file.path();
    }
  }
  EXPECT_THROW((void)load_network_description(NPUSIM_SOURCE_DIR "/workloads/models/qwen2_5_7b.yaml",
                                              {.precision = DType::kFloat32}),
               Error)
      << "the head's weights pass the bound of a tensor";
}

/// Every layer of the convolutional networks against the reference's table, in its order.
TEST(ShippedNetworks, ConvolutionalLayersOfTheReference) {
  NPUSIM_REQUIRE_SHARED();
  const CsvTable table = CsvTable::load(test::shared_path("reference/convnet_layers.csv"));
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  std::size_t row = 0;
  for (const char* name : {"resnet18", "resnet50", "mobilenet_v1", "mobilenet_v2"}) {
    for (const DescribedLayer& layer : load(name).layers) {
      if (layer.macs == 0) continue;
      ASSERT_LT(row, table.rows());
      EXPECT_EQ(table.text(row, "model"), name) << layer.name;
      EXPECT_EQ(layer.parameters,
                table.integer(row, "params", 0, kMost) + table.integer(row, "bn_params", 0, kMost))
          << layer.name;
      EXPECT_EQ(layer.macs, table.integer(row, "macs", 0, kMost)) << layer.name;
      EXPECT_EQ(layer.shape.back(), table.integer(row, "Cout", 1, kMost)) << layer.name;
      ++row;
    }
  }
  EXPECT_EQ(row, table.rows());
}

}  // namespace
}  // namespace npu::importers
