#include "kernels/mapper/mapping_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/mapper/mapping.h"
#include "sim/base/error.h"

namespace npu::mapper {
namespace {

using testing::HasSubstr;

constexpr const char* kWhole = R"(network: "two layers"
npu: {name: edge, fingerprint: 0123}
layers:
  - layer: "CONV_2D #0"
    tile: {out_h: 4, out_w: 8, out_c: 16, in_c: 3}
    loop_order: space_outer
    streamed: false
    accumulator: {slots: 2, slot_bytes: 2048}
    predicted_cycles: 900
    scratchpad:
      - {buffer: x, address: 0, slot_bytes: 512, slots: 2}
      - {buffer: "a real", slot_bytes: 64}
  - layer: "ADD #1"
    cut: {level: 1, units: 30}
  - layer: "MEAN #2"
    box: [1, 64]
  - layer: "ATTENTION #3"
    attention: {heads: 1, rows: 8, keys: 16, dram_bytes: 77}
  - layer: "MATMUL #4"
    images: 3
  - layer: "SOFTMAX #5"
    softmax: {passes: 2, block: 128}
tensors:
  - {tensors: [5, 6], role: intermediate, memory: scratchpad, address: 128, bytes: 12, first_layer: 0, last_layer: 1}
  - {tensors: [0], role: input, memory: dram, dram_address: 0, bytes: 9, first_layer: -1, last_layer: 0}
attention:
  - {tensor: 9, name: "out", variant: fused, key_block: 16, fused: {cycles: 1, dram_bytes: 2}, unfused: {cycles: 3, dram_bytes: 4}}
)";

TEST(MappingReader, TakesEveryDecision) {
  const MappingFile file = MappingFile::parse(kWhole, "m.yaml");
  const Decisions& d = file.decisions();
  ASSERT_EQ(d.layers.size(), 6U);
  const LayerDecision& conv = *d.layer("CONV_2D #0");
  EXPECT_EQ(conv.out_h, 4);
  EXPECT_EQ(conv.out_w, 8);
  EXPECT_EQ(conv.out_c, 16);
  EXPECT_EQ(conv.in_c, 3);
  EXPECT_EQ(conv.loop_order, LoopOrder::kSpaceOuter);
  EXPECT_EQ(conv.streamed, false);
  EXPECT_EQ(conv.acc_slots, 2);
  EXPECT_FALSE(conv.images.has_value());
  ASSERT_EQ(conv.buffers.size(), 2U);
  EXPECT_EQ(conv.buffers[0].address, 0);
  EXPECT_EQ(conv.buffers[0].slot_bytes, 512);
  EXPECT_EQ(conv.buffers[0].slots, 2);
  EXPECT_EQ(conv.buffers[1].name, "a real");
  EXPECT_FALSE(conv.buffers[1].address.has_value());
  EXPECT_EQ(d.layer("ADD #1")->cut_level, 1U);
  EXPECT_EQ(d.layer("ADD #1")->cut_units, 30);
  EXPECT_THAT(d.layer("MEAN #2")->box, testing::ElementsAre(1, 64));
  EXPECT_EQ(d.layer("ATTENTION #3")->keys, 16);
  EXPECT_EQ(d.layer("MATMUL #4")->images, 3);
  EXPECT_EQ(d.layer("SOFTMAX #5")->passes, 2);
  EXPECT_EQ(d.layer("SOFTMAX #5")->block, 128);
  EXPECT_EQ(d.layer("CONV_2D #9"), nullptr);
  ASSERT_EQ(d.tensors.size(), 2U);
  EXPECT_TRUE(d.tensors[0].resident);
  EXPECT_EQ(d.tensors[0].address, 128);
  EXPECT_THAT(d.tensors[0].same, testing::ElementsAre(5, 6));
  EXPECT_FALSE(d.tensors[1].resident);
  ASSERT_EQ(d.attention.size(), 1U);
  EXPECT_TRUE(d.attention_of(9)->fused);
}

TEST(MappingReader, APartIsAMapping) {
  EXPECT_TRUE(
      MappingFile::parse("layers:\n  - {layer: A}\n", "m.yaml").decisions().tensors.empty());
  EXPECT_TRUE(MappingFile::parse("network: a\n", "m.yaml").decisions().layers.empty());
}

void expect_error(const std::string& text, const std::string& message) {
  try {
    static_cast<void>(MappingFile::parse(text, "m.yaml"));
    FAIL() << "no error: " << text;
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr(message));
  }
}

