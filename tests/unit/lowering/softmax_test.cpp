// SOFTMAX over floats in two passes: what a program and its mapping say of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "isa/program.h"
#include "kernels/lowering/compile.h"
#include "kernels/mapper/mapping_reader.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::Graph;
using graph::OpKind;
using testing::HasSubstr;

NpuConfig config(std::int64_t scratchpad_bytes) {
  NpuConfig c = load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml");
  c.mac_array.float32_cycles = 1;
  c.scratchpad.capacity_bytes = scratchpad_bytes;
  return c;
}

/// One node of float32 operands; the last shape is its output's.
Graph one(OpKind kind, graph::Attrs attrs, const std::vector<Shape>& shapes) {
  Graph g;
  g.name = "softmax";
  graph::Node node{kind, {}, {}, std::move(attrs), 0};
  for (const Shape& shape : shapes) {
    graph::Tensor t;
    t.name = fmt::format("t{}", g.tensors.size());
    t.type = DType::kFloat32;
    t.shape = shape;
    g.tensors.push_back(std::move(t));
  }
  const auto last = static_cast<graph::TensorId>(shapes.size() - 1);
  for (graph::TensorId id = 0; id < last; ++id) g.inputs.push_back(id);
  node.inputs = g.inputs;
  if (kind == OpKind::kAttention) node.inputs.push_back(graph::kAbsent);
  node.outputs = g.outputs = {last};
  g.nodes.push_back(std::move(node));
  graph::verify(g);
  return g;
}
Graph softmax(std::int64_t rows, std::int64_t row) {
  return one(OpKind::kSoftmax, graph::SoftmaxAttrs{}, {{rows, row}, {rows, row}});
}
Graph attention() {
  return one(OpKind::kAttention, graph::AttentionAttrs{},
             {{1, 2, 4, 8}, {1, 2, 64, 8}, {1, 2, 64, 8}, {1, 2, 4, 8}});
}

mapper::Decisions parse(const std::string& text) {
  return mapper::MappingFile::parse(text, "m.yaml").decisions();
}

TEST(Softmax, AMappingGivenBackMakesTheSameProgram) {
  const Graph g = softmax(3, 1000);
  for (const std::int64_t bytes : {32768, 8192}) {
    const Compiled first = compile(g, config(bytes), {.timing_only = true});
    EXPECT_THAT(first.mapping_yaml,
                HasSubstr(bytes == 32768 ? "    softmax: {passes: 3}\n"
                                         : "    softmax: {passes: 2, block: 384}\n"));
    const mapper::Decisions decisions = parse(first.mapping_yaml);
    const Compiled again =
        compile(g, config(bytes), {.timing_only = true, .decisions = &decisions});
    EXPECT_EQ(again.mapping_yaml, first.mapping_yaml);
    EXPECT_EQ(isa::serialize(again.program), isa::serialize(first.program));
  }
}

TEST(Softmax, ADecisionThatDoesNotFitNamesTheChangeThatMakesItLegal) {
  const auto error_of = [](const std::string& keys) -> std::string {
    const mapper::Decisions decisions =
        parse("layers:\n  - {layer: \"SOFTMAX #0\", softmax: " + keys + "}\n");
    try {
      static_cast<void>(compile(softmax(3, 1000), config(8192),
                                {.timing_only = true, .decisions = &decisions, .suggests = true}));
      return "no error";
    } catch (const Error& e) {
      return e.what();
    }
  };
  EXPECT_EQ(error_of("{block: 400}"), "no error");
  EXPECT_THAT(error_of("{passes: 3}"),
              HasSubstr("8192 are there; legal with: softmax.passes 3 -> 2"));
  EXPECT_THAT(error_of("{block: 900}"),
              HasSubstr("8192 are there; legal with: softmax.block 900 -> 496"));
  EXPECT_THAT(error_of("{passes: 3, block: 100}"),
              HasSubstr("only two passes have blocks; legal with: softmax.passes 3 -> 2"));
}

TEST(Softmax, ProvenanceGivesTheGraphItsRoundings) {
  Graph g = softmax(3, 1000);
  const isa::Program three = compile(g, config(32768), {.timing_only = true}).program;
  EXPECT_FALSE(three.provenance.contains("softmax"));
  const isa::Program two = compile(g, config(8192), {.timing_only = true}).program;
  EXPECT_EQ(two.provenance.at("softmax"), "1:384");
  apply_roundings(g, three);
  EXPECT_EQ(std::get<graph::SoftmaxAttrs>(g.nodes[0].attrs).block, 0);
  apply_roundings(g, two);
  EXPECT_EQ(std::get<graph::SoftmaxAttrs>(g.nodes[0].attrs).block, 384);
  isa::Program broken;
  broken.provenance["softmax"] = "1-500";
  try {
    apply_roundings(g, broken);
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "program: provenance `softmax` is no list of output:block: 1-500");
  }
}

TEST(Softmax, OfAnUnfusedAttentionIsThatOfItsNode) {
  Graph g = attention();
  const mapper::Decisions decisions =
      parse("layers:\n  - {layer: \"SOFTMAX #0\", softmax: {block: 24}}\n");
  const isa::Program program =
      compile(
          g, config(32768),
          {.timing_only = true, .attention = AttentionVariant::kUnfused, .decisions = &decisions})
          .program;
  EXPECT_EQ(program.provenance.at("attention"), "3:0");
  EXPECT_EQ(program.provenance.at("softmax"), "3:24");
  apply_roundings(g, program);
  EXPECT_EQ(std::get<graph::AttentionAttrs>(g.nodes[0].attrs).key_block, 0);
  EXPECT_EQ(std::get<graph::AttentionAttrs>(g.nodes[0].attrs).softmax_block, 24);
}

}  // namespace
}  // namespace npu::kernels
