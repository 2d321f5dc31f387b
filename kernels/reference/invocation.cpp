#include "kernels/reference/invocation.h"

namespace npu::reference {

View Invocation::input(std::size_t index) const {
  const graph::TensorId id = node_.inputs.at(index);
  const TensorData& value = values_.at(static_cast<std::size_t>(id));
  if (!value.bytes.empty()) return {value};
  const graph::Tensor& tensor = graph_.tensor(id);
  return {tensor.type, tensor.shape, tensor.data};
}

namespace {

template <typename T, typename To>
void convert(const View& view, std::int32_t zero_point, std::vector<To>& out) {
  const std::span<const T> in = view.as<T>();
  for (std::size_t i = 0; i < in.size(); ++i) {
    out[i] = static_cast<To>(static_cast<std::int64_t>(in[i]) - zero_point);
  }
}

template <typename T>
void narrow(std::span<const std::int32_t> values, TensorData& out) {
  const std::span<T> to = out.as<T>();
  NPU_CHECK(to.size() == values.size(), "number of elements");
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<T>(values[i]);
}

}  // namespace

std::vector<std::int32_t> load_integers(const View& view, std::int32_t zero_point) {
  std::vector<std::int32_t> out(view.bytes.size() / static_cast<std::size_t>(size_of(view.type)));
  switch (view.type) {
    case DType::kInt8:
      convert<std::int8_t>(view, zero_point, out);
      return out;
    case DType::kUint8:
      convert<std::uint8_t>(view, zero_point, out);
      return out;
    case DType::kInt16:
      convert<std::int16_t>(view, zero_point, out);
      return out;
    case DType::kInt32:
      convert<std::int32_t>(view, zero_point, out);
      return out;
    default:
      break;
  }
  NPU_CHECK(false, "integer tensor expected");
  return out;
}

std::vector<std::int16_t> load_int16(const View& view, std::int32_t zero_point) {
  std::vector<std::int16_t> out(view.bytes.size() / static_cast<std::size_t>(size_of(view.type)));
  switch (view.type) {
    case DType::kInt8:
      convert<std::int8_t>(view, zero_point, out);
      return out;
    case DType::kUint8:
      convert<std::uint8_t>(view, zero_point, out);
      return out;
    case DType::kInt16:
      NPU_CHECK(zero_point == 0, "int16 tensors are symmetric");
      convert<std::int16_t>(view, 0, out);
      return out;
    default:
      break;
  }
  NPU_CHECK(false, "8- or 16-bit tensor expected");
  return out;
}

void store_integers(TensorData& out, std::span<const std::int32_t> values) {
  switch (out.type) {
    case DType::kInt8:
      narrow<std::int8_t>(values, out);
      return;
    case DType::kUint8:
      narrow<std::uint8_t>(values, out);
      return;
    case DType::kInt16:
      narrow<std::int16_t>(values, out);
      return;
    case DType::kInt32:
      narrow<std::int32_t>(values, out);
      return;
    default:
      break;
  }
  NPU_CHECK(false, "integer tensor expected");
}

}  // namespace npu::reference
