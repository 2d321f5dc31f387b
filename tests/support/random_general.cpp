#include "tests/support/random_general.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "tests/support/graph_maker.h"
#include "tests/support/random_graph.h"
#include "tests/support/random_layers.h"

namespace npu::test {
namespace {

using graph::OpKind;
using graph::TensorId;
using enum DType;

/// Makes tensors of one network, quantized or not.
class GeneralMaker {
 public:
  GeneralMaker(Draw& draw, std::string name) : maker_(std::move(name)), draw_(draw) {}

  [[nodiscard]] GraphMaker& graph() { return maker_; }
  /// Quantization of an integer tensor that stands for reals.
  [[nodiscard]] std::optional<graph::Quantization> scaled(DType type) {
    if (is_float(type) || type == kBool) return std::nullopt;
    const int zero = type == kUint8 ? draw_.small(0, 255) : draw_.small(-100, 100);
    return graph::Quantization{{static_cast<float>(draw_.ratio(0.002, 0.1))}, {zero}, 0};
  }
  TensorId input(DType type, const Shape& shape, std::optional<graph::Quantization> q,
                 bool may_be_constant = false) {
    if (may_be_constant && draw_.one_in(3)) {
      return maker_.constant(type, shape, std::move(q), draw_.bytes(type, element_count(shape)));
    }
    const TensorId id = maker_.input(type, shape, {});
    set(id, std::move(q));
    return id;
  }
  TensorId output(DType type, const Shape& shape, std::optional<graph::Quantization> q) {
    const TensorId id = maker_.activation(type, shape, {});
    set(id, std::move(q));
    return id;
  }
  /// A type of real numbers: a float, or quantized.
  [[nodiscard]] DType real_type() {
    return draw_.any_of({kFloat32, kFloat32, kFloat16, kBfloat16, kInt8, kUint8, kInt16});
  }

