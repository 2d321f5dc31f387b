// Types, quantization and the ratios of scales.

#include <cmath>

#include "tests/unit/graph/sample_graphs.h"

namespace npu::test {
namespace {

TEST(VerifyTypes, MacOperands) {
  Graph g = conv_graph();
  g.tensors[0].type = DType::kUint8;
  expect_refused(g, "types uint8, int8, int32 to int8 are not supported");
  g = conv_graph();
  g.tensors[0].type = g.tensors[3].type = DType::kInt16;
  expect_refused(g, "tensor #0 `t0` int16[1,5,6,4]: the zero point of int16 must be 0, got 3");
  g.tensors[0].quantization->zero_point[0] = g.tensors[3].quantization->zero_point[0] = 0;
  EXPECT_NO_THROW(graph::verify(g));
  g.tensors[2].type = DType::kInt64;
  g.tensors[2].data.resize(64);
  EXPECT_NO_THROW(graph::verify(g));
  g = conv_graph();
  g.tensors[0].quantization.reset();
  expect_refused(g, "tensor #0 `t0` int8[1,5,6,4] has no quantization");
  g = conv_graph();
  g.tensors[1].quantization.reset();
  expect_refused(g, "tensor #1 `t1` int8[8,3,3,4] has no quantization");
  g = conv_graph();
  g.tensors[3].quantization = g.tensors[1].quantization;
  g.tensors[3].quantization->axis = 3;
  expect_refused(g, "is an activation with 8 scales");
}

TEST(VerifyTypes, FloatAndHybrid) {
  Graph g = conv_graph();
  g.tensors[0].type = g.tensors[3].type = DType::kFloat32;
  g.tensors[2].type = DType::kFloat32;
  EXPECT_NO_THROW(graph::verify(g)) << "int8 weights of a float network";
  g.tensors[1].type = DType::kFloat32;
  g.tensors[1].data.resize(4 * 288);
  EXPECT_NO_THROW(graph::verify(g));
}

TEST(VerifyTypes, Weights) {
  Graph g = conv_graph();
  g.tensors[1].quantization->zero_point[2] = 1;
  expect_refused(g, "the zero point of int8 weights must be 0, got 1");
  g = depthwise_graph();
  g.tensors[1].shape = {1, 3, 8, 8};  // Fits along dimension 2 as well.
  g.tensors[1].data.resize(192);
  g.tensors[0].shape = {1, 5, 8, 4};
  g.tensors[2].shape = {1, 3, 1, 8};
  std::get<graph::WindowAttrs>(g.nodes[0].attrs).window.kernel_w = 8;
  EXPECT_NO_THROW(graph::verify(g));
  g.tensors[1].quantization->axis = 2;
  expect_refused(g, "scales must run along dimension 3, got 2");
  g = conv_graph();
  for (auto& t : g.tensors) {
    if (t.type == DType::kInt8) t.type = DType::kUint8;
  }
  expect_refused(g, "a scale per channel is not supported here");
  g.tensors[1].quantization = graph::Quantization{{0.25F}, {77}, 0};
  EXPECT_NO_THROW(graph::verify(g));
  g = conv_graph();
  g.tensors[1].is_constant = false;
  g.tensors[1].data.clear();
  g.tensors[1].quantization = graph::Quantization{{0.25F}, {0}, 0};
  g.inputs.push_back(1);
  expect_refused(g, "tensor #1 `t1` int8[8,3,3,4] must be a constant");
}

TEST(VerifyTypes, Svdf) {
  Graph g = svdf_graph();
  g.tensors[2].type = DType::kInt8;
  g.tensors[2].data.resize(30);
  expect_refused(g, "types int8, int8, int8, int32, int16 to int8 are not supported");
  g.tensors[4].type = DType::kInt8;
  EXPECT_NO_THROW(graph::verify(g));
  g = svdf_graph();
  g.tensors[4].is_variable = false;
  g.inputs.push_back(4);
  expect_refused(g, "the state must be a variable");
}

TEST(VerifyTypes, OneTypeForAll) {
  Graph g = plain_graph(OpKind::kAdd, {{2}, {2}}, {2}, graph::ActivationAttrs{});
  g.tensors[1].type = DType::kUint8;
  expect_refused(g, "types int8, uint8 to int8 are not supported");
  g = plain_graph(OpKind::kHardSwish, {{2}}, {2}, {}, DType::kInt16);
  expect_refused(g, "types int16 to int16 are not supported");
  EXPECT_NO_THROW(graph::verify(plain_graph(OpKind::kReshape, {{2}}, {2}, {}, DType::kBool)));
}

TEST(VerifyTypes, MovesKeepTheirQuantization) {
  Graph g = plain_graph(OpKind::kMaximum, {{2}, {2}}, {2});
  EXPECT_NO_THROW(graph::verify(g));
  g.tensors[1].quantization->zero_point[0] = 4;
  expect_refused(g, "tensor #1 `t1` int8[2] must have the quantization of output tensor #2");
  g = plain_graph(OpKind::kConcatenation, {{2}}, {2}, graph::ActivationAttrs{}, DType::kUint8);
  g.tensors[0].quantization->scale[0] = 0.75F;
  EXPECT_NO_THROW(graph::verify(g)) << "uint8 concatenation rescales";
  g.tensors[0].type = g.tensors[1].type = DType::kInt8;
  expect_refused(g, "must have the quantization of output");
}

TEST(VerifyTypes, FixedOutputs) {
  Graph g = plain_graph(OpKind::kSoftmax, {{2}}, {2}, graph::SoftmaxAttrs{});
  expect_refused(g, "output must have scale 0.00390625 and zero point -128, got 0.5 and 3");
  g.tensors[1].quantization = graph::Quantization{{1.0F / 256}, {-128}, 0};
  EXPECT_NO_THROW(graph::verify(g));
  g.tensors[1].quantization->scale[0] *= 1.0009F;
  EXPECT_NO_THROW(graph::verify(g));
  g.tensors[1].quantization->scale[0] *= 1.0009F;
  expect_refused(g, "output must have scale");
  g.tensors[1].type = DType::kInt16;
  g.tensors[1].quantization = graph::Quantization{{1.0F / 65535}, {-32768}, 0};
  EXPECT_NO_THROW(graph::verify(g));
  g = plain_graph(OpKind::kTanh, {{2}}, {2}, {}, DType::kUint8);
  expect_refused(g, "output must have scale 0.0078125 and zero point 128");
  g = plain_graph(OpKind::kLogistic, {{2}}, {2}, {}, DType::kInt16);
  expect_refused(g, "output must have scale 3.0517578e-05 and zero point 0");
  g = plain_graph(OpKind::kLogSoftmax, {{2}}, {2});
  expect_refused(g, "output must have scale 0.0625 and zero point 127");
}

TEST(VerifyTypes, QuantizeAndDequantize) {
  Graph g = plain_graph(OpKind::kQuantize, {{2}}, {2});
  g.tensors[0].type = DType::kInt32;
  EXPECT_NO_THROW(graph::verify(g));
  g.tensors[0].quantization->scale[0] = 0;
  expect_refused(g, "tensor #0 `t0` int32[2] needs one scale between 2^-60 and 2^60");
  g.tensors[0].type = DType::kFloat32;
  g.tensors[0].quantization.reset();
  EXPECT_NO_THROW(graph::verify(g));
  g.tensors[1].type = DType::kInt32;
  expect_refused(g, "types float32 to int32 are not supported");
  g = plain_graph(OpKind::kDequantize, {{2}}, {2});
  expect_refused(g, "types int8 to int8 are not supported");
}

TEST(VerifyTypes, PadValue) {
  const auto pad = [](DType type, std::int32_t value) {
    return plain_graph(OpKind::kPad, {{2}}, {3}, graph::PadAttrs{{1}, {0}, value}, type);
  };
  EXPECT_NO_THROW(graph::verify(pad(DType::kInt8, -128)));
  expect_refused(pad(DType::kInt8, 128), "value 128 is out of range for int8");
  EXPECT_NO_THROW(graph::verify(pad(DType::kUint8, 255)));
  expect_refused(pad(DType::kUint8, -1), "value -1 is out of range for uint8");
  expect_refused(pad(DType::kInt16, 32768), "value 32768 is out of range for int16");
  expect_refused(pad(DType::kFloat32, 1), "float32 is padded with 0 only, got 1");
}

TEST(VerifyScales, Ratios) {
  Graph g = conv_graph();
  g.tensors[3].quantization->scale[0] = 0x1p-33F;  // 0.5 · 0.25 · 2^33 = 2^30
  expect_refused(g, "output: scales give the factor 1073741824, which must be below 2^30");
  g.tensors[3].quantization->scale[0] = 0x1.8p-33F;
  EXPECT_NO_THROW(graph::verify(g));

  g = plain_graph(OpKind::kAdd, {{2}, {2}}, {2}, graph::ActivationAttrs{});
  g.tensors[2].quantization->scale[0] = 0x1p-20F;  // 2 · 0.5 = 2^20 · 2^-20
  expect_refused(g, "is too small for input scales 0.5 and 0.5");
  g.tensors[2].quantization->scale[0] = 0x1.8p-20F;
  EXPECT_NO_THROW(graph::verify(g));

  g = plain_graph(OpKind::kHardSwish, {{2}}, {2});
  g.tensors[1].quantization->scale[0] = 0.5F / 128;
  expect_refused(g, "output scale 0.00390625 is too small for input scale 0.5");

  g = svdf_graph();
  g.tensors[4].quantization->scale[0] = 0x1p-40F;
  expect_refused(g, "features: scales give the factor");
  g = plain_graph(OpKind::kLeakyRelu, {{2}}, {2}, graph::LeakyReluAttrs{0x1p30F});
  expect_refused(g, "alpha: scales give the factor 1073741824");
  g = plain_graph(OpKind::kConcatenation, {{2}}, {2}, graph::ActivationAttrs{}, DType::kUint8);
  g.tensors[0].quantization->scale[0] = 0x1p31F;
  expect_refused(g, "output: scales give the factor");
}

TEST(VerifyScales, Attributes) {
  Graph g = plain_graph(OpKind::kSoftmax, {{2}}, {2}, graph::SoftmaxAttrs{0});
  g.tensors[1].quantization = graph::Quantization{{1.0F / 256}, {-128}, 0};
  expect_refused(g, "beta must be positive and finite, got 0");
  g.nodes[0].attrs = graph::SoftmaxAttrs{.block = -1};
  expect_refused(g, "block must not be negative, got -1");
  g.nodes[0].attrs = graph::SoftmaxAttrs{1};
  g.tensors[0].quantization->scale[0] = 0x1p-26F;
  expect_refused(g, "beta times input scale 1.4901161193847656e-08 is too small");
  g = plain_graph(OpKind::kLeakyRelu, {{2}}, {2}, graph::LeakyReluAttrs{std::nanf("")});
  expect_refused(g, "alpha must be finite");
  g = plain_graph(OpKind::kLogistic, {{2}}, {2});
  g.tensors[1].quantization = graph::Quantization{{1.0F / 256}, {-128}, 0};
  g.tensors[0].quantization->scale[0] = 0x1p-27F;
  expect_refused(g, "input scale 7.450580596923828e-09 is too small");
}

TEST(VerifyScales, Int16Curves) {
  Graph g = plain_graph(OpKind::kTanh, {{2}}, {2}, {}, DType::kInt16);
  g.tensors[1].quantization = graph::Quantization{{1.0F / 32768}, {0}, 0};
  g.tensors[0].quantization->scale[0] = 8.0F / 3 * 0.999999F;  // 32768 / 12288
  EXPECT_NO_THROW(graph::verify(g));
  g.tensors[0].quantization->scale[0] = 2.7F;
  expect_refused(g, "input scale 2.700000047683716 is too large");
  g.tensors[0].quantization->scale[0] = 0x1p-44F;  // 2^31 · 12288 = 2^44.58
  EXPECT_NO_THROW(graph::verify(g));
  g.tensors[0].quantization->scale[0] = 0x1p-45F;
  expect_refused(g, "input scale 2.842170943040401e-14 is too small");
}

TEST(VerifyScales, Int16Softmax) {
  const auto softmax = [](std::int64_t row, float scale) {
    Graph g =
        plain_graph(OpKind::kSoftmax, {{1, row}}, {1, row}, graph::SoftmaxAttrs{1}, DType::kInt16);
    g.tensors[0].quantization->scale[0] = scale;
    g.tensors[1].quantization = graph::Quantization{{1.0F / 32768}, {0}, 0};
    return g;
  };
  EXPECT_NO_THROW(graph::verify(softmax(65538, 5)));  // 2^15 · 10 / 65535
  expect_refused(softmax(2, 5.001F), "beta times input scale 5.000999927520752 is too large");
  expect_refused(softmax(65539, 1), "int16 rows have at most 65538 values, got 65539");
}

}  // namespace
}  // namespace npu::test
