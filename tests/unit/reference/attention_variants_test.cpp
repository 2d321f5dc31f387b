// Fused and unfused ATTENTION of the reference: how far their roundings may take them apart.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/reference/reference.h"
#include "sim/base/half.h"
#include "tests/support/random_graph.h"

namespace npu::reference {
namespace {

/// Half of the distance of neighbouring values near 1; 0 for types that are not narrower than fp32.
double unit_roundoff(DType type) {
  if (type == DType::kFloat16) return 0x1p-11;
  return type == DType::kBfloat16 ? 0x1p-8 : 0;
}

template <typename T>
std::vector<double> elements(const TensorData& data) {
  const auto all = data.as<T>();
  return {all.begin(), all.end()};
}
std::vector<double> to_doubles(const TensorData& data) {
  if (data.type == DType::kInt8) return elements<std::int8_t>(data);
  if (data.type == DType::kUint8) return elements<std::uint8_t>(data);
  if (data.type == DType::kFloat32) return elements<float>(data);
  std::vector<double> out;
  for (const std::uint16_t bits : data.as<std::uint16_t>()) {
    const bool is_half = data.type == DType::kFloat16;
    out.push_back(static_cast<double>(is_half ? half_to_float(bits) : bfloat_to_float(bits)));
  }
  return out;
}

double largest(const TensorData& values, const graph::Tensor& tensor) {
  double most = 0;
  const std::int64_t zero = tensor.quantization ? tensor.quantization->zero_point[0] : 0;
  const double scale = tensor.quantization ? static_cast<double>(tensor.quantization->scale[0]) : 1;
  for (const double element : to_doubles(values)) {
    most = std::max(most, std::abs(element - static_cast<double>(zero)) * scale);
  }
  return most;
}

/// The bound of docs/numerics.md.
double bound(const graph::Graph& graph, std::int64_t block, std::int64_t softmax_block,
             double v_most) {
  const graph::Node& node = graph.nodes[0];
  const graph::Tensor& v = graph.tensor(node.inputs[2]);
  const graph::Tensor& y = graph.tensor(node.outputs[0]);
  const auto keys = static_cast<double>(v.shape[2]);
  const double blocks = std::ceil(keys / static_cast<double>(block));
  double share = (634 + 4 * keys + 6 * blocks) * 0x1p-24 + 3 * unit_roundoff(v.type);
  if (softmax_block > 0)
    share += (208 + 2 * std::ceil(keys / static_cast<double>(softmax_block))) * 0x1p-24;
  if (v.type == DType::kFloat16) share += keys * 0x1p-24;
  if (!is_float(v.type)) share += keys / 255;
  share = 1.05 * share + 2 * unit_roundoff(y.type);
  return share * v_most +
         (y.quantization ? 1.001 * static_cast<double>(y.quantization->scale[0]) : 0);
}

class AttentionVariants : public testing::TestWithParam<std::uint64_t> {};

TEST_P(AttentionVariants, DifferByTheirRoundingsOnly) {
  for (std::uint64_t i = 0; i < 25; ++i) {
    const std::uint64_t seed = GetParam() * 25 + i;
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 rng(seed);
    graph::Graph graph = test::random_attention(rng, i % 5 == 0 ? 70 : 14);
    const std::vector<TensorData> inputs = test::random_inputs(rng, graph);
    const graph::Node& node = graph.nodes[0];
    const auto out = static_cast<std::size_t>(node.outputs[0]);
    const std::int64_t keys = graph.tensor(node.inputs[2]).shape[2];
    const auto any_block = [&] {
      return 1 + static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(keys));
    };
    const std::int64_t block = any_block();
    auto& attrs = std::get<graph::AttentionAttrs>(graph.nodes[0].attrs);
    if (i % 2 == 0) attrs.softmax_block = any_block();
    const auto unfused = run_integer(graph, inputs).tensors.at(out);
    attrs.key_block = block;
    const auto fused = run_integer(graph, inputs).tensors.at(out);

    const graph::Tensor& y = graph.tensor(node.outputs[0]);
    const double scale = y.quantization ? static_cast<double>(y.quantization->scale[0]) : 1;
    const double limit = bound(graph, block, attrs.softmax_block,
                               largest(inputs.at(2), graph.tensor(node.inputs[2])));
    const std::vector<double> a = to_doubles(unfused);
    const std::vector<double> b = to_doubles(fused);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t e = 0; e < a.size(); ++e) {
      if (std::isnan(a[e]) && std::isnan(b[e])) continue;  // A row that sees no key.
      ASSERT_LE(std::abs(a[e] - b[e]) * scale, limit)
          << "element " << e << " in blocks of " << block;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, AttentionVariants, testing::Range<std::uint64_t>(0, 12));

}  // namespace
}  // namespace npu::reference
