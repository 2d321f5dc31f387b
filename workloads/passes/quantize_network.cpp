#include "workloads/passes/quantize_network.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "sim/base/error.h"
#include "workloads/passes/passes.h"
#include "workloads/passes/quantize_constants.h"

namespace npu::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::Quantization;
using graph::Tensor;
using graph::TensorId;

constexpr float kSmallestScale = 0x1p-60F;  ///< verify()'s bound.
/// Keeps a bias of int32 away from its bounds: sums of products are added to it.
constexpr float kLargestBias = 0x1p30F;

/// What the result of a node is quantized as.
enum class Result : std::uint8_t {
  kOwnRange,  ///< Over its observed range.
  kOperand,   ///< As its first operand.
  kShared,    ///< Over its observed range, operands requantized to it.
};

Result result_of(OpKind kind) {
  switch (kind) {
    case OpKind::kMaxPool2d:
    case OpKind::kAveragePool2d:
    case OpKind::kPad:
    case OpKind::kReshape:
    case OpKind::kTranspose:
    case OpKind::kStridedSlice:
    case OpKind::kSplit:
    case OpKind::kGather:
      return Result::kOperand;
    case OpKind::kConcatenation:
    case OpKind::kPack:
    case OpKind::kMaximum:
    case OpKind::kMinimum:
      return Result::kShared;
    default:
      return Result::kOwnRange;
  }
}

/// The output quantization that an operator's int8 algorithm fixes.
std::optional<Quantization> fixed_quantization(OpKind kind) {
  if (kind == OpKind::kSoftmax || kind == OpKind::kLogistic) {
    return Quantization{{1.0F / 256}, {-128}, 0};
  }
  if (kind == OpKind::kTanh) return Quantization{{1.0F / 128}, {0}, 0};
  if (kind == OpKind::kLogSoftmax) return Quantization{{16.0F / 256}, {127}, 0};
  return std::nullopt;
}

/// Operators whose float constants stay as they are.
bool keeps_float_constants(OpKind kind) {
  return kind == OpKind::kMap || kind == OpKind::kReduce || kind == OpKind::kLayerNorm ||
         kind == OpKind::kRmsNorm || kind == OpKind::kRope;
}

bool is_window(OpKind kind) {
  return kind == OpKind::kConv2d || kind == OpKind::kDepthwiseConv2d ||
         kind == OpKind::kTransposeConv || kind == OpKind::kFullyConnected;
}

class Quantizer {
 public:
  Quantizer(const Graph& network, const Ranges& ranges) : from_(network), ranges_(ranges) {
    to_.name = network.name;
    to_.tensors = network.tensors;
    to_.inputs = network.inputs;
    for (const Node& node : network.nodes) {
      for (const TensorId id : node.inputs) ++readers_[id];
    }
    for (const TensorId id : network.outputs) ++readers_[id];
    for (const Node& node : network.nodes) {
      const TensorId x = node.inputs.at(0);
      if (function_of(node) == MapFunction::kRelu && readers_[x] == 1)
        relu_of_[x] = node.outputs[0];
    }
  }

  Graph run() {
    for (const TensorId id : from_.inputs) {
      if (!is_real(id)) continue;
      const TensorId made = add_like(id, activation_quantization(range_of(id)));
      append({OpKind::kQuantize, {id}, {made}, {}, 0});
      int8_[id] = made;
    }
    for (const Node& node : from_.nodes) convert(node);
    for (const TensorId id : from_.outputs) to_.outputs.push_back(float_output(id));
    (void)fuse(to_);
    verify(to_);
    return std::move(to_);
  }

 private:
  [[nodiscard]] Tensor& at(TensorId id) { return to_.tensors.at(static_cast<std::size_t>(id)); }

  /// A float32 tensor of the network; checks that the pass knows what to do with the others.
  [[nodiscard]] bool is_real(TensorId id) const {
    const Tensor& t = from_.tensor(id);
    if (t.quantization) fail("tensor `{}` is quantized already", t.name);
    if (is_float(t.type) && t.type != DType::kFloat32) {
      fail("tensor `{}`: quantization starts from float32, got {}", t.name, name_of(t.type));
    }
    return t.type == DType::kFloat32;
  }

  /// The function of a MAP over floats alone; nullopt for everything else.
  [[nodiscard]] std::optional<MapFunction> function_of(const Node& node) const {
    if (node.kind != OpKind::kMap) return std::nullopt;
    const auto is_float32 = [&](TensorId id) { return from_.tensor(id).type == DType::kFloat32; };
    if (!std::ranges::all_of(node.inputs, is_float32) || !is_float32(node.outputs[0])) {
      return std::nullopt;
    }
    return std::get<graph::MapAttrs>(node.attrs).function;
  }

