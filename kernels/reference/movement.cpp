#include "kernels/reference/movement.h"

#include <algorithm>
#include <cstring>

namespace npu::reference {

using graph::ActivationAttrs;
using graph::SliceAttrs;
using graph::TransposeAttrs;

std::vector<std::int64_t> dense_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

void strided_copy(const View& x, std::int64_t base, const std::vector<std::int64_t>& strides,
                  TensorData& y) {
  NPU_CHECK(strides.size() == y.shape.size(), "one stride per dimension");
  const std::int64_t element = size_of(x.type);
  std::vector<std::int64_t> position(y.shape.size(), 0);
  std::int64_t offset = base;
  for (std::size_t to = 0; to < y.bytes.size(); to += static_cast<std::size_t>(element)) {
    NPU_CHECK(offset >= 0 && (offset + 1) * element <= std::ssize(x.bytes), "element in range");
    std::memcpy(y.bytes.data() + to, x.bytes.data() + offset * element,
                static_cast<std::size_t>(element));
    for (std::size_t axis = strides.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++position[axis] < y.shape[axis]) break;
      offset -= strides[axis] * y.shape[axis];
      position[axis] = 0;
    }
  }
}

bool moves_values(const graph::Graph& graph, const graph::Node& node) {
  const DType type = output_type(graph, node);
  for (const graph::TensorId id : node.inputs) {
    if (id == graph::kAbsent || graph.tensor(id).type != type) return false;
  }
  return std::all_of(node.outputs.begin(), node.outputs.end(),
                     [&](graph::TensorId id) { return graph.tensor(id).type == type; });
}

namespace {

void reshape(Invocation& call) {
  const View x = call.input(0);
  TensorData& y = call.output();
  NPU_CHECK(x.bytes.size() == y.bytes.size(), "size of a reshaped tensor");
  std::copy(x.bytes.begin(), x.bytes.end(), y.bytes.begin());
}

void transpose(Invocation& call) {
  const View x = call.input(0);
  const std::vector<std::int64_t> from = dense_strides(*x.shape);
  std::vector<std::int64_t> strides;
  for (const int axis : call.attrs<TransposeAttrs>().permutation) {
    strides.push_back(from.at(static_cast<std::size_t>(axis)));
  }
  strided_copy(x, 0, strides, call.output());
}

void strided_slice(Invocation& call) {
  const auto& attrs = call.attrs<SliceAttrs>();
  const View x = call.input(0);
  TensorData& y = call.output();
  std::vector<std::int64_t> strides = dense_strides(*x.shape);
  std::int64_t base = 0;
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    base += attrs.begin.at(axis) * strides[axis];
    strides[axis] *= attrs.stride.at(axis);
  }
  // A dimension that the slice drops has one element: copy with the input's rank, then name it by
  // y's shape.
  TensorData slice{y.type, attrs.sizes, std::move(y.bytes)};
  NPU_CHECK(slice.size() * size_of(slice.type) == std::ssize(slice.bytes), "size of a slice");
  strided_copy(x, base, strides, slice);
  y.bytes = std::move(slice.bytes);
}

/// Bytes of one step along `axis` and the number of steps before it.
struct AxisLayout {
  std::size_t outer = 1, inner_bytes = 0;

  AxisLayout(const Shape& shape, std::size_t axis, DType type)
      : inner_bytes(static_cast<std::size_t>(size_of(type))) {
    for (std::size_t i = 0; i < axis; ++i) outer *= static_cast<std::size_t>(shape.at(i));
    for (std::size_t i = axis + 1; i < shape.size(); ++i) {
      inner_bytes *= static_cast<std::size_t>(shape[i]);
    }
  }
};

void split(Invocation& call) {
  const auto axis = static_cast<std::size_t>(call.attrs<ActivationAttrs>().axis);
  const View x = call.input(0);
  const AxisLayout layout(*x.shape, axis, x.type);
  const std::size_t row = static_cast<std::size_t>(x.dim(axis)) * layout.inner_bytes;
  std::size_t from = 0;
  for (std::size_t i = 0; i < call.output_count(); ++i) {
    TensorData& y = call.output(i);
    const std::size_t part = static_cast<std::size_t>(y.shape.at(axis)) * layout.inner_bytes;
    NPU_CHECK(from + part <= row && y.bytes.size() == part * layout.outer, "size of a split");
    for (std::size_t o = 0; o < layout.outer; ++o) {
      std::copy_n(x.bytes.begin() + static_cast<std::ptrdiff_t>(o * row + from), part,
                  y.bytes.begin() + static_cast<std::ptrdiff_t>(o * part));
    }
    from += part;
  }
}

void pack(Invocation& call) {
  const auto axis = static_cast<std::size_t>(call.attrs<ActivationAttrs>().axis);
  TensorData& y = call.output();
  const AxisLayout layout(y.shape, axis, y.type);
  const std::size_t count = call.input_count();
  NPU_CHECK(count * layout.inner_bytes * layout.outer == y.bytes.size(), "size of a pack");
  for (std::size_t i = 0; i < count; ++i) {
    const View x = call.input(i);
    for (std::size_t o = 0; o < layout.outer; ++o) {
      std::copy_n(
          x.bytes.begin() + static_cast<std::ptrdiff_t>(o * layout.inner_bytes), layout.inner_bytes,
          y.bytes.begin() + static_cast<std::ptrdiff_t>((o * count + i) * layout.inner_bytes));
    }
  }
}

}  // namespace

const Operator kReshape = {moves_values, reshape, reshape};
const Operator kTranspose = {moves_values, transpose, transpose};
const Operator kStridedSlice = {moves_values, strided_slice, strided_slice};
const Operator kSplit = {moves_values, split, split};
const Operator kPack = {moves_values, pack, pack};

}  // namespace npu::reference
