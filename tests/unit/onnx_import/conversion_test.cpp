// Operators as graphs: the CPU reference of the graph agrees with the ONNX reference of the node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/onnx_import/run_plan.h"
#include "kernels/reference/reference.h"
#include "tests/unit/onnx_import/models.h"

namespace npu::onnx_import {
namespace {

using onnx::ElementType;
using Integers = std::vector<std::int64_t>;
using Attributes = std::initializer_list<std::pair<const std::string, onnx::Attribute>>;

constexpr std::int64_t kOne = 1;
constexpr std::int64_t kZero = 0;

/// Random numbers in [low, high), the same in every run.
std::vector<double> numbers(std::int64_t count, double low = -2, double high = 2) {
  static std::mt19937_64 rng(7);
  std::vector<double> out(static_cast<std::size_t>(count));
  for (double& e : out) e = low + (high - low) * static_cast<double>(rng() >> 40) * 0x1p-24;
  return out;
}

onnx::Values random_inputs(const onnx::Model& model) {
  onnx::Values values;
  for (const onnx::ValueInfo& input : model.graph.inputs) {
    Shape shape;
    for (const onnx::Dimension& d : input.shape) shape.push_back(d.size);
    const bool floats = onnx::is_float(input.type);
    const std::vector<double> elements =
        numbers(element_count(shape), floats ? -2 : 0, floats ? 2 : 5);
    values[input.name] = onnx::from_doubles(input.type, shape, elements);
  }
  return values;
}

/// All of the model runs as NPU graphs, and gives what the ONNX reference gives.
Plan expect_on_npu(ModelMaker& maker, double tolerance = 2e-5,
                   std::optional<DType> precision = {}) {
  const onnx::Model& model = maker.model();
  const onnx::Values inputs = random_inputs(model);
  const Network network = simplify(model, {});
  ConvertOptions options;
  options.precision = precision;
  Plan plan = make_plan(network, options);
  for (const Stage& stage : plan.stages) {
    const auto* host = std::get_if<HostStage>(&stage);
    if (host == nullptr) continue;
    for (const HostNode& n : host->nodes) {
      ADD_FAILURE() << describe(network.model.graph.nodes[n.node], n.node) << ": " << n.reason;
    }
  }
  const std::vector<onnx::Value> expected = onnx::run(model, inputs);
  const std::vector<onnx::Value> got = run_plan(network, plan, inputs, run_by_reference);
  EXPECT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].shape, expected[i].shape);
    EXPECT_EQ(got[i].type, expected[i].type);
    const std::vector<double> a = to_doubles(got[i]);
    const std::vector<double> b = to_doubles(expected[i]);
    for (std::size_t k = 0; k < a.size(); ++k) {
      const bool same = a[k] == b[k] || (std::isnan(a[k]) && std::isnan(b[k]));
      if (!same && !(std::fabs(a[k] - b[k]) <= tolerance * (1 + std::fabs(b[k])))) {
        ADD_FAILURE() << "output " << i << " element " << k << ": " << a[k] << " instead of "
                      << b[k];
        break;
      }
    }
  }
  return plan;
}

void expect_node(const std::string& op, const Shape& shape, Attributes attributes = {},
                 std::int64_t opset = 23) {
  SCOPED_TRACE(op);
  ModelMaker m(opset);
  m.input("x", shape).node(op, {"x"}, {"y"}, attributes).output("y");
  expect_on_npu(m);
}

TEST(Conversion, ElementwiseOperatorsOfOneOperand) {
  for (const char* op :
       {"Abs",   "Atan",    "Asinh",     "Ceil",  "Cos",       "Cosh",        "Erf",
        "Exp",   "Floor",   "HardSwish", "Mish",  "Neg",       "Reciprocal",  "Relu",
        "Round", "Sigmoid", "Sign",      "Sin",   "Sinh",      "Softplus",    "Softsign",
        "Tanh",  "Elu",     "Celu",      "Selu",  "LeakyRelu", "HardSigmoid", "ThresholdedRelu",
        "Gelu",  "Swish",   "Shrink",    "IsNaN", "IsInf"}) {
    expect_node(op, {2, 3, 4}, {}, 24);
  }
  expect_node("Gelu", {7}, {{"approximate", std::string("tanh")}});
  expect_node("Swish", {7}, {{"alpha", 0.5F}}, 24);
  expect_node("Shrink", {9}, {{"lambd", 1.0F}, {"bias", 0.25F}});
  expect_node("IsInf", {7}, {{"detect_negative", kZero}});
  expect_node("Cast", {5}, {{"to", std::int64_t{6}}});
  expect_node("Cast", {5}, {{"to", std::int64_t{9}}});
}

