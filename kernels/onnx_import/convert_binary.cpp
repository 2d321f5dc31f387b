// Elementwise operators of two and more operands, with broadcasting.
#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/tensors.h"

namespace npu::onnx_import {
namespace {

using enum MapFunction;
using graph::TensorId;
using onnx::ElementType;

/// int64 is held as int32: what computes with it might leave that range.
void no_int64(const Conversion& c) {
  for (std::size_t i = 0; i < c.input_count(); ++i) {
    if (c.in(i).type == ElementType::kInt64) not_mapped("int64 has no NPU type");
  }
}

/// A constant of one element as an immediate: exact in the type that the function computes in.
bool is_immediate(const Conversion& c, std::size_t i) {
  const onnx::Value* value = c.constant(i);
  return value != nullptr && value->size() == 1 &&
         (onnx::is_float(value->type) ? value->type != ElementType::kDouble : true);
}

/// MAP of operands 0 and 1.
void convert_pair(Conversion& c, MapFunction function) {
  no_int64(c);
  const Order order = c.elementwise_order();
  const DType type = c.dtype(c.out(0).type);
  const TensorId a = c.broadcast_operand(0, order);
  if (is_immediate(c, 1) && c.get(a).shape.size() == std::max<std::size_t>(order.size(), 1)) {
    return c.result(0, c.map(function, {a}, type, c.need_scalar(1, "operand 1")), order);
  }
  c.result(0, c.map(function, {a, c.broadcast_operand(1, order)}, type), order);
}

template <MapFunction function>
void convert_plain(Conversion& c) {
  convert_pair(c, function);
}

void convert_mod(Conversion& c) {
  convert_pair(c, c.attributes().integer("fmod", 0) != 0 ? kRemainder : kMod);
}

void convert_shift(Conversion& c) {
  const std::string direction = c.attributes().text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") not_mapped("direction \"{}\"", direction);
  convert_pair(c, direction == "LEFT" ? kShiftLeft : kShiftRight);
}

/// Operands one after the other.
TensorId chain(Conversion& c, MapFunction function, const Order& order) {
  no_int64(c);
  const DType type = c.dtype(c.out(0).type);
  TensorId y = c.broadcast_operand(0, order);
  for (std::size_t i = 1; i < c.input_count(); ++i) {
    y = c.map(function, {y, c.broadcast_operand(i, order)}, type);
  }
  return y;
}

template <MapFunction function>
void convert_chain(Conversion& c) {
  const Order order = c.elementwise_order();
  c.result(0, chain(c, function, order), order);
}

void convert_mean(Conversion& c) {
  const Order order = c.elementwise_order();
  const TensorId sum = chain(c, kAdd, order);
  const auto count = static_cast<double>(c.input_count());
  c.result(0, c.map(kDiv, {sum}, c.get(sum).type, count), order);
}

void convert_prelu(Conversion& c) {
  no_int64(c);
  const Form x = c.operand(0);
  const TensorId slope = c.broadcast_operand(1, x.order);
  c.result(0, c.map(kPrelu, {x.tensor, slope}, c.get(x.tensor).type), x.order);
}

void convert_where(Conversion& c) {
  const Order order = c.elementwise_order();
  std::vector<TensorId> operands;
  for (std::size_t i = 0; i < 3; ++i) operands.push_back(c.broadcast_operand(i, order));
  c.result(0, c.map(kSelect, operands, c.dtype(c.out(0).type)), order);
}

constexpr auto kConverters = std::to_array<Converter>({
    {"", "Add", convert_plain<kAdd>},
    {"", "And", convert_plain<kAnd>},
    {"", "BitShift", convert_shift},
    {"", "BitwiseAnd", convert_plain<kAnd>},
    {"", "BitwiseOr", convert_plain<kOr>},
    {"", "BitwiseXor", convert_plain<kXor>},
    {"", "Div", convert_plain<kDiv>},
    {"", "Equal", convert_plain<kEqual>},
    {"", "Greater", convert_plain<kGreater>},
    {"", "GreaterOrEqual", convert_plain<kGreaterEqual>},
    {"", "Less", convert_plain<kLess>},
    {"", "LessOrEqual", convert_plain<kLessEqual>},
    {"", "Max", convert_chain<kMax>},
    {"", "Mean", convert_mean},
    {"", "Min", convert_chain<kMin>},
    {"", "Mod", convert_mod},
    {"", "Mul", convert_plain<kMul>},
    {"", "Or", convert_plain<kOr>},
    {"", "PRelu", convert_prelu},
    {"", "Pow", convert_plain<kPow>},
    {"", "Sub", convert_plain<kSub>},
    {"", "Sum", convert_chain<kAdd>},
    {"", "Where", convert_where},
    {"", "Xor", convert_plain<kXor>},
});

}  // namespace

std::span<const Converter> binary_converters() { return kConverters; }

}  // namespace npu::onnx_import
