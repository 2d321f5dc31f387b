// The iteration spaces of MAP, REDUCE, SOFTMAX over floats, LAYER_NORM, RMS_NORM and ROPE.
#include <algorithm>
#include <array>

#include "kernels/mapper/tile_space.h"
#include "sim/base/error.h"

namespace npu::mapper {
namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::Tensor;
using std::int64_t;

constexpr int64_t kReal = 4;  ///< Bytes of an intermediate: fp32 or int32.

/// Dimensions of `shape` with the operands that advance along each; a shape of an operand aligns at
/// the right. Neighbours with the same operands merge.
std::vector<TileDim> merged_dims(const Shape& shape, const std::vector<Shape>& operands) {
  std::vector<TileDim> dims;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    TileDim d{.size = shape[i]};
    for (std::size_t o = 0; o < operands.size(); ++o) {
      const std::size_t missing = shape.size() - operands[o].size();
      if (i >= missing && operands[o][i - missing] == shape[i]) d.moves |= 1U << o;
    }
    if (!dims.empty() && dims.back().moves == d.moves) {
      dims.back().size *= d.size;
    } else {
      dims.push_back(d);
    }
  }
  if (dims.empty()) dims.push_back({.moves = (1U << operands.size()) - 1});
  return dims;
}

/// A dimension of `rows` along which x and y advance, the operands between them do not.
std::vector<TileDim> row_dims(int64_t rows, std::size_t operands) {
  return {{.size = rows, .moves = 1U | 1U << (operands - 1)}};
}

class SpaceMaker {
 public:
  SpaceMaker(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  /// The inputs that are there, then the output, with the elements of a unit of each.
  void operands(const std::vector<std::string>& names, const std::vector<int64_t>& elements) {
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      if (node_.inputs[i] == graph::kAbsent) continue;
      space_.inputs.push_back(i);
      space_.operands.push_back({names[i], elements[i] * size_of(input(i).type), 0});
    }
    space_.operands.push_back({"y", elements.back() * size_of(output().type), 0});
  }
  /// fp32 copies of the inputs that are quantized integers.
  void dequantized() {
    for (std::size_t o = 0; o < space_.output(); ++o) {
      const Tensor& t = input(space_.inputs[o]);
      if (!is_real_integer(t)) continue;
      const TileOperand& from = space_.operands[o];
      temporary(from.buffer + " real", from.unit_bytes / size_of(t.type), o);
    }
  }
  void temporary(std::string name, int64_t elements, std::size_t like) {
    space_.temporaries.push_back({std::move(name), elements * kReal, like});
  }
  [[nodiscard]] const Tensor& input(std::size_t i) const {
    return graph_.tensor(node_.inputs.at(i));
  }
  [[nodiscard]] const Tensor& output() const { return graph_.tensor(node_.outputs.at(0)); }
  [[nodiscard]] std::vector<Shape> shapes(std::size_t trailing = 0) const {
    std::vector<Shape> all;
    const auto add = [&](const Tensor& t) {
      all.emplace_back(t.shape.begin(), t.shape.end() - static_cast<std::ptrdiff_t>(trailing));
    };
    for (const std::size_t i : space_.inputs) add(input(i));
    add(output());
    return all;
  }
  [[nodiscard]] TileSpace& space() { return space_; }

 private:
  const Graph& graph_;
  const Node& node_;
  TileSpace space_;
};

void map_space(const Node& node, SpaceMaker& m) {
  m.operands({"a", "b", "c"}, {1, 1, 1, 1});
  m.space().dims = merged_dims(m.output().shape, m.shapes());
  const MapFunction f = std::get<graph::MapAttrs>(node.attrs).function;
  if (f == MapFunction::kDequantize || f == MapFunction::kQuantize) return;
  m.dequantized();
  if (is_real_integer(m.output())) m.temporary("y real", 1, m.space().output());
}

