#include <algorithm>
#include <cstring>

#include "kernels/reference/movement.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {

using graph::PadAttrs;

namespace {

/// y is filled with `value` (one element's bytes) and x laid over it.
void pad(const PadAttrs& attrs, const View& x, std::span<const std::byte> value, TensorData& y) {
  const std::size_t element = value.size();
  for (std::size_t i = 0; i < y.bytes.size(); i += element) {
    std::copy(value.begin(), value.end(), y.bytes.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (x.bytes.empty()) return;
  const std::vector<std::int64_t> strides = dense_strides(y.shape);
  std::int64_t base = 0;
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    base += attrs.before.at(axis) * strides[axis];
  }
  // Row by row along the last dimension.
  const std::int64_t row = x.shape->empty() ? 1 : x.shape->back();
  std::vector<std::int64_t> position(x.shape->size(), 0);
  for (std::int64_t from = 0; from < x.size(); from += row) {
    NPU_CHECK(base >= 0 && base + row <= y.size(), "row of a padded tensor");
    std::memcpy(y.bytes.data() + static_cast<std::size_t>(base) * element,
                x.bytes.data() + static_cast<std::size_t>(from) * element,
                static_cast<std::size_t>(row) * element);
    for (std::size_t axis = position.size() - std::min<std::size_t>(position.size(), 1);
         axis-- > 0;) {
      base += strides[axis];
      if (++position[axis] < x.dim(axis)) break;
      base -= strides[axis] * x.dim(axis);
      position[axis] = 0;
    }
  }
}

void run_integer(Invocation& call) {
  const auto& attrs = call.attrs<PadAttrs>();
  TensorData& y = call.output();
  TensorData value = TensorData::zeros(y.type, {});
  if (is_float(y.type) || y.type == DType::kInt64 || y.type == DType::kBool) {
    // verify() lets 0 pass, and 1 for bool.
    value.bytes[0] = static_cast<std::byte>(attrs.value);
  } else {
    const IntegerRange range = range_of(y.type);
    if (attrs.value < range.low || attrs.value > range.high) {
      fail("{}: padding value must be a value of {}, got {}", graph::describe(call.node()),
           name_of(y.type), attrs.value);
    }
    store_integers(value, std::array{attrs.value});
  }
  pad(attrs, call.input(0), value.bytes, y);
}

void run_float(Invocation& call) {
  const auto& attrs = call.attrs<PadAttrs>();
  const graph::Tensor& y = call.output_tensor();
  auto real = static_cast<float>(attrs.value);
  if (y.quantization) {
    real = static_cast<float>(static_cast<double>(scale_of(y)) *
                              (static_cast<double>(attrs.value) - zero_point_of(y)));
  }
  pad(attrs, call.input(0), std::as_bytes(std::span(&real, 1)), call.output());
}

}  // namespace

const Operator kPad = {moves_values, run_integer, run_float};

}  // namespace npu::reference
