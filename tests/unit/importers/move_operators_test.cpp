// Shape changes, padding, slices and parts: attributes that come as operands.

#include "tests/unit/importers/raw_model.h"

namespace npu::test {
namespace {

using graph::OpKind;
using schema::TensorType;

graph::SliceAttrs slice_of(const graph::Node& node) {
  EXPECT_EQ(node.kind, OpKind::kStridedSlice);
  return std::get<graph::SliceAttrs>(node.attrs);
}

TEST(Attributes, MustBeSmallIntegerConstants) {
  RawModel m;
  m.code(39).input({2, 3}).input({2}, TensorType::INT32).output({3, 2});
  m.refused("permutation must be a constant, `t1` is computed while the network runs");
  m.tensor(1).type = TensorType::FLOAT32;
  m.refused("permutation must be int32 or int64, got float32");
  RawModel large;
  large.code(39).input({2, 3}).integers(std::vector<std::int32_t>(9)).output({3, 2});
  large.refused("permutation: at most 8 values, got 9");
  RawModel wide;
  wide.code(39).input({2, 3}).output({3, 2});
  wide.constant(TensorType::INT64, {2}, {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(std::get<graph::TransposeAttrs>(wide.import().nodes[0].attrs).permutation,
            (std::vector<int>{1, 0}));
  wide.model.buffers[1]->data[6] = 1;
  wide.refused("permutation: 281474976710657 is out of range");
}

TEST(Reshape, ShapeMayComeFromAnywhere) {
  RawModel m;
  m.code(22).input({2, 3}).output({6});
  EXPECT_EQ(m.import().nodes[0].kind, OpKind::kReshape);
  schema::ReshapeOptionsT o;
  o.new_shape = {-1};
  m.options(o);
  EXPECT_NO_THROW((void)m.import());
  o.new_shape = {5};
  m.options(o);
  m.refused("operator #0 RESHAPE: new shape [5] does not fit output [6]");
  o.new_shape = std::vector<int>(9, 1);
  m.options(o);
  m.refused("new shape of more than 8 dimensions");
  m.integers({6});
  EXPECT_EQ(m.import().nodes[0].inputs.size(), 1U) << "the operand decides and is then dropped";
}

TEST(Reshape, LegacyScalar) {
  RawModel m;
  m.code(22).input({1}).output({});
  schema::ReshapeOptionsT o;
  o.new_shape = {0};
  m.options(o);
  EXPECT_NO_THROW((void)m.import());
}

TEST(Reshape, SqueezeAndExpandDims) {
  RawModel m;
  m.code(43).input({1, 2, 1, 3}).output({2, 3}).options(schema::SqueezeOptionsT());
  EXPECT_EQ(m.import().nodes[0].kind, OpKind::kReshape);
  m.tensor(1).shape = {3, 2};
  m.refused("operator #0 SQUEEZE: shapes [1,2,1,3] and [3,2] differ in more than dimensions of 1");
  RawModel expand;
  expand.code(70).input({2, 3}).integers({-1}).output({2, 3, 1});
  EXPECT_EQ(expand.import().nodes[0].kind, OpKind::kReshape);
  expand.tensor(2).shape = {2, 1, 3};
  expand.refused("operator #0 EXPAND_DIMS: output shape must be [2,3,1], got [2,1,3]");
  expand.tensor(1).shape = {0};
  expand.tensor(1).buffer = 0;
  expand.refused("needs one axis");
}

TEST(Pad, ValueIsTheZeroPoint) {
  RawModel m;
  m.code(34).input({2}).integers({1, 2}, {1, 2}).output({5});
  const auto a = std::get<graph::PadAttrs>(m.import().nodes[0].attrs);
  EXPECT_EQ(a.before, (std::vector<std::int64_t>{1}));
  EXPECT_EQ(a.after, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(a.value, 3);
  m.tensor(1).shape = {2};
  m.refused("operator #0 PAD: paddings must have shape [1,2], got [2]");
}

TEST(Pad, PadV2HasAValue) {
  RawModel m;
  m.code(60).input({2}).integers({1, 2}, {1, 2}).constant(TensorType::INT8, {}, {0xf0}).output({5});
  EXPECT_EQ(m.import().nodes[0].kind, OpKind::kPad);
  EXPECT_EQ(std::get<graph::PadAttrs>(m.import().nodes[0].attrs).value, -16);
  m.tensor(2).quantization->scale = {0.25F};
  m.refused("the padding value `t2` must have the type and quantization of the output");
  m.tensor(2).quantization->scale = {0.5F};
  m.tensor(2).shape = {1, 0};
  m.tensor(2).buffer = 0;
  m.refused("the padding value must be a constant of one element, `t2` has shape [1,0]");
  RawModel real;
  real.code(60).input({2}, TensorType::FLOAT32).integers({1, 2}, {1, 2});
  real.constant(TensorType::FLOAT32, {}, {0, 0, 128, 63}).output({5}, TensorType::FLOAT32);
  real.refused("float32 is padded with 0 only, got 1");
  RawModel odd;
  odd.code(60).input({2}, TensorType::BOOL).integers({1, 2}, {1, 2});
  odd.constant(TensorType::BOOL, {}, {1}).output({5}, TensorType::BOOL);
  odd.refused("a padding value of bool is not supported");
}

TEST(Parts, ConcatenationAndPack) {
  RawModel m;
  schema::ConcatenationOptionsT o;
  o.axis = -1;
  m.code(2).input({2, 1}).input({2, 3}).output({2, 4}).options(o);
  EXPECT_EQ(std::get<graph::ActivationAttrs>(m.import().nodes[0].attrs).axis, 1);
  o.axis = 2;
  m.options(o);
  m.refused("operator #0 CONCATENATION: axis 2 is out of range for rank 2");
  RawModel pack;
  schema::PackOptionsT p;
  p.axis = -1;
  p.values_count = 2;
  pack.code(83).input({3}).input({3}).output({3, 2}).options(p);
  EXPECT_EQ(std::get<graph::ActivationAttrs>(pack.import().nodes[0].attrs).axis, 1);
  p.values_count = 3;
  pack.options(p);
  pack.refused("operator #0 PACK: values_count is 3, got 2 inputs");
}

TEST(Parts, SplitBecomesSlices) {
  RawModel m;
  schema::SplitOptionsT o;
  o.num_splits = 2;
  m.code(49).integers({-1}).input({2, 6}).output({2, 3}).output({2, 3}).options(o);
  const graph::Graph g = m.import();
  ASSERT_EQ(g.nodes.size(), 2U);
  EXPECT_EQ(slice_of(g.nodes[1]).begin, (std::vector<std::int64_t>{0, 3}));
  EXPECT_EQ(slice_of(g.nodes[1]).sizes, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(g.nodes[1].source_index, 0);
  o.num_splits = 4;
  m.options(o);
  m.refused("operator #0 SPLIT: num_splits 4 does not fit 2 outputs of input [2,6]");
}

TEST(Parts, SplitVHasSizes) {
  RawModel m;
  m.code(102).input({2, 6}).integers({1, -1, 3}).integers({1}, {1});
  m.output({2, 1}).output({2, 2}).output({2, 3});
  const graph::Graph g = m.import();
  ASSERT_EQ(g.nodes.size(), 3U);
  EXPECT_EQ(slice_of(g.nodes[1]).begin, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(slice_of(g.nodes[1]).sizes, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(slice_of(g.nodes[2]).begin, (std::vector<std::int64_t>{0, 3}));
  m.model.buffers[1]->data[4] = 1;  // −1 becomes a large negative number.
  m.refused("operator #0 SPLIT_V: the sizes do not add up to input [2,6]");
  m.op().outputs.pop_back();
  m.refused("sizes: at most 2 values, got 3");
  m.op().outputs = {3, 4, 5, 5};
  m.refused("3 sizes for 4 outputs");
}

TEST(Slice, MinusOneRunsToTheEnd) {
  RawModel m;
  m.code(65).input({4, 5}).integers({1, 2}).integers({-1, 2}).output({3, 2});
  const graph::SliceAttrs a = slice_of(m.import().nodes[0]);
  EXPECT_EQ(a.begin, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(a.sizes, (std::vector<std::int64_t>{3, 2}));
  m.tensor(0).shape = {4, 5, 1};
  m.refused("operator #0 SLICE: needs 3 begins and sizes, got 2 and 2");
}

RawModel strided(const std::vector<int>& begin, const std::vector<int>& end,
                 const std::vector<int>& stride, std::vector<int> out,
                 schema::StridedSliceOptionsT o = {}) {
  RawModel m;
  m.code(45).input({4, 5}).integers(begin).integers(end).integers(stride);
  m.output(std::move(out)).options(o);
  return m;
}

TEST(StridedSlice, BoundsFollowPython) {
  graph::SliceAttrs a = slice_of(strided({-3, 1}, {99, -1}, {2, 1}, {2, 3}).import().nodes[0]);
  EXPECT_EQ(a.begin, (std::vector<std::int64_t>{1, 1}));
  EXPECT_EQ(a.sizes, (std::vector<std::int64_t>{2, 3}));
  a = slice_of(strided({-1, 99}, {-99, 0}, {-2, -1}, {2, 4}).import().nodes[0]);
  EXPECT_EQ(a.begin, (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(a.stride, (std::vector<std::int64_t>{-2, -1}));
  EXPECT_EQ(a.sizes, (std::vector<std::int64_t>{2, 4}));
  a = slice_of(strided({1}, {3}, {1}, {2, 5}).import().nodes[0]);
  EXPECT_EQ(a.sizes, (std::vector<std::int64_t>{2, 5})) << "dimensions without bounds stay whole";
}

TEST(StridedSlice, Masks) {
  schema::StridedSliceOptionsT o;
  o.begin_mask = 1;
  o.end_mask = 2;
  graph::SliceAttrs a = slice_of(strided({2, 2}, {3, 3}, {1, 1}, {3, 3}, o).import().nodes[0]);
  EXPECT_EQ(a.begin, (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(a.sizes, (std::vector<std::int64_t>{3, 3}));
  o.begin_mask = o.end_mask = 3;
  a = slice_of(strided({2, 2}, {3, 3}, {-1, 1}, {4, 5}, o).import().nodes[0]);
  EXPECT_EQ(a.begin, (std::vector<std::int64_t>{3, 0}));
  o = {};
  o.shrink_axis_mask = 1;
  a = slice_of(strided({-1, 0}, {0, 2}, {1, 1}, {2}, o).import().nodes[0]);
  EXPECT_EQ(a.begin, (std::vector<std::int64_t>{3, 0}));
  EXPECT_EQ(a.sizes, (std::vector<std::int64_t>{1, 2}));
}

TEST(StridedSlice, Refusals) {
  schema::StridedSliceOptionsT o;
  o.ellipsis_mask = 1;
  strided({0, 0}, {1, 1}, {1, 1}, {1, 1}, o).refused("ellipsis_mask 1 is not supported");
  o = {};
  o.new_axis_mask = 2;
  strided({0, 0}, {1, 1}, {1, 1}, {1, 1}, o).refused("new_axis_mask 2 is not supported");
  o = {};
  o.offset = true;
  strided({0, 0}, {1, 1}, {1, 1}, {1, 1}, o).refused("an end relative to begin (offset)");
  strided({0, 0}, {1, 1}, {1, 0}, {1, 1}).refused("stride 1 is 0");
  strided({2, 0}, {2, 1}, {1, 1}, {1, 1}).refused("dimension 0 of input [4,5] is cut to nothing");
  strided({0, 0}, {2, 1}, {1, 1}, {1, 2}).refused("output shape must be [2,1], got [1,2]");
  strided({0, 0, 0}, {1, 1, 1}, {1, 1, 1}, {1, 1})
      .refused("3 begins, 3 ends and 3 strides for input [4,5]");
  o = {};
  o.shrink_axis_mask = 2;
  strided({0, 0}, {1, 1}, {1, -1}, {1}, o).refused("dimension 1 shrinks with a negative stride");
}

TEST(Reduction, AxesAreResolved) {
  RawModel m;
  schema::ReducerOptionsT o;
  m.code(40).input({2, 3, 4}).integers({-1, 0, 2}).output({3}).options(o);
  const auto a = std::get<graph::ReduceAttrs>(m.import().nodes[0].attrs);
  EXPECT_EQ(a.axes, (std::vector<int>{0, 2}));
  EXPECT_FALSE(a.keep_dims);
  m.model.buffers[1]->data[4] = 3;
  m.refused("operator #0 MEAN: axis 3 is out of range for rank 3");
}

TEST(Binary, OptionsMayBeMissing) {
  RawModel m;
  m.code(18).input({2}).input({2}).output({2});
  EXPECT_EQ(m.import().nodes[0].kind, OpKind::kMul);
  schema::MulOptionsT o;
  o.activation = schema::ActivationType::RELU6;
  m.options(o);
  EXPECT_EQ(std::get<graph::ActivationAttrs>(m.import().nodes[0].attrs).activation,
            graph::Activation::kRelu6);
}

}  // namespace
}  // namespace npu::test
