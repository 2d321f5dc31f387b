#include "workloads/graph/network_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sim/base/error.h"

namespace npu::graph {
namespace {

template <typename Action>
std::string refused(Action&& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(NetworkBuilder, ShapesOfEveryOperator) {
  NetworkBuilder net("shapes");
  const TensorId x = net.input({1, 9, 9, 6});
  const TensorId c = net.conv(x, 8, square_window(3, 2, 1), Activation::kRelu);
  EXPECT_EQ(net.shape(c), (Shape{1, 5, 5, 8}));
  const TensorId g = net.conv(c, 4, square_window(1, 1, 0), Activation::kNone, 2);
  EXPECT_EQ(net.shape(g), (Shape{1, 5, 5, 4}));
  const TensorId d = net.depthwise(g, square_window(3, 1, 1), Activation::kNone, 2);
  EXPECT_EQ(net.shape(d), (Shape{1, 5, 5, 8}));
  const TensorId s = net.binary(OpKind::kAdd, c, d, Activation::kRelu);
  const TensorId m = net.binary(OpKind::kMaximum, s, d);
  const TensorId p = net.pool(m, OpKind::kMaxPool2d, square_window(2, 2, 0));
  EXPECT_EQ(net.shape(p), (Shape{1, 2, 2, 8}));
  const TensorId q = net.concatenation({p, p, p}, 3);
  EXPECT_EQ(net.shape(q), (Shape{1, 2, 2, 24}));
  const TensorId f = net.fully_connected(q, 10);
  EXPECT_EQ(net.shape(f), (Shape{1, 10}));
  const TensorId a = net.global_mean(q);
  EXPECT_EQ(net.shape(a), (Shape{1, 24}));
  const TensorId r = net.reshape(a, {2, 12});
  const Graph graph = net.finish({net.softmax(f), r});
  EXPECT_EQ(graph.name, "shapes");
  EXPECT_EQ(graph.inputs.size(), 1U);
  EXPECT_EQ(graph.outputs.size(), 2U);
  EXPECT_EQ(graph.nodes.size(), 11U);
  std::int64_t macs = 0;
  for (const Node& n : graph.nodes) macs += mac_count(graph, n);
  EXPECT_EQ(macs, 25 * 8 * 54 + 25 * 4 * 4 + 25 * 8 * 9 + 96 * 10);
}

TEST(NetworkBuilder, RefusesWhatHasNoShape) {
  const auto image = [](auto&& build) {
    return refused([&] {
      NetworkBuilder net("bad");
      const TensorId x = net.input({1, 4, 4, 3});
      static_cast<void>(net.finish({build(net, x)}));
    });
  };
  const auto rank = refused([] {
    NetworkBuilder net("bad");
    static_cast<void>(net.conv(net.input({2, 3}), 4, square_window(1, 1, 0)));
  });
  EXPECT_EQ(rank, "bad: 0 has rank 2, expected [1,H,W,C]");
  EXPECT_EQ(
      image([](NetworkBuilder& net, TensorId x) { return net.conv(x, 4, square_window(1, 0, 0)); }),
      "bad: a stride is below 1");
  EXPECT_EQ(
      image([](NetworkBuilder& net, TensorId x) { return net.conv(x, 0, square_window(1, 1, 0)); }),
      "bad: a dimension of the weights is 0");
  EXPECT_EQ(image([](NetworkBuilder& net, TensorId x) {
              return net.binary(OpKind::kMul, x, net.conv(x, 4, square_window(1, 1, 0)));
            }),
            "bad: MUL of two shapes");
  EXPECT_EQ(image([](NetworkBuilder& net, TensorId x) {
              return net.concatenation({x, x}, 4);
            }),
            "bad: CONCATENATION has no axis 4");
  EXPECT_THAT(
      image([](NetworkBuilder& net, TensorId x) { return net.conv(x, 4, square_window(7, 1, 0)); }),
      testing::StartsWith("bad: "));
  EXPECT_THAT(image([](NetworkBuilder& net, TensorId x) {
                return net.reshape(x, {5, 5});
              }),
              testing::StartsWith("bad: "));
}

}  // namespace
}  // namespace npu::graph
