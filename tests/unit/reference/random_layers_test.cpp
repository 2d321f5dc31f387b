// Random layers of every operator and type: the integer reference has them, and differs from the
// float one by rounding only.
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

#include "kernels/reference/invocation.h"
#include "kernels/reference/reference.h"
#include "tests/support/random_graph.h"

namespace npu::reference {
namespace {

using graph::OpKind;

/// Largest distance in output steps between the integer and the float result.
double distance(const graph::Graph& graph, const std::vector<TensorData>& inputs) {
  const auto id = static_cast<std::size_t>(graph.outputs.at(0));
  const graph::Tensor& y = graph.tensors.at(id);
  const std::vector<std::int32_t> q =
      load_integers(run_integer(graph, inputs).tensors.at(id), y.quantization->zero_point.at(0));
  const TensorData real = run_float(graph, inputs).tensors.at(id);
  double largest = 0;
  for (std::size_t i = 0; i < q.size(); ++i) {
    const double steps =
        static_cast<double>(real.as<float>()[i]) / static_cast<double>(y.quantization->scale.at(0));
    largest = std::max(largest, std::fabs(steps - q[i]));
  }
  return largest;
}

/// An int8 SVDF state wraps where its zero point takes a clamped feature out of the range.
bool may_wrap(const graph::Graph& graph) {
  const graph::Node& node = graph.nodes.at(0);
  if (node.kind != OpKind::kSvdf) return false;
  return graph.tensor(node.inputs.at(4)).quantization->zero_point.at(0) != 0;
}

TEST(RandomLayers, IntegerAndFloatDifferByRounding) {
  std::mt19937_64 rng(20240611);
  int compared = 0;
  std::set<std::string> absent;
  for (int kind = 0; kind <= static_cast<int>(OpKind::kSvdf); ++kind) {
    const auto op = static_cast<OpKind>(kind);
    for (const DType type : npu::test::layer_types(op)) {
      // Two roundings of an 8-bit result; the 16-bit multiplier of int16 results is good to 2^-16
      // of the range.
      double limit = type == DType::kInt16 ? 1.5 : 0.8;
      // The argument's 15-bit multiplier is truncated, 2^-14 · 2^15 · (x · tanh'(x) < 0.45), and
      // the samples are good to 1.2 steps.
      if (op == OpKind::kTanh && type == DType::kInt16) limit = 3.0;
      for (int i = 0; i < 25; ++i) {
        const graph::Graph graph = npu::test::random_layer(rng, op, type);
        const std::vector<TensorData> inputs = npu::test::random_inputs(rng, graph);
        // exp(0) is 6 short of 1, and every term adds up to 2 to the sum of a row.
        if (op == OpKind::kSoftmax && type == DType::kInt16)
          limit = 8.0 + 2.0 * static_cast<double>(graph.tensors.at(0).shape.back());
        const std::string name = std::string(graph::name_of(op)) + " " + std::string(name_of(type));
        if (!has_integer(graph, graph.nodes.at(0))) {
          absent.insert(name);
        } else if (!may_wrap(graph)) {
          ++compared;
          EXPECT_LT(distance(graph, inputs), limit) << name << " " << i;
        }
      }
    }
  }
  EXPECT_GT(compared, 1500);
  EXPECT_EQ(absent, std::set<std::string>{});
}

}  // namespace
}  // namespace npu::reference
