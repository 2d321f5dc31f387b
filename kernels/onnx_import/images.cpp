#include "kernels/onnx_import/images.h"

#include <limits>

namespace npu::onnx_import {
namespace {

int narrow(std::int64_t value) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    not_mapped("a window of {}", value);
  }
  return static_cast<int>(value);
}

}  // namespace

graph::TensorId image_of(Conversion& c, std::size_t operand,
                         const std::optional<graph::Quantization>& quantization) {
  const std::size_t rank = c.shape(operand).size();
  if (rank != 3 && rank != 4) not_mapped("{} spatial dimensions", static_cast<int>(rank) - 2);
  const Order order = channels_last(rank);
  const graph::TensorId x =
      quantization ? c.quantized(operand, order, *quantization) : c.tensor(operand, order);
  if (rank == 4) return x;
  const Shape shape = c.get(x).shape;  // [N,W,C]
  return c.reshape(x, {shape[0], 1, shape[1], shape[2]});
}

graph::Tensor image_output(const Conversion& c, DType type) {
  Shape out = c.out(0).shape;
  if (out.size() == 3) out.insert(out.begin() + 2, 1);
  graph::Tensor y;
  y.type = type;
  y.shape = permuted(out, channels_last(4));
  return y;
}

void image_result(Conversion& c, graph::TensorId image) {
  const Shape& out = c.out(0).shape;
  const Order order = channels_last(out.size());
  c.result(0, c.reshape(image, permuted(out, order)), order);
}

graph::Window image_window(const onnx::SpatialWindow& w) {
  const std::size_t rank = w.kernel.size();
  if (rank != 1 && rank != 2) not_mapped("{} spatial dimensions", rank);
  const std::size_t x = rank - 1;
  graph::Window image;
  image.kernel_w = narrow(w.kernel[x]);
  image.stride_w = narrow(w.strides[x]);
  image.dilation_w = narrow(w.dilations[x]);
  image.pad_left = narrow(w.pads_begin[x]);
  image.pad_right = narrow(w.pads_end[x]);
  if (rank == 1) return image;
  image.kernel_h = narrow(w.kernel[0]);
  image.stride_h = narrow(w.strides[0]);
  image.dilation_h = narrow(w.dilations[0]);
  image.pad_top = narrow(w.pads_begin[0]);
  image.pad_bottom = narrow(w.pads_end[0]);
  return image;
}

}  // namespace npu::onnx_import
