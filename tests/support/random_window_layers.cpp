#include <algorithm>
#include <cmath>

#include "tests/support/random_graph.h"
#include "tests/support/random_layers.h"

namespace npu::test {
namespace {

using graph::OpKind;
using graph::TensorId;
using graph::Window;

Window random_window(Draw& draw, int size, int max_dilation) {
  Window w;
  w.kernel_h = draw.small(1, std::min(5, size));
  w.kernel_w = draw.one_in(2) ? w.kernel_h : draw.small(1, std::min(5, size));
  w.stride_h = draw.any_of({1, 1, 2, 3});
  w.stride_w = draw.one_in(2) ? w.stride_h : draw.any_of({1, 1, 2, 3});
  // Frameworks dilate with unit strides only.
  if (max_dilation > 1 && w.stride_h == 1 && w.stride_w == 1 && draw.one_in(3)) {
    w.dilation_h = draw.small(1, max_dilation);
    w.dilation_w = draw.small(1, max_dilation);
  }
  return w;
}

graph::Graph random_svdf(Draw& draw, int size) {
  GraphMaker maker("svdf");
  const std::int64_t batch = draw.one_in(3) ? 2 : 1;
  const int rank = draw.small(1, 3);
  const std::int64_t units = draw.integer(1, size);
  const std::int64_t features = units * rank;
  const std::int64_t inputs = draw.integer(1, 2 * size);
  const std::int64_t memory = draw.integer(1, size);
  const DType state_type = draw.one_in(3) ? DType::kInt8 : DType::kInt16;
  const Affine in = draw.affine(DType::kInt8);
  const TensorId x = maker.input(DType::kInt8, {batch, inputs}, in);
  const auto weights = [&](DType type, Shape shape, double scale) {
    const std::int64_t count = element_count(shape);
    return maker.constant(type, std::move(shape),
                          graph::Quantization{{static_cast<float>(scale)}, {0}, 0},
                          draw.bytes(type, count));
  };
  const double feature_scale = draw.ratio(0.001, 0.02);
  const double time_scale = state_type == DType::kInt16 ? draw.ratio(1e-5, 1e-4) : 0.01;
  const TensorId feature = weights(DType::kInt8, {features, inputs}, feature_scale);
  const TensorId time = weights(state_type, {features, memory}, time_scale);
  const double dot = std::sqrt(static_cast<double>(inputs)) *
                     spread_of(DType::kInt8, in.zero_point) * 74 * static_cast<double>(in.scale) *
                     feature_scale;
  const Affine state_q = draw.affine(state_type, dot / reach_of(state_type));
  const double products = std::sqrt(static_cast<double>(memory * rank)) * reach_of(state_type) *
                          static_cast<double>(state_q.scale) * spread_of(state_type, 0) *
                          time_scale;
  TensorId bias = graph::kAbsent;
  if (!draw.one_in(4)) {
    std::vector<std::byte> values = draw.bytes(DType::kInt32, units);
    for (std::size_t i = 1; i < values.size(); i += 4) {  // ±2^15
      const bool negative = (values[i] & std::byte{0x80}) != std::byte{0};
      values[i + 1] = values[i + 2] = negative ? std::byte{0xff} : std::byte{0};
    }
    bias = maker.constant(DType::kInt32, {units}, std::nullopt, values);
  }
  const TensorId state = maker.state(state_type, {batch, memory * features}, state_q);
  const TensorId y =
      maker.activation(DType::kInt8, {batch, units}, draw.affine(DType::kInt8, products / 60));
  maker.node(OpKind::kSvdf, {x, feature, time, bias, state}, {y}, graph::SvdfAttrs{rank, {}});
  return maker.finish({y});
}

/// Convolutions of bytes now and then with sums that are rescaled in fp32.
graph::Graph with_rescale(Draw& draw, graph::Graph graph) {
  graph::Node& node = graph.nodes.back();
  const DType type = graph.tensor(node.inputs[0]).type;
  if ((type == DType::kInt8 || type == DType::kUint8) && draw.one_in(3)) {
    std::get<graph::WindowAttrs>(node.attrs).rescale = graph::Rescale::kFloat;
  }
  return graph;
}

}  // namespace

Shape random_image(Draw& draw, int size) {
  return {draw.one_in(4) ? 2 : 1, draw.integer(1, size), draw.integer(1, size),
          draw.integer(1, draw.one_in(3) ? 3 * size : size)};
}

Shape random_shape(Draw& draw, int low, int high, int size) {
  Shape shape(static_cast<std::size_t>(draw.small(low, high)));
  for (std::int64_t& d : shape) d = draw.integer(1, size);
  return shape;
}

graph::Graph random_window_layer(Draw& draw, OpKind kind, DType type, int size) {
  if (kind == OpKind::kSvdf) return random_svdf(draw, size);
  GraphMaker maker(std::string(graph::name_of(kind)));
  LayerMaker layers(maker, draw);
  if (kind == OpKind::kFullyConnected) {
    const bool keep_dims = draw.one_in(4);
    const Shape shape = keep_dims ? random_shape(draw, 3, 3, size)
                                  : Shape{draw.integer(1, 4), draw.integer(1, 8 * size)};
    const TensorId x = maker.input(type, shape, draw.affine(type));
    return maker.finish({layers.fully_connected(x, draw.integer(1, 4 * size), keep_dims)});
  }
  Shape image = random_image(draw, size);
  Window window = random_window(draw, size, kind == OpKind::kConv2d ? 3 : 2);
  if (kind == OpKind::kConv2d) {
    const int groups = draw.one_in(4) ? draw.small(1, 4) : 1;
    image[3] = std::max<std::int64_t>(1, image[3] / groups) * groups;
    const std::int64_t channels = draw.integer(1, 2 * size) * groups;
    const TensorId x = maker.input(type, image, draw.affine(type));
    return with_rescale(
        draw, maker.finish({layers.conv(x, layers.pad(window, image), channels, groups)}));
  }
  const TensorId x = maker.input(type, image, draw.affine(type));
  if (kind == OpKind::kDepthwiseConv2d) {
    const int multiplier = draw.one_in(3) ? draw.small(1, 4) : 1;
    return with_rescale(draw,
                        maker.finish({layers.depthwise(x, layers.pad(window, image), multiplier)}));
  }
  window.dilation_h = 1;
  window.dilation_w = 1;
  if (kind == OpKind::kTransposeConv) {
    return with_rescale(draw,
                        maker.finish({layers.transpose_conv(x, window, draw.integer(1, size))}));
  }
  return maker.finish({layers.pool(x, kind, layers.pad(window, image))});
}

graph::Graph random_network(std::mt19937_64& rng, int size) {
  Draw draw(rng);
  GraphMaker maker("network");
  LayerMaker layers(maker, draw);
  const DType type = draw.any_of({DType::kInt8, DType::kInt8, DType::kUint8, DType::kInt16});
  const Shape image = {1, draw.integer(4, size + 4), draw.integer(4, size + 4), draw.integer(1, 4)};
  const auto shape = [&](TensorId id) { return maker.tensor(id).shape; };
  const auto conv3 = [&](TensorId x, int stride) {
    Window w;
    w.kernel_h = w.kernel_w = 3;
    w.stride_h = w.stride_w = stride;
    return layers.pad(w, shape(x));
  };
  TensorId x = maker.input(type, image, draw.affine(type));
  x = layers.conv(x, conv3(x, draw.small(1, 2)), draw.integer(2, size), 1);
  for (int block = draw.small(1, 3); block > 0; --block) {
    const TensorId skip = x;
    const std::int64_t channels = shape(x)[3];
    x = layers.depthwise(x, conv3(x, 1), 1);
    x = layers.conv(x, Window{}, channels, 1);
    if (shape(x) == shape(skip)) {
      if (draw.one_in(3)) {
        // Only uint8 rescales: the parts of other types must share their quantization.
        const graph::Quantization& q = *maker.tensor(skip).quantization;
        const Affine out{q.scale[0], q.zero_point[0]};
        const TensorId part = type == DType::kUint8 ? x : skip;
        const TensorId y = layers.concatenation({skip, part}, 3, out);
        x = layers.binary(graph::OpKind::kMul, y, layers.concatenation({part, part}, 3, out));
      } else {
        x = layers.binary(graph::OpKind::kAdd, x, skip);
      }
    }
  }
  Window all;
  all.kernel_h = static_cast<int>(shape(x)[1]);
  all.kernel_w = static_cast<int>(shape(x)[2]);
  x = layers.pool(x, draw.any_of({OpKind::kAveragePool2d, OpKind::kMaxPool2d}), all);
  x = layers.reshape(x, {1, element_count(shape(x))});
  x = layers.fully_connected(x, draw.integer(2, 10), false);
  // The int16 networks end at the logits: SOFTMAX takes 8-bit values.
  return maker.finish({type == DType::kInt16 ? x : layers.softmax(x, type, 1.0F)});
}

}  // namespace npu::test