TEST(Conversion, ElementwiseOperatorsBroadcast) {
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean", "Greater", "Less",
                         "Equal", "GreaterOrEqual", "LessOrEqual", "PRelu"}) {
    SCOPED_TRACE(op);
    ModelMaker m;
    m.input("x", {2, 3, 4}).input("z", {3, 1}).node(op, {"x", "z"}, {"y"}).output("y");
    expect_on_npu(m);
  }
  ModelMaker scalar;
  scalar.input("x", {2, 3}).constant("c", {}, {3}).node("Pow", {"x", "c"}, {"y"}).output("y");
  expect_on_npu(scalar);
  ModelMaker left;
  left.input("x", {3}).constant("c", {2, 1}, {3, 4}).node("Sub", {"c", "x"}, {"y"}).output("y");
  expect_on_npu(left);
  ModelMaker where;
  where.input("b", {2, 1}, ElementType::kBool).input("x", {3}).input("z", {2, 3});
  where.node("Where", {"b", "x", "z"}, {"w"}).node("Clip", {"w", "low"}, {"y"});
  where.constant("low", {}, {0.5}).output("y");
  expect_on_npu(where);
}

TEST(Conversion, IntegersWrapAsTheirTypesDo) {
  for (const char* op : {"Add", "Sub", "Mul", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Max"}) {
    SCOPED_TRACE(op);
    ModelMaker m;
    m.input("x", {9}, ElementType::kUint8).node(op, {"x", "c"}, {"y"}).output("y");
    m.constant("c", {9}, {255, 254, 3, 128, 7, 0, 1, 99, 200}, ElementType::kUint8);
    m.model().opsets[""] = 18;
    expect_on_npu(m, 0);
  }
}

TEST(Conversion, ConvolutionsInAllShapes) {
  const auto conv = [](const Shape& x, const Shape& w, Attributes attributes) {
    ModelMaker m;
    m.input("x", x).constant("w", w, numbers(element_count(w)));
    m.constant("b", {w[0]}, numbers(w[0]));
    m.node("Conv", {"x", "w", "b"}, {"c"}, attributes).node("Relu", {"c"}, {"y"}).output("y");
    const Plan plan = expect_on_npu(m);
    for (const graph::Node& n : std::get<NpuStage>(plan.stages.at(0)).graph.nodes) {
      EXPECT_NE(n.kind, graph::OpKind::kMap) << "the activation is part of the convolution";
    }
  };
  conv({1, 3, 7, 6}, {4, 3, 3, 3}, {{"pads", Integers{1, 0, 1, 2}}, {"strides", Integers{2, 1}}});
  conv({1, 4, 6, 6}, {6, 2, 3, 3}, {{"group", std::int64_t{2}}});
  conv({1, 3, 6, 6}, {6, 1, 3, 3},
       {{"group", std::int64_t{3}}, {"auto_pad", std::string("SAME_UPPER")}});
  conv({1, 3, 9}, {4, 3, 3}, {{"dilations", Integers{2}}});
}

TEST(Conversion, TransposedConvolutions) {
  const auto conv = [](const Shape& x, const Shape& w, std::int64_t outputs,
                       Attributes attributes) {
    ModelMaker m;
    m.input("x", x).constant("w", w, numbers(element_count(w)));
    m.constant("b", {outputs}, numbers(outputs));
    m.node("ConvTranspose", {"x", "w", "b"}, {"y"}, attributes).output("y");
    expect_on_npu(m);
  };
  conv({1, 2, 4, 3}, {2, 3, 3, 3}, 3,
       {{"strides", Integers{2, 2}}, {"pads", Integers{1, 1, 0, 0}}});
  conv({1, 4, 3, 3}, {4, 2, 2, 2}, 4, {{"strides", Integers{2, 2}}, {"group", std::int64_t{2}}});
}

TEST(Conversion, NormalizationsAreFoldedIntoConvolutions) {
  ModelMaker m;
  m.input("x", {1, 3, 6, 6}).constant("w", {4, 3, 3, 3}, numbers(108));
  m.constant("s", {4}, numbers(4, 0.5, 2)).constant("b", {4}, numbers(4));
  m.constant("k", {4, 1, 1}, numbers(4));
  m.node("Conv", {"x", "w"}, {"c"}).node("BatchNormalization", {"c", "s", "b", "b", "s"}, {"n"});
  m.node("Mul", {"n", "k"}, {"p"}).node("Add", {"k", "p"}, {"y"}).output("y");
  const Plan plan = expect_on_npu(m, 1e-4);
  std::size_t computing = 0;
  for (const graph::Node& n : std::get<NpuStage>(plan.stages.at(0)).graph.nodes) {
    if (n.kind != graph::OpKind::kTranspose && n.kind != graph::OpKind::kReshape) ++computing;
  }
  EXPECT_EQ(computing, 1U);
}

TEST(Conversion, Pooling) {
  const Attributes window = {{"kernel_shape", Integers{3, 2}},
                             {"strides", Integers{2, 2}},
                             {"pads", Integers{1, 0, 1, 1}}};
  expect_node("MaxPool", {1, 3, 7, 7}, window);
  expect_node("AveragePool", {1, 3, 7, 7}, window);
  expect_node("AveragePool", {1, 2, 6, 6},
              {{"kernel_shape", Integers{3, 3}},
               {"pads", Integers{1, 1, 1, 1}},
               {"count_include_pad", kOne}});
  expect_node("MaxPool", {1, 2, 6, 6},
              {{"kernel_shape", Integers{3, 3}}, {"strides", Integers{2, 2}}, {"ceil_mode", kOne}});
  expect_node("MaxPool", {1, 2, 8}, {{"kernel_shape", Integers{3}}});
  expect_node("GlobalAveragePool", {2, 3, 4, 5});
  expect_node("GlobalMaxPool", {2, 3, 4, 5});
}

TEST(Conversion, Products) {
  const auto matmul = [](const Shape& a, const Shape& b, bool is_constant) {
    SCOPED_TRACE(to_string(a) + to_string(b));
    ModelMaker m;
    m.input("x", a);
    if (is_constant) m.constant("z", b, numbers(element_count(b)));
    if (!is_constant) m.input("z", b);
    m.node("MatMul", {"x", "z"}, {"y"}).output("y");
    expect_on_npu(m);
  };
  matmul({2, 3, 4}, {4, 5}, true);
  matmul({2, 3, 4}, {4, 5}, false);
  matmul({2, 1, 3, 4}, {3, 4, 2}, false);
  matmul({4}, {4, 3}, false);
  matmul({2, 4}, {4}, false);
  matmul({4}, {4}, false);
  ModelMaker gemm;
  gemm.input("x", {4, 3}).constant("w", {5, 4}, numbers(20)).constant("b", {1, 5}, numbers(5));
  gemm.node("Gemm", {"x", "w", "b"}, {"y"},
            {{"transA", kOne}, {"transB", kOne}, {"alpha", 0.5F}, {"beta", 2.0F}});
  gemm.output("y");
  expect_on_npu(gemm);
  ModelMaker dynamic;
  dynamic.input("x", {3, 4}).input("w", {4, 5}).input("b", {3, 1});
  dynamic.node("Gemm", {"x", "w", "b"}, {"y"}, {{"alpha", 0.5F}}).output("y");
  expect_on_npu(dynamic);
}

TEST(Conversion, Reductions) {
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd",
                         "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"}) {
    for (const std::int64_t keeps : {0, 1}) {
      SCOPED_TRACE(op);
      ModelMaker m(18);
      m.input("x", {2, 3, 4}).integers("axes", {1, -1});
      m.node(op, {"x", "axes"}, {"y"}, {{"keepdims", keeps}}).output("y");
      expect_on_npu(m);
    }
    expect_node(op, {2, 3}, {}, 18);
  }
  expect_node("ArgMax", {2, 5, 3}, {{"axis", kOne}, {"keepdims", kZero}});
  expect_node("ArgMin", {2, 5, 3}, {{"axis", kOne}});
  ModelMaker sum;
  sum.input("x", {2, 7}).constant("axis", {}, {1}, ElementType::kInt64);
  sum.node("CumSum", {"x", "axis"}, {"a"}, {{"exclusive", kOne}});
  sum.node("CumSum", {"a", "axis"}, {"y"}, {{"reverse", kOne}}).output("y");
  expect_on_npu(sum);
  ModelMaker top;
  top.input("x", {3, 6}).integers("k", {3}).node("TopK", {"x", "k"}, {"v", "i"});
  top.output("v").output("i");
  expect_on_npu(top);
}