void reduce_space(const Node& node, SpaceMaker& m) {
  m.operands({"x"}, {1, 1});
  const auto& a = std::get<graph::ReduceMapAttrs>(node.attrs);
  const Shape& x = m.input(0).shape;
  Shape kept = x;
  for (const int axis : a.axes) kept[static_cast<std::size_t>(axis)] = 1;
  TileSpace& space = m.space();
  space.dims = merged_dims(x, {x, kept});
  space.kept_dims = 2;
  space.reduced_dims = 2;
  const bool is_arg = a.function >= ReduceFunction::kArgMax;
  if (is_arg) {
    for (std::size_t d = 0; d < space.dims.size(); ++d)
      space.dims[d].block = space.moves(space.output(), d) ? 0 : space.dims[d].size;
    const bool all = std::all_of(space.dims.begin(), space.dims.end(),
                                 [](const TileDim& d) { return d.block > 0; });
    if (all) space.dims.insert(space.dims.begin(), {.moves = 3});
  }
  m.dequantized();
  const bool is_float_sum = is_float(m.input(0).type) || is_real_integer(m.input(0));
  const DType direct = is_float_sum ? DType::kFloat32 : DType::kInt32;
  if (!is_arg && (m.output().type != direct || is_real_integer(m.output())))
    m.temporary("fold", 1, 1);
}

/// Rows of `row` elements that are normalized one by one: `work` where the output cannot hold the
/// fp32 intermediates, `stat` one number per row.
void row_space(SpaceMaker& m, int64_t row) {
  m.space().kept_dims = 1;
  m.space().dims = row_dims(element_count(m.input(0).shape) / row, m.space().operands.size());
  m.dequantized();
  m.temporary("stat", 1, 0);
  if (m.output().type != DType::kFloat32) m.temporary("work", row, 0);
}

/// `stat` of a row: its maximum, then its sum; with a block the running maximum, the factor that a
/// new one makes, and the sum. `work` as above.
void softmax_space(SpaceMaker& m, int64_t block) {
  constexpr unsigned kRows = 7, kElements = 3;  // x, y and stat; x and y
  constexpr std::size_t kStat = 2;
  const Shape& x = m.input(0).shape;
  const int64_t row = x.empty() ? 1 : x.back();
  m.operands({"x"}, {1, 1});
  m.space().dims = {{.size = element_count(x) / row, .moves = kRows},
                    {.size = row, .moves = kElements, .block = block == 0 ? row : block}};
  m.space().kept_dims = 2;
  m.temporary("stat", block == 0 ? 1 : 3, kStat);
  if (m.output().type != DType::kFloat32) m.temporary("work", 1, 0);
}

void rope_space(SpaceMaker& m) {
  const int64_t row = m.input(0).shape.back();
  const int64_t pairs = m.input(1).shape.back();
  m.operands({"x", "cos", "sin"}, {row, pairs, pairs, row});
  const Shape& x = m.input(0).shape;
  m.space().dims = merged_dims({x.begin(), x.end() - 1}, m.shapes(1));
  m.space().kept_dims = 2;
  m.dequantized();
  m.temporary("first", pairs, 0);
  m.temporary("second", pairs, 0);
  if (is_real_integer(m.output())) m.temporary("y real", row, m.space().output());
}

}  // namespace

bool is_real_integer(const Tensor& tensor) {
  return !is_float(tensor.type) && tensor.quantization.has_value();
}

bool is_tiled(const Graph& graph, const Node& node) {
  switch (node.kind) {
    case OpKind::kMap:
    case OpKind::kReduce:
    case OpKind::kLayerNorm:
    case OpKind::kRmsNorm:
    case OpKind::kRope:
      return true;
    case OpKind::kSoftmax:
      return is_float(graph.tensor(node.inputs.at(0)).type);
    default:
      return false;
  }
}

TileSpace tile_space(const Graph& graph, const Node& node, int64_t softmax_block) {
  SpaceMaker m(graph, node);
  switch (node.kind) {
    case OpKind::kMap:
      map_space(node, m);
      break;
    case OpKind::kReduce:
      reduce_space(node, m);
      break;
    case OpKind::kSoftmax:
      softmax_space(m, softmax_block);
      break;
    case OpKind::kLayerNorm:
    case OpKind::kRmsNorm: {
      const int64_t row = element_count(m.input(1).shape);
      m.operands({"x", "scale", "bias"}, {row, row, row, row});
      row_space(m, row);
      break;
    }
    case OpKind::kRope:
      rope_space(m);
      break;
    default:
      NPU_CHECK(false, "not a tiled operator");
  }
  return std::move(m.space());
}

}  // namespace npu::mapper
