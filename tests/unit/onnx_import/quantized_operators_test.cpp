// QLinearConv and its kin: the integers that ONNX defines.
#include <algorithm>
#include <cmath>

#include "kernels/onnx_import/quantized.h"
#include "sim/base/error.h"
#include "tests/unit/onnx_import/quantized_models.h"
#include "workloads/onnx/upgrade.h"

namespace npu::onnx_import {
namespace {

using testing::ElementsAre;

/// Operands of QLinearConv and QLinearMatMul.
void add_steps(ModelMaker& m, const std::string& name, double scale, double zero,
               ElementType type) {
  m.constant(name + "_scale", {}, {scale}).constant(name + "_zero", {}, {zero}, type);
}

TEST(Quantization, QLinearConvIsExact) {
  struct Case {
    ElementType x, w, y;
    double w_zero;
  };
  for (const Case& c : {Case{kU8, kI8, kU8, 0}, Case{kI8, kI8, kI8, 0}, Case{kU8, kU8, kI8, 128},
                        Case{kU8, kU8, kU8, 77}, Case{kI8, kI8, kU8, -5}}) {
    Numbers n;
    ModelMaker m;
    m.input("x", {1, 4, 6, 6}, c.x);
    add_steps(m, "x", 0.02, c.x == kU8 ? 100 : 5, c.x);
    add_steps(m, "w", 0.007, c.w_zero, c.w);
    add_steps(m, "y", 0.3, 3, c.y);
    m.constant("w", {5, 4, 3, 3}, n.whole(180, c.w == kU8 ? 0 : -128, c.w == kU8 ? 255 : 127), c.w)
        .constant("b", {5}, n.whole(5, -4000, 4000), kI32)
        .node("QLinearConv",
              {"x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero", "b"}, {"y"})
        .output("y");
    EXPECT_THAT(kinds(expect_equal(m)), ElementsAre("TRANSPOSE", "CONV_2D", "TRANSPOSE"));
  }
}

TEST(Quantization, QLinearMatMulIsExact) {
  Numbers n;
  ModelMaker m;
  m.input("a", {2, 3, 16}, kU8);
  add_steps(m, "a", 0.02, 100, kU8);
  add_steps(m, "b", 0.007, -4, kI8);
  add_steps(m, "y", 0.11, 60, kU8);
  m.constant("b", {16, 5}, n.whole(80, -128, 127), kI8)
      .node("QLinearMatMul",
            {"a", "a_scale", "a_zero", "b", "b_scale", "b_zero", "y_scale", "y_zero"}, {"y"})
      .output("y");
  EXPECT_THAT(kinds(expect_equal(m)), ElementsAre("MATMUL"));
}

TEST(Quantization, SumsOfConvIntegerAndMatMulInteger) {
  Numbers n;
  ModelMaker m;
  m.input("x", {1, 4, 5, 5}, kU8)
      .input("a", {3, 6}, kU8)
      .constant("x_zero", {}, {9}, kU8)
      .constant("w", {4, 1, 3, 3}, n.whole(36, -128, 127), kI8)
      .constant("b", {6, 2}, n.whole(12, 0, 255), kU8)
      .constant("b_zero", {}, {44}, kU8)
      .node("ConvInteger", {"x", "w", "x_zero"}, {"y"}, {{"group", std::int64_t{4}}})
      .node("MatMulInteger", {"a", "b", "x_zero", "b_zero"}, {"z"})
      .output("y")
      .output("z");
  EXPECT_THAT(kinds(expect_equal(m)),
              ElementsAre("TRANSPOSE", "DEPTHWISE_CONV_2D", "MATMUL", "TRANSPOSE"));
}

TEST(Quantization, ProductsOfOperandsThatAreQuantizedAsTheyCome) {
  Numbers n;
  ModelMaker m;
  m.input("x", {3, 8})
      .constant("w", {8, 4}, n.whole(32, -128, 127), kI8)
      .constant("w_zero", {}, {6}, kI8)
      .node("DynamicQuantizeLinear", {"x"}, {"q", "scale", "zero"})
      .node("MatMulInteger", {"q", "w", "zero", "w_zero"}, {"sums"})
      .node("Cast", {"sums"}, {"real"}, {{"to", std::int64_t{1}}})
      .node("Mul", {"real", "scale"}, {"y"})
      .output("q")
      .output("sums")
      .output("y");
  (void)expect_equal(m);
}

TEST(Quantization, ScalesAlongAnAxis) {
  ModelMaker m;
  m.input("x", {2, 3, 4})
      .constant("s", {3}, {0.01, 0.02, 0.015})
      .constant("z", {3}, {3, 128, 200}, kU8)
      .node("QuantizeLinear", {"x", "s", "z"}, {"q"})
      .node("DequantizeLinear", {"q", "s", "z"}, {"y"})
      .output("q")
      .output("y");
  (void)expect_equal(m);
}

TEST(Quantization, OperatorsOfMicrosoftAreWhatDefinesThem) {
  Qdq q;
  ModelMaker& m = q.maker();
  m.model().opsets["com.microsoft"] = 1;
  m.input("a", {2, 3, 4, 4}, kU8).input("b", {2, 3, 4, 4}, kU8);
  add_steps(m, "a", 0.02, 100, kU8);
  add_steps(m, "b", 0.03, 50, kU8);
  add_steps(m, "c", 0.05, 70, kU8);
  const auto microsoft = [&](const std::string& op, std::vector<std::string> inputs,
                             const std::string& output) {
    m.node(op, std::move(inputs), {output});
    m.model().graph.nodes.back().domain = "com.microsoft";
  };
  microsoft("QLinearAdd", {"a", "a_scale", "a_zero", "b", "b_scale", "b_zero", "c_scale", "c_zero"},
            "sum");
  microsoft("QLinearMul",
            {"sum", "c_scale", "c_zero", "b", "b_scale", "b_zero", "c_scale", "c_zero"}, "product");
  microsoft("QLinearLeakyRelu", {"product", "c_scale", "c_zero", "c_scale", "c_zero"}, "leaky");
  microsoft("QLinearConcat",
            {"c_scale", "c_zero", "leaky", "c_scale", "c_zero", "a", "a_scale", "a_zero"}, "both");
  m.model().graph.nodes.back().attributes.emplace("axis", std::int64_t{1});
  microsoft("QLinearGlobalAveragePool", {"both", "c_scale", "c_zero", "b_scale", "b_zero"}, "mean");
  m.node("Flatten", {"mean"}, {"flat"});
  m.constant("w", {6, 5}, q.numbers().whole(30, -127, 127), kI8);
  add_steps(m, "w", 0.0078125, 0, kI8);
  m.constant("bias", {5}, q.numbers().whole(5, -999, 999), kI32);
  microsoft("QGemm",
            {"flat", "b_scale", "b_zero", "w", "w_scale", "w_zero", "bias", "a_scale", "a_zero"},
            "y");
  m.output("sum").output("product").output("leaky").output("mean").output("y");
  onnx::upgrade(m.model());
  const std::vector<std::string> made = kinds(expect_equal(m));
  EXPECT_EQ(made.back(), "MATMUL");
  EXPECT_EQ(std::ranges::count(made, "CONCATENATION"), 1);
}

/// A QLinearSoftmax over [2,3,4] in a model of that operator set, after its upgrade.
ModelMaker softmax_model(std::int64_t model_opset,
                         std::initializer_list<std::pair<const std::string, onnx::Attribute>> a) {
  ModelMaker m(model_opset);
  m.model().opsets["com.microsoft"] = 1;
  m.input("x", {2, 3, 4}, kU8);
  add_steps(m, "x", 0.05, 100, kU8);
  add_steps(m, "y", 1.0 / 256, 0, kU8);
  m.node("QLinearSoftmax", {"x", "x_scale", "x_zero", "y_scale", "y_zero"}, {"y"}, a).output("y");
  m.model().graph.nodes.back().domain = "com.microsoft";
  onnx::upgrade(m.model());
  return m;
}

TEST(Quantization, QLinearSoftmaxHasTheRuleOfItsOpset) {
  constexpr std::int64_t kOld = 12, kNew = 13, kMiddle = 1, kLast = -1;
  struct Case {
    std::int64_t model_opset, opset, axis;
    std::vector<std::int64_t> over;  ///< Sizes whose product a sum of 1 runs over.
  };
  for (const Case& c : {Case{12, kOld, kMiddle, {3, 4}}, Case{17, kNew, kMiddle, {3}},
                        Case{17, kOld, kLast, {4}}, Case{12, kNew, kLast, {4}}}) {
    ModelMaker m = softmax_model(c.model_opset, {{"opset", c.opset}, {"axis", c.axis}});
    ASSERT_EQ(m.model().graph.nodes.size(), 3U);
    EXPECT_EQ(m.model().graph.nodes[1].op_type, "Softmax");
    const onnx::Values x = {{"x", onnx::from_doubles(kU8, {2, 3, 4}, std::vector<double>(24, 7))}};
    const std::int64_t elements = element_count(c.over);
    // Equal operands: one over their number each.
    for (const double y : to_doubles(onnx::run(m.model(), x)[0]))
      EXPECT_EQ(y, std::nearbyint(256.0 / static_cast<double>(elements)));
  }
  // The attribute's default is the last axis, whatever Softmax's own is.
  ModelMaker m = softmax_model(12, {{"opset", kOld}});
  ASSERT_EQ(m.model().graph.nodes.size(), 3U);
  EXPECT_EQ(std::get<std::int64_t>(m.model().graph.nodes[1].attributes.at("axis")), -1);
}

TEST(Quantization, QLinearSoftmaxOfAnotherRuleSaysWhy) {
  const auto error = [](ModelMaker m) -> std::string {
    EXPECT_EQ(m.model().graph.nodes.at(0).op_type, "QLinearSoftmax");
    try {
      static_cast<void>(simplify(m.model(), {}));
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(error(softmax_model(17, {{"opset", std::int64_t{12}}, {"axis", std::int64_t{1}}})),
            "made.onnx: node #0 com.microsoft.QLinearSoftmax: opset 12 in a model whose Softmax "
            "has another rule: supported along axis -1 only");
  EXPECT_EQ(error(softmax_model(12, {{"opset", std::int64_t{13}}, {"axis", std::int64_t{2}}})),
            "made.onnx: node #0 com.microsoft.QLinearSoftmax: opset 13 in a model whose Softmax "
            "has another rule: supported along axis -1 only");
  EXPECT_EQ(error(softmax_model(17, {})),
            "made.onnx: node #0 com.microsoft.QLinearSoftmax: attribute \"opset\" is missing");
}

TEST(Quantization, WhatHasNoFormSaysWhy) {
  Numbers n;
  {
    ModelMaker m;
    m.input("x", {1, 2, 5, 5}, kU8);
    add_steps(m, "x", 0.02, 100, kU8);
    add_steps(m, "y", 0.3, 3, kU8);
    m.constant("w", {2, 2, 3, 3}, n.whole(36, 0, 255), kU8)
        .constant("w_scale", {2}, {0.1, 0.2})
        .constant("w_zero", {2}, {3, 4}, kU8)
        .node("QLinearConv",
              {"x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero"}, {"y"})
        .output("y");
    EXPECT_EQ(reason_of(m), "weights with zero points");
  }
  {
    ModelMaker m;
    m.input("x", {2, 3}, kU8)
        .constant("s", {}, {0.5})
        .constant("z", {}, {5}, kU8)
        .constant("one", {}, {1}, kU8)
        .node("Add", {"x", "one"}, {"number"})
        .node("QLinearMatMul", {"x", "s", "z", "w", "s", "z", "s", "z"}, {"y"})
        .constant("w", {3, 2}, n.whole(6, 0, 255), kU8)
        .output("number")
        .output("y");
    EXPECT_EQ(reason_of(m), "an operand that is quantized here and a number elsewhere");
  }
  {
    ModelMaker m;
    m.input("x", {3, 2}, kU8)
        .constant("s", {}, {0.5})
        .constant("z", {}, {5}, kU8)
        .constant("t", {}, {0.25})
        .constant("w", {2, 2}, n.whole(4, 0, 255), kU8)
        .node("QLinearMatMul", {"x", "s", "z", "w", "s", "z", "s", "z"}, {"a"})
        .node("QLinearMatMul", {"x", "t", "z", "w", "s", "z", "s", "z"}, {"b"})
        .output("a")
        .output("b");
    EXPECT_EQ(reason_of(m), "an operand that is quantized in two ways");
  }
  {
    ModelMaker m;
    m.input("x", {3})
        .constant("s", {}, {0.5})
        .constant("one", {}, {1}, kU8)
        .node("QuantizeLinear", {"x", "s"}, {"q"})
        .node("Add", {"q", "one"}, {"y"})
        .output("y");
    EXPECT_EQ(reason_of(m), "a number that is quantized elsewhere");
  }
  {
    ModelMaker m;
    m.input("x", {2, 4})
        .constant("s", {2, 2}, {0.5, 1, 2, 4})
        .node("QuantizeLinear", {"x", "s"}, {"y"},
              {{"block_size", std::int64_t{2}}, {"axis", std::int64_t{1}}})
        .output("y");
    EXPECT_EQ(reason_of(m), "blocks of scales");
  }
}

TEST(Quantization, ScalesAndZeroPointsThatDoNotFit) {
  const auto reason = [](std::vector<double> scale, std::vector<double> zero) {
    ModelMaker m;
    m.input("a", {2, 3}, kU8)
        .constant("s", {}, {0.5})
        .constant("z", {}, {5}, kU8)
        .constant("w", {3, 2}, {1, 2, 3, 4, 5, 6}, kU8);
    m.constant("t", {static_cast<std::int64_t>(scale.size())}, scale);
    m.constant("u", {static_cast<std::int64_t>(zero.size())}, zero, kU8);
    m.node("QLinearMatMul", {"a", "t", "u", "w", "s", "z", "s", "z"}, {"y"}).output("y");
    return reason_of(m);
  };
  EXPECT_EQ(reason({0}, {0}), "a scale of 0");
  EXPECT_EQ(reason({1, 2}, {0}), "scale has 2 elements");
  EXPECT_EQ(reason({1}, {0, 0}), "2 zero points");
  ModelMaker m;
  m.input("x", {1, 2, 4, 4}, kU8)
      .constant("s", {}, {0.5})
      .constant("z", {}, {5}, kU8)
      .constant("w", {3, 2, 1, 1}, {1, 2, 3, 4, 5, 6}, kU8)
      .constant("ws", {3}, {1, 2, 3})
      .constant("wz", {2}, {0, 0}, kU8)
      .node("QLinearConv", {"x", "s", "z", "w", "ws", "wz", "s", "z"}, {"y"})
      .output("y");
  EXPECT_EQ(reason_of(m), "scales and zero points do not fit the weights");
  ModelMaker axis;
  axis.input("x", {2, 3})
      .constant("s", {2}, {0.5, 1})
      .node("QuantizeLinear", {"x", "s"}, {"y"}, {{"axis", std::int64_t{1}}})
      .output("y");
  EXPECT_THAT(reason_of(axis), testing::HasSubstr("2 scales for [2,3]"));
}

TEST(Quantization, WeightsAsTheArrayTakesThem) {
  QuantizedConstant c{onnx::from_integers(kU8, {2, 1}, std::vector<std::int64_t>{128, 3}),
                      {0.5F, 2},
                      {128, 128},
                      0};
  const auto symmetric = as_weights(c);
  ASSERT_TRUE(symmetric);
  EXPECT_EQ(symmetric->value.type, kI8);
  EXPECT_THAT(to_integers(symmetric->value), ElementsAre(0, -125));
  EXPECT_THAT(symmetric->zero_point, ElementsAre(0, 0));
  c.zero_point = {128, 0};
  EXPECT_FALSE(as_weights(c));
  const QuantizedConstant shifted{
      onnx::from_integers(kI8, {2}, std::vector<std::int64_t>{-128, 5}), {0.5F}, {-3}, 0};
  const auto moved = as_weights(shifted);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->value.type, kU8);
  EXPECT_THAT(to_integers(moved->value), ElementsAre(0, 133));
  EXPECT_THAT(moved->zero_point, ElementsAre(125));
}

}  // namespace
}  // namespace npu::onnx_import
