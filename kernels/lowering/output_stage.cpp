#include "kernels/lowering/output_stage.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::Activation;
using isa::Opcode;
using isa::Opd;
using mapper::OutputKind;
using std::int64_t;

constexpr int kInt32Code = 3;
constexpr int kFloat32Code = 6;
constexpr int64_t kMaxRows = 65535;  ///< Of vec.reduce_sum.

std::int32_t bits_of(float value) { return std::bit_cast<std::int32_t>(value); }

/// What vec.output clamps to: the activation's bounds in units of the output.
struct FloatClamp {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};
FloatClamp float_clamp(const graph::Tensor& y, Activation activation) {
  const float unit = is_float(y.type) ? 1.0F : per_tensor(y).scale;
  FloatClamp clamp;
  if (activation == Activation::kNone) return clamp;
  clamp.low = activation == Activation::kReluN1To1 ? -1.0F / unit : 0.0F;
  if (activation == Activation::kRelu6) clamp.high = 6.0F / unit;
  if (activation == Activation::kReluN1To1) clamp.high = 1.0F / unit;
  return clamp;
}

void requantize(LayerContext& c, const Sums& s, const Placed& y) {
  const graph::Tensor& out = c.output();
  const Clamp clamp = clamp_of(out, fused_activation(c.node));
  c.out.work(Build(Opcode::kRequantize)(Opd::kAcc, s.acc)(Opd::kDst, y.address)(
                 Opd::kParams, s.params)(Opd::kAccPitch, s.channels)(Opd::kOutH, s.rows)(
                 Opd::kOutW, s.columns)(Opd::kOutC, s.channels)(Opd::kDstRowStride, y.row_stride)(
                 Opd::kDstPixelStride, y.pixel_stride)(Opd::kOutType, type_code(out.type))(
                 Opd::kPerChannel, s.per_channel ? 1 : 0)(Opd::kStream, s.streamed ? 1 : 0)(
                 Opd::kWide, c.plan.window->wide ? 1 : 0)(Opd::kReduced, has_wide_bias(c) ? 1 : 0)(
                 Opd::kOutZero, per_tensor(out).zero_point)(Opd::kClampMin, clamp.low)(
                 Opd::kClampMax, clamp.high),
             "requantize");
}

/// acc[i][c] += bias[c].
void add_bias(LayerContext& c, const Sums& s) {
  const int64_t positions = s.rows * s.columns;
  for (int64_t first = 0; first < positions; first += kMaxRows) {
    c.out.work(
        Build(Opcode::kReduceSum)(Opd::kSrc, s.bias)(Opd::kAcc, s.acc + first * s.channels * 4)(
            Opd::kAccPitch, s.channels)(Opd::kN0, s.channels)(Opd::kSrcStep0, 4)(
            Opd::kRows, std::min(kMaxRows, positions - first))(Opd::kSrcStride1, 0)(Opd::kR1, 1)(
            Opd::kR2, 1)(Opd::kInType, kInt32Code)(Opd::kAccumulate, 1),
        "add bias");
  }
}

void output(LayerContext& c, const Sums& s, const Placed& y, bool raw) {
  const graph::Tensor& out = c.output();
  const FloatClamp clamp = raw ? FloatClamp{} : float_clamp(out, fused_activation(c.node));
  c.out.work(Build(Opcode::kOutput)(Opd::kAcc, s.acc)(Opd::kDst, y.address)(Opd::kParams, s.params)(
                 Opd::kAccPitch, s.channels)(Opd::kOutH, s.rows)(Opd::kOutW, s.columns)(
                 Opd::kOutC, s.channels)(Opd::kDstRowStride, y.row_stride)(Opd::kDstPixelStride,
                                                                           y.pixel_stride)(
                 Opd::kInType, is_float(c.plan.window->type) ? kFloat32Code : kInt32Code)(
                 Opd::kOutType, type_code(out.type))(Opd::kPerChannel, s.per_channel ? 1 : 0)(
                 Opd::kRaw, raw ? 1 : 0)(Opd::kOutZero, raw ? 0 : zero_point_or_0(out))(
                 Opd::kClampMin, bits_of(clamp.low))(Opd::kClampMax, bits_of(clamp.high)),
             raw ? "write sums" : "scale");
}

