#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>

#include "workloads/graph/node_rules.h"

namespace npu::graph {
namespace {

bool is_quantized(DType type) {
  return type == DType::kInt8 || type == DType::kUint8 || type == DType::kInt16;
}

std::string types_of(const NodeView& view) {
  std::string text;
  for (std::size_t i = 0; i < view.node.inputs.size(); ++i) {
    if (i != 0) text += ", ";
    text += view.has(i) ? name_of(view.in(i).type) : "none";
  }
  return text + " to " + std::string(name_of(view.out().type));
}

/// Arithmetic takes int16 as symmetric; operators that only move or convert values take any offset.
enum class Int16 : std::uint8_t { kSymmetric, kAnyOffset };

/// An activation: quantized integers carry one scale and zero point.
void check_activation(const NodeView& view, TensorId id, Int16 rule = Int16::kSymmetric) {
  const Tensor& t = view.graph.tensor(id);
  if (!is_quantized(t.type)) return;
  view.require(t.quantization.has_value(), "{} has no quantization",
               describe_tensor(view.graph, id));
  view.require(!t.quantization->per_channel(), "{} is an activation with {} scales",
               describe_tensor(view.graph, id), t.quantization->scale.size());
  view.require(
      rule == Int16::kAnyOffset || t.type != DType::kInt16 || t.quantization->zero_point[0] == 0,
      "{}: the zero point of int16 must be 0, got {}", describe_tensor(view.graph, id),
      t.quantization->zero_point[0]);
}

void require_constant(const NodeView& view, std::size_t index) {
  if (!view.has(index)) return;
  view.require(view.in(index).is_constant, "{} must be a constant",
               describe_tensor(view.graph, view.node.inputs[index]));
}

/// Quantized weights; `axis` is where they may have a scale per channel.
void check_weights(const NodeView& view, std::size_t index, std::optional<int> axis) {
  const Tensor& w = view.in(index);
  const std::string name = describe_tensor(view.graph, view.node.inputs[index]);
  require_constant(view, index);
  if (!is_quantized(w.type)) return;
  view.require(w.quantization.has_value(), "{} has no quantization", name);
  const Quantization& q = *w.quantization;
  if (q.per_channel()) {
    view.require(axis.has_value() && w.type == DType::kInt8,
                 "{}: a scale per channel is not supported here", name);
    view.require(q.axis == *axis, "{}: scales must run along dimension {}, got {}", name, *axis,
                 q.axis);
  }
  for (const std::int32_t zero_point : q.zero_point) {
    view.require(w.type == DType::kUint8 || zero_point == 0,
                 "{}: the zero point of {} weights must be 0, got {}", name, name_of(w.type),
                 zero_point);
  }
}

/// Products of bytes whose sums are the result: int32 without quantization.
bool has_raw_sums(const NodeView& view) {
  const auto byte = [](DType type) { return type == DType::kInt8 || type == DType::kUint8; };
  return byte(view.in(0).type) && byte(view.in(1).type) && view.out().type == DType::kInt32 &&
         (!view.has(2) || view.in(2).type == DType::kInt32);
}

/// Convolutions of bytes with sums that are rescaled in fp32.
void check_float_rescale(const NodeView& view) {
  const auto byte = [](DType type) { return type == DType::kInt8 || type == DType::kUint8; };
  view.require(byte(view.in(0).type) && byte(view.in(1).type) && byte(view.out().type) &&
                   (!view.has(2) || view.in(2).type == DType::kInt32),
               "types {} are not supported with sums that are rescaled in fp32", types_of(view));
  check_activation(view, view.node.inputs[0]);
  check_activation(view, view.node.outputs[0]);
  check_weights(view, 1, view.node.kind == OpKind::kDepthwiseConv2d ? 3 : 0);
  require_constant(view, 2);
}

/// x, w, bias, y of convolutions and fully connected. Float networks may store weights as int8.
void check_mac_types(const NodeView& view) {
  if (rescales_in_float(view.node)) return check_float_rescale(view);
  const DType x = view.in(0).type;
  const DType w = view.in(1).type;
  const bool bias = view.has(2);
  const DType b = bias ? view.in(2).type : DType::kInt32;
  const auto is = [&](DType want_x, DType want_w, DType want_b) {
    return x == want_x && w == want_w && view.out().type == want_x && (!bias || b == want_b);
  };
  view.require(has_raw_sums(view) || is(DType::kInt8, DType::kInt8, DType::kInt32) ||
                   is(DType::kUint8, DType::kUint8, DType::kInt32) ||
                   is(DType::kInt16, DType::kInt8, DType::kInt64) ||
                   is(DType::kInt16, DType::kInt8, DType::kInt32) ||
                   is(DType::kFloat32, DType::kFloat32, DType::kFloat32) ||
                   is(DType::kFloat16, DType::kFloat16, DType::kFloat32) ||
                   is(DType::kBfloat16, DType::kBfloat16, DType::kFloat32) ||
                   is(DType::kFloat32, DType::kInt8, DType::kFloat32),
               "types {} are not supported", types_of(view));
  if (has_raw_sums(view) && !view.in(0).quantization && !view.in(1).quantization) {
    require_constant(view, 1);
    return require_constant(view, 2);
  }
  check_activation(view, view.node.inputs[0]);
  check_activation(view, view.node.outputs[0]);
  check_weights(view, 1, view.node.kind == OpKind::kDepthwiseConv2d ? 3 : 0);
  require_constant(view, 2);
}

void check_svdf_types(const NodeView& view) {
  const DType x = view.in(0).type;
  const DType time = view.in(2).type;
  const DType state = view.in(4).type;
  const bool floats = x == DType::kFloat32;
  const DType bias = floats ? DType::kFloat32 : DType::kInt32;
  const bool same = view.in(1).type == x && view.out().type == x;
  const bool stateful = floats ? state == x && time == x
                               : x == DType::kInt8 && time == state &&
                                     (state == DType::kInt16 || state == DType::kInt8);
  view.require(same && stateful && (!view.has(3) || view.in(3).type == bias),
               "types {} are not supported", types_of(view));
  view.require(view.in(4).is_variable, "the state must be a variable");
  for (const TensorId id : {view.node.inputs[0], view.node.inputs[4], view.node.outputs[0]}) {
    check_activation(view, id);
  }
  check_weights(view, 1, std::nullopt);
  check_weights(view, 2, std::nullopt);
  require_constant(view, 3);
}

enum class Equal : std::uint8_t { kNothing, kQuantization };

/// True if an operand or result has a quantization.
bool is_quantized_node(const NodeView& view) {
  const auto has = [&](TensorId id) { return view.graph.tensor(id).quantization.has_value(); };
  return std::any_of(view.node.inputs.begin(), view.node.inputs.end(), has) ||
         std::any_of(view.node.outputs.begin(), view.node.outputs.end(), has);
}

/// All operands of one type; `types` says which, none means that the operator only moves values.
void check_same(const NodeView& view, std::initializer_list<DType> types, Equal equal) {
  const DType y = view.out().type;
  bool known = types.size() == 0;
  for (const DType t : types) known = known || t == y;
  bool same = true;
  for (std::size_t i = 0; i < view.node.inputs.size(); ++i) same = same && view.in(i).type == y;
  for (std::size_t i = 1; i < view.node.outputs.size(); ++i) same = same && view.out(i).type == y;
  view.require(known && same, "types {} are not supported", types_of(view));
  const Int16 rule = types.size() == 0 ? Int16::kAnyOffset : Int16::kSymmetric;
  if (types.size() == 0 && !is_quantized_node(view)) return;  // Integers that stand for themselves.
  for (const TensorId id : view.node.inputs) check_activation(view, id, rule);
  for (const TensorId id : view.node.outputs) check_activation(view, id, rule);
  if (equal == Equal::kNothing || !is_quantized(y)) return;
  for (const std::vector<TensorId>& ids : {view.node.inputs, view.node.outputs}) {
    for (const TensorId id : ids) {
      view.require(same_quantization(view.graph.tensor(id), view.out()),
                   "{} must have the quantization of output {}", describe_tensor(view.graph, id),
                   describe_tensor(view.graph, view.node.outputs[0]));
    }
  }
}

/// Softmax and its kin have an output quantization that their algorithm fixes.
void check_fixed_output(const NodeView& view, float int8_scale, std::int32_t int8_zero_point,
                        float int16_scale, std::int32_t int16_zero_point) {
  const Tensor& y = view.out();
  if (!is_quantized(y.type)) return;
  const bool wide = y.type == DType::kInt16;
  const float scale = wide ? int16_scale : int8_scale;
  const std::int32_t zero_point =
      wide ? int16_zero_point : int8_zero_point + (y.type == DType::kUint8 ? 128 : 0);
  // TFLite's own tolerance: some writers divide by 65535 instead of 65536.
  const bool near = std::abs(y.quantization->scale[0] - scale) <= 0.001F * scale;
  view.require(near && y.quantization->zero_point[0] == zero_point,
               "output must have scale {} and zero point {}, got {} and {}", scale, zero_point,
               y.quantization->scale[0], y.quantization->zero_point[0]);
}

/// int8 to int16 has an output range of its own: the whole of int16.
void check_softmax(const NodeView& view) {
  using enum DType;
  if (view.in(0).type != kInt8 || view.out().type != kInt16) {
    check_same(view, {kInt8, kUint8, kInt16, kFloat32, kFloat16, kBfloat16}, Equal::kNothing);
    return check_fixed_output(view, 1.0F / 256, -128, 1.0F / 32768, 0);
  }
  check_activation(view, view.node.inputs[0]);
  check_activation(view, view.node.outputs[0], Int16::kAnyOffset);
  check_fixed_output(view, 0, 0, 1.0F / 65536, -32768);
}

/// Conversions between quantized types; int32 stands for reals here too, when it has a scale.
void check_quantize(const NodeView& view) {
  const DType x = view.in(0).type;
  const DType y = view.out().type;
  view.require(
      (is_quantized(y) && (is_quantized(x) || x == DType::kInt32 || x == DType::kFloat32)) ||
          (is_quantized(x) && y == DType::kInt32),
      "types {} are not supported", types_of(view));
  for (const TensorId id : {view.node.inputs[0], view.node.outputs[0]}) {
    check_activation(view, id, Int16::kAnyOffset);
    const Tensor& t = view.graph.tensor(id);
    if (t.type != DType::kInt32) continue;
    view.require(t.quantization.has_value() && !t.quantization->per_channel() &&
                     t.quantization->scale[0] >= 0x1p-60F && t.quantization->scale[0] <= 0x1p60F,
                 "{} needs one scale between 2^-60 and 2^60", describe_tensor(view.graph, id));
  }
}

void check_pad_value(const NodeView& view) {
  const std::int32_t value = view.attrs<PadAttrs>().value;
  const DType type = view.in(0).type;
  view.require(size_of(type) != 1 || (type == DType::kUint8 && value >= 0 && value <= 255) ||
                   (type == DType::kInt8 && value >= -128 && value <= 127) ||
                   (type == DType::kBool && (value == 0 || value == 1)),
               "value {} is out of range for {}", value, name_of(type));
  view.require(type != DType::kInt16 || (value >= -32768 && value <= 32767),
               "value {} is out of range for {}", value, name_of(type));
  view.require((!is_float(type) && type != DType::kInt64) || value == 0,
               "{} is padded with 0 only, got {}", name_of(type), value);
}

}  // namespace

void check_types(const NodeView& view) {
  using enum DType;
  const DType x = view.in(0).type;
  const DType y = view.out().type;
  switch (view.node.kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kTransposeConv:
    case OpKind::kFullyConnected:
      check_mac_types(view);
      break;
    case OpKind::kSvdf:
      check_svdf_types(view);
      break;
    case OpKind::kAdd:
    case OpKind::kSub:
    case OpKind::kMul:
      check_same(view, {kInt8, kUint8, kInt16, kInt32, kFloat32}, Equal::kNothing);
      break;
    case OpKind::kMaximum:
    case OpKind::kMinimum:
      check_same(view, {kInt8, kUint8, kInt16, kInt32, kFloat32}, Equal::kQuantization);
      break;
    case OpKind::kMaxPool2d:
      if (!is_quantized_node(view)) {  // numbers as they are
        check_same(view, {}, Equal::kNothing);
        view.require(x != kInt64 && x != kInt32 && x != kBool, "types {} are not supported",
                     types_of(view));
        break;
      }
      [[fallthrough]];
    case OpKind::kAveragePool2d:
      check_same(view, {kInt8, kUint8, kInt16, kFloat32, kFloat16, kBfloat16},
                 Equal::kQuantization);
      break;
    case OpKind::kMean:
    case OpKind::kSum:
    case OpKind::kRelu:
    case OpKind::kRelu6:
    case OpKind::kReluN1To1:
    case OpKind::kLeakyRelu:
      check_same(view, {kInt8, kUint8, kInt16, kFloat32}, Equal::kNothing);
      break;
    case OpKind::kHardSwish:
      check_same(view, {kInt8, kUint8, kFloat32}, Equal::kNothing);
      break;
    case OpKind::kSoftmax:
      check_softmax(view);
      break;
    case OpKind::kLogistic:
      check_same(view, {kInt8, kUint8, kInt16, kFloat32}, Equal::kNothing);
      check_fixed_output(view, 1.0F / 256, -128, 1.0F / 32768, 0);
      break;
    case OpKind::kTanh:
      check_same(view, {kInt8, kUint8, kInt16, kFloat32}, Equal::kNothing);
      check_fixed_output(view, 1.0F / 128, 0, 1.0F / 32768, 0);
      break;
    case OpKind::kLogSoftmax:
      check_same(view, {kInt8, kUint8, kFloat32}, Equal::kNothing);
      check_fixed_output(view, 16.0F / 256, 127, 0, 0);
      break;
    case OpKind::kConcatenation:
      // Only the legacy uint8 rule rescales its inputs.
      check_same(view, {}, y == kUint8 ? Equal::kNothing : Equal::kQuantization);
      break;
    case OpKind::kPad:
      check_same(view, {}, Equal::kQuantization);
      check_pad_value(view);
      break;
    case OpKind::kReshape:
    case OpKind::kTranspose:
    case OpKind::kStridedSlice:
    case OpKind::kSplit:
    case OpKind::kPack:
      check_same(view, {}, Equal::kQuantization);
      break;
    case OpKind::kMap:
    case OpKind::kReduce:
    case OpKind::kMatMul:
    case OpKind::kLayerNorm:
    case OpKind::kRmsNorm:
    case OpKind::kRope:
    case OpKind::kAttention:
    case OpKind::kGather:
      return check_general_types(view);
    case OpKind::kQuantize:
      check_quantize(view);
      break;
    case OpKind::kDequantize:
      view.require(is_quantized(x) && y == kFloat32, "types {} are not supported", types_of(view));
      check_activation(view, view.node.inputs[0], Int16::kAnyOffset);
      break;
  }
  check_scales(view);
}

}  // namespace npu::graph
