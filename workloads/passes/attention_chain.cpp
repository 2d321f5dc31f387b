#include "workloads/passes/attention_chain.h"

#include <cmath>

#include "workloads/passes/float_constants.h"

namespace npu::passes {
namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::Tensor;
using graph::TensorId;

constexpr int kMaxSteps = 16;  ///< From one product to the SOFTMAX, and on the way to q or k.

/// An operand of a MAP times a constant.
struct Scaling {
  std::size_t operand = 0;
  double factor = 1;
};

bool is_plain_float(const Tensor& t) { return is_float(t.type) && !t.quantization.has_value(); }

std::optional<Scaling> scaling_of(const Graph& graph, const Node& node) {
  if (node.kind != OpKind::kMap) return std::nullopt;
  const auto& attrs = std::get<graph::MapAttrs>(node.attrs);
  const bool divides = attrs.function == MapFunction::kDiv;
  if (!divides && attrs.function != MapFunction::kMul) return std::nullopt;
  std::size_t operand = 0;
  std::optional<float> constant;
  if (node.inputs.size() == 1) {
    constant = static_cast<float>(attrs.imm0);
  } else {
    constant = constant_float(graph.tensor(node.inputs[1]));
    if (!constant && !divides) {
      operand = 1;
      constant = constant_float(graph.tensor(node.inputs[0]));
    }
  }
  const Shape& shape = graph.tensor(node.outputs[0]).shape;
  const Tensor& x = graph.tensor(node.inputs[operand]);
  if (!constant || !is_plain_float(x) || x.shape != shape) return std::nullopt;
  const double value = static_cast<double>(*constant);
  if (!std::isfinite(value) || value == 0) return std::nullopt;
  return Scaling{operand, divides ? 1 / value : value};
}

bool is_conversion(const Graph& graph, const Node& node) {
  return node.kind == OpKind::kMap && node.inputs.size() == 1 &&
         std::get<graph::MapAttrs>(node.attrs).function == MapFunction::kCopy &&
         is_plain_float(graph.tensor(node.inputs[0])) &&
         is_plain_float(graph.tensor(node.outputs[0]));
}

/// RESHAPE that keeps the last dimension.
bool regroups_rows(const Graph& graph, const Node& node) {
  if (node.kind != OpKind::kReshape) return false;
  const Shape& x = graph.tensor(node.inputs[0]).shape;
  const Shape& y = graph.tensor(node.outputs[0]).shape;
  return !x.empty() && !y.empty() && x.back() == y.back();
}

bool is_plain_product(const Node& node) {
  return node.kind == OpKind::kMatMul &&
         (node.inputs.size() < 3 || node.inputs[2] == graph::kAbsent) &&
         std::get<graph::MatMulAttrs>(node.attrs).activation == graph::Activation::kNone;
}

class Matcher {
 public:
  Matcher(const Graph& graph, const Uses& uses) : graph_(graph), uses_(uses) {}

  std::optional<AttentionChain> match(std::size_t softmax) {
    chain_.softmax = softmax;
    const Node& node = graph_.nodes[softmax];
    const double beta = static_cast<double>(std::get<graph::SoftmaxAttrs>(node.attrs).beta);
    if (!(beta > 0) || !std::isfinite(beta)) return std::nullopt;
    chain_.scale = beta;
    if (!climb(node.inputs[0], kMaxSteps) || !descend(node.outputs[0])) return std::nullopt;
    const Node& product = graph_.nodes[chain_.scores];
    chain_.scale *= static_cast<double>(std::get<graph::MatMulAttrs>(product.attrs).scale);
    if (!types_fit()) return std::nullopt;
    for (const std::size_t operand : {0U, 1U}) take_scales(product.inputs[operand]);
    const float scale = static_cast<float>(chain_.scale);
    return std::isnormal(scale) ? std::optional(chain_) : std::nullopt;
  }

