#include "kernels/mapper/iteration.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include "sim/base/error.h"

namespace npu::mapper {
namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using std::int64_t;

/// Row-major strides in bytes.
std::vector<int64_t> strides_of(const Shape& shape, int64_t element_bytes) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = element_bytes;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/// Element loops to a copy: the innermost contiguous ones become the run, neighbours that continue
/// each other merge.
Copy make_copy(std::size_t input, int64_t src_offset, int64_t dst_offset, int64_t element_bytes,
               const Shape& count, const std::vector<int64_t>& src_stride,
               const std::vector<int64_t>& dst_stride) {
  Copy copy{input, src_offset, dst_offset, element_bytes, {}, {}, {}};
  for (std::size_t i = count.size(); i-- > 0;) {
    if (count[i] == 1) continue;
    const bool run = copy.count.empty() && src_stride[i] == copy.run && dst_stride[i] == copy.run;
    if (run) {
      copy.run *= count[i];
    } else if (!copy.count.empty() &&
               src_stride[i] == copy.src_stride.front() * copy.count.front() &&
               dst_stride[i] == copy.dst_stride.front() * copy.count.front()) {
      copy.count.front() *= count[i];
    } else {
      copy.count.insert(copy.count.begin(), count[i]);
      copy.src_stride.insert(copy.src_stride.begin(), src_stride[i]);
      copy.dst_stride.insert(copy.dst_stride.begin(), dst_stride[i]);
    }
  }
  return copy;
}

/// The margins of a padded output as disjoint boxes: per dimension, before and after, inner
/// dimensions whole.
std::vector<Fill> margins(const graph::PadAttrs& pad, const Shape& x, const Shape& y,
                          int64_t element_bytes) {
  std::vector<Fill> fills;
  const std::vector<int64_t> stride = strides_of(y, element_bytes);
  for (std::size_t d = 0; d < y.size(); ++d) {
    for (const bool after : {false, true}) {
      const int64_t thickness = after ? pad.after[d] : pad.before[d];
      if (thickness == 0) continue;
      Fill fill;
      fill.run = thickness * stride[d];
      fill.dst_offset = after ? (pad.before[d] + x[d]) * stride[d] : 0;
      for (std::size_t outer = 0; outer < d; ++outer) {
        fill.dst_offset += pad.before[outer] * stride[outer];
        if (x[outer] == 1) continue;
        fill.count.push_back(x[outer]);
        fill.dst_stride.push_back(stride[outer]);
      }
      fills.push_back(fill);
    }
  }
  return fills;
}

/// The rows of a table that constant indices name; neighbours that are equally far apart are one
/// copy. Indices of which only the shape is known stand for 0, 1, 2, … .
std::vector<Copy> rows_of(const graph::Tensor& table, const graph::Tensor& indices) {
  const int64_t rows = table.shape.front();
  const int64_t row = rows == 0 ? 0 : table.bytes() / rows;
  const auto count = static_cast<std::size_t>(element_count(indices.shape));
  std::vector<int64_t> at(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::int32_t index =
        static_cast<std::int32_t>(static_cast<int64_t>(i) % std::max(rows, int64_t{1}));
    if (!indices.data.empty())
      std::memcpy(&index, indices.data.data() + i * sizeof index, sizeof index);
    at[i] = index;
  }
  std::vector<Copy> copies;
  for (std::size_t i = 0; i < count;) {
    std::size_t end = i + 1;
    const int64_t step = end < count ? at[end] - at[i] : 0;
    while (end < count && at[end] - at[end - 1] == step) ++end;
    const auto n = static_cast<int64_t>(end - i);
    copies.push_back(
        make_copy(0, at[i] * row, static_cast<int64_t>(i) * row, row, {n}, {step * row}, {row}));
    i = end;
  }
  return copies;
}

}  // namespace

int64_t Copy::bytes() const {
  return std::accumulate(count.begin(), count.end(), run, std::multiplies<>());
}

