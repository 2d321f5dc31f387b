// Shapes recomputed from inputs and attributes.

#include "tests/unit/graph/sample_graphs.h"

namespace npu::test {
namespace {

graph::WindowAttrs& attrs_of(Graph& g) { return std::get<graph::WindowAttrs>(g.nodes[0].attrs); }

TEST(VerifyConv, Shapes) {
  Graph g = conv_graph();
  g.tensors[3].shape = {1, 4, 3, 8};
  expect_refused(g, "operator #0 CONV_2D: output shape must be [1,3,4,8], got [1,4,3,8]");
  g = conv_graph();
  g.tensors[0].shape = {1, 5, 24};
  expect_refused(g, "input must have rank 4, got [1,5,24]");
  g = conv_graph();
  g.tensors[3].shape = {3, 4, 8};
  expect_refused(g, "output must have rank 4");
  g = conv_graph();
  g.tensors[1].shape = {8, 9, 4};
  expect_refused(g, "weights must have rank 4, got [8,9,4]");
  g = conv_graph();
  attrs_of(g).window.kernel_w = 1;
  expect_refused(g, "weights [8,3,3,4] do not fit the kernel 3x1");
  g = conv_graph();
  attrs_of(g).groups = 2;
  expect_refused(g, "weights [8,3,3,4] do not fit input [1,5,6,4] in 2 groups");
  g = conv_graph();
  attrs_of(g).depth_multiplier = 2;
  expect_refused(g, "depth multiplier belongs to DEPTHWISE_CONV_2D");
  g = conv_graph();
  g.tensors[2].shape = {2, 4};
  expect_refused(g, "bias must have shape [8], got [2,4]");
}

TEST(VerifyConv, PaddingStrideAndDilation) {
  Graph g = conv_graph();
  auto& w = attrs_of(g).window;
  w.pad_top = w.pad_left = 1;
  g.tensors[3].shape = {1, 4, 5, 8};
  EXPECT_NO_THROW(graph::verify(g));
  w.stride_h = 3;  // (5 + 1 − 3) / 3 + 1
  g.tensors[3].shape = {1, 2, 5, 8};
  EXPECT_NO_THROW(graph::verify(g));
  w.dilation_w = 3;  // Spans 7 of 6 + 1 columns.
  g.tensors[3].shape = {1, 2, 1, 8};
  EXPECT_NO_THROW(graph::verify(g));
  w.dilation_w = 4;
  expect_refused(g, "output shape must be [1,2,0,8]");
}

TEST(VerifyConv, WindowBounds) {
  const auto refuse = [](int graph::Window::*field, int value, const std::string& part) {
    Graph g = conv_graph();
    attrs_of(g).window.*field = value;
    expect_refused(g, part);
  };
  refuse(&graph::Window::kernel_h, 0, "kernel height must be in [1, 65535], got 0");
  refuse(&graph::Window::kernel_w, 65536, "kernel width must be in [1, 65535], got 65536");
  refuse(&graph::Window::stride_h, 0, "stride height must be in [1, 65535], got 0");
  refuse(&graph::Window::stride_w, -1, "stride width must be in [1, 65535], got -1");
  refuse(&graph::Window::dilation_h, 0, "dilation height must be");
  refuse(&graph::Window::dilation_w, 0, "dilation width must be");
  refuse(&graph::Window::pad_right, -1, "padding must be in [0, 65535], got -1");
}

TEST(VerifyDepthwise, Shapes) {
  Graph g = depthwise_graph();
  attrs_of(g).depth_multiplier = 1;
  expect_refused(g, "weights [1,3,3,8] do not fit input [1,5,6,4] with depth multiplier 1");
  g = depthwise_graph();
  attrs_of(g).groups = 4;
  expect_refused(g, "groups belong to CONV_2D");
}

TEST(VerifyTransposeConv, Shapes) {
  Graph g = transpose_conv_graph();
  g.tensors[2].shape = {1, 8, 9, 2};  // A row that no tap reaches is still 3 rows of input.
  EXPECT_NO_THROW(graph::verify(g));
  g.tensors[2].shape = {1, 9, 9, 2};
  expect_refused(g, "output [1,9,9,2] does not fit input [1,3,4,5] with 2x2 strides");
  g.tensors[2].shape = {1, 7, 9, 3};
  expect_refused(g, "output [1,7,9,3] does not fit input [1,3,4,5] and weights [2,3,3,5]");
  g = transpose_conv_graph();
  g.tensors[0].shape = {1, 3, 4, 4};
  expect_refused(g, "weights [2,3,3,5] do not fit input [1,3,4,4]");
  g = transpose_conv_graph();
  attrs_of(g).window.dilation_h = 2;
  expect_refused(g, "groups, depth multiplier and dilation must be 1");
}

TEST(VerifyPool, Shapes) {
  Graph g = pool_graph();
  attrs_of(g).window.pad_left = 2;
  expect_refused(g, "a pooling window lies wholly in the padding");
  g = pool_graph();
  attrs_of(g).window.dilation_w = 2;
  expect_refused(g, "groups, depth multiplier and dilation must be 1");
  g = pool_graph();
  g.tensors[1].shape = {1, 2, 2, 1};
  expect_refused(g, "output shape must be [1,2,2,2]");
}

TEST(VerifyFullyConnected, Shapes) {
  Graph g = fully_connected_graph();
  g.tensors[2].shape = {1, 2, 5};
  EXPECT_NO_THROW(graph::verify(g));
  g.tensors[2].shape = {5, 2};
  expect_refused(g, "output [5,2] does not fit input [2,3,4] and weights [5,12]");
  g = fully_connected_graph();
  g.tensors[0].shape = {2, 7};
  expect_refused(g, "weights [5,12] do not fit input [2,7]");
  g = fully_connected_graph();
  g.tensors[1].shape = {5, 12, 1};
  expect_refused(g, "weights must have rank 2");
}

TEST(VerifySvdf, Shapes) {
  Graph g = svdf_graph();
  std::get<graph::SvdfAttrs>(g.nodes[0].attrs).rank = 4;
  expect_refused(g, "rank 4 does not divide 6 features");
  std::get<graph::SvdfAttrs>(g.nodes[0].attrs).rank = 0;
  expect_refused(g, "rank 0 does not divide 6 features");
  g = svdf_graph();
  g.tensors[0].shape = {1, 5};
  expect_refused(g, "weights [6,4] and [6,5] do not fit input [1,5]");
  g = svdf_graph();
  g.tensors[4].shape = {1, 31};
  expect_refused(g, "state must be [1,30], got [1,31]");
  g = svdf_graph();
  g.tensors[0].shape = {4};
  expect_refused(g, "operands of SVDF must have rank 2");
}

TEST(VerifyBinary, Broadcasting) {
  const auto add = [](const Shape& a, const Shape& b, Shape y) {
    return plain_graph(OpKind::kAdd, {a, b}, std::move(y), graph::ActivationAttrs{});
  };
  EXPECT_NO_THROW(graph::verify(add({2, 1, 4}, {3, 1}, {2, 3, 4})));
  EXPECT_NO_THROW(graph::verify(add({2}, {}, {2})));
  expect_refused(add({2, 3}, {2}, {2, 3}), "shapes [2,3] and [2] do not broadcast");
  expect_refused(add({2, 3}, {3}, {3}), "output shape must be [2,3], got [3]");
}

TEST(VerifyReduce, Axes) {
  const auto mean = [](std::vector<int> axes, bool keep, Shape y) {
    return plain_graph(OpKind::kMean, {{2, 3, 4}}, std::move(y),
                       graph::ReduceAttrs{std::move(axes), keep});
  };
  EXPECT_NO_THROW(graph::verify(mean({0, 2}, false, {3})));
  EXPECT_NO_THROW(graph::verify(mean({0, 2}, true, {1, 3, 1})));
  expect_refused(mean({}, true, {2, 3, 4}), "no axis to reduce");
  expect_refused(mean({3}, true, {2, 3, 4}), "axis 3 is out of range for shape [2,3,4]");
  expect_refused(mean({1, 1}, false, {2, 4}), "axes must be sorted and unique");
  expect_refused(mean({1}, false, {2, 1, 4}), "output shape must be [2,4]");
}

TEST(VerifyPad, Amounts) {
  const auto pad = [](std::vector<std::int64_t> before, std::vector<std::int64_t> after, Shape y) {
    return plain_graph(OpKind::kPad, {{2, 3}}, std::move(y),
                       graph::PadAttrs{std::move(before), std::move(after), 3});
  };
  EXPECT_NO_THROW(graph::verify(pad({1, 0}, {0, 2}, {3, 5})));
  expect_refused(pad({1}, {0, 2}, {3, 5}), "needs 2 paddings before and after, got 1 and 2");
  expect_refused(pad({-1, 0}, {0, 0}, {1, 3}), "padding must be in [0, 2^31], got -1");
  expect_refused(pad({1, 0}, {0, 2}, {3, 3}), "output shape must be [3,5]");
}

TEST(VerifyParts, ConcatenationSplitPack) {
  graph::ActivationAttrs a;
  a.axis = 1;
  EXPECT_NO_THROW(graph::verify(plain_graph(OpKind::kConcatenation, {{2, 3}, {2, 1}}, {2, 4}, a)));
  expect_refused(plain_graph(OpKind::kConcatenation, {{2, 3}, {3, 1}}, {2, 4}, a),
                 "part [3,1] does not fit [2,3] along axis 1");
  expect_refused(plain_graph(OpKind::kConcatenation, {{2, 3}, {2}}, {2, 4}, a),
                 "part [2] does not fit [2,3]");
  expect_refused(plain_graph(OpKind::kConcatenation, {{2, 3}, {2, 1}}, {2, 3}, a),
                 "output shape must be [2,4]");
  EXPECT_NO_THROW(graph::verify(plain_graph(OpKind::kPack, {{2, 3}, {2, 3}}, {2, 2, 3}, a)));
  expect_refused(plain_graph(OpKind::kPack, {{2, 3}, {2, 4}}, {2, 2, 3}, a),
                 "inputs must have one shape, got [2,3] and [2,4]");
  Graph split = plain_graph(OpKind::kSplit, {{2, 3}}, {2, 3}, a);
  EXPECT_NO_THROW(graph::verify(split));
  split.tensors[1].shape = {2, 2};
  expect_refused(split, "the parts are shorter than input [2,3]");
  split.tensors[1].shape = {2, 4};
  expect_refused(split, "the parts are longer than input [2,3]");
  a.axis = 2;
  expect_refused(plain_graph(OpKind::kConcatenation, {{2, 3}}, {2, 3}, a),
                 "axis 2 is out of range for rank 2");
  a.axis = 0;
  a.activation = graph::Activation::kRelu;
  expect_refused(plain_graph(OpKind::kConcatenation, {{2, 3}}, {2, 3}, a),
                 "a fused activation (RELU) is not supported");
}

TEST(VerifyConcatenation, LengthIsBounded) {
  // 2^31 bytes a part: the sum of sizes is checked before it can overflow anything.
  const Shape part = {std::int64_t{1} << 31};
  expect_refused(plain_graph(OpKind::kConcatenation, {part, part}, part, graph::ActivationAttrs{}),
                 "the parts are longer than 2^31");
}

TEST(VerifyTranspose, Permutation) {
  const auto transpose = [](std::vector<int> p, Shape y) {
    return plain_graph(OpKind::kTranspose, {{2, 3, 4}}, std::move(y),
                       graph::TransposeAttrs{std::move(p)});
  };
  EXPECT_NO_THROW(graph::verify(transpose({2, 0, 1}, {4, 2, 3})));
  expect_refused(transpose({2, 0}, {4, 2}), "permutation of 2 entries for shape [2,3,4]");
  expect_refused(transpose({2, 0, 0}, {4, 2, 2}), "not a permutation of 3 dimensions");
  expect_refused(transpose({2, 0, 3}, {4, 2, 2}), "not a permutation of 3 dimensions");
  expect_refused(transpose({2, 0, 1}, {4, 3, 2}), "output shape must be [4,2,3]");
}

TEST(VerifySlice, Bounds) {
  const auto slice = [](graph::SliceAttrs a, Shape y) {
    return plain_graph(OpKind::kStridedSlice, {{6, 4}}, std::move(y), std::move(a));
  };
  EXPECT_NO_THROW(graph::verify(slice({{5, 0}, {-2, 1}, {3, 1}}, {3, 1})));
  EXPECT_NO_THROW(graph::verify(slice({{5, 0}, {-2, 1}, {3, 1}}, {3})));
  expect_refused(slice({{0}, {1, 1}, {1, 1}}, {1, 1}), "needs 2 begins, strides and sizes");
  expect_refused(slice({{0, 0}, {0, 1}, {1, 1}}, {1, 1}),
                 "stride must be a 32-bit number other than 0, got 0");
  expect_refused(slice({{0, 0}, {1, 1}, {7, 1}}, {7, 1}), "size must be in [1, 6], got 7");
  expect_refused(slice({{4, 0}, {1, 1}, {3, 1}}, {3, 1}),
                 "slice from 4 to 6 leaves dimension 0 of shape [6,4]");
  expect_refused(slice({{4, 0}, {-3, 1}, {3, 1}}, {3, 1}), "slice from 4 to -2 leaves");
  expect_refused(slice({{0, 0}, {1, 1}, {3, 2}}, {3}),
                 "output shape must be [3,2] (size 1 may be dropped), got [3]");
}

TEST(VerifyElementwise, Shapes) {
  expect_refused(plain_graph(OpKind::kReshape, {{2, 3}}, {5}),
                 "shapes [2,3] and [5] differ in size");
  expect_refused(plain_graph(OpKind::kRelu, {{2, 3}}, {3, 2}), "output shape must be [2,3]");
  expect_refused(plain_graph(OpKind::kSoftmax, {{}}, {}, graph::SoftmaxAttrs{}),
                 "input must have at least one dimension");
}

}  // namespace
}  // namespace npu::test