TEST(Conversion, SoftmaxAndNormalizations) {
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    for (const std::int64_t axis : {0, 1, -1}) expect_node(op, {3, 4, 5}, {{"axis", axis}});
    expect_node(op, {3, 4, 5}, {{"axis", kOne}}, 11);
  }
  expect_node("LpNormalization", {3, 5});
  expect_node("LpNormalization", {3, 5}, {{"p", kOne}, {"axis", kZero}});
  expect_node("LRN", {1, 6, 3, 2}, {{"size", std::int64_t{3}}, {"alpha", 0.5F}});
  expect_node("MeanVarianceNormalization", {2, 3, 4, 4});
  ModelMaker layer;
  layer.input("x", {2, 3, 8}).constant("s", {8}, numbers(8)).constant("b", {8}, numbers(8));
  layer.node("LayerNormalization", {"x", "s", "b"}, {"l"});
  layer.node("RMSNormalization", {"l", "s"}, {"y"}).output("y");
  expect_on_npu(layer, 1e-4);
  for (const char* op : {"InstanceNormalization", "GroupNormalization"}) {
    ModelMaker m(21);
    m.input("x", {2, 4, 3, 3}).constant("s", {4}, numbers(4)).constant("b", {4}, numbers(4));
    m.node(op, {"x", "s", "b"}, {"y"}).output("y");
    if (std::string(op) == "GroupNormalization") {
      m.model().graph.nodes[0].attributes.emplace("num_groups", std::int64_t{2});
    }
    expect_on_npu(m, 1e-4);
  }
}

