#include "workloads/graph/network_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "sim/base/error.h"

namespace npu::graph {
namespace {

const std::string kHeader = "layer,op,from,channels,size,stride,pad,activation,groups\n";

Graph read(const std::string& rows, std::int64_t batch = 1) {
  return network_from_table(CsvTable::parse(kHeader + rows, "net.csv"), "net", batch);
}

std::string error_of(const std::string& rows, std::int64_t batch = 1) {
  try {
    (void)read(rows, batch);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

const Shape& output_shape(const Graph& g) { return g.tensor(g.outputs[0]).shape; }

TEST(NetworkTable, EveryOperator) {
  const Graph g = read(
      "x,input,,,9x8x4,,,,\n"
      "a,conv,,8,3,2,same,relu,2\n"
      "b,depthwise,,,3x1,,1x0,relu6,\n"
      "c,add,a b,,,,,,\n"
      "d,mul,a c,,,,,,\n"
      "e,concatenation,c d,,,,,,\n"
      "f,leaky_relu,,,,,,,\n"
      "g,max_pool,,,2,1x2,,,\n"
      "h,average_pool,,,2,,same,,\n"
      "i,mean,,,,,,,\n"
      "j,fully_connected,,10,,,,relu,\n"
      "k,tanh,,,,,,,\n"
      "l,logistic,,,,,,,\n"
      "m,softmax,,,,,,,\n");
  EXPECT_EQ(g.nodes.size(), 13U);
  EXPECT_EQ(output_shape(g), (Shape{1, 10}));
  const auto shape_of = [&](std::size_t i) { return g.tensor(g.nodes[i].outputs[0]).shape; };
  EXPECT_EQ(shape_of(0), (Shape{1, 5, 4, 8}));
  EXPECT_EQ(shape_of(1), (Shape{1, 5, 4, 8}));
  EXPECT_EQ(shape_of(4), (Shape{1, 5, 4, 16}));
  EXPECT_EQ(shape_of(6), (Shape{1, 4, 2, 16}));
  EXPECT_EQ(g.tensor(g.nodes[0].inputs[1]).shape, (Shape{8, 3, 3, 2}));
}

TEST(NetworkTable, PaddingAsTheOutputNeedsIt) {
  const Graph g = read("x,input,,,224x224x3,,,,\na,conv,,8,3,2,same,,\n");
  const Window& w = std::get<WindowAttrs>(g.nodes[0].attrs).window;
  EXPECT_EQ(w.pad_top, 0);
  EXPECT_EQ(w.pad_bottom, 1);
  EXPECT_EQ(output_shape(g), (Shape{1, 112, 112, 8}));
}

TEST(NetworkTable, Batch) {
  EXPECT_EQ(output_shape(read("x,input,,20,,,,,\na,fully_connected,,30,,,,,\n", 7)),
            (Shape{7, 30}));
  EXPECT_EQ(output_shape(read("x,input,,,5x5x2,,,,\na,conv,,3,3,,,,\n", 4)), (Shape{4, 3, 3, 3}));
}

TEST(NetworkTable, Errors) {
  const std::string x = "x,input,,,8x8x4,,,,\n";
  EXPECT_EQ(error_of(""), "net: a network needs rows");
  EXPECT_EQ(error_of(x, 0), "net: the batch must be 1 or more, got 0");
  EXPECT_EQ(error_of(x + "a,convv,,8,3,,,,\n"),
            "net.csv:3: op: no operator convv (did you mean `conv`?)");
  EXPECT_EQ(error_of(x + "a,conv,y,8,3,,,,\n"),
            "net.csv:3: from: no layer y above this row (did you mean `x`?)");
  EXPECT_EQ(error_of(x + "a,conv,x x,8,3,,,,\n"),
            "net.csv:3: from: conv needs 1 layers, got \"x x\"");
  EXPECT_EQ(error_of(x + "a,add,x,,,,,,\n"), "net.csv:3: from: add needs 2 layers, got \"x\"");
  EXPECT_EQ(error_of(x + "a,concatenation,x,,,,,,\n"),
            "net.csv:3: from: concatenation needs 2 or more layers, got \"x\"");
  EXPECT_EQ(error_of("a,conv,,8,3,,,,\n"), "net.csv:2: from: conv needs 1 layers, got \"\"");
  EXPECT_EQ(error_of(x + "a,conv,,8,3x3x3,,,,\n"),
            "net.csv:3: size: expected one or two numbers, got \"3x3x3\"");
  EXPECT_EQ(error_of(x + "a,conv,,8,,,,,\n"),
            "net.csv:3: size: expected one or two numbers, got \"\"");
  EXPECT_EQ(error_of(x + "a,conv,,8,0,,,,\n"),
            "net.csv:3: size: expected numbers from 1 to 1024 with x between them, got 0");
  EXPECT_EQ(error_of(x + "a,conv,,8,3,,,gelu,\n"),
            "net.csv:3: activation: expected relu, relu6 or nothing, got gelu");
  EXPECT_EQ(error_of(x + "a,conv,,8,3,,,,3\n"), "net.csv:3: groups: 4 channels into 3 groups");
  EXPECT_EQ(error_of(x + "a,depthwise,,8,3,,,,\n"),
            "net.csv:3: channels: depthwise has none, got 8");
  EXPECT_EQ(error_of(x + "a,mean,,,3,,,,\n"), "net.csv:3: size: mean has none, got 3");
  EXPECT_EQ(error_of(x + "a b,mean,,,,,,,\n"),
            "net.csv:3: layer: expected a name without blanks, got \"a b\"");
  EXPECT_EQ(error_of(x + "x,mean,,,,,,,\n"), "net.csv:3: layer: x is there twice");
  EXPECT_EQ(error_of("x,input,,,8x8,,,,\n"),
            "net.csv:2: size: expected rows, columns and channels (224x224x3), got 8x8");
  EXPECT_EQ(error_of("x,input,,8,,,,,\na,conv,,8,3,,,,\n"), "net.csv:3: op: conv needs an image");
}

TEST(NetworkTable, MultiplyAccumulatesOfShippedNetworks) {
  const auto macs = [](const std::string& name) {
    const Graph g = load_network_table(
        std::string(NPUSIM_SOURCE_DIR) + "/configs/validation/networks/" + name + ".csv", 1);
    std::int64_t sum = 0;
    for (const Node& n : g.nodes) {
      const bool weighted = n.kind == OpKind::kConv2d || n.kind == OpKind::kDepthwiseConv2d ||
                            n.kind == OpKind::kFullyConnected;
      if (!weighted) continue;
      const Shape& w = g.tensor(n.inputs[1]).shape;
      const Shape& y = g.tensor(n.outputs[0]).shape;
      const std::int64_t depth =
          n.kind == OpKind::kDepthwiseConv2d ? w[1] * w[2] : element_count(w) / w[0];
      sum += element_count(y) * depth;
    }
    return sum;
  };
  EXPECT_EQ(macs("resnet50"), 4089184256);            // He et al.: 3.8 G with stride in the 1x1
  EXPECT_EQ(macs("mobilenet_v2"), 300774272 + 1280);  // Sandler et al.: 300 M; 1001 classes here
  EXPECT_EQ(macs("tpu_mlp0"), 20000000);
  for (const auto& entry : std::filesystem::directory_iterator(std::string(NPUSIM_SOURCE_DIR) +
                                                               "/configs/validation/networks")) {
    EXPECT_GT(macs(entry.path().stem().string()), 0) << entry.path();
  }
}

}  // namespace
}  // namespace npu::graph
