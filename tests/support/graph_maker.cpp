#include "tests/support/graph_maker.h"

#include <cmath>
#include <cstring>
#include <optional>

namespace npu::test {

double Draw::ratio(double low, double high) {
  return std::exp(real(std::log(low), std::log(high)));
}

std::vector<std::byte> Draw::bytes(DType type, std::int64_t count) {
  std::vector<std::byte> data(static_cast<std::size_t>(count * size_of(type)));
  if (type == DType::kFloat32) {
    for (std::size_t i = 0; i < data.size(); i += 4) {
      const auto value = static_cast<float>(real(-1, 1));
      std::memcpy(data.data() + i, &value, 4);
    }
    return data;
  }
  if (is_float(type)) {  // ±[2^-10, 1): a sign, an exponent below the bias, a mantissa
    const int mantissa = type == DType::kFloat16 ? 10 : 7;
    const int bias = type == DType::kFloat16 ? 15 : 127;
    for (std::size_t i = 0; i < data.size(); i += 2) {
      const auto bits = static_cast<std::uint16_t>(integer(0, 1) << 15 |
                                                   integer(bias - 10, bias - 1) << mantissa |
                                                   integer(0, (1 << mantissa) - 1));
      std::memcpy(data.data() + i, &bits, 2);
    }
    return data;
  }
  for (std::byte& b : data) b = static_cast<std::byte>(rng_() >> 32 & 255U);
  return data;
}

Affine Draw::affine(DType type, double scale) {
  const auto narrow = static_cast<float>(scale);
  if (type == DType::kInt16 || is_float(type)) return {narrow, 0};
  const int low = type == DType::kInt8 ? -128 : 0;
  // A third each: an end of the range (after a ReLU), the middle, anywhere.
  const int zero_point = any_of({low, low + 128, small(low, low + 255)});
  return {narrow, zero_point};
}

graph::Activation Draw::activation() {
  using graph::Activation;
  return any_of({Activation::kNone, Activation::kNone, Activation::kRelu, Activation::kRelu6,
                 Activation::kReluN1To1});
}

double spread_of(DType type, std::int32_t zero_point) {
  if (type == DType::kInt16) return 18918;
  const double middle = type == DType::kUint8 ? 127.5 : -0.5;
  const double offset = middle - zero_point;
  return std::sqrt(73.9 * 73.9 + offset * offset);
}

double reach_of(DType type) { return type == DType::kInt16 ? 12000 : 48; }

graph::TensorId GraphMaker::add(graph::Tensor tensor) {
  tensor.name = fmt::format("t{}", graph_.tensors.size());
  graph_.tensors.push_back(std::move(tensor));
  return static_cast<graph::TensorId>(graph_.tensors.size() - 1);
}

graph::TensorId GraphMaker::activation(DType type, Shape shape, Affine q) {
  graph::Tensor t;
  t.type = type;
  t.shape = std::move(shape);
  if (!is_float(type)) t.quantization = graph::Quantization{{q.scale}, {q.zero_point}, 0};
  return add(std::move(t));
}

graph::TensorId GraphMaker::input(DType type, Shape shape, Affine q) {
  const graph::TensorId id = activation(type, std::move(shape), q);
  graph_.inputs.push_back(id);
  return id;
}

graph::TensorId GraphMaker::constant(DType type, Shape shape, std::optional<graph::Quantization> q,
                                     std::vector<std::byte> data) {
  graph::Tensor t;
  t.type = type;
  t.shape = std::move(shape);
  t.quantization = std::move(q);
  t.data = std::move(data);
  t.is_constant = true;
  return add(std::move(t));
}

graph::TensorId GraphMaker::state(DType type, Shape shape, Affine q) {
  const graph::TensorId id = activation(type, std::move(shape), q);
  graph_.tensors[static_cast<std::size_t>(id)].is_variable = true;
  return id;
}

void GraphMaker::node(graph::OpKind kind, std::vector<graph::TensorId> inputs,
                      std::vector<graph::TensorId> outputs, graph::Attrs attrs) {
  const auto index = static_cast<int>(graph_.nodes.size());
  graph_.nodes.push_back({kind, std::move(inputs), std::move(outputs), std::move(attrs), index});
}

graph::Graph GraphMaker::finish(std::vector<graph::TensorId> outputs) {
  graph_.outputs = std::move(outputs);
  graph::verify(graph_);
  return std::move(graph_);
}

}  // namespace npu::test
