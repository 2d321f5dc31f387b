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

}  // namespace

void check_scales(const NodeView& view) {
  const OpKind kind = view.node.kind;
  if (kind == OpKind::kSoftmax) {
    const float beta = view.attrs<SoftmaxAttrs>().beta;
    view.require(std::isfinite(beta) && beta > 0, "beta must be positive and finite, got {}", beta);
  }
  if (kind == OpKind::kLeakyRelu) {
    const float alpha = view.attrs<LeakyReluAttrs>().alpha;
    view.require(std::isfinite(alpha), "alpha must be finite, got {}", alpha);
  }
  if (!has_scale(view.in(0), kind) || !has_scale(view.out(), kind)) return;
  const double x = scale_of(view.in(0));
  const double y = scale_of(view.out());
  const bool wide = view.in(0).type == DType::kInt16;
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
    case OpKind::kSoftmax: {
      const double step = x * static_cast<double>(view.attrs<SoftmaxAttrs>().beta);
      return view.require(wide || step * 0x1p26 > 1, "beta times input scale {} is too small", x);
    }
    case OpKind::kLogistic:
    case OpKind::kTanh:
      return view.require(wide || x * 0x1p27 > 1, "input scale {} is too small", x);
    default:
      return;
  }
}

}  // namespace npu::graph
