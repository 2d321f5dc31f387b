#include <algorithm>
#include <cstring>

#include "tests/support/random_layers.h"

namespace npu::test {
namespace {

using graph::OpKind;
using graph::TensorId;

graph::Graph random_pad(Draw& draw, DType type, int size) {
  GraphMaker maker("pad");
  const Affine q = draw.affine(type);
  const Shape shape = random_shape(draw, 1, 4, size);
  const TensorId x = maker.input(type, shape, q);
  graph::PadAttrs a;
  a.value = q.zero_point;
  if (is_float(type) || type == DType::kInt64) {
    a.value = 0;
  } else if (type == DType::kBool) {
    a.value = draw.small(0, 1);
  } else if (draw.one_in(3)) {
    a.value = type == DType::kInt16 ? draw.small(-32768, 32767) : draw.small(0, 127);
  }
  Shape out = shape;
  for (std::int64_t& d : out) {
    a.before.push_back(draw.one_in(2) ? 0 : draw.integer(0, 3));
    a.after.push_back(draw.one_in(2) ? 0 : draw.integer(0, 3));
    d += a.before.back() + a.after.back();
  }
  const TensorId y = maker.activation(type, out, q);
  maker.node(OpKind::kPad, {x}, {y}, a);
  return maker.finish({y});
}

/// Also with constant parts; uint8 parts have quantizations of their own.
graph::Graph random_concatenation(Draw& draw, DType type, int size) {
  GraphMaker maker("concatenation");
  LayerMaker layers(maker, draw);
  Shape shape = random_shape(draw, 1, 4, size);
  const int axis = draw.small(0, static_cast<int>(shape.size()) - 1);
  const Affine q = draw.affine(type);
  std::vector<TensorId> parts;
  for (int i = draw.small(1, 4); i > 0; --i) {
    shape[static_cast<std::size_t>(axis)] = draw.integer(1, size);
    const bool rescaled = type == DType::kUint8 && draw.one_in(2);
    const Affine part =
        rescaled ? draw.affine(type, static_cast<double>(q.scale) * draw.ratio(0.3, 2)) : q;
    if (i > 1 && draw.one_in(5)) {
      std::optional<graph::Quantization> own;
      if (!is_float(type)) own = graph::Quantization{{part.scale}, {part.zero_point}, 0};
      parts.push_back(
          maker.constant(type, shape, std::move(own), draw.bytes(type, element_count(shape))));
    } else {
      parts.push_back(maker.input(type, shape, part));
    }
  }
  return maker.finish({layers.concatenation(parts, axis, q)});
}

graph::Graph random_reshape(Draw& draw, DType type, int size) {
  GraphMaker maker("reshape");
  LayerMaker layers(maker, draw);
  const Shape shape = random_shape(draw, 2, 4, size);
  Shape flat = shape;
  flat[1] *= flat[0];  // Merges the first two dimensions.
  flat.erase(flat.begin());
  const TensorId x = maker.input(type, shape, draw.affine(type));
  return maker.finish({layers.reshape(x, flat)});
}

graph::Graph random_transpose(Draw& draw, DType type, int size) {
  GraphMaker maker("transpose");
  const Shape shape = random_shape(draw, 1, 4, size);
  graph::TransposeAttrs a;
  for (std::size_t i = 0; i < shape.size(); ++i) a.permutation.push_back(static_cast<int>(i));
  for (std::size_t i = shape.size(); i > 1; --i) {
    const auto other = static_cast<std::size_t>(draw.integer(0, static_cast<std::int64_t>(i) - 1));
    std::swap(a.permutation[i - 1], a.permutation[other]);
  }
  Shape out;
  for (const int p : a.permutation) out.push_back(shape[static_cast<std::size_t>(p)]);
  const Affine q = draw.affine(type);
  const TensorId x = maker.input(type, shape, q);
  const TensorId y = maker.activation(type, out, q);
  maker.node(OpKind::kTranspose, {x}, {y}, a);
  return maker.finish({y});
}

graph::Graph random_slice(Draw& draw, DType type, int size) {
  GraphMaker maker("slice");
  const Shape shape = random_shape(draw, 1, 4, size);
  graph::SliceAttrs a;
  Shape out;
  for (const std::int64_t d : shape) {
    const std::int64_t stride = draw.one_in(2) ? 1 : draw.integer(1, 3);
    const std::int64_t count = draw.integer(1, (d - 1) / stride + 1);
    const std::int64_t low = draw.integer(0, d - 1 - (count - 1) * stride);
    const bool backwards = count > 1 && draw.one_in(6);
    a.begin.push_back(backwards ? low + (count - 1) * stride : low);
    a.stride.push_back(backwards ? -stride : stride);
    a.sizes.push_back(count);
    // Single elements are written with stride 1: their dimension may be dropped from the output.
    if (count == 1) a.stride.back() = 1;
    const bool dropped = count == 1 && draw.one_in(4);
    if (!dropped) out.push_back(count);
  }
  const Affine q = draw.affine(type);
  const TensorId x = maker.input(type, shape, q);
  const TensorId y = maker.activation(type, out, q);
  maker.node(OpKind::kStridedSlice, {x}, {y}, a);
  return maker.finish({y});
}

graph::Graph random_pack(Draw& draw, DType type, int size) {
  GraphMaker maker("pack");
  const Shape shape = random_shape(draw, 1, 3, size);
  const Affine q = draw.affine(type);
  std::vector<TensorId> parts;
  for (int i = draw.small(1, 4); i > 0; --i) parts.push_back(maker.input(type, shape, q));
  graph::ActivationAttrs a;
  a.axis = draw.small(0, static_cast<int>(shape.size()));
  Shape out = shape;
  out.insert(out.begin() + a.axis, static_cast<std::int64_t>(parts.size()));
  const TensorId y = maker.activation(type, out, q);
  maker.node(OpKind::kPack, parts, {y}, a);
  return maker.finish({y});
}

}  // namespace

graph::Graph random_move_layer(Draw& draw, OpKind kind, DType type, int size) {
  switch (kind) {
    case OpKind::kPad:
      return random_pad(draw, type, size);
    case OpKind::kConcatenation:
      return random_concatenation(draw, type, size);
    case OpKind::kReshape:
      return random_reshape(draw, type, size);
    case OpKind::kTranspose:
      return random_transpose(draw, type, size);
    case OpKind::kStridedSlice:
      return random_slice(draw, type, size);
    default:
      return random_pack(draw, type, size);
  }
}

}  // namespace npu::test