TEST(MappingReader, RefusesWithFileLineAndKey) {
  expect_error("layers:\n  - {layer: A, tiles: {out_h: 1}}\n",
               "m.yaml:2:16: layers[0].tiles: unknown key (did you mean `tile`?)");
  expect_error("layers:\n  - {layer: A, tile: {out_h: 0}}\n", "m.yaml:2:30: layers[0].tile.out_h");
  expect_error("layers:\n  - {layer: A, tile: {out_h: 99999999999999}}\n", "tile.out_h");
  expect_error("layers:\n  - {layer: A}\n  - {layer: A}\n",
               "m.yaml:3:13: layers[1].layer: must occur once, got \"A\" again");
  expect_error("layers:\n  - {layer: A, loop_order: sideways}\n", "loop_order");
  expect_error("layers:\n  - {layer: A, box: [1, x]}\n", "box: must be sizes from 1 on, got x");
  expect_error("layers:\n  - {layer: A, softmax: {passes: 1}}\n", "layers[0].softmax.passes");
  expect_error("layers:\n  - {layer: A, softmax: {passes: 2, block: 0}}\n", "softmax.block");
  expect_error("layers:\n  - {layer: A, predicted_cycles: many}\n", "predicted_cycles");
  expect_error("layers:\n  - {layer: A, scratchpad: [{buffer: x}, {buffer: x}]}\n",
               "buffer: must occur once in a layer, got x again");
  expect_error("layers:\n  - {layer: A, scratchpad: [{buffer: x, slots: 70000}]}\n", "slots");
  expect_error("tensors:\n  - {tensors: [a], memory: dram}\n",
               "tensors: must be tensor numbers, got a");
  expect_error("tensors:\n  - {tensors: [1], memory: dram}\n  - {tensors: [1], memory: dram}\n",
               "tensors: must each occur once, got 1 again");
  expect_error("tensors:\n  - {tensors: [1], memory: dram, address: 64}\n",
               "address: is for tensors in the scratchpad, the compiler places those in DRAM");
  expect_error("tensors:\n  - {tensors: [1], memory: rom}\n", "memory");
  expect_error("attention:\n  - {tensor: 1, variant: fused}\n  - {tensor: 1, variant: fused}\n",
               "tensor: must occur once, got 1 again");
}

TEST(MappingReader, KnowsItsNetwork) {
  const MappingFile file = MappingFile::parse(kWhole, "m.yaml");
  EXPECT_NO_THROW(file.require_network("two layers"));
  try {
    file.require_network("three layers");
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "m.yaml:1:10: network: must be \"three layers\", the network that is mapped, got "
                 "\"two layers\"");
  }
}

TEST(MappingReader, FaultsHaveTheirPlace) {
  const MappingFile file = MappingFile::parse(kWhole, "m.yaml");
  const auto place = [&](const std::string& layer, const std::string& key) {
    try {
      file.fail_at(MappingError({.layer = layer, .key = key}, "no"));
    } catch (const Error& e) {
      return std::string(e.what());
    }
  };
  EXPECT_EQ(place("CONV_2D #0", "tile.out_h"), "m.yaml:5:19: layers[0].tile.out_h: no");
  EXPECT_EQ(place("CONV_2D #0", "scratchpad.x.slots"),
            "m.yaml:11:57: layers[0].scratchpad[0].slots: no");
  EXPECT_EQ(place("CONV_2D #0", "scratchpad.a real.slot_bytes"),
            "m.yaml:12:40: layers[0].scratchpad[1].slot_bytes: no");
  EXPECT_EQ(place("MATMUL #4", "images"), "m.yaml:20:13: layers[4].images: no");
  EXPECT_EQ(place("MATMUL #4", "tile"), "m.yaml:19:5: layers[4].tile: no");
  EXPECT_EQ(place("", "tensors.6.address"), "m.yaml:24:72: tensors[0].address: no");
  EXPECT_EQ(place("", "attention.9.variant"), "m.yaml:27:39: attention[0].variant: no");
  EXPECT_EQ(place("ADD #8", "tile"), "m.yaml: no");
}

TEST(MappingReader, NamesArePrintable) { EXPECT_EQ(printable("a\n\xc3\xa9 z"), "a??? z"); }

}  // namespace
}  // namespace npu::mapper