 private:
  /// From the scores `id` up to the product that makes them.
  bool climb(TensorId id, int steps) {
    const std::size_t n = uses_.producer(id);
    if (steps == 0 || n == Uses::kNone || uses_.only_reader(id) == Uses::kNone) return false;
    const Node& node = graph_.nodes[n];
    if (is_plain_product(node)) {
      chain_.scores = n;
      return true;
    }
    if (regroups_rows(graph_, node) || is_conversion(graph_, node))
      return climb(node.inputs[0], steps - 1);
    if (const std::optional<Scaling> scaling = scaling_of(graph_, node)) {
      chain_.scale *= scaling->factor;
      return climb(node.inputs[scaling->operand], steps - 1);
    }
    if (node.kind != OpKind::kMap) return false;
    const MapFunction function = std::get<graph::MapAttrs>(node.attrs).function;
    if (function == MapFunction::kAdd && node.inputs.size() == 2) {
      return climb_mask(n, {.node = n, .mask = node.inputs[1], .after = chain_.scale}, 0, steps) ||
             climb_mask(n, {.node = n, .mask = node.inputs[0], .after = chain_.scale}, 1, steps);
    }
    if (function != MapFunction::kSelect) return false;
    for (const std::size_t scores : {1U, 2U}) {
      const std::optional<float> fill = constant_float(graph_.tensor(node.inputs[3 - scores]));
      if (fill && climb_mask(n,
                             {.node = n,
                              .mask = node.inputs[0],
                              .is_select = true,
                              .hides_where_true = scores == 2,
                              .fill = *fill,
                              .after = chain_.scale},
                             scores, steps)) {
        return true;
      }
    }
    return false;
  }

  /// Through the mask, with the scores as operand `scores`.
  bool climb_mask(std::size_t n, const MaskStep& mask, std::size_t scores, int steps) {
    const Node& node = graph_.nodes[n];
    const TensorId x = node.inputs[scores];
    if (graph_.tensor(x).shape != graph_.tensor(node.outputs[0]).shape) return false;
    const AttentionChain before = chain_;
    chain_.masks.push_back(mask);
    if (climb(x, steps - 1)) return true;
    chain_ = before;
    return false;
  }

  /// From the weights `id` down to the product that takes them.
  bool descend(TensorId id) {
    for (int step = 0; step < kMaxSteps; ++step) {
      const std::size_t n = uses_.only_reader(id);
      if (n == Uses::kNone) return false;
      const Node& node = graph_.nodes[n];
      if (node.kind == OpKind::kMatMul) {
        const auto& attrs = std::get<graph::MatMulAttrs>(node.attrs);
        chain_.output = n;
        return is_plain_product(node) && node.inputs[0] == id && !attrs.transpose_b &&
               attrs.scale == 1.0F;
      }
      if (!regroups_rows(graph_, node) && !is_conversion(graph_, node)) return false;
      id = node.outputs[0];
    }
    return false;
  }

  /// Operands of one float type; what is between them of that or of float32.
  [[nodiscard]] bool types_fit() const {
    const Node& product = graph_.nodes[chain_.scores];
    const Node& sum = graph_.nodes[chain_.output];
    const DType type = graph_.tensor(product.inputs[0]).type;
    for (const TensorId id : {product.inputs[0], product.inputs[1], sum.inputs[1]}) {
      if (!is_plain_float(graph_.tensor(id)) || graph_.tensor(id).type != type) return false;
    }
    const auto fits = [&](TensorId id) {
      const Tensor& t = graph_.tensor(id);
      return is_plain_float(t) && (t.type == type || t.type == DType::kFloat32);
    };
    // Between the products every node has one result, which the next one reads.
    for (std::size_t n = chain_.scores; n != chain_.output;) {
      const TensorId y = graph_.nodes[n].outputs[0];
      if (!fits(y)) return false;
      n = uses_.only_reader(y);
    }
    return is_plain_float(graph_.tensor(sum.outputs[0]));
  }

  /// Scalings on the way to an operand of the product, seen through moves.
  void take_scales(TensorId id) {
    for (int step = 0; step < kMaxSteps; ++step) {
      const std::size_t n = uses_.producer(id);
      if (n == Uses::kNone || uses_.only_reader(id) == Uses::kNone) return;
      const Node& node = graph_.nodes[n];
      if (node.kind == OpKind::kReshape || node.kind == OpKind::kTranspose) {
        id = node.inputs[0];
        continue;
      }
      const std::optional<Scaling> scaling = scaling_of(graph_, node);
      if (!scaling) return;
      const TensorId x = node.inputs[scaling->operand];
      if (graph_.tensor(x).type != graph_.tensor(id).type) return;
      chain_.scale *= scaling->factor;
      chain_.operand_scales.push_back({n, scaling->operand});
      id = x;
    }
  }

  const Graph& graph_;
  const Uses& uses_;
  AttentionChain chain_;
};

}  // namespace

std::optional<AttentionChain> match_attention(const Graph& graph, const Uses& uses,
                                              std::size_t softmax) {
  return Matcher(graph, uses).match(softmax);
}

}  // namespace npu::passes