std::vector<BroadcastDim> broadcast_dims(const Shape& a, const Shape& b, const Shape& y) {
  std::vector<BroadcastDim> dims;
  const auto steps = [&](const Shape& s, std::size_t i) {
    const std::size_t missing = y.size() - s.size();
    return i >= missing && s[i - missing] == y[i];
  };
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (y[i] == 1) continue;
    const BroadcastDim d{y[i], steps(a, i), steps(b, i)};
    if (!dims.empty() && dims.back().a == d.a && dims.back().b == d.b) {
      dims.back().size *= d.size;
    } else {
      dims.push_back(d);
    }
  }
  if (dims.empty()) dims.push_back({1, true, true});
  return dims;
}

std::vector<ReduceDim> reduce_dims(const Shape& x, const std::vector<int>& axes) {
  std::vector<ReduceDim> dims;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == 1) continue;
    const bool reduced = std::find(axes.begin(), axes.end(), static_cast<int>(i)) != axes.end();
    if (!dims.empty() && dims.back().reduced == reduced) {
      dims.back().size *= x[i];
    } else {
      dims.push_back({x[i], reduced});
    }
  }
  return dims;
}

Moves moves_of(const Graph& graph, const Node& node) {
  const graph::Tensor& y = graph.tensor(node.outputs[0]);
  Moves moves;
  moves.element_bytes = size_of(y.type);
  const int64_t e = moves.element_bytes;
  const std::vector<int64_t> dst = strides_of(y.shape, e);
  switch (node.kind) {
    case OpKind::kPad: {
      const auto& pad = std::get<graph::PadAttrs>(node.attrs);
      const Shape& x = graph.tensor(node.inputs[0]).shape;
      int64_t offset = 0;
      for (std::size_t d = 0; d < x.size(); ++d) offset += pad.before[d] * dst[d];
      moves.copies.push_back(make_copy(0, 0, offset, e, x, strides_of(x, e), dst));
      moves.fills = margins(pad, x, y.shape, e);
      moves.fill_value = pad.value;
      // Wider elements are padded with 0 only.
      moves.element_bytes = std::min<int64_t>(e, 4);
      break;
    }
    case OpKind::kConcatenation:
    case OpKind::kPack: {
      const auto axis = static_cast<std::size_t>(std::get<graph::ActivationAttrs>(node.attrs).axis);
      int64_t at = 0;
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        Shape x = graph.tensor(node.inputs[i]).shape;
        if (node.kind == OpKind::kPack) x.insert(x.begin() + static_cast<std::ptrdiff_t>(axis), 1);
        moves.copies.push_back(make_copy(i, 0, at * dst[axis], e, x, strides_of(x, e), dst));
        at += x[axis];
      }
      break;
    }
    case OpKind::kTranspose: {
      const auto& permutation = std::get<graph::TransposeAttrs>(node.attrs).permutation;
      const std::vector<int64_t> x = strides_of(graph.tensor(node.inputs[0]).shape, e);
      std::vector<int64_t> src;
      for (const int p : permutation) src.push_back(x[static_cast<std::size_t>(p)]);
      moves.copies.push_back(make_copy(0, 0, 0, e, y.shape, src, dst));
      break;
    }
    case OpKind::kStridedSlice: {
      const auto& slice = std::get<graph::SliceAttrs>(node.attrs);
      const std::vector<int64_t> x = strides_of(graph.tensor(node.inputs[0]).shape, e);
      std::vector<int64_t> src;
      int64_t offset = 0;
      for (std::size_t d = 0; d < x.size(); ++d) {
        offset += slice.begin[d] * x[d];
        src.push_back(slice.stride[d] * x[d]);
      }
      moves.copies.push_back(
          make_copy(0, offset, 0, e, slice.sizes, src, strides_of(slice.sizes, e)));
      break;
    }
    case OpKind::kGather:
      moves.copies = rows_of(graph.tensor(node.inputs[0]), graph.tensor(node.inputs[1]));
      break;
    default:
      NPU_CHECK(false, "not a data movement operator");
  }
  return moves;
}

}  // namespace npu::mapper
