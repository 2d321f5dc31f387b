#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/reference/reference.h"
#include "tests/support/random_graph.h"
#include "tests/support/shared.h"
#include "tests/unit/graph/sample_graphs.h"
#include "workloads/importers/tflite.h"
#include "workloads/passes/passes.h"

namespace npu::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const graph::WindowAttrs& window_attrs(const Graph& g, std::size_t node) {
  return std::get<graph::WindowAttrs>(g.nodes.at(node).attrs);
}

/// The graph of `append` put behind x int8[1,5,6,2].
class Builder {
 public:
  explicit Builder(DType type = DType::kInt8) : type_(type), maker_("fuse"), draw_(rng_) {
    x = maker_.input(type, {1, 5, 6, 2}, q());
  }
  Affine q() const { return type_ == DType::kInt16 ? Affine{0.5F, 0} : Affine{0.5F, 7}; }

  TensorId pad(TensorId in, graph::PadAttrs a) {
    Shape shape = maker_.tensor(in).shape;
    for (std::size_t i = 0; i < 4; ++i) shape[i] += a.before[i] + a.after[i];
    const TensorId y = maker_.activation(type_, shape, q());
    maker_.node(OpKind::kPad, {in}, {y}, a);
    return y;
  }
  TensorId conv(TensorId in) {
    const Shape s = maker_.tensor(in).shape;
    const TensorId w = weights(maker_, {3, 3, 3, 2});
    const TensorId y = maker_.activation(type_, {s[0], s[1] - 2, s[2] - 2, 3}, q());
    graph::WindowAttrs a;
    a.window = window(3);
    maker_.node(OpKind::kConv2d, {in, w, graph::kAbsent}, {y}, a);
    return y;
  }
  TensorId unary(OpKind kind, TensorId in, Affine out) {
    const TensorId y = maker_.activation(type_, maker_.tensor(in).shape, out);
    maker_.node(kind, {in}, {y});
    return y;
  }
  TensorId add(TensorId a, TensorId b) {
    const TensorId y = maker_.activation(type_, maker_.tensor(a).shape, q());
    maker_.node(OpKind::kAdd, {a, b}, {y}, graph::ActivationAttrs{});
    return y;
  }
  Graph finish(std::vector<TensorId> outputs) { return maker_.finish(std::move(outputs)); }

  TensorId x;

 private:
  DType type_;
  std::mt19937_64 rng_{1};
  GraphMaker maker_;
  Draw draw_;
};

graph::PadAttrs spatial(std::int32_t value) { return {{0, 1, 2, 0}, {0, 3, 4, 0}, value}; }

TEST(FusePad, GoesIntoTheWindow) {
  Builder b;
  Graph g = b.finish({b.conv(b.pad(b.x, spatial(7)))});
  EXPECT_THAT(passes::fuse(g), ElementsAre("PAD #0 into CONV_2D #1"));
  graph::verify(g);
  ASSERT_EQ(g.nodes.size(), 1U);
  EXPECT_EQ(g.nodes[0].inputs[0], b.x);
  const graph::Window& w = window_attrs(g, 0).window;
  EXPECT_EQ(w.pad_top, 1);
  EXPECT_EQ(w.pad_bottom, 3);
  EXPECT_EQ(w.pad_left, 2);
  EXPECT_EQ(w.pad_right, 4);
  EXPECT_THAT(passes::fuse(g), IsEmpty());
}

TEST(FusePad, OnePadBehindAnother) {
  Builder b;
  Graph g = b.finish({b.conv(b.pad(b.pad(b.x, spatial(7)), spatial(7)))});
  EXPECT_THAT(passes::fuse(g), ElementsAre("PAD #1 into CONV_2D #2", "PAD #0 into CONV_2D #2"));
  graph::verify(g);
  EXPECT_EQ(window_attrs(g, 0).window.pad_right, 8);
}

