#include <algorithm>
#include <limits>

#include "workloads/graph/node_rules.h"

namespace npu::graph {
namespace {

void require_output(const NodeView& view, const Shape& expected) {
  view.require(view.out().shape == expected, "output shape must be {}, got {}", to_string(expected),
               to_string(view.out().shape));
}

/// Shapes align at the right; sizes are equal or 1.
void check_broadcast(const NodeView& view) {
  const Shape& a = view.in(0).shape;
  const Shape& b = view.in(1).shape;
  Shape y(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    view.require(da == db || da == 1 || db == 1, "shapes {} and {} do not broadcast", to_string(a),
                 to_string(b));
    y[y.size() - 1 - i] = std::max(da, db);
  }
  require_output(view, y);
}

void check_reduce(const NodeView& view) {
  const auto& a = view.attrs<ReduceAttrs>();
  const Shape& x = view.in(0).shape;
  const auto rank = static_cast<int>(x.size());
  view.require(!a.axes.empty(), "no axis to reduce");
  for (std::size_t i = 0; i < a.axes.size(); ++i) {
    view.require(a.axes[i] >= 0 && a.axes[i] < rank, "axis {} is out of range for shape {}",
                 a.axes[i], to_string(x));
    view.require(i == 0 || a.axes[i] > a.axes[i - 1], "axes must be sorted and unique");
  }
  Shape y;
  for (int i = 0; i < rank; ++i) {
    const bool reduced = std::binary_search(a.axes.begin(), a.axes.end(), i);
    if (!reduced) y.push_back(x[static_cast<std::size_t>(i)]);
    if (reduced && a.keep_dims) y.push_back(1);
  }
  require_output(view, y);
}

void check_pad(const NodeView& view) {
  const auto& a = view.attrs<PadAttrs>();
  Shape y = view.in(0).shape;
  view.require(a.before.size() == y.size() && a.after.size() == y.size(),
               "needs {} paddings before and after, got {} and {}", y.size(), a.before.size(),
               a.after.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    for (const std::int64_t amount : {a.before[i], a.after[i]}) {
      view.require(amount >= 0 && amount <= kMaxTensorBytes, "padding must be in [0, 2^31], got {}",
                   amount);
      y[i] += amount;
    }
  }
  require_output(view, y);
}

/// The axis of CONCATENATION, SPLIT or PACK within `rank` dimensions.
std::size_t axis_of(const NodeView& view, std::size_t rank) {
  const int axis = view.attrs<ActivationAttrs>().axis;
  view.require(axis >= 0 && static_cast<std::size_t>(axis) < rank,
               "axis {} is out of range for rank {}", axis, rank);
  return static_cast<std::size_t>(axis);
}

/// The shape with `part`'s size along the axis: what concatenated or split parts must have.
void check_part(const NodeView& view, const Shape& whole, Shape part, std::size_t axis) {
  const Shape given = part;
  view.require(part.size() == whole.size(), "part {} does not fit {}", to_string(given),
               to_string(whole));
  part[axis] = whole[axis];
  view.require(part == whole, "part {} does not fit {} along axis {}", to_string(given),
               to_string(whole), axis);
}

void check_concatenation(const NodeView& view) {
  Shape y = view.in(0).shape;
  const std::size_t axis = axis_of(view, y.size());
  view.require(view.attrs<ActivationAttrs>().activation == Activation::kNone,
               "a fused activation ({}) is not supported",
               name_of(view.attrs<ActivationAttrs>().activation));
  for (std::size_t i = 1; i < view.node.inputs.size(); ++i) {
    check_part(view, y, view.in(i).shape, axis);
    y[axis] += view.in(i).shape[axis];
    view.require(y[axis] <= kMaxTensorBytes, "the parts are longer than 2^31");
  }
  require_output(view, y);
}

void check_split(const NodeView& view) {
  const Shape& x = view.in(0).shape;
  const std::size_t axis = axis_of(view, x.size());
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < view.node.outputs.size(); ++i) {
    check_part(view, x, view.out(i).shape, axis);
    sum += view.out(i).shape[axis];
    view.require(sum <= x[axis], "the parts are longer than input {}", to_string(x));
  }
  view.require(sum == x[axis], "the parts are shorter than input {}", to_string(x));
}

void check_pack(const NodeView& view) {
  Shape y = view.in(0).shape;
  for (std::size_t i = 1; i < view.node.inputs.size(); ++i) {
    view.require(view.in(i).shape == y, "inputs must have one shape, got {} and {}", to_string(y),
                 to_string(view.in(i).shape));
  }
  const std::size_t axis = axis_of(view, y.size() + 1);
  y.insert(y.begin() + static_cast<std::ptrdiff_t>(axis),
           static_cast<std::int64_t>(view.node.inputs.size()));
  require_output(view, y);
}

void check_transpose(const NodeView& view) {
  const auto& a = view.attrs<TransposeAttrs>();
  const Shape& x = view.in(0).shape;
  Shape y;
  std::vector<bool> seen(x.size());
  view.require(a.permutation.size() == x.size(), "permutation of {} entries for shape {}",
               a.permutation.size(), to_string(x));
  for (const int p : a.permutation) {
    const auto i = static_cast<std::size_t>(p);
    view.require(p >= 0 && i < x.size() && !seen[i], "not a permutation of {} dimensions",
                 x.size());
    seen[i] = true;
    y.push_back(x[i]);
  }
  require_output(view, y);
}

/// True if `y` is `sizes` without some of its dimensions of size 1.
bool drops_only_units(const Shape& sizes, const Shape& y) {
  std::size_t next = 0;
  for (const std::int64_t size : sizes) {
    if (next < y.size() && y[next] == size) {
      ++next;
    } else if (size != 1) {
      return false;
    }
  }
  return next == y.size();
}

void check_slice(const NodeView& view) {
  const auto& a = view.attrs<SliceAttrs>();
  const Shape& x = view.in(0).shape;
  view.require(
      a.begin.size() == x.size() && a.stride.size() == x.size() && a.sizes.size() == x.size(),
      "needs {} begins, strides and sizes", x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    constexpr std::int64_t kMaxStride = std::numeric_limits<std::int32_t>::max();
    view.require(a.stride[i] != 0 && a.stride[i] >= -kMaxStride && a.stride[i] <= kMaxStride,
                 "stride must be a 32-bit number other than 0, got {}", a.stride[i]);
    view.require(a.sizes[i] >= 1 && a.sizes[i] <= x[i], "size must be in [1, {}], got {}", x[i],
                 a.sizes[i]);
    const std::int64_t last = a.begin[i] + (a.sizes[i] - 1) * a.stride[i];
    view.require(a.begin[i] >= 0 && a.begin[i] < x[i] && last >= 0 && last < x[i],
                 "slice from {} to {} leaves dimension {} of shape {}", a.begin[i], last, i,
                 to_string(x));
  }
  view.require(drops_only_units(a.sizes, view.out().shape),
               "output shape must be {} (size 1 may be dropped), got {}", to_string(a.sizes),
               to_string(view.out().shape));
}

}  // namespace

