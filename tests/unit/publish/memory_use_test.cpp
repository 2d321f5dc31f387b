#include "sim/publish/memory_use.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace npu::publish {
namespace {

using ::testing::ElementsAre;

/// Two layers: A loads from 0, computes 10 to 50; B loads from 40, computes 50 to 90.
Trace two_layers() {
  Trace t;
  t.names = {"x"};
  t.layers = {"", "A", "B"};
  t.tracks = {{.name = "mac_array", .spans = {{10, 50, 0, 1, 0}, {50, 90, 0, 2, 1}}},
              {.name = "dma0", .spans = {{0, 8, 0, 1, 2}, {40, 48, 0, 2, 3}}}};
  t.begin = 0;
  t.end = 90;
  return t;
}

constexpr const char* kMapping = R"(network: "main"
layers:
  - layer: "A"
    tile: {out_h: 1}
    accumulator: {slots: 2, slot_bytes: 100}
    predicted_cycles: 40
    scratchpad:
      - {buffer: w, address: 1000, slot_bytes: 50, slots: 2}
  - layer: "B"
    scratchpad:
      - {buffer: w, address: 2000, slot_bytes: 80, slots: 1}
tensors:
  - {tensors: [0], role: input, memory: dram, address: 0, bytes: 10, first_layer: -1, last_layer: 0}
  - {tensors: [1, 2], role: intermediate, memory: scratchpad, address: 0, bytes: 500, first_layer: 0, last_layer: 1}
)";

std::string error_of(const std::string& yaml) {
  try {
    (void)read_memory_use(yaml, "mapping.yaml", two_layers());
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(MemoryUse, FollowsTheLayersAtWork) {
  const std::vector<MemoryUse> use = read_memory_use(kMapping, "mapping.yaml", two_layers());
  ASSERT_EQ(use.size(), 2U);
  const MemoryUse& pad = use[0];
  EXPECT_EQ(pad.memory, "scratchpad");
  EXPECT_THAT(pad.kinds, ElementsAre("w", "tensors"));
  // A's weights from its first load, the tensor from A's first product on, B's weights from their
  // load.
  EXPECT_THAT(pad.times, ElementsAre(0, 10, 40, 50, 90));
  EXPECT_THAT(pad.bytes.at(0), ElementsAre(100, 100, 180, 80));
  EXPECT_THAT(pad.bytes.at(1), ElementsAre(0, 500, 500, 500));
  EXPECT_EQ(pad.peak_bytes, 680U);
  EXPECT_EQ(pad.allocations.at(1).label, "tensors 1, 2");
  const MemoryUse& sums = use[1];
  EXPECT_EQ(sums.memory, "accumulator");
  EXPECT_THAT(sums.times, ElementsAre(10, 50, 90));
  EXPECT_THAT(sums.bytes.at(0), ElementsAre(200, 0));
}

TEST(MemoryUse, SharedBytesCountOnceForTheLatest) {
  const std::vector<MemoryUse> use = read_memory_use(R"(layers:
  - layer: "A"
    scratchpad:
      - {buffer: x, address: 0, slot_bytes: 100, slots: 1}
  - layer: "B"
    scratchpad:
      - {buffer: y, address: 60, slot_bytes: 100, slots: 1}
)",
                                                     "mapping.yaml", two_layers());
  const MemoryUse& pad = use.at(0);
  EXPECT_THAT(pad.times, ElementsAre(0, 40, 50, 90));
  EXPECT_THAT(pad.bytes.at(0), ElementsAre(100, 60, 0));
  EXPECT_THAT(pad.bytes.at(1), ElementsAre(0, 100, 100));
  EXPECT_EQ(pad.peak_bytes, 160U);
}

TEST(MemoryUse, LayersThatWereNotSimulatedHaveNoTime) {
  const std::vector<MemoryUse> use = read_memory_use(R"(layers:
  - layer: "elsewhere"
    scratchpad:
      - {buffer: x, address: 0, slot_bytes: 100, slots: 1}
tensors:
  - {tensors: [1], memory: scratchpad, address: 0, bytes: 500, first_layer: 0, last_layer: 7}
)",
                                                     "mapping.yaml", two_layers());
  EXPECT_TRUE(use.empty());
}

TEST(MemoryUse, RefusesWhatIsNoMapping) {
  EXPECT_EQ(error_of("network: a\n"), "mapping.yaml:1:1: layers: must be given, got nothing");
  EXPECT_EQ(error_of("layers:\n  - {layer: A, accumulator: {slots: -1, slot_bytes: 1}}\n"),
            "mapping.yaml:2:37: layers[0].accumulator.slots: must be 0 to 65536, got -1");
  std::string many = "layers:\n  - layer: A\n    scratchpad:\n";
  for (int i = 0; i < 201; ++i) {
    many += "      - {buffer: w, address: 0, slot_bytes: 1, slots: 1}\n";
  }
  EXPECT_EQ(error_of(many), "mapping.yaml: more than 200 buffers and tensors at a time");
}

TEST(MemoryUse, BoundsWhatItReads) {
  std::string many = "layers:\n  - layer: A\n    scratchpad:\n";
  for (int i = 0; i < 10'001; ++i) {
    many += "      - {buffer: w, address: 0, slot_bytes: 1, slots: 1}\n";
  }
  EXPECT_EQ(error_of(many), "mapping.yaml: more than 10000 buffers and tensors");
}

TEST(MemoryUse, KindsBeyondTwelveAreOne) {
  std::string many = "layers:\n  - layer: A\n    scratchpad:\n";
  for (int i = 0; i < 20; ++i) {
    many += "      - {buffer: k" + std::to_string(i) + ", address: " + std::to_string(10 * i) +
            ", slot_bytes: 10, slots: 1}\n";
  }
  const MemoryUse use = read_memory_use(many, "mapping.yaml", two_layers()).at(0);
  ASSERT_EQ(use.kinds.size(), 12U);
  EXPECT_EQ(use.kinds.back(), "other");
  EXPECT_EQ(use.bytes.back().front(), 90U);
  EXPECT_EQ(use.peak_bytes, 200U);
}

}  // namespace
}  // namespace npu::publish
