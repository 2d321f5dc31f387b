#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/base/function.h"
#include "sim/base/tensor.h"

namespace npu::graph {

/// real = scale · (q − zero_point). One entry, or one per slice along `axis`.
struct Quantization {
  std::vector<float> scale;
  std::vector<std::int32_t> zero_point;  ///< As long as scale.
  int axis = 0;                          ///< Meaningless when there is one entry.

  [[nodiscard]] bool per_channel() const { return scale.size() > 1; }

  friend bool operator==(const Quantization&, const Quantization&) = default;
};

using TensorId = std::int32_t;
inline constexpr TensorId kAbsent = -1;

struct Tensor {
  std::string name;
  DType type = DType::kInt8;
  Shape shape;
  std::optional<Quantization> quantization;
  /// Constant payload; empty for activations, and for constants of which only the shape is known.
  std::vector<std::byte> data;
  bool is_constant = false;
  bool is_variable =
      false;  ///< State kept between invocations (SVDF); reset at the start of a sample.

  [[nodiscard]] std::int64_t bytes() const { return element_count(shape) * size_of(type); }

  friend bool operator==(const Tensor&, const Tensor&) = default;
};

/// Fused activation of a node, applied as a clamp on the quantized output.
enum class Activation : std::uint8_t { kNone, kRelu, kReluN1To1, kRelu6 };

/// Operators in the sense of TFLite's built-ins, whose names they have, up to kSvdf. Those after it
/// are general: they compute in fp32 over floats of any width, over integers without quantization
/// as integers, and over quantized integers as dequantize, fp32, quantize (MapFunction::kDequantize
/// and kQuantize). docs/numerics.md has their arithmetic step by step.
enum class OpKind : std::uint8_t {
  kConv2d,
  kDepthwiseConv2d,
  kTransposeConv,
  kFullyConnected,
  kAdd,
  kSub,
  kMul,
  kMaximum,
  kMinimum,
  kAveragePool2d,
  kMaxPool2d,
  kMean,
  kSum,
  kPad,
  kConcatenation,
  kReshape,
  kTranspose,
  kStridedSlice,
  kSplit,
  kPack,
  kSoftmax,
  kLogSoftmax,
  kLogistic,
  kTanh,
  kRelu,
  kRelu6,
  kReluN1To1,
  kLeakyRelu,
  kHardSwish,
  kQuantize,
  kDequantize,
  kSvdf,
  kMap,        ///< Elementwise function of one, two or (select) three operands, broadcast.
  kReduce,     ///< Sum, maximum, … over axes.
  kMatMul,     ///< Batched matrix product.
  kLayerNorm,  ///< Over the trailing axes, with scale and bias.
  kRmsNorm,    ///< … with scale.
  kRope,       ///< Rotary position embedding.
  kAttention,  ///< softmax(q·kᵀ·scale + mask)·v.
  kGather,     ///< Rows of a table by indices.
};

/// "CONV_2D", …
[[nodiscard]] std::string_view name_of(OpKind kind);
/// "NONE", "RELU", "RELU_N1_TO_1", "RELU6".
[[nodiscard]] std::string_view name_of(Activation activation);
/// verify()'s bounds on a tensor that a node uses.
inline constexpr std::size_t kMaxRank = 8;
inline constexpr std::int64_t kMaxTensorBytes = std::int64_t{1} << 31;
/// How many kinds there are: kinds are 0 … kOpKinds − 1.
inline constexpr int kOpKinds = static_cast<int>(OpKind::kGather) + 1;

/// Window of a convolution or pooling over NHWC. Padding is explicit: SAME/VALID are resolved by
/// the importer.
struct Window {
  int kernel_h = 1, kernel_w = 1;
  int stride_h = 1, stride_w = 1;
  int dilation_h = 1, dilation_w = 1;
  int pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;

  friend bool operator==(const Window&, const Window&) = default;
};

/// How sums of bytes become a quantized output. kMultiplier: TFLite's fixed-point multiplier, for
/// x, w and y of one type. kFloat: as ONNX defines it and MATMUL does, sum · (x.scale · w.scale /
/// y.scale) in fp32, each factor rounded from the left, the product rounded half to even; x, w and
/// y are int8 or uint8 each.
enum class Rescale : std::uint8_t { kMultiplier, kFloat };

/// With an int32 output convolutions and FULLY_CONNECTED of bytes give the sums themselves, zero
/// points (0 without quantization) subtracted, bias (int32) added.
/// CONV_2D (inputs x, w[O,kH,kW,C/groups], bias or absent), DEPTHWISE_CONV_2D (w[1,kH,kW,C·mult]),
/// TRANSPOSE_CONV (inputs x, w[O,kH,kW,C], bias or absent; pads are those of the output, out =
/// in·stride − pad + tap), pooling (input x).
struct WindowAttrs {
  Window window;
  int groups = 1;            ///< CONV_2D only.
  int depth_multiplier = 1;  ///< DEPTHWISE_CONV_2D only.
  Activation activation = Activation::kNone;
  Rescale rescale = Rescale::kMultiplier;  ///< Convolutions only.