 private:
  void set(TensorId id, std::optional<graph::Quantization> q) {
    maker_.requantize(id, std::move(q));
  }
  GraphMaker maker_;
  Draw& draw_;
};

/// Up to eight dimensions; the more, the smaller.
Shape deep_shape(Draw& draw, int size) {
  const int rank = draw.one_in(5) ? draw.small(5, 8) : draw.small(1, 4);
  Shape shape;
  for (int i = 0; i < rank; ++i) shape.push_back(draw.integer(1, rank > 4 ? 4 : size));
  return shape;
}

/// `shape` with some dimensions of one element, leading ones left out.
Shape broadcastable(Draw& draw, Shape shape) {
  if (draw.one_in(3)) return shape;
  for (std::int64_t& d : shape) d = draw.one_in(3) ? 1 : d;
  const auto left_out = static_cast<std::ptrdiff_t>(draw.integer(0, std::ssize(shape)));
  if (draw.one_in(2)) shape.erase(shape.begin(), shape.begin() + left_out);
  return shape;
}

Shape broadcast_of(const std::vector<Shape>& shapes) {
  Shape y;
  for (const Shape& s : shapes) y.resize(std::max(y.size(), s.size()), 1);
  for (const Shape& s : shapes) {
    for (std::size_t i = 0; i < s.size(); ++i) {
      std::int64_t& d = y[y.size() - s.size() + i];
      d = std::max(d, s[i]);
    }
  }
  return y;
}

MapFunction random_function(Draw& draw, bool integers) {
  for (;;) {
    const auto f = static_cast<MapFunction>(draw.small(0, static_cast<int>(kMapFunctions) - 1));
    const bool special = f == MapFunction::kShiftLeft || f == MapFunction::kShiftRight ||
                         f == MapFunction::kComplement || f == MapFunction::kIntegerSqrt ||
                         f == MapFunction::kDequantize;
    if (integers || !special) return f;
  }
}

graph::Graph random_map(Draw& draw, DType type, int size) {
  GeneralMaker m(draw, "map");
  const bool integers = !is_float(type) && (type == kBool || draw.one_in(2));
  graph::MapAttrs a{random_function(draw, integers), 0, 0};
  const bool quantizes =
      a.function == MapFunction::kDequantize || a.function == MapFunction::kQuantize;
  a.imm0 = quantizes ? draw.ratio(0.01, 1) : integers ? draw.small(-5, 5) : draw.real(-1, 1);
  a.imm0 = static_cast<double>(static_cast<float>(a.imm0));
  a.imm1 = quantizes || integers ? draw.small(-9, 90) : a.imm0 + 0.5;
  const bool select = a.function == MapFunction::kSelect;
  int operands = info_of(a.function).operands;
  if (operands == 2 && !select && draw.one_in(3)) operands = 1;
  if (select) operands = 3;
  const auto quantization = [&](DType t) -> std::optional<graph::Quantization> {
    return integers ? std::nullopt : m.scaled(t);
  };
  const Shape shape = deep_shape(draw, size);
  std::vector<Shape> shapes;
  std::vector<TensorId> inputs;
  for (int i = 0; i < operands; ++i) {
    shapes.push_back(operands == 1 ? shape : broadcastable(draw, shape));
    if (select && i == 0) {
      inputs.push_back(m.input(kBool, shapes.back(), std::nullopt, true));
      continue;
    }
    const DType other = integers ? draw.any_of({kInt8, kUint8, kInt16, kInt32}) : m.real_type();
    const DType t = i == 0 || !draw.one_in(3) ? type : other;
    inputs.push_back(m.input(t, shapes.back(), quantization(t), i > 0));
  }
  DType y = draw.one_in(2) ? type : m.real_type();
  if (integers)
    y = draw.any_of({type, kInt32, kInt8, kUint8, kBool, kFloat32, kFloat16, kBfloat16});
  const bool plain = integers || quantizes || draw.one_in(4);
  const TensorId out = m.output(y, broadcast_of(shapes), plain ? std::nullopt : quantization(y));
  m.graph().node(OpKind::kMap, inputs, {out}, a);
  return m.graph().finish({out});
}

graph::Graph random_reduce(Draw& draw, DType type, int size) {
  GeneralMaker m(draw, "reduce");
  graph::ReduceMapAttrs a;
  a.function = static_cast<ReduceFunction>(draw.small(0, static_cast<int>(kReduceFunctions) - 1));
  a.keep_dims = draw.one_in(2);
  const bool is_arg = a.function >= ReduceFunction::kArgMax;
  const bool integers = !is_float(type) && (type == kBool || draw.one_in(2));
  const Shape shape = deep_shape(draw, size);
  for (int i = 0; i < static_cast<int>(shape.size()); ++i) {
    if (draw.one_in(2)) a.axes.push_back(i);
  }
  if (a.axes.empty() || is_arg) a.axes = {draw.small(0, static_cast<int>(shape.size()) - 1)};
  Shape kept;
  for (int i = 0; i < static_cast<int>(shape.size()); ++i) {
    const bool reduced = std::binary_search(a.axes.begin(), a.axes.end(), i);
    if (!reduced) kept.push_back(shape[static_cast<std::size_t>(i)]);
    if (reduced && a.keep_dims) kept.push_back(1);
  }
  const TensorId x = m.input(type, shape, integers ? std::nullopt : m.scaled(type));
  DType t = draw.one_in(2) ? type : m.real_type();
  if (integers) t = draw.any_of({type, kInt32, kInt8, kInt16});
  if (is_arg) t = kInt32;
  const TensorId y = m.output(t, kept, integers || is_arg ? std::nullopt : m.scaled(t));
  m.graph().node(OpKind::kReduce, {x}, {y}, a);
  return m.graph().finish({y});
}

graph::Graph random_softmax(Draw& draw, DType type, int size) {
  GeneralMaker m(draw, "softmax");
  const Shape shape = deep_shape(draw, size);
  const TensorId x = m.input(type, shape, std::nullopt);
  const TensorId y = m.output(type, shape, std::nullopt);
  const float beta = draw.one_in(2) ? 1.0F : static_cast<float>(draw.real(0.1, 3));
  m.graph().node(OpKind::kSoftmax, {x}, {y}, graph::SoftmaxAttrs{beta});
  return m.graph().finish({y});
}

graph::Graph random_norm(Draw& draw, OpKind kind, DType type, int size) {
  GeneralMaker m(draw, "norm");
  const Shape shape = deep_shape(draw, size);
  graph::NormAttrs a;
  a.axis = draw.small(0, static_cast<int>(shape.size()) - 1);
  a.epsilon = static_cast<float>(draw.ratio(1e-6, 1e-2));
  const Shape inner(shape.begin() + a.axis, shape.end());
  const auto parameter = [&] {
    const DType t = draw.one_in(2) ? kFloat32 : m.real_type();
    return m.input(t, inner, m.scaled(t), true);
  };
  std::vector<TensorId> inputs = {m.input(type, shape, m.scaled(type)), parameter()};
  if (kind == OpKind::kLayerNorm) {
    inputs.push_back(draw.one_in(4) ? graph::kAbsent : parameter());
  }
  const DType t = draw.one_in(2) ? type : m.real_type();
  const TensorId y = m.output(t, shape, m.scaled(t));
  m.graph().node(kind, inputs, {y}, a);
  return m.graph().finish({y});
}

graph::Graph random_rope(Draw& draw, DType type, int size) {
  GeneralMaker m(draw, "rope");
  Shape shape = deep_shape(draw, size);
  shape.back() = draw.integer(2, 2 * size);
  Shape angles = broadcastable(draw, {shape.begin(), shape.end() - 1});
  angles.push_back(draw.integer(1, shape.back() / 2));
  const DType t = draw.one_in(2) ? kFloat32 : m.real_type();
  const std::vector<TensorId> inputs = {m.input(type, shape, m.scaled(type)),
                                        m.input(t, angles, m.scaled(t), true),
                                        m.input(t, angles, m.scaled(t), true)};
  const DType out = draw.one_in(2) ? type : m.real_type();
  const TensorId y = m.output(out, shape, m.scaled(out));
  m.graph().node(OpKind::kRope, inputs, {y}, graph::RopeAttrs{draw.one_in(2)});
  return m.graph().finish({y});
}

graph::Graph random_gather(Draw& draw, DType type, int size) {
  GeneralMaker m(draw, "gather");
  const Shape table = random_shape(draw, 1, 4, size);
  const Shape indices = draw.one_in(4) ? Shape{} : random_shape(draw, 1, 2, size);
  std::vector<std::byte> data(static_cast<std::size_t>(element_count(indices)) * 4);
  const std::int64_t step = draw.integer(0, 2);
  for (std::size_t i = 0; i < data.size(); i += 4) {
    // Runs of neighbours, of equal distance, and anything.
    const std::int64_t at = draw.one_in(3) ? draw.integer(0, table[0] - 1)
                                           : static_cast<std::int64_t>(i / 4) * step % table[0];
    const auto index = static_cast<std::int32_t>(at);
    std::memcpy(data.data() + i, &index, 4);
  }
  Shape out = indices;
  out.insert(out.end(), table.begin() + 1, table.end());
  const std::vector<TensorId> inputs = {
      m.input(type, table, std::nullopt),
      m.graph().constant(kInt32, indices, std::nullopt, std::move(data))};
  const TensorId y = m.output(type, out, std::nullopt);
  m.graph().node(OpKind::kGather, inputs, {y});
  return m.graph().finish({y});
}

}  // namespace

std::vector<DType> general_types(OpKind kind) {
  switch (kind) {
    case OpKind::kMap:
    case OpKind::kReduce:
      return {kInt8, kUint8, kInt16, kInt32, kBool, kFloat16, kBfloat16, kFloat32};
    case OpKind::kLayerNorm:
    case OpKind::kRmsNorm:
    case OpKind::kRope:
      return {kInt8, kUint8, kInt16, kFloat16, kBfloat16, kFloat32};
    case OpKind::kSoftmax:
    case OpKind::kAveragePool2d:
    case OpKind::kMaxPool2d:
      return {kFloat16, kBfloat16, kFloat32};
    case OpKind::kGather:
    case OpKind::kPad:
    case OpKind::kConcatenation:
    case OpKind::kPack:
    case OpKind::kTranspose:
    case OpKind::kStridedSlice:
      return {kInt32, kInt64, kBool, kFloat16, kBfloat16, kFloat32};
    default:
      return {};
  }
}

graph::Graph random_general(std::mt19937_64& rng, OpKind kind, DType type, int size) {
  Draw draw(rng);
  switch (kind) {
    case OpKind::kMap:
      return random_map(draw, type, size);
    case OpKind::kReduce:
      return random_reduce(draw, type, size);
    case OpKind::kSoftmax:
      return random_softmax(draw, type, size);
    case OpKind::kLayerNorm:
    case OpKind::kRmsNorm:
      return random_norm(draw, kind, type, size);
    case OpKind::kRope:
      return random_rope(draw, type, size);
    case OpKind::kGather:
      return random_gather(draw, type, size);
    case OpKind::kAveragePool2d:
    case OpKind::kMaxPool2d:
      return random_window_layer(draw, kind, type, size);
    default:
      return random_move_layer(draw, kind, type, size);
  }
}

std::vector<TensorData> special_inputs(std::mt19937_64& rng, const graph::Graph& graph) {
  std::vector<TensorData> inputs = random_inputs(rng, graph);
  Draw draw(rng);
  for (TensorData& data : inputs) {
    if (!is_float(data.type) || !draw.one_in(3)) continue;
    // The upper halves of float32 are bfloat16; float16 has its own.
    constexpr std::array<std::uint32_t, 8> kFloat = {
        0x7f800000, 0xff800000, 0x7fc00001, 0, 0x80000000, 1, 0x7f7fffff, 0xc2c80000};
    constexpr std::array<std::uint16_t, 8> kHalf = {0x7c00, 0xfc00, 0x7e01, 0,
                                                    0x8000, 1,      0x7bff, 0xd640};
    const auto width = static_cast<std::size_t>(size_of(data.type));
    for (std::size_t i = 0; i < data.bytes.size(); i += width) {
      if (!draw.one_in(8)) continue;
      const auto pick = static_cast<std::size_t>(draw.integer(0, 7));
      const std::uint32_t bits = data.type == kFloat32   ? kFloat[pick]
                                 : data.type == kFloat16 ? kHalf[pick]
                                                         : kFloat[pick] >> 16;
      std::memcpy(data.bytes.data() + i, &bits, width);
    }
  }
  return inputs;
}

}  // namespace npu::test
