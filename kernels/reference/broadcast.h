#pragma once

#include <cstdint>
#include <vector>

#include "kernels/reference/invocation.h"

namespace npu::reference {

/// Elements of an operand of shape `from`, repeated to shape `to`: dimensions are aligned at the
/// right, sizes equal or 1.
template <typename T>
[[nodiscard]] std::vector<T> broadcast(std::vector<T> values, const Shape& from, const Shape& to) {
  if (from == to) return values;
  NPU_CHECK(from.size() <= to.size(), "rank of a broadcast operand");
  std::vector<std::size_t> strides(to.size(), 0);
  std::size_t stride = 1;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::int64_t size = from[from.size() - 1 - i];
    const std::size_t axis = to.size() - 1 - i;
    NPU_CHECK(size == 1 || size == to[axis], "size of a broadcast operand");
    strides[axis] = size == 1 ? 0 : stride;
    stride *= static_cast<std::size_t>(size);
  }
  std::vector<T> out(static_cast<std::size_t>(element_count(to)));
  std::vector<std::int64_t> position(to.size(), 0);
  std::size_t offset = 0;
  for (T& value : out) {
    value = values[offset];
    for (std::size_t axis = to.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++position[axis] < to[axis]) break;
      offset -= strides[axis] * static_cast<std::size_t>(to[axis]);
      position[axis] = 0;
    }
  }
  return out;
}

/// Operand `index` of a float operator, repeated to the shape of the node's output.
[[nodiscard]] inline std::vector<float> broadcast_float(const Invocation& call, std::size_t index) {
  const View view = call.input(index);
  const auto values = view.as<float>();
  return broadcast(std::vector<float>(values.begin(), values.end()), *view.shape,
                   call.output().shape);
}

/// Operand minus `zero_point`, repeated to `to`.
[[nodiscard]] inline std::vector<std::int32_t> broadcast_integers(const View& view,
                                                                  std::int32_t zero_point,
                                                                  const Shape& to) {
  return broadcast(load_integers(view, zero_point), *view.shape, to);
}

}  // namespace npu::reference