TEST(FusePad, StaysWhereItIsNotTheSame) {
  const auto unchanged = [](graph::PadAttrs a) {
    Builder b;
    Graph g = b.finish({b.conv(b.pad(b.x, std::move(a)))});
    const Graph before = g;
    EXPECT_THAT(passes::fuse(g), IsEmpty());
    EXPECT_EQ(g, before);
  };
  unchanged(spatial(6));                           // Not the zero point.
  unchanged({{1, 0, 0, 0}, {0, 0, 0, 0}, 7});      // Batches.
  unchanged({{0, 65536, 0, 0}, {0, 0, 0, 0}, 7});  // More than a window may have.
  Builder two;
  const TensorId padded = two.pad(two.x, spatial(7));
  Graph g = two.finish({two.conv(padded), two.conv(padded)});
  EXPECT_THAT(passes::fuse(g), IsEmpty()) << "two readers";
  Builder out;
  const TensorId shown = out.pad(out.x, spatial(7));
  g = out.finish({out.conv(shown), shown});
  EXPECT_THAT(passes::fuse(g), IsEmpty()) << "an output of the network";
}

TEST(FusePad, ChannelsStay) {
  GraphMaker maker("channels");
  const TensorId x = maker.input(DType::kInt8, {1, 3, 3, 1}, kUnit);
  const TensorId padded = maker.activation(DType::kInt8, {1, 3, 3, 4}, kUnit);
  maker.node(OpKind::kPad, {x}, {padded}, graph::PadAttrs{{0, 0, 0, 0}, {0, 0, 0, 3}, 3});
  const TensorId w = weights(maker, {2, 3, 3, 4});
  const TensorId y = maker.activation(DType::kInt8, {1, 1, 1, 2}, kUnit);
  graph::WindowAttrs a;
  a.window = window(3);
  maker.node(OpKind::kConv2d, {padded, w, graph::kAbsent}, {y}, a);
  Graph g = maker.finish({y});
  EXPECT_THAT(passes::fuse(g), IsEmpty());
}

TEST(FuseActivation, GoesIntoTheOperatorBefore) {
  Builder b;
  const TensorId y = b.unary(OpKind::kRelu6, b.conv(b.x), b.q());
  Graph g = b.finish({y});
  EXPECT_THAT(passes::fuse(g), ElementsAre("RELU6 #1 into CONV_2D #0"));
  graph::verify(g);
  ASSERT_EQ(g.nodes.size(), 1U);
  EXPECT_EQ(g.nodes[0].outputs[0], y);
  EXPECT_EQ(window_attrs(g, 0).activation, graph::Activation::kRelu6);
}

TEST(FuseActivation, SameActivationTwiceIsOne) {
  Builder b;
  const TensorId once = b.unary(OpKind::kRelu, b.conv(b.x), b.q());
  Graph g = b.finish({b.unary(OpKind::kRelu, once, b.q())});
  EXPECT_THAT(passes::fuse(g), ElementsAre("RELU #1 into CONV_2D #0", "RELU #2 into CONV_2D #0"));
  graph::verify(g);
}

TEST(FuseActivation, StaysWhereItIsNotTheSame) {
  Builder scaled;
  Graph g = scaled.finish({scaled.unary(OpKind::kRelu, scaled.conv(scaled.x), {0.25F, 7})});
  EXPECT_THAT(passes::fuse(g), IsEmpty()) << "another quantization";
  Builder mixed;
  const TensorId relu = mixed.unary(OpKind::kRelu, mixed.conv(mixed.x), mixed.q());
  g = mixed.finish({mixed.unary(OpKind::kRelu6, relu, mixed.q())});
  EXPECT_THAT(passes::fuse(g), ElementsAre("RELU #1 into CONV_2D #0")) << "another activation";
  Builder shared;
  const TensorId y = shared.conv(shared.x);
  g = shared.finish({shared.add(y, shared.unary(OpKind::kRelu, y, shared.q()))});
  EXPECT_THAT(passes::fuse(g), IsEmpty()) << "two readers";
  Builder input;
  g = input.finish({input.unary(OpKind::kRelu, input.x, input.q())});
  EXPECT_THAT(passes::fuse(g), IsEmpty()) << "no operator before it";
  Builder move;
  const TensorId moved = move.pad(move.x, spatial(7));
  g = move.finish({move.unary(OpKind::kRelu, moved, move.q())});
  EXPECT_THAT(passes::fuse(g), IsEmpty()) << "an operator that does not clamp";
}

