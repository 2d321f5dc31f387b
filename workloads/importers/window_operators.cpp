#include <algorithm>
#include <limits>

#include "workloads/importers/tflite_reader.h"

namespace npu::importers {
namespace {

using graph::OpKind;
using graph::Window;
using graph::WindowAttrs;

constexpr std::int64_t kMaxWindow = 65535;

/// Padding before and after along one axis.
struct Pads {
  int before = 0, after = 0;
};

int bounded(const OperatorReader& r, std::int64_t value, const char* what) {
  if (value < 1 || value > kMaxWindow) {
    r.reject("{} must be in [1, {}], got {}", what, kMaxWindow, value);
  }
  return static_cast<int>(value);
}

/// SAME: as many outputs as strides fit into the input, the odd unit of padding goes behind.
Pads resolve(const OperatorReader& r, schema::Padding padding, std::int64_t in, int kernel,
             int stride, int dilation) {
  if (padding == schema::Padding::VALID) return {};
  if (padding != schema::Padding::SAME) {
    r.reject("padding {} is neither SAME nor VALID", static_cast<int>(padding));
  }
  const std::int64_t span = std::int64_t{kernel - 1} * dilation + 1;
  const std::int64_t out = (in + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>((out - 1) * stride + span - in, 0);
  if (total > kMaxWindow) r.reject("padding must be at most {}, got {}", kMaxWindow, total);
  return {static_cast<int>(total / 2), static_cast<int>(total - total / 2)};
}

/// A window over `image` (NHWC); `Options` has padding and strides.
template <typename Options>
Window make_window(const OperatorReader& r, const Options& o, const Shape& image,
                   std::int64_t kernel_h, std::int64_t kernel_w, std::int64_t dilation_h,
                   std::int64_t dilation_w) {
  Window w;
  w.kernel_h = bounded(r, kernel_h, "kernel height");
  w.kernel_w = bounded(r, kernel_w, "kernel width");
  w.stride_h = bounded(r, o.stride_h(), "stride height");
  w.stride_w = bounded(r, o.stride_w(), "stride width");
  w.dilation_h = bounded(r, dilation_h, "dilation height");
  w.dilation_w = bounded(r, dilation_w, "dilation width");
  const Pads h = resolve(r, o.padding(), image[1], w.kernel_h, w.stride_h, w.dilation_h);
  const Pads v = resolve(r, o.padding(), image[2], w.kernel_w, w.stride_w, w.dilation_w);
  w.pad_top = h.before, w.pad_bottom = h.after;
  w.pad_left = v.before, w.pad_right = v.after;
  return w;
}

/// FLOAT32 stands for "not set".
void check_bias_type(const OperatorReader& r, schema::TensorType type, std::size_t bias) {
  if (type == schema::TensorType::FLOAT32 || r.optional(bias) == graph::kAbsent) return;
  const DType stored = r.in(bias).type;
  const bool same = (type == schema::TensorType::INT32 && stored == DType::kInt32) ||
                    (type == schema::TensorType::INT64 && stored == DType::kInt64);
  if (!same) {
    r.reject("quantized_bias_type {} does not fit a bias of {}", static_cast<int>(type),
             npu::name_of(stored));
  }
}

void read_pool(OperatorReader& r, OpKind kind) {
  r.expect(1, 1);
  const auto& o = r.require_options<schema::Pool2DOptions>();
  const Shape& x = r.shape(r.in(0), 4);
  WindowAttrs a;
  a.window = make_window(r, o, x, o.filter_h(), o.filter_w(), 1, 1);
  a.activation = r.activation(o.activation());
  r.add(kind, {r.inputs()[0]}, r.outputs(), a);
}

}  // namespace

void read_conv(OperatorReader& r) {
  r.expect(2, 3);
  const auto& o = r.require_options<schema::Conv2DOptions>();
  const Shape& x = r.shape(r.in(0), 4);
  const Shape& w = r.shape(r.in(1), 4);
  check_bias_type(r, o.quantized_bias_type(), 2);
  WindowAttrs a;
  a.window = make_window(r, o, x, w[1], w[2], o.dilation_h(), o.dilation_w());
  const std::int64_t groups = x[3] / w[3];
  if (x[3] % w[3] != 0 || groups > std::numeric_limits<int>::max()) {
    r.reject("weights {} do not fit input {}", to_string(w), to_string(x));
  }
  a.groups = static_cast<int>(groups);
  a.activation = r.activation(o.activation());
  r.add(OpKind::kConv2d, {r.inputs()[0], r.inputs()[1], r.optional(2)}, r.outputs(), a);
}

void read_depthwise(OperatorReader& r) {
  r.expect(2, 3);
  const auto& o = r.require_options<schema::DepthwiseConv2DOptions>();
  const Shape& x = r.shape(r.in(0), 4);
  const Shape& w = r.shape(r.in(1), 4);
  WindowAttrs a;
  a.window = make_window(r, o, x, w[1], w[2], o.dilation_h(), o.dilation_w());
  if (w[3] != x[3] * o.depth_multiplier()) {
    r.reject("weights {} do not fit input {} with depth multiplier {}", to_string(w), to_string(x),
             o.depth_multiplier());
  }
  a.depth_multiplier = o.depth_multiplier();
  a.activation = r.activation(o.activation());
  r.add(OpKind::kDepthwiseConv2d, {r.inputs()[0], r.inputs()[1], r.optional(2)}, r.outputs(), a);
}

void read_transpose_conv(OperatorReader& r) {
  r.expect(3, 4);
  const auto& o = r.require_options<schema::TransposeConvOptions>();
  const Shape& w = r.shape(r.in(1), 4);
  const Shape& y = r.shape(r.out(), 4);
  check_bias_type(r, o.quantized_bias_type(), 3);
  // Streaming models take the output shape as a network input; the static shape is what runs.
  if (r.in(0).is_constant && r.integers(0, 4, "output shape") != y) {
    r.reject("the output shape operand differs from output {}", to_string(y));
  }
  WindowAttrs a;
  a.window = make_window(r, o, y, w[1], w[2], 1, 1);
  a.activation = r.activation(o.activation());
  r.add(OpKind::kTransposeConv, {r.inputs()[2], r.inputs()[1], r.optional(3)}, r.outputs(), a);
}

void read_average_pool(OperatorReader& r) { read_pool(r, OpKind::kAveragePool2d); }
void read_max_pool(OperatorReader& r) { read_pool(r, OpKind::kMaxPool2d); }

void read_fully_connected(OperatorReader& r) {
  r.expect(2, 3);
  const auto& o = r.require_options<schema::FullyConnectedOptions>();
  if (o.weights_format() != schema::WeightsFormat::DEFAULT) {
    r.reject("weights format {} (shuffled) is not supported", static_cast<int>(o.weights_format()));
  }
  check_bias_type(r, o.quantized_bias_type(), 2);
  graph::ActivationAttrs a;
  a.activation = r.activation(o.activation());
  r.add(OpKind::kFullyConnected, {r.inputs()[0], r.inputs()[1], r.optional(2)}, r.outputs(), a);
}

void read_svdf(OperatorReader& r) {
  r.expect(3, 5);
  if (r.inputs().size() != 5) r.reject("needs 5 inputs, got {}", r.inputs().size());
  const auto& o = r.require_options<schema::SvdfOptions>();
  graph::SvdfAttrs a;
  a.rank = o.rank();
  a.activation = r.activation(o.activation());
  r.add(OpKind::kSvdf, r.inputs(), r.outputs(), a);
}

}  // namespace npu::importers
