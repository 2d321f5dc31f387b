#include "workloads/importers/network_description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace npu::importers {
namespace {

using graph::OpKind;
using ::testing::StartsWith;

DescribedNetwork read(const std::string& layers, const std::string& head = "",
                      const DescriptionOptions& options = {}) {
  return parse_network_description("name: net\nsource: test\n" + head + "layers:\n" + layers,
                                   "net.yaml", options);
}

std::string error_of(const std::string& layers, const std::string& head = "",
                     const DescriptionOptions& options = {}) {
  try {
    (void)read(layers, head, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

const std::string kImage = "  - {name: x, op: input, shape: [1, 9, 8, 4]}\n";

std::vector<OpKind> kinds_of(const graph::Graph& graph) {
  std::vector<OpKind> kinds;
  for (const graph::Node& node : graph.nodes) kinds.push_back(node.kind);
  return kinds;
}

Shape shape_of(const DescribedNetwork& network, const std::string& layer) {
  for (const DescribedLayer& l : network.layers) {
    if (l.name == layer) return l.shape;
  }
  return {};
}

TEST(NetworkDescription, ConvolutionalOperators) {
  const DescribedNetwork n = read(
      kImage +
      "  - {name: a, op: conv, channels: 8, kernel: [3, 1], stride: [2, 1], pad: same, groups: 2, "
      "activation: relu}\n"
      "  - {name: b, op: depthwise, kernel: 3, pad: 1, multiplier: 2, bias: true}\n"
      "  - {name: c, op: conv, kernel: 1, channels: 8, dilation: 2, normalization: batch}\n"
      "  - {name: d, op: add, from: [a, c], activation: relu6}\n"
      "  - {name: e, op: mul, from: [a, d]}\n"
      "  - {name: f, op: concatenation, from: [d, e, a], axis: 1}\n"
      "  - {name: g, op: max_pool, kernel: 2}\n"
      "  - {name: h, op: average_pool, kernel: 2, pad: same}\n"
      "  - {name: i, op: relu}\n"
      "  - {name: j, op: leaky_relu}\n"
      "  - {name: k, op: relu6}\n"
      "  - {name: l, op: hard_swish}\n"
      "  - {name: m, op: slice, axis: 3, begin: 2, count: 5}\n"
      "  - {name: n, op: mean}\n"
      "  - {name: o, op: linear, units: 6, bias: true, activation: relu}\n"
      "  - {name: p, op: reshape, shape: [2, 3]}\n"
      "  - {name: q, op: constant, shape: [2, 3]}\n"
      "  - {name: r, op: add, from: [p, q]}\n"
      "  - {name: s, op: tanh}\n"
      "  - {name: t, op: logistic}\n"
      "  - {name: u, op: softmax}\n");
  EXPECT_EQ(shape_of(n, "a"), (Shape{1, 5, 8, 8}));
  EXPECT_EQ(shape_of(n, "b"), (Shape{1, 5, 8, 16}));
  EXPECT_EQ(shape_of(n, "f"), (Shape{1, 15, 8, 8}));
  EXPECT_EQ(shape_of(n, "h"), (Shape{1, 14, 7, 8}));
  EXPECT_EQ(shape_of(n, "m"), (Shape{1, 14, 7, 5}));
  EXPECT_EQ(shape_of(n, "u"), (Shape{2, 3}));
  const auto parameters = [&](std::size_t i) { return n.layers.at(i).parameters; };
  EXPECT_EQ(parameters(1), 8 * 3 * 2);
  EXPECT_EQ(parameters(2), 16 * 9 + 16);
  EXPECT_EQ(parameters(3), 16 * 8 + 2 * 8);
  EXPECT_EQ(n.layers.at(1).macs, 5 * 8 * 8 * 3 * 2);
  EXPECT_EQ(n.layers.at(15).parameters, 5 * 6 + 6);
  EXPECT_EQ(n.layers.at(17).parameters, 6);
  EXPECT_EQ(n.graph.outputs.size(), 1U);
  EXPECT_EQ(n.graph.tensor(n.graph.outputs[0]).name, "u");
}

TEST(NetworkDescription, BlocksRepeat) {
  const std::string layers = kImage +
                             "  - name: body\n"
                             "    repeat: count\n"
                             "    layers:\n"
                             "      - {name: c, op: conv, channels: 4, kernel: 3, pad: 1}\n"
                             "      - {name: s, op: add, from: [c, entry]}\n"
                             "  - {name: tail, op: add, from: [body, x]}\n";
  const std::string head = "parameters:\n  count: {default: 2, max: 5}\n";
  const DescribedNetwork n = read(layers, head);
  EXPECT_EQ(kinds_of(n.graph), (std::vector<OpKind>{OpKind::kConv2d, OpKind::kAdd, OpKind::kConv2d,
                                                    OpKind::kAdd, OpKind::kAdd}));
  EXPECT_EQ(n.layers[3].name, "body.1.c");
  EXPECT_EQ(n.graph.nodes[2].inputs[0], n.graph.nodes[1].outputs[0]);
  EXPECT_EQ(n.graph.nodes[3].inputs[1], n.graph.nodes[1].outputs[0]) << "entry";
  EXPECT_EQ(n.graph.nodes[4].inputs[1], n.graph.inputs[0]);
  EXPECT_EQ(read(layers, head, {.parameters = {{"count", 4}}}).graph.nodes.size(), 9U);
}

TEST(NetworkDescription, ParametersAndConstants) {
  const std::string head =
      "parameters:\n  tokens: {default: 8, min: 2, max: 64}\n"
      "constants:\n  width: 4 * (tokens - 2) / 3\n";
  const std::string layers =
      "  - {name: x, op: input, shape: [tokens, 5]}\n"
      "  - {name: y, op: linear, units: width}\n";
  EXPECT_EQ(shape_of(read(layers, head), "y"), (Shape{8, 8}));
  EXPECT_EQ(shape_of(read(layers, head, {.parameters = {{"tokens", 5}}}), "y"), (Shape{5, 4}));
  EXPECT_EQ(error_of(layers, head, {.parameters = {{"tokns", 5}}}),
            "net.yaml: the network has no parameter tokns (did you mean `tokens`?)");
  EXPECT_EQ(error_of(layers, head, {.parameters = {{"tokens", 65}}}),
            "net.yaml: parameter tokens must be 2 to 64, got 65");
  EXPECT_EQ(error_of(layers, head, {.parameters = {{"tokens", 6}}}),
            "net.yaml:6:10: constants.width: must divide without remainder (16 / 3), got 4 * "
            "(tokens - 2) / 3");
  EXPECT_EQ(error_of(layers, "parameters:\n  Tokens: {default: 8}\n"),
            "net.yaml:4:11: parameters.Tokens: must be named with lower case letters, digits and "
            "_, got Tokens");
  EXPECT_EQ(error_of(layers, "parameters:\n  a: {default: 8}\nconstants:\n  a: 3\n"),
            "net.yaml:6:6: constants.a: must be there once, got it twice");
  EXPECT_EQ(error_of(layers, "parameters:\n  tokens: {default: 8, max: 7}\n"),
            "net.yaml:4:21: parameters.tokens.default: must be 1 to 7, got 8");
}

TEST(NetworkDescription, ErrorsNameThePlace) {
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: convv, channels: 8, kernel: 3}\n"),
            "net.yaml:5:19: layers[1].op: must be an operator, got convv (did you mean `conv`?)");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: conv, channels: 8, kernl: 3}\n"),
            "net.yaml:5:5: layers[1].kernel: must be given, got nothing");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: mean, kernel: 3}\n"),
            "net.yaml:5:25: layers[1].kernel: unknown key");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: conv, channels: chan, kernel: 3}\n"),
            "net.yaml:5:35: layers[1].channels: has no dimension chan, got chan");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: conv, channels: 0, kernel: 3}\n"),
            "net.yaml:5:35: layers[1].channels: must be 1 to 16777216, got 0");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: conv, channels: 6, kernel: 3, groups: 4}\n"),
            "net.yaml:5:57: layers[1].groups: must divide 4 channels in and 6 out, got 4");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: conv, channels: 6, kernel: [1, 2, 3]}\n"),
            "net.yaml:5:46: layers[1].kernel: must be one number or rows and columns, got 3 "
            "numbers");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: add, from: [x, z]}\n"),
            "net.yaml:5:30: layers[1].from: must name layers above this one, got z (did you mean "
            "`x`?)");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: add, from: x}\n"),
            "net.yaml:5:30: layers[1].from: must name 2 layers, got 1");
  EXPECT_EQ(error_of("  - {name: a, op: mean}\n"),
            "net.yaml:4:5: layers[0].from: must name 1 layer, got 0");
  EXPECT_EQ(error_of(kImage + "  - {name: x, op: relu}\n"),
            "net.yaml:5:12: layers[1].name: must be there once in its block, got x");
  EXPECT_EQ(error_of(kImage + "  - {name: entry, op: relu}\n"),
            "net.yaml:5:12: layers[1].name: must be letters, digits, `.`, `_` and `-`, and not "
            "`entry`, got entry");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: linear, units: 3}\n  - {name: b, op: mean}\n"),
            "net.yaml:6:5: layers[2].from: must name an image [batch, rows, columns, channels], "
            "got [1,3]");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: reshape, shape: [2, 3]}\n"),
            "net.yaml:5:35: layers[1].shape: must have as many elements as [1,9,8,4], got [2,3]");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: slice, axis: 1, begin: 5, count: 5}\n"),
            "net.yaml:5:42: layers[1].begin: must be 0 to 4, got 5");
  EXPECT_EQ(error_of("  - {name: x, op: input, shape: [16777216, 16777216]}\n"),
            "net.yaml:4:33: layers[0].shape: must have at most 2^31 elements, got "
            "[16777216,16777216]");
  EXPECT_EQ(error_of("  - {name: x, op: input, shape: [1, 1, 1, 1, 1, 1, 1, 1, 1]}\n"),
            "net.yaml:4:33: layers[0].shape: must have at most 8 dimensions, got 9");
  EXPECT_EQ(error_of(kImage + "  - {name: c, op: constant, shape: [3, 2], copies: 4}\n"),
            "net.yaml:5:52: layers[1].copies: must divide 6 elements, got 4");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: linear, units: 3}\n"
                              "  - {name: b, op: add, from: [a, x]}\n"),
            "net.yaml:6:30: layers[2].from: must name layers of one shape, got [1,3] and "
            "[1,9,8,4]");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: mean}\n"
                              "  - {name: b, op: concatenation, from: [a, x], axis: 1}\n"),
            "net.yaml:6:40: layers[2].from: must name layers that fit along axis 1, got [1,4] and "
            "[1,9,8,4]");
  EXPECT_EQ(error_of(kImage + "  - {name: a, op: mean}\n", "outputs: [b]\n"),
            "net.yaml:3:10: outputs: must name layers, got b (did you mean `a`?)");
  EXPECT_EQ(error_of(kImage + "  - 5\n"), "net.yaml:5:5: layers[1]: must be a mapping, got 5");
  EXPECT_EQ(error_of("  nothing\n"),
            "net.yaml:4:3: layers: must be a list of mappings, got nothing");
}

