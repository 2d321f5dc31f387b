#include <algorithm>
#include <cmath>

#include "workloads/graph/node_rules.h"

namespace npu::graph {
namespace {

/// Quantized integers; int32 counts in QUANTIZE only, where verify() has checked its scale.
bool has_scale(const Tensor& t, OpKind kind) {
  return t.quantization.has_value() &&
         (t.type == DType::kInt8 || t.type == DType::kUint8 || t.type == DType::kInt16 ||
          (t.type == DType::kInt32 && kind == OpKind::kQuantize));
}

double scale_of(const Tensor& t) { return static_cast<double>(t.quantization->scale[0]); }

/// A requantization factor has to be a 31-bit multiplier with a left shift of at most 30.
void require_factor(const NodeView& view, double factor, const char* what) {
  view.require(std::isfinite(factor) && factor >= 0 && factor < 0x1p30,
               "{}: scales give the factor {}, which must be below 2^30", what, factor);
}

/// Largest scale of weights.
double weight_scale(const Tensor& w) {
  return static_cast<double>(
      *std::max_element(w.quantization->scale.begin(), w.quantization->scale.end()));
}

/// ADD and SUB bring both operands to twice the larger scale, shifted left by 20 bits (int16: 15).
void check_sum(const NodeView& view) {
  const double larger = 2 * std::max(scale_of(view.in(0)), scale_of(view.in(1)));
  const double shifted =
      scale_of(view.out()) * (view.out().type == DType::kInt16 ? 0x1p15 : 0x1p20);
  view.require(larger < shifted, "output scale {} is too small for input scales {} and {}",
               scale_of(view.out()), scale_of(view.in(0)), scale_of(view.in(1)));
}

void check_svdf(const NodeView& view) {
  require_factor(view, scale_of(view.in(0)) * scale_of(view.in(1)) / scale_of(view.in(4)),
                 "features");
  require_factor(view, scale_of(view.in(4)) * scale_of(view.in(2)) / scale_of(view.out()),
                 "output");
}

/// 8-bit: differences are brought to Q5.26; int16: to steps of 10 / 65535 with a multiplier of up
/// to 2^15, which keeps them within int32, and summed in Q16.15.
void check_softmax(const NodeView& view) {
  const double scale = scale_of(view.in(0));
  const double step = scale * static_cast<double>(view.attrs<SoftmaxAttrs>().beta);
  if (view.in(0).type != DType::kInt16) {
    return view.require(step * 0x1p26 > 1, "beta times input scale {} is too small", scale);
  }
  view.require(step < 0x1p15 * (10.0 / 65535.0), "beta times input scale {} is too large", scale);
  constexpr std::int64_t kLongest = 65538;  // values of at most 32767 whose sum is below 2^31
  const std::int64_t row = view.in(0).shape.back();
  view.require(row <= kLongest, "int16 rows have at most {} values, got {}", kLongest, row);
}

/// int8: arguments in Q4.27; int16: in steps of 1 / 12288 with a 15-bit multiplier and a right
/// shift of at most 31; uint8 goes through float32.
void check_curve(const NodeView& view) {
  const double scale = scale_of(view.in(0));
  const DType type = view.in(0).type;
  const bool wide = type == DType::kInt16;
  view.require(type == DType::kUint8 || scale * (wide ? 12288 * 0x1p31 : 0x1p27) > 1,
               "input scale {} is too small", scale);
  view.require(!wide || scale * 12288 < 32768, "input scale {} is too large", scale);
}

}  // namespace

void check_scales(const NodeView& view) {
  const OpKind kind = view.node.kind;
  if (kind == OpKind::kSoftmax) {
    const float beta = view.attrs<SoftmaxAttrs>().beta;
    view.require(std::isfinite(beta) && beta > 0, "beta must be positive and finite, got {}", beta);
    const std::int64_t block = view.attrs<SoftmaxAttrs>().block;
    view.require(block >= 0, "block must not be negative, got {}", block);
  }
  if (kind == OpKind::kLeakyRelu) {
    const float alpha = view.attrs<LeakyReluAttrs>().alpha;
    view.require(std::isfinite(alpha), "alpha must be finite, got {}", alpha);
  }
  if (!has_scale(view.in(0), kind) || !has_scale(view.out(), kind)) return;
  const double x = scale_of(view.in(0));
  const double y = scale_of(view.out());
  switch (kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kTransposeConv:
    case OpKind::kFullyConnected:
      return require_factor(view, x * weight_scale(view.in(1)) / y, "output");
    case OpKind::kSvdf:
      return check_svdf(view);
    case OpKind::kAdd:
    case OpKind::kSub:
      return check_sum(view);
    case OpKind::kMul:
      return require_factor(view, x * scale_of(view.in(1)) / y, "output");
    case OpKind::kMean:
    case OpKind::kSum:
    case OpKind::kRelu:
    case OpKind::kRelu6:
    case OpKind::kReluN1To1:
    case OpKind::kQuantize:
      return require_factor(view, x / y, "output");
    case OpKind::kConcatenation:
      for (std::size_t i = 0; i < view.node.inputs.size(); ++i) {
        require_factor(view, scale_of(view.in(i)) / y, "output");
      }
      return;
    case OpKind::kLeakyRelu: {
      const double alpha = std::abs(static_cast<double>(view.attrs<LeakyReluAttrs>().alpha));
      require_factor(view, x / y, "output");
      return require_factor(view, x * alpha / y, "alpha");
    }
    case OpKind::kHardSwish:
      return view.require(x / 128 < y, "output scale {} is too small for input scale {}", y, x);
    case OpKind::kSoftmax:
      return check_softmax(view);
    case OpKind::kLogistic:
    case OpKind::kTanh:
      return check_curve(view);
    default:
      return;
  }
}

}  // namespace npu::graph
