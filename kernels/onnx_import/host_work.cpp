#include "kernels/onnx_import/host_work.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace npu::onnx_import {
namespace {

/// Operators of matrix products and where their operands are.
struct ProductOperator {
  std::string_view name;
  std::size_t a, b;
};
constexpr std::array kMatrixProducts = {
    ProductOperator{"MatMul", 0, 1}, ProductOperator{"MatMulInteger", 0, 1},
    ProductOperator{"QLinearMatMul", 0, 3}, ProductOperator{"Gemm", 0, 1}};
constexpr std::array kConvolutions = {ProductOperator{"Conv", 0, 1},
                                      ProductOperator{"ConvInteger", 0, 1},
                                      ProductOperator{"QLinearConv", 0, 3}};

const ProductOperator* find(std::span<const ProductOperator> operators, std::string_view name) {
  const auto it = std::ranges::find(operators, name, &ProductOperator::name);
  return it == operators.end() ? nullptr : &*it;
}

}  // namespace

HostWork host_work(const Network& network, std::size_t index) {
  const onnx::Node& node = network.model.graph.nodes.at(index);
  HostWork work;
  std::int64_t in = 0;
  std::int64_t out = 0;
  for (const auto* names : {&node.inputs, &node.outputs}) {
    for (const std::string& name : *names) {
      if (name.empty()) continue;
      const ValueType& type = network.type(name);
      const std::int64_t count = element_count(type.shape);
      (names == &node.inputs ? in : out) += count;
      work.bytes += count * onnx::bytes_of(type.type);
    }
  }
  work.elements = std::max(in, out);
  const auto shape = [&](std::size_t input) -> const Shape& {
    return network.type(node.inputs.at(input)).shape;
  };
  const std::int64_t results = node.outputs.empty() || node.outputs[0].empty()
                                   ? 0
                                   : element_count(network.type(node.outputs[0]).shape);
  if (const auto* product = find(kMatrixProducts, node.op_type); product != nullptr) {
    // m·n results of k products each; a has m·k elements, or k alone.
    const Shape& b = shape(product->b);
    const std::int64_t n = b.size() < 2 ? 1 : b.back();
    const std::int64_t columns =
        node.op_type == "Gemm" ? network.type(node.outputs[0]).shape.back() : n;
    const std::int64_t per_matrix = b.size() < 2 ? element_count(b) : b[b.size() - 2] * b.back();
    work.macs = columns == 0 ? 0 : results * (per_matrix / columns);
  } else if (const auto* conv = find(kConvolutions, node.op_type); conv != nullptr) {
    const Shape& w = shape(conv->b);
    work.macs = w.empty() || w[0] == 0 ? 0 : results * (element_count(w) / w[0]);
  } else if (node.op_type == "ConvTranspose") {
    const Shape& w = shape(1);
    work.macs = w.empty() || w[0] == 0 ? 0 : element_count(shape(0)) * (element_count(w) / w[0]);
  }
  return work;
}

}  // namespace npu::onnx_import
