#include "kernels/lowering/compile.h"

#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/config/npu_config.h"
#include "workloads/graph/network_builder.h"

namespace npu::kernels {
namespace {

NpuConfig edge() { return load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml"); }

graph::Graph network(graph::Payload payload) {
  graph::NetworkBuilder net("net", payload);
  const graph::TensorId x = net.input({1, 64});
  return net.finish({net.fully_connected(x, 32)});
}

TEST(Compile, OfShapesAloneIsForTimingOnly) {
  const graph::Graph described = network(graph::Payload::kOptional);
  EXPECT_TRUE(described.tensors[1].data.empty());
  const Compiled compiled = compile(described, edge(), {.timing_only = true});
  std::int64_t image_bytes = 0;
  for (const isa::ImageSegment& segment : compiled.program.image) {
    EXPECT_TRUE(segment.bytes.empty());
    image_bytes += segment.size;
  }
  EXPECT_GE(image_bytes, 64 * 32);
  try {
    static_cast<void>(compile(described, edge(), {}));
    FAIL() << "compiled without weights";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "operator #0 FULLY_CONNECTED: the values of constant #1 `t1` are not there, only "
                 "its shape: without them the network can only be timed (timing-only)");
  }
}

TEST(Compile, OfShapesAloneGivesTheSameCode) {
  const NpuConfig config = edge();
  const Compiled a = compile(network(graph::Payload::kOptional), config, {.timing_only = true});
  const Compiled b = compile(network(graph::Payload::kRequired), config, {});
  ASSERT_EQ(a.program.code.size(), b.program.code.size());
  for (std::size_t i = 0; i < a.program.code.size(); ++i) {
    EXPECT_EQ(a.program.code[i].values, b.program.code[i].values);
  }
  EXPECT_EQ(a.program.dram_bytes, b.program.dram_bytes);
}

TEST(Compile, TensorsLieAtTheAddressesOfTheCaller) {
  const graph::Graph graph = network(graph::Payload::kRequired);
  const graph::TensorId x = graph.inputs[0];
  const graph::TensorId y = graph.outputs[0];
  const Compiled compiled =
      compile(graph, edge(), {.dram_addresses = {{x, 4000}, {y, 96}}, .dram_begin = 5000});
  const isa::Program& program = compiled.program;
  ASSERT_EQ(program.tensors.size(), 2U);
  for (const isa::TensorRecord& t : program.tensors) EXPECT_EQ(t.address, t.id == x ? 4000 : 96);
  for (const isa::ImageSegment& s : program.image) EXPECT_GE(s.address, 5000) << s.name;
  EXPECT_GE(program.code_address, 5000);
  EXPECT_GT(program.dram_bytes, program.code_address);
}

TEST(Compile, ChosenAddressesLieBelowAllOthers) {
  const graph::Graph graph = network(graph::Payload::kRequired);
  const auto at = [&](std::int64_t address) {
    return CompileOptions{.dram_addresses = {{graph.inputs[0], address}}, .dram_begin = 128};
  };
  EXPECT_NO_THROW(static_cast<void>(compile(graph, edge(), at(64))));
  EXPECT_THROW(static_cast<void>(compile(graph, edge(), at(65))), std::logic_error);
}

}  // namespace
}  // namespace npu::kernels