TEST(Conversion, Movement) {
  expect_node("DepthToSpace", {1, 8, 2, 3}, {{"blocksize", std::int64_t{2}}});
  expect_node("DepthToSpace", {1, 8, 2, 3},
              {{"blocksize", std::int64_t{2}}, {"mode", std::string("CRD")}});
  expect_node("SpaceToDepth", {1, 2, 4, 6}, {{"blocksize", std::int64_t{2}}});
  const auto with = [](const std::string& op, const Shape& shape, const Integers& list,
                       Attributes attributes = {}) {
    SCOPED_TRACE(op);
    ModelMaker m(18);
    m.input("x", shape).integers("c", list).node(op, {"x", "c"}, {"y"}, attributes).output("y");
    expect_on_npu(m, 0);
  };
  with("Expand", {3, 1}, {2, 3, 4});
  with("Tile", {2, 3}, {2, 2});
  with("Gather", {4, 3}, {2, 0, -1}, {{"axis", kZero}});
  with("Gather", {2, 4, 3}, {3, 1}, {{"axis", kOne}});
  with("Pad", {2, 3}, {1, 0, 2, 1});
  with("Pad", {3, 4}, {1, 2, 1, 1}, {{"mode", std::string("reflect")}});
  with("Pad", {3, 4}, {0, -1, 1, 1});
  ModelMaker pad;
  pad.input("x", {2, 3}).integers("p", {1, 0, 0, 2}).constant("v", {}, {1.5});
  pad.node("Pad", {"x", "p", "v"}, {"y"}).output("y");
  expect_on_npu(pad, 0);
  ModelMaker resize(19);
  resize.input("x", {1, 2, 2, 3}).constant("s", {4}, {1, 1, 2, 3});
  resize.node("Resize", {"x", "", "s"}, {"y"}).output("y");
  expect_on_npu(resize, 0);
  ModelMaker rows;
  rows.input("x", {5, 3}).input("i", {2, 2}, ElementType::kInt64);
  rows.node("Gather", {"x", "i"}, {"y"}).output("y");
  expect_on_npu(rows, 0);
}