  friend bool operator==(const WindowAttrs&, const WindowAttrs&) = default;
};
/// FULLY_CONNECTED (x flattened to [B,K], w[N,K], bias or absent), ADD, SUB, MUL, CONCATENATION.
struct ActivationAttrs {
  Activation activation = Activation::kNone;
  int axis = 0;  ///< CONCATENATION, SPLIT, PACK: resolved to ≥ 0.

  friend bool operator==(const ActivationAttrs&, const ActivationAttrs&) = default;
};
/// MEAN, SUM: axes sorted, unique, ≥ 0.
struct ReduceAttrs {
  std::vector<int> axes;
  bool keep_dims = false;

  friend bool operator==(const ReduceAttrs&, const ReduceAttrs&) = default;
};
/// PAD: amounts per dimension; `value` in the tensor's quantized domain.
struct PadAttrs {
  std::vector<std::int64_t> before, after;
  std::int32_t value = 0;

  friend bool operator==(const PadAttrs&, const PadAttrs&) = default;
};
/// TRANSPOSE: y.dim[i] = x.dim[permutation[i]].
struct TransposeAttrs {
  std::vector<int> permutation;

  friend bool operator==(const TransposeAttrs&, const TransposeAttrs&) = default;
};
/// STRIDED_SLICE (SLICE and SPLIT outputs too): begin and stride per input dimension; `sizes`
/// elements are taken.
struct SliceAttrs {
  std::vector<std::int64_t> begin, stride, sizes;

  friend bool operator==(const SliceAttrs&, const SliceAttrs&) = default;
};
/// SOFTMAX over the last axis.
struct SoftmaxAttrs {
  float beta = 1.0F;
  /// Of floats. 0: three passes over a row. Else two, of which the first takes blocks of as many
  /// elements with a running maximum and sum: another order of roundings, which a mapping may
  /// choose.
  std::int64_t block = 0;

  friend bool operator==(const SoftmaxAttrs&, const SoftmaxAttrs&) = default;
};
/// LEAKY_RELU.
struct LeakyReluAttrs {
  float alpha = 0.0F;

  friend bool operator==(const LeakyReluAttrs&, const LeakyReluAttrs&) = default;
};
/// SVDF: inputs x[B,I], wFeature[F,I], wTime[F,M], bias[F/rank] or absent, state (variable)[B,M·F].
struct SvdfAttrs {
  int rank = 1;
  Activation activation = Activation::kNone;

  friend bool operator==(const SvdfAttrs&, const SvdfAttrs&) = default;
};

/// MAP: inputs a[, b[, c]] that broadcast to the output as NumPy does. A function of two operands
/// with one input takes imm0 as b. kSelect: condition, value where it holds, value elsewhere.
/// kDequantize and kQuantize take scale and zero point from imm0 and imm1; elsewhere quantized
/// operands carry their own.
struct MapAttrs {
  MapFunction function = MapFunction::kCopy;
  double imm0 = 0, imm1 = 0;  ///< Exact in fp32 or int32, whichever the function computes in.

  friend bool operator==(const MapAttrs&, const MapAttrs&) = default;
};
/// REDUCE: axes sorted, unique, ≥ 0. kArgMax and kArgMin reduce one axis to int32.
struct ReduceMapAttrs {
  ReduceFunction function = ReduceFunction::kSum;
  std::vector<int> axes;
  bool keep_dims = false;

  friend bool operator==(const ReduceMapAttrs&, const ReduceMapAttrs&) = default;
};
/// MATMUL: a[…,M,K], b[…,K,N] (transpose_b: […,N,K]), bias[N] or absent; leading dimensions
/// broadcast; y[…,M,N]. Floats of one type to any float, sum · scale + bias in fp32. int8/uint8 ×
/// int8/uint8, zero points subtracted, bias int32: an int32 output is the sums; a float one sum ·
/// (a.scale · b.scale · scale), a quantized one sum · (a.scale · b.scale · scale / y.scale) rounded
/// half to even, each factor rounded to fp32 from the left. A constant b may have a scale per
/// column.
struct MatMulAttrs {
  bool transpose_b = false;
  Activation activation = Activation::kNone;
  float scale = 1.0F;