TEST(NetworkDescription, ErrorsOfTheGraphNameThePlace) {
  EXPECT_THAT(error_of(kImage + "  - {name: a, op: conv, channels: 2, kernel: 30}\n"),
              StartsWith("net.yaml:5:19: layers[1].op: tensor #"));
  EXPECT_THAT(error_of(kImage), StartsWith("net.yaml: net: the graph has no operators"));
}

TEST(NetworkDescription, PrecisionAndValues) {
  const std::string layers =
      kImage + "  - {name: a, op: conv, channels: 2, kernel: 3, bias: true}\n";
  const DescribedNetwork absent = read(layers, "precision: float16\n");
  const graph::Node& node = absent.graph.nodes[0];
  EXPECT_EQ(absent.graph.tensor(node.inputs[1]).type, DType::kFloat16);
  EXPECT_EQ(absent.graph.tensor(node.inputs[2]).type, DType::kFloat32);
  EXPECT_TRUE(absent.graph.tensor(node.inputs[1]).data.empty());
  const DescribedNetwork drawn =
      read(layers, "precision: float16\n", {.precision = DType::kInt8, .seed = 42});
  const graph::Tensor& weights = drawn.graph.tensor(drawn.graph.nodes[0].inputs[1]);
  EXPECT_EQ(weights.type, DType::kInt8);
  EXPECT_EQ(weights.name, "a.weights");
  EXPECT_EQ(std::ssize(weights.data), weights.bytes());
  EXPECT_EQ(drawn.graph, read(layers, "", {.seed = 42}).graph);
  EXPECT_NE(drawn.graph, read(layers, "", {.seed = 43}).graph);
  EXPECT_EQ(error_of(layers, "precision: int4\n"),
            "net.yaml:3:12: precision: must be one of int8, float16, bfloat16, float32, got int4 "
            "(did you mean `int8`?)");
}