TEST(FuseQuantize, IdleOneIsRemoved) {
  Builder b;
  const TensorId idle = b.unary(OpKind::kQuantize, b.conv(b.x), b.q());
  const TensorId real = b.unary(OpKind::kQuantize, idle, {0.25F, 7});
  Graph g = b.finish({b.add(idle, real)});
  EXPECT_THAT(passes::fuse(g), ElementsAre("QUANTIZE #1 removed"));
  graph::verify(g);
  EXPECT_EQ(g.nodes.size(), 3U);
}

TEST(FuseQuantize, OpensTheWayForAnActivation) {
  Builder b;
  const TensorId idle = b.unary(OpKind::kQuantize, b.conv(b.x), b.q());
  Graph g = b.finish({b.unary(OpKind::kRelu, idle, b.q())});
  EXPECT_THAT(passes::fuse(g), ElementsAre("QUANTIZE #1 removed", "RELU #2 into CONV_2D #0"));
  graph::verify(g);
}

TEST(FuseQuantize, AnOutputOfTheNetworkStays) {
  Builder b;
  Graph g = b.finish({b.unary(OpKind::kQuantize, b.conv(b.x), b.q())});
  EXPECT_THAT(passes::fuse(g), IsEmpty());
}

/// Random chains with every fusable pattern: outputs before and after are the same bytes.
TEST(Fuse, IsExact) {
  int fusions = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 rng(seed);
    Draw draw(rng);
    const DType type = draw.any_of({DType::kInt8, DType::kUint8, DType::kInt16});
    GraphMaker maker("chain");
    LayerMaker layers(maker, draw);
    TensorId x = maker.input(type, {1, 6, 7, draw.integer(1, 4)}, draw.affine(type));
    for (int i = 0; i < 3; ++i) {
      const graph::Tensor in = maker.tensor(x);
      const Affine q{in.quantization->scale[0], in.quantization->zero_point[0]};
      Shape shape = in.shape;
      graph::PadAttrs a{{0, 0, 0, 0}, {0, 0, 0, 0}, q.zero_point};
      for (const std::size_t d : {std::size_t{1}, std::size_t{2}}) {
        a.before[d] = draw.integer(0, 2);
        a.after[d] = draw.integer(0, 2);
        shape[d] += a.before[d] + a.after[d];
      }
      const TensorId padded = maker.activation(type, shape, q);
      maker.node(OpKind::kPad, {x}, {padded}, a);
      const graph::Window w = layers.pad(window(draw.small(1, 3), draw.small(1, 2)), shape);
      x = draw.one_in(2) ? layers.conv(padded, w, 3, 1) : layers.depthwise(padded, w, 1);
      const graph::Tensor y = maker.tensor(x);
      const TensorId next = maker.activation(
          type, y.shape, {y.quantization->scale[0], y.quantization->zero_point[0]});
      maker.node(
          draw.any_of({OpKind::kRelu, OpKind::kRelu6, OpKind::kReluN1To1, OpKind::kQuantize}), {x},
          {next});
      x = next;
    }
    const Graph plain = maker.finish({x});
    Graph fused = plain;
    fusions += static_cast<int>(passes::fuse(fused).size());
    graph::verify(fused);
    const std::vector<TensorData> inputs = random_inputs(rng, plain);
    const auto at = static_cast<std::size_t>(x);
    ASSERT_EQ(reference::run_integer(plain, inputs).tensors[at].bytes,
              reference::run_integer(fused, inputs).tensors[at].bytes);
  }
  EXPECT_GT(fusions, 180);
}

TEST(Fuse, PublicNetworksStayValid) {
  NPUSIM_REQUIRE_SHARED();
  for (const char* path :
       {"mlperf_tiny/pretrainedResnet_quant.tflite", "tflm/keyword_scrambled.tflite",
        "coral/mobilenet_v1_0.25_128_quant.tflite"}) {
    Graph g = importers::load_tflite(shared_path(std::string("models/tflite/") + path));
    (void)passes::fuse(g);
    EXPECT_NO_THROW(graph::verify(g)) << path;
  }
}

}  // namespace
}  // namespace npu::test