TEST(Conversion, AttentionAndRotation) {
  const auto attention = [](Attributes attributes) {
    ModelMaker m(23);
    m.input("q", {1, 3, 8}).input("k", {1, 5, 4}).input("v", {1, 5, 4}).input("m", {3, 5});
    m.node("Attention", {"q", "k", "v", "m"}, {"y"}, attributes).output("y");
    expect_on_npu(m, 1e-4);
  };
  attention({{"q_num_heads", std::int64_t{4}}, {"kv_num_heads", std::int64_t{2}}});
  attention({{"q_num_heads", std::int64_t{2}}, {"kv_num_heads", kOne}, {"softcap", 2.0F}});
  attention({{"q_num_heads", std::int64_t{2}}, {"kv_num_heads", kOne}, {"is_causal", kOne}});
  ModelMaker rotary(23);
  rotary.input("x", {2, 3, 4, 6}).constant("c", {2, 4, 3}, numbers(24));
  rotary.constant("s", {2, 4, 3}, numbers(24));
  rotary.node("RotaryEmbedding", {"x", "c", "s"}, {"y"}).output("y");
  expect_on_npu(rotary, 1e-4);
}

TEST(Conversion, NarrowFloatsStoreEveryTensor) {
  for (const DType type : {DType::kFloat16, DType::kBfloat16}) {
    ModelMaker m;
    m.input("x", {2, 8}).constant("w", {8, 4}, numbers(32));
    m.node("MatMul", {"x", "w"}, {"p"}).node("Tanh", {"p"}, {"y"}).output("y");
    const Plan plan = expect_on_npu(m, 0.1, type);
    for (const graph::Tensor& t : std::get<NpuStage>(plan.stages.at(0)).graph.tensors) {
      EXPECT_EQ(t.type, type) << t.name;
    }
  }
}

TEST(Conversion, ReasonsOfTheHost) {
  const auto reason = [](ModelMaker& m) {
    const Plan plan = make_plan(simplify(m.model(), {}), {});
    return std::get<HostStage>(plan.stages.at(0)).nodes.at(0).reason;
  };
  ModelMaker volume;
  volume.input("x", {1, 1, 4, 4, 4}).constant("w", {1, 1, 2, 2, 2}, numbers(8));
  EXPECT_EQ(reason(volume.node("Conv", {"x", "w"}, {"y"}).output("y")), "3 spatial dimensions");
  ModelMaker weights;
  weights.input("x", {1, 1, 4, 4}).input("w", {1, 1, 2, 2});
  EXPECT_EQ(reason(weights.node("Conv", {"x", "w"}, {"y"}).output("y")), "weights: not constant");
  ModelMaker wide;
  wide.input("x", {3}, ElementType::kDouble);
  EXPECT_EQ(reason(wide.node("Relu", {"x"}, {"y"}).output("y")), "float64 has no NPU type");
  ModelMaker longs;
  longs.input("x", {3}, ElementType::kInt64);
  EXPECT_EQ(reason(longs.node("Neg", {"x"}, {"y"}).output("y")), "int64 has no NPU type");
  ModelMaker dynamic;
  dynamic.input("x", {4}).node("NonZero", {"x"}, {"y"}).output("y");
  EXPECT_EQ(reason(dynamic), "no NPU form");
}

}  // namespace
}  // namespace npu::onnx_import
