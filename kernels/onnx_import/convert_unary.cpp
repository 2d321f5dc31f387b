// Elementwise operators of one operand.
#include <cmath>
#include <limits>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/tensors.h"

namespace npu::onnx_import {
namespace {

using enum MapFunction;
using graph::TensorId;
using onnx::ElementType;

/// Refuses what an int32 in place of an int64 would change.
void no_int64(const Conversion& c) {
  if (c.in(0).type == ElementType::kInt64) not_mapped("int64 has no NPU type");
}

/// One MAP in the operand's layout and the output's type.
void convert(Conversion& c, MapFunction function, double imm0 = 0, double imm1 = 0) {
  no_int64(c);
  const Form x = c.operand(0);
  c.result(0, c.map(function, {x.tensor}, c.dtype(c.out(0).type), imm0, imm1), x.order);
}

template <MapFunction function>
void convert_plain(Conversion& c) {
  convert(c, function);
}

/// alpha (and a second attribute) as immediates, rounded to float32 as ONNX stores them.
void convert_leaky_relu(Conversion& c) {
  convert(c, kLeakyRelu, c.attributes().real("alpha", 0.01F));
}
void convert_elu(Conversion& c) { convert(c, kElu, c.attributes().real("alpha", 1)); }
void convert_celu(Conversion& c) { convert(c, kCelu, c.attributes().real("alpha", 1)); }
void convert_selu(Conversion& c) {
  constexpr float kAlpha = 1.67326319217681884765625F;
  constexpr float kGamma = 1.05070102214813232421875F;
  convert(c, kSelu, c.attributes().real("alpha", kAlpha), c.attributes().real("gamma", kGamma));
}
void convert_threshold(Conversion& c) { convert(c, kThreshold, c.attributes().real("alpha", 1)); }
void convert_hard_sigmoid(Conversion& c) {
  convert(c, kHardSigmoid, c.attributes().real("alpha", 0.2F), c.attributes().real("beta", 0.5));
}

void convert_gelu(Conversion& c) {
  const std::string how = c.attributes().text("approximate", "none");
  if (how != "none" && how != "tanh") not_mapped("approximate \"{}\"", how);
  convert(c, how == "tanh" ? kGeluTanh : kGelu);
}

/// x · sigmoid(alpha · x).
void convert_swish(Conversion& c) {
  const double alpha = c.attributes().real("alpha", 1);
  if (alpha == 1) return convert(c, kSilu);
  const Form x = c.operand(0);
  const DType type = c.get(x.tensor).type;
  const TensorId scaled = c.map(kMul, {x.tensor}, type, alpha);
  const TensorId gate = c.map(kSigmoid, {scaled}, type);
  c.result(0, c.map(kMul, {x.tensor, gate}, type), x.order);
}

/// |x| > lambda: x ∓ bias, else 0.
void convert_shrink(Conversion& c) {
  no_int64(c);
  const Form x = c.operand(0);
  const DType type = c.get(x.tensor).type;
  if (!is_float(type)) not_mapped("{} Shrink", name_of(type));
  const double bias = c.attributes().real("bias", 0);
  const double lambda = c.attributes().real("lambd", 0.5);
  const auto below = c.map(kLess, {x.tensor}, DType::kBool, -lambda);
  const auto above = c.map(kGreater, {x.tensor}, DType::kBool, lambda);
  const auto low =
      c.map(kSelect, {below, c.map(kAdd, {x.tensor}, type, bias), c.scalar(0, type)}, type);
  const auto high = c.map(kSelect, {above, c.map(kSub, {x.tensor}, type, bias), low}, type);
  c.result(0, high, x.order);
}

/// Bounds: attributes before opset 11, operands since; constant ones are immediates.
void convert_clip(Conversion& c) {
  no_int64(c);
  const Form x = c.operand(0);
  const DType type = c.get(x.tensor).type;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const ElementType element = element_type(type);
  const bool floats = is_float(type);
  const double lowest = floats ? -kInfinity : static_cast<double>(onnx::lowest_of(element));
  const double highest = floats ? kInfinity : static_cast<double>(onnx::highest_of(element));
  if (c.opset() < 11) {
    return convert(c, kClip, c.attributes().real("min", lowest),
                   c.attributes().real("max", highest));
  }
  const bool is_constant =
      (!c.has(1) || c.constant(1) != nullptr) && (!c.has(2) || c.constant(2) != nullptr);
  if (is_constant) {
    return convert(c, kClip, c.has(1) ? c.need_scalar(1, "min") : lowest,
                   c.has(2) ? c.need_scalar(2, "max") : highest);
  }
  TensorId y = x.tensor;
  if (c.has(1)) y = c.map(kMax, {y, c.tensor(1)}, type);
  if (c.has(2)) y = c.map(kMin, {y, c.tensor(2)}, type);
  c.result(0, y, x.order);
}

void convert_is_inf(Conversion& c) {
  const Form x = c.operand(0);
  const bool negative = c.attributes().integer("detect_negative", 1) != 0;
  const bool positive = c.attributes().integer("detect_positive", 1) != 0;
  TensorId y = c.map(kIsInf, {x.tensor}, DType::kBool);
  if (!negative || !positive) {
    const TensorId side = c.map(negative ? kLess : kGreater, {x.tensor}, DType::kBool, 0);
    y = c.map(kAnd, {y, side}, DType::kBool);
    if (!negative && !positive) y = c.map(kAnd, {y, c.scalar(0, DType::kBool)}, DType::kBool);
  }
  c.result(0, y, x.order);
}

/// Floats are cut towards zero; whatever becomes bool is compared with 0.
void convert_cast(Conversion& c) {
  const ElementType from = c.in(0).type;
  const ElementType to = c.out(0).type;
  if (to == ElementType::kInt64 && (onnx::is_float(from) || from == ElementType::kUint32)) {
    not_mapped("int64 has no NPU type");
  }
  const Form x = c.operand(0);
  const DType type = c.dtype(to);
  if (type == c.get(x.tensor).type) return c.result(0, x.tensor, x.order);
  if (to == ElementType::kBool) {
    return c.result(0, c.map(kNotEqual, {x.tensor}, type, 0), x.order);
  }
  c.result(0, c.map(kCopy, {x.tensor}, type), x.order);
}

constexpr auto kConverters = std::to_array<Converter>({
    {"", "Abs", convert_plain<kAbs>},
    {"", "Acos", convert_plain<kAcos>},
    {"", "Acosh", convert_plain<kAcosh>},
    {"", "Asin", convert_plain<kAsin>},
    {"", "Asinh", convert_plain<kAsinh>},
    {"", "Atan", convert_plain<kAtan>},
    {"", "Atanh", convert_plain<kAtanh>},
    {"", "BitwiseNot", convert_plain<kComplement>},
    {"", "Cast", convert_cast},
    {"", "CastLike", convert_cast},
    {"", "Ceil", convert_plain<kCeil>},
    {"", "Celu", convert_celu},
    {"", "Clip", convert_clip},
    {"", "Cos", convert_plain<kCos>},
    {"", "Cosh", convert_plain<kCosh>},
    {"", "Elu", convert_elu},
    {"", "Erf", convert_plain<kErf>},
    {"", "Exp", convert_plain<kExp>},
    {"", "Floor", convert_plain<kFloor>},
    {"", "Gelu", convert_gelu},
    {"", "HardSigmoid", convert_hard_sigmoid},
    {"", "HardSwish", convert_plain<kHardSwish>},
    {"", "IsInf", convert_is_inf},
    {"", "IsNaN", convert_plain<kIsNan>},
    {"", "LeakyRelu", convert_leaky_relu},
    {"", "Log", convert_plain<kLog>},
    {"", "Mish", convert_plain<kMish>},
    {"", "Neg", convert_plain<kNegate>},
    {"", "Not", convert_plain<kNot>},
    {"", "Reciprocal", convert_plain<kReciprocal>},
    {"", "Relu", convert_plain<kRelu>},
    {"", "Round", convert_plain<kRound>},
    {"", "Selu", convert_selu},
    {"", "Shrink", convert_shrink},
    {"", "Sigmoid", convert_plain<kSigmoid>},
    {"", "Sign", convert_plain<kSign>},
    {"", "Sin", convert_plain<kSin>},
    {"", "Sinh", convert_plain<kSinh>},
    {"", "Softplus", convert_plain<kSoftplus>},
    {"", "Softsign", convert_plain<kSoftsign>},
    {"", "Sqrt", convert_plain<kSqrt>},
    {"", "Swish", convert_swish},
    {"", "Tan", convert_plain<kTan>},
    {"", "Tanh", convert_plain<kTanh>},
    {"", "ThresholdedRelu", convert_threshold},
});

}  // namespace

std::span<const Converter> unary_converters() { return kConverters; }

}  // namespace npu::onnx_import