  [[nodiscard]] Range range_of(TensorId id) const {
    const Tensor& t = from_.tensor(id);
    const auto range = ranges_.find(id);
    if (range == ranges_.end()) fail("tensor `{}`: calibration saw no values of it", t.name);
    if (!std::isfinite(range->second.low) || !std::isfinite(range->second.high)) {
      fail("tensor `{}`: calibration saw values that are not finite", t.name);
    }
    return range->second;
  }

  void append(Node node) { to_.nodes.push_back(std::move(node)); }

  /// An int8 activation of the same shape.
  TensorId add_like(TensorId id, Quantization quantization) {
    Tensor t = at(id);
    t.type = DType::kInt8;
    t.quantization = std::move(quantization);
    t.data.clear();
    t.is_constant = false;
    t.name += "_int8";
    to_.tensors.push_back(std::move(t));
    return static_cast<TensorId>(to_.tensors.size() - 1);
  }

  TensorId add_constant(Tensor tensor) {
    to_.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(to_.tensors.size() - 1);
  }

  /// The operand in int8.
  TensorId operand(TensorId id) {
    if (id == graph::kAbsent || !is_real(id)) return id;
    if (const auto made = int8_.find(id); made != int8_.end()) return made->second;
    NPU_CHECK(from_.tensor(id).is_constant, "activations are made in order");
    return int8_[id] = add_constant(quantized_constant(from_.tensor(id)));
  }

  void convert(const Node& node) {
    if (node.kind == OpKind::kSvdf || node.kind == OpKind::kQuantize ||
        node.kind == OpKind::kDequantize) {
      fail("{}: cannot be quantized after training", describe(node));
    }
    Node made = node;
    adopt_integer_kind(made);
    const bool is_product = is_window(node.kind) || node.kind == OpKind::kMatMul;
    if (is_product && !is_real(node.inputs[0])) return finish(made);  // Of integers.
    if (is_window(node.kind)) {
      made.inputs[0] = operand(node.inputs[0]);
      return convert_window(made, weight_axis(node));
    }
    if (node.kind == OpKind::kMatMul) return convert_matmul(made);
    for (std::size_t i = 0; i < made.inputs.size(); ++i) {
      TensorId& id = made.inputs[i];
      if (id == graph::kAbsent || !is_real(id)) continue;
      if (node.kind == OpKind::kAttention && i == 3) {
        id = float_mask(id);
      } else if (!from_.tensor(id).is_constant || !keeps_float_constants(made.kind)) {
        id = operand(id);
      }
    }
    finish(made);
  }

  /// MAP as the integer operator of the same meaning, where there is one.
  void adopt_integer_kind(Node& node) const {
    const std::optional<MapFunction> function = function_of(node);
    if (function == MapFunction::kRelu) {
      node.kind = OpKind::kRelu;
      node.attrs = {};
    }
    if (!function || node.inputs.size() != 2) return;
    if (function == MapFunction::kAdd) node.kind = OpKind::kAdd;
    if (function == MapFunction::kSub) node.kind = OpKind::kSub;
    if (function == MapFunction::kMul) node.kind = OpKind::kMul;
    if (node.kind != OpKind::kMap) node.attrs = graph::ActivationAttrs{};
  }

  static int weight_axis(const Node& node) { return node.kind == OpKind::kDepthwiseConv2d ? 3 : 0; }

  /// node.inputs[0] is in int8.
  void convert_window(Node& node, int axis, float factor = 1) {
    const TensorId weights = node.inputs[1];
    const TensorId bias = node.inputs[2];
    NPU_CHECK(is_real(weights) && from_.tensor(weights).is_constant, "verified float weights");
    const float x = at(node.inputs[0]).quantization->scale[0] * factor;
    std::vector<float> scales = magnitudes(from_.tensor(weights), axis);
    for (float& s : scales) s = std::max(s / 127, kSmallestScale);
    std::vector<float> products(scales.size());
    if (bias != graph::kAbsent) {
      const std::vector<float> entries = magnitudes(from_.tensor(bias), 0);
      for (std::size_t c = 0; c < scales.size(); ++c) {
        scales[c] = std::max(scales[c], entries.at(c) / (x * kLargestBias));
      }
    }
    for (std::size_t c = 0; c < scales.size(); ++c) products[c] = x * scales[c];
    node.inputs[1] = add_constant(quantized_weights(from_.tensor(weights), axis, scales));
    if (bias != graph::kAbsent) {
      node.inputs[2] = add_constant(quantized_bias(from_.tensor(bias), products));
    }
    finish(node);
  }