  friend bool operator==(const MatMulAttrs&, const MatMulAttrs&) = default;
};
/// LAYER_NORM: x, scale, bias or absent, both of the shape of x from `axis` on; RMS_NORM: x, scale.
struct NormAttrs {
  int axis = 0;  ///< ≥ 0; all dimensions from it on are normalized together.
  float epsilon = 1e-5F;

  friend bool operator==(const NormAttrs&, const NormAttrs&) = default;
};
/// ROPE: x[…,D], cos and sin[…,R/2] that broadcast against x's leading dimensions, R = rotary
/// dimensions ≤ D (the rest passes). Pairs: (i, i + R/2), interleaved: (2i, 2i + 1).
struct RopeAttrs {
  bool interleaved = false;

  friend bool operator==(const RopeAttrs&, const RopeAttrs&) = default;
};
/// ATTENTION: q[B,H,M,D], k[B,G,T,D], v[B,G,T,E], mask (added to the scaled scores; broadcasts to
/// [B,H,M,T], a float) or absent; y[B,H,M,E]. q, k and v have one type: a float, int8 or uint8. G
/// divides H: H/G query heads share one of k and v. causal: row m sees keys up to m + T − M.
struct AttentionAttrs {
  float scale = 1.0F;
  bool causal = false;
  /// 0: the softmax of a row takes all its scores at once. Else they are taken in blocks of as many
  /// keys with a running maximum and sum: another order of roundings, which a mapping may choose.
  std::int64_t key_block = 0;
  std::int64_t softmax_block = 0;  ///< With key_block 0: SoftmaxAttrs::block of the scores.

  friend bool operator==(const AttentionAttrs&, const AttentionAttrs&) = default;
};

using Attrs =
    std::variant<std::monostate, WindowAttrs, ActivationAttrs, ReduceAttrs, PadAttrs,
                 TransposeAttrs, SliceAttrs, SoftmaxAttrs, LeakyReluAttrs, SvdfAttrs, MapAttrs,
                 ReduceMapAttrs, MatMulAttrs, NormAttrs, RopeAttrs, AttentionAttrs>;

struct Node {
  OpKind kind = OpKind::kConv2d;
  std::vector<TensorId> inputs;  ///< kAbsent for an optional operand that is not there.
  std::vector<TensorId> outputs;
  Attrs attrs;
  int source_index = 0;  ///< Operator index in the model file.

  friend bool operator==(const Node&, const Node&) = default;
};

/// A network: nodes in execution order. Operand order is TFLite's, except that operands that only
/// carry attributes (shapes, axes, permutations, paddings, slice bounds, TRANSPOSE_CONV's output
/// shape) are resolved into attrs and removed.
struct Graph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;
  std::vector<TensorId> inputs, outputs;

  [[nodiscard]] const Tensor& tensor(TensorId id) const {
    return tensors.at(static_cast<std::size_t>(id));
  }

  friend bool operator==(const Graph&, const Graph&) = default;
};

/// True if both tensors map integers to the same real numbers: equal scales and zero points, or no
/// quantization.
[[nodiscard]] bool same_quantization(const Tensor& a, const Tensor& b);

/// "operator #3 CONV_2D": how messages name a node.
[[nodiscard]] std::string describe(const Node& node);
/// "kernel 3x3, stride 1x1, …"; empty for an operator without attributes.
[[nodiscard]] std::string describe_attributes(const Node& node);

/// Whether constants bring their values. A network described by its shapes alone does not need
/// them: it can be timed, not computed.
enum class Payload : std::uint8_t { kRequired, kOptional };
/// True for a convolution whose sums are rescaled in fp32 (Rescale::kFloat).
[[nodiscard]] bool rescales_in_float(const Node& node);
/// False for a constant without its values.
[[nodiscard]] bool has_payload(const Tensor& tensor);
/// @throws Error naming the first constant operand of a node without its values.
void require_payload(const Graph& graph);

/// Checks every rule that the rest of the pipeline relies on: indices, single producer, order,
/// operand counts and types, output shapes recomputed from inputs and attributes, quantization
/// present and of the right length, constant payload sizes, bounded sizes (a tensor ≤ 2^31 bytes).
/// @param payload  kOptional: a constant may have no data at all.
/// @throws Error naming the operator, its index and the tensor.
void verify(const Graph& graph, Payload payload = Payload::kRequired);

/// Multiply-accumulates of a node (0 for operators without any): every tap of every output, padding
/// included; for TRANSPOSE_CONV every tap of every input. At most 2^62 where the tensors keep
/// verify()'s bounds.
[[nodiscard]] std::int64_t mac_count(const Graph& graph, const Node& node);

}  // namespace npu::graph
