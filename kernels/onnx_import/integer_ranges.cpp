#include "kernels/onnx_import/integer_ranges.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx_import {
namespace {

using onnx::Node;
using std::int64_t;

constexpr int64_t kFar = int64_t{1} << 53;  ///< Bounds beyond this are no bounds.
constexpr Range kInt8 = {-128, 127};

/// Thrown where a value has no range.
struct Unbounded {};

Range checked(double low, double high) {
  if (!(low >= -static_cast<double>(kFar) && high <= static_cast<double>(kFar))) throw Unbounded{};
  return {static_cast<int64_t>(low), static_cast<int64_t>(high)};
}

Range hull(const Range& a, const Range& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

Range product(const Range& a, const Range& b) {
  const std::array<double, 4> corners = {static_cast<double>(a.low) * static_cast<double>(b.low),
                                         static_cast<double>(a.low) * static_cast<double>(b.high),
                                         static_cast<double>(a.high) * static_cast<double>(b.low),
                                         static_cast<double>(a.high) * static_cast<double>(b.high)};
  return checked(*std::min_element(corners.begin(), corners.end()),
                 *std::max_element(corners.begin(), corners.end()));
}

Range of_constant(const onnx::Value& value) {
  if (value.size() == 0) return {0, 0};
  Range range = {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
  for (const double e : to_doubles(value)) {
    if (e != std::floor(e)) throw Unbounded{};
    range = hull(range, checked(e, e));
  }
  return range;
}

class Ranging {
 public:
  Ranging(const Network& network, Ranges ranges) : network_(network), ranges_(std::move(ranges)) {}

  Ranges run() {
    for (const onnx::ValueInfo& input : network_.model.graph.inputs) {
      ranges_.emplace(input.name, kInt8);
    }
    for (const Node& node : network_.model.graph.nodes) {
      const Range range = of_node(node);
      for (const std::string& name : node.outputs) ranges_.insert_or_assign(name, range);
    }
    return std::move(ranges_);
  }

 private:
  /// What a call's attributes say.
  [[nodiscard]] static int64_t number(const onnx::Call& call, const Node& node,
                                      std::string_view name) {
    const auto it = node.attributes.find(name);
    if (it == node.attributes.end()) throw Unbounded{};
    if (const auto* integer = std::get_if<int64_t>(&it->second)) return *integer;
    const onnx::Value& value = call.tensor(name);
    if (value.size() != 1) throw Unbounded{};
    return static_cast<int64_t>(to_doubles(value)[0]);
  }

  [[nodiscard]] Range in(const Node& node, std::size_t i) {
    const std::string& name = node.inputs.at(i);
    if (const auto it = ranges_.find(name); it != ranges_.end()) return it->second;
    const onnx::Value* constant = network_.constant(name);
    if (constant == nullptr) throw Unbounded{};
    return ranges_.emplace(name, of_constant(*constant)).first->second;
  }

  /// Sums of products of x with the columns of constant weights: elements of column c at
  /// weights[c·column + k·step], k < depth. Padding adds 0.
  [[nodiscard]] static Range sums(const Range& x, const std::vector<double>& weights,
                                  int64_t columns, int64_t column, int64_t step, int64_t depth) {
    double low = 0;
    double high = 0;
    for (int64_t c = 0; c < columns; ++c) {
      double least = 0;
      double most = 0;
      for (int64_t k = 0; k < depth; ++k) {
        const double w = weights[static_cast<std::size_t>(c * column + k * step)];
        const double a = w * static_cast<double>(x.low);
        const double b = w * static_cast<double>(x.high);
        least += std::min({a, b, 0.0});
        most += std::max({a, b, 0.0});
      }
      low = std::min(low, least);
      high = std::max(high, most);
    }
    return checked(low, high);
  }

  [[nodiscard]] Range convolution(const Node& node) {
    const onnx::Value* w = network_.constant(node.inputs.at(1));
    if (w == nullptr) throw Unbounded{};
    (void)in(node, 1);
    const int64_t depth = w->size() / w->shape.at(0);
    Range y = sums(in(node, 0), to_doubles(*w), w->shape[0], depth, 1, depth);
    if (node.inputs.size() > 2 && !node.inputs[2].empty()) y = sum(y, in(node, 2));
    return y;
  }

  [[nodiscard]] Range matmul(const Node& node, bool transposed) {
    const Range a = in(node, 0);
    const Range b = in(node, 1);
    const onnx::Value* w = network_.constant(node.inputs.at(1));
    if (w != nullptr && w->shape.size() == 2) {
      const int64_t depth = w->shape[transposed ? 1 : 0];
      const int64_t columns = w->shape[transposed ? 0 : 1];
      return transposed ? sums(a, to_doubles(*w), columns, depth, 1, depth)
                        : sums(a, to_doubles(*w), columns, 1, columns, depth);
    }
    const int64_t depth = network_.type(node.inputs.at(0)).shape.back();
    return product(product(a, b), {0, depth});
  }

  [[nodiscard]] static Range sum(const Range& a, const Range& b) {
    return checked(static_cast<double>(a.low) + static_cast<double>(b.low),
                   static_cast<double>(a.high) + static_cast<double>(b.high));
  }

  [[nodiscard]] Range of_node(const Node& node) {
    const onnx::Call call(node, 1, {});
    const std::string& op = node.op_type;
    const auto is = [&](std::initializer_list<std::string_view> names) {
      return std::find(names.begin(), names.end(), op) != names.end();
    };
    if (is({"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Gather", "MaxPool",
            "Split", "Expand", "Tile"})) {
      return in(node, 0);
    }
    if (is({"IntegerMean"})) return hull(in(node, 0), {0, 0});
    if (is({"Pad", "Relu"})) return hull(in(node, 0), {0, 0});
    if (is({"Concat"})) {
      Range all = in(node, 0);
      for (std::size_t i = 1; i < node.inputs.size(); ++i) all = hull(all, in(node, i));
      return all;
    }
    if (is({"Add"})) return sum(in(node, 0), in(node, 1));
    if (is({"Mul"})) return product(in(node, 0), in(node, 1));
    if (is({"Conv"})) return convolution(node);
    if (is({"MatMul"})) return matmul(node, false);
    if (is({"Gemm"})) {
      const Range y = matmul(node, call.integer("transB", 0) != 0);
      return node.inputs.size() > 2 ? sum(y, in(node, 2)) : y;
    }
    return of_integer_operator(node, call);
  }

  [[nodiscard]] Range of_integer_operator(const Node& node, const onnx::Call& call) {
    const std::string& op = node.op_type;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) (void)in(node, i);
    const auto attribute = [&](std::string_view name) { return number(call, node, name); };
    if (op == "RequantShift") {
      const int64_t n = attribute("n_levels_out");
      return attribute("signed") != 0 ? Range{-(n / 2), n / 2 - 1} : Range{0, n - 1};
    }
    if (op == "iLayerNorm" || op == "iRMSNorm") {
      const int64_t n = attribute("n_levels");
      return {-(n / 2), n / 2 - 1};
    }
    if (op == "iSoftmax" || op == "ITAMax") return {0, attribute("n_levels") - 1};
    if (op == "TrueIntegerDiv") {
      const auto eta = static_cast<double>(attribute("eta"));
      const double factor =
          static_cast<double>(attribute("Delta")) * eta /
          (static_cast<double>(attribute("y")) * eta + static_cast<double>(attribute("eps")));
      const Range bound = checked(0, std::ceil(factor));
      return product(in(node, 0), bound);
    }
    if (op == "iHardswish") {
      const int64_t factor = attribute("one_over_six") * attribute("six");
      return product(in(node, 0), hull({0, 0}, {factor, factor}));
    }
    if (op == "iGELU") {
      const int64_t one = std::abs(attribute("one"));
      const int64_t b = attribute("b");
      const int64_t most = one + b * b;
      return product(in(node, 0), {-most, most});
    }
    throw Unbounded{};
  }

  const Network& network_;
  Ranges ranges_;
};

}  // namespace

bool is_integer_network(const onnx::Graph& graph) {
  constexpr std::array<std::string_view, 9> kOperators = {
      "ITAMax",     "IntegerMean", "RequantShift", "TrueIntegerDiv", "iGELU",
      "iHardswish", "iLayerNorm",  "iRMSNorm",     "iSoftmax"};
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
    return node.domain.empty() &&
           std::find(kOperators.begin(), kOperators.end(), node.op_type) != kOperators.end();
  });
}

Ranges integer_ranges(const Network& network, const Ranges& inputs) {
  try {
    return Ranging(network, inputs).run();
  } catch (const Unbounded&) {
    return {};
  }
}

std::optional<DType> storage_of(const Range& range) {
  if (range.low >= -128 && range.high <= 127) return DType::kInt8;
  if (range.low >= 0 && range.high <= 255) return DType::kUint8;
  constexpr int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (range.low >= -kMost && range.high <= kMost) return DType::kInt32;
  return std::nullopt;
}

}  // namespace npu::onnx_import