/// The same network with and without values gives the same program: scales do not depend on them.
TEST(NetworkDescription, ScalesDoNotDependOnTheValues) {
  const std::string layers =
      kImage + "  - {name: a, op: conv, channels: 2, kernel: 3, bias: true}\n";
  graph::Graph drawn = read(layers, "", {.seed = 1}).graph;
  for (graph::Tensor& t : drawn.tensors) t.data.clear();
  EXPECT_EQ(drawn, read(layers).graph);
}

TEST(NetworkDescription, HugeNetworksAreRefused) {
  const std::string block = kImage +
                            "  - name: a\n    repeat: 1000\n    layers:\n"
                            "      - name: b\n        repeat: 1000\n        layers:\n"
                            "          - {name: c, op: reshape, shape: [288]}\n";
  EXPECT_EQ(error_of(block),
            "net.yaml:11:20: layers[1].layers[0].layers[0].name: must be one of 20000 layers, got "
            "more");
  EXPECT_EQ(error_of("  - {name: x, op: input, shape: [1, 65536]}\n"
                     "  - {name: y, op: linear, units: 65536}\n"),
            "net.yaml:5:19: layers[1].op: net: weights of more than 2147483648 bytes");
  EXPECT_EQ(error_of("  - {name: x, op: input, shape: [1, 32768]}\n"
                     "  - {name: a, op: linear, units: 65536}\n"
                     "  - {name: y, op: reshape, shape: [2, 32768]}\n"
                     "  - {name: b, op: linear, units: 65536}\n"
                     "  - {name: c, op: linear, from: y, units: 1}\n",
                     "", {}),
            "no error");
}

}  // namespace
}  // namespace npu::importers