int64_t bias_at(const graph::Tensor& bias, int64_t index) {
  const int64_t size = size_of(bias.type);
  const std::byte* at = bias.data.data() + index * size;
  if (size == 8) {
    int64_t wide = 0;
    std::memcpy(&wide, at, 8);
    return wide;
  }
  std::int32_t narrow = 0;
  std::memcpy(&narrow, at, 4);
  return narrow;
}

/// Factor of channel `channel`: real sums to real outputs, or to steps of a quantized output. Each
/// operation rounds to fp32.
float scale_of(const LayerContext& c, int64_t channel) {
  const auto* matmul = std::get_if<graph::MatMulAttrs>(&c.node.attrs);
  const float factor = matmul == nullptr ? 1.0F : matmul->scale;
  if (is_float(c.input(0).type)) return factor;
  const graph::Quantization& b = c.input(1).quantization.value();
  const float b_scale =
      b.per_channel() ? b.scale.at(static_cast<std::size_t>(channel)) : b.scale.at(0);
  float scale = per_tensor(c.input(0)).scale * b_scale;
  scale *= factor;
  if (!is_float(c.output().type)) scale /= per_tensor(c.output()).scale;
  return scale;
}

}  // namespace

int64_t bias_offset(const mapper::WindowProblem& problem, int64_t channels) {
  return problem.output == OutputKind::kScale ? channels * mapper::kScaleRecordBytes : 0;
}

graph::Activation fused_activation(const graph::Node& node) {
  if (const auto* a = std::get_if<graph::ActivationAttrs>(&node.attrs)) return a->activation;
  if (const auto* a = std::get_if<graph::MatMulAttrs>(&node.attrs)) return a->activation;
  const auto* window = std::get_if<graph::WindowAttrs>(&node.attrs);
  return window == nullptr ? Activation::kNone : window->activation;
}

std::int32_t zero_point_or_0(const graph::Tensor& tensor) {
  if (is_float(tensor.type) || !tensor.quantization) return 0;
  return per_tensor(tensor).zero_point;
}

bool has_wide_bias(const LayerContext& c) {
  return c.input(0).type == DType::kInt16 && (!c.has_input(2) || c.input(2).type == DType::kInt64);
}

void emit_output(LayerContext& c, const Sums& sums, const Placed& y) {
  const mapper::WindowProblem& p = *c.plan.window;
  if (p.output == OutputKind::kRequantize) return requantize(c, sums, y);
  if (p.adds_bias) add_bias(c, sums);
  output(c, sums, y, p.output == OutputKind::kRaw);
}

void write_params(const LayerContext& c, std::byte* to, int64_t first, int64_t channels) {
  const mapper::WindowProblem& p = *c.plan.window;
  const graph::Tensor* bias = c.has_input(2) ? &c.input(2) : nullptr;
  WordWriter writer(to);
  if (p.output == OutputKind::kRequantize) {
    for (int64_t o = first; o < first + channels; ++o) {
      writer.word(bias == nullptr ? 0 : bias_at(*bias, o), p.wide ? 8 : 4);
      writer.multiplier(channel_multiplier(c.graph, c.node, o));
    }
    return;
  }
  if (p.output == OutputKind::kScale) {
    for (int64_t o = first; o < first + channels; ++o) {
      writer.word(bits_of(scale_of(c, o)));
      writer.word(bias == nullptr || p.adds_bias ? 0 : bias_at(*bias, o));  // fp32 bits
    }
  }
  if (!p.adds_bias || bias == nullptr) return;
  for (int64_t o = first; o < first + channels; ++o) writer.word(bias_at(*bias, o));
}

}  // namespace npu::kernels