void check_shapes(const NodeView& view) {
  switch (view.node.kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kTransposeConv:
    case OpKind::kFullyConnected:
    case OpKind::kAveragePool2d:
    case OpKind::kMaxPool2d:
      return check_window_shapes(view);
    case OpKind::kSvdf:
      return check_svdf_shapes(view);
    case OpKind::kMap:
    case OpKind::kReduce:
    case OpKind::kMatMul:
    case OpKind::kLayerNorm:
    case OpKind::kRmsNorm:
    case OpKind::kRope:
    case OpKind::kAttention:
    case OpKind::kGather:
      return check_general_shapes(view);
    case OpKind::kAdd:
    case OpKind::kSub:
    case OpKind::kMul:
    case OpKind::kMaximum:
    case OpKind::kMinimum:
      return check_broadcast(view);
    case OpKind::kMean:
    case OpKind::kSum:
      return check_reduce(view);
    case OpKind::kPad:
      return check_pad(view);
    case OpKind::kConcatenation:
      return check_concatenation(view);
    case OpKind::kSplit:
      return check_split(view);
    case OpKind::kPack:
      return check_pack(view);
    case OpKind::kTranspose:
      return check_transpose(view);
    case OpKind::kStridedSlice:
      return check_slice(view);
    case OpKind::kReshape:
      return view.require(element_count(view.in(0).shape) == element_count(view.out().shape),
                          "shapes {} and {} differ in size", to_string(view.in(0).shape),
                          to_string(view.out().shape));
    case OpKind::kSoftmax:
    case OpKind::kLogSoftmax:
      view.require(!view.in(0).shape.empty(), "input must have at least one dimension");
      return require_output(view, view.in(0).shape);
    case OpKind::kLogistic:
    case OpKind::kTanh:
    case OpKind::kRelu:
    case OpKind::kRelu6:
    case OpKind::kReluN1To1:
    case OpKind::kLeakyRelu:
    case OpKind::kHardSwish:
    case OpKind::kQuantize:
    case OpKind::kDequantize:
      return require_output(view, view.in(0).shape);
  }
}

}  // namespace npu::graph