  void convert_matmul(Node& node) {
    const auto& attrs = std::get<graph::MatMulAttrs>(node.attrs);
    const Tensor& b = from_.tensor(node.inputs[1]);
    node.inputs[0] = operand(node.inputs[0]);
    if (is_real(node.inputs[1]) && b.is_constant && b.shape.size() == 2 && attrs.scale > 0) {
      return convert_window(node, attrs.transpose_b ? 0 : 1, attrs.scale);
    }
    if (node.inputs[2] != graph::kAbsent) {
      fail("{}: a bias is quantized with a constant matrix only", describe(node));
    }
    node.inputs[1] = operand(node.inputs[1]);
    finish(node);
  }

  /// A mask is added to scores in float.
  TensorId float_mask(TensorId id) {
    if (from_.tensor(id).is_constant) return id;
    const TensorId quantized = operand(id);
    const Quantization& q = *at(quantized).quantization;
    graph::MapAttrs attrs;
    attrs.function = MapFunction::kDequantize;
    attrs.imm0 = static_cast<double>(q.scale[0]);
    attrs.imm1 = q.zero_point[0];
    const TensorId made = add_like(quantized, q);
    at(made).type = DType::kFloat32;
    at(made).quantization.reset();
    append({OpKind::kMap, {quantized}, {made}, attrs, 0});
    return made;
  }

  /// Quantizes the results and appends the node, its operands converted.
  void finish(Node& node) {
    for (const TensorId id : node.outputs) {
      if (!is_real(id)) continue;
      at(id).quantization = result_quantization(node, id);
      at(id).type = DType::kInt8;
      int8_[id] = id;
    }
    const Tensor& y = at(node.outputs[0]);
    if (result_of(node.kind) == Result::kShared && y.quantization) {
      const Quantization shared = *y.quantization;
      for (TensorId& id : node.inputs) id = requantized(id, shared);
    }
    if (auto* pad = std::get_if<graph::PadAttrs>(&node.attrs); pad != nullptr) {
      const Tensor& padded = at(node.outputs[0]);
      if (padded.quantization) pad->value = padded.quantization->zero_point[0];
    }
    append(std::move(node));
  }

  [[nodiscard]] Quantization result_quantization(const Node& node, TensorId id) {
    if (auto fixed = fixed_quantization(node.kind)) return *fixed;
    const Tensor& x = at(node.inputs[0]);
    if (result_of(node.kind) == Result::kOperand && x.quantization) return *x.quantization;
    // A RELU that alone reads the result only keeps what its own range holds.
    const auto relu = relu_of_.find(id);
    return activation_quantization(range_of(relu == relu_of_.end() ? id : relu->second));
  }

  TensorId requantized(TensorId id, const Quantization& quantization) {
    if (at(id).quantization == quantization) return id;
    const TensorId made = add_like(id, quantization);
    append({OpKind::kQuantize, {id}, {made}, {}, 0});
    return made;
  }

  TensorId float_output(TensorId id) {
    if (!is_real(id)) return id;
    Tensor t = from_.tensor(id);
    at(id).name += "_int8";
    to_.tensors.push_back(std::move(t));
    const auto made = static_cast<TensorId>(to_.tensors.size() - 1);
    append({OpKind::kDequantize, {id}, {made}, {}, 0});
    return made;
  }

  const Graph& from_;
  const Ranges& ranges_;
  Graph to_;
  std::map<TensorId, int> readers_;
  std::map<TensorId, TensorId> relu_of_;  ///< By operand that only it reads.
  std::map<TensorId, TensorId> int8_;     ///< By tensor of the float network.
};

}  // namespace

Quantization activation_quantization(Range range) {
  const double low = std::min(0.0, static_cast<double>(range.low));
  const double high = std::max(0.0, static_cast<double>(range.high));
  const double extent = high > low ? high - low : 1.0;
  const auto scale = std::max(static_cast<float>(extent / 255), kSmallestScale);
  const double zero_point = std::nearbyint(-128 - low / static_cast<double>(scale));
  return {{scale}, {static_cast<std::int32_t>(std::clamp(zero_point, -128.0, 127.0))}, 0};
}

Graph quantize_network(const Graph& network, const Ranges& ranges) {
  verify(network);
  return Quantizer(network, ranges).run();
}

}  // namespace npu::passes
