#include <cmath>
#include <set>
#include <vector>

#include "workloads/graph/node_rules.h"

namespace npu::graph {
namespace {

constexpr std::int64_t kMaxMacs = std::int64_t{1} << 56;  ///< Of a network; keeps sums in 64 bits.

/// Integer types that stand for real numbers.
bool is_quantized_type(DType type) {
  return type == DType::kInt8 || type == DType::kUint8 || type == DType::kInt16;
}

void check_index(const Graph& graph, TensorId id, const std::string& where) {
  if (id < 0 || static_cast<std::size_t>(id) >= graph.tensors.size()) {
    fail("{}: tensor index {} is out of range, the graph has {} tensors", where, id,
         graph.tensors.size());
  }
}

void check_shape_bounds(const Graph& graph, TensorId id) {
  const Tensor& t = graph.tensor(id);
  if (t.shape.size() > kMaxRank) {
    fail("tensor #{} `{}`: rank must be at most {}, got {}", id, t.name, kMaxRank, t.shape.size());
  }
  std::int64_t bytes = size_of(t.type);
  for (const std::int64_t d : t.shape) {
    if (d < 1)
      fail("tensor #{} `{}`: sizes must be at least 1, got {}", id, t.name, to_string(t.shape));
    if (d > kMaxTensorBytes / bytes) {
      fail("tensor #{} `{}`: more than 2^31 bytes, shape {}", id, t.name, to_string(t.shape));
    }
    bytes *= d;
  }
}

void check_quantization(const Graph& graph, TensorId id) {
  const Tensor& t = graph.tensor(id);
  if (!t.quantization.has_value()) return;
  const Quantization& q = *t.quantization;
  const auto where = [&] { return fmt::format("tensor #{} `{}`", id, t.name); };
  if (q.scale.empty()) fail("{}: quantization without a scale", where());
  if (q.zero_point.size() != q.scale.size()) {
    fail("{}: {} zero points for {} scales", where(), q.zero_point.size(), q.scale.size());
  }
  if (q.per_channel()) {
    const auto axis = static_cast<std::size_t>(q.axis);
    if (q.axis < 0 || axis >= t.shape.size()) {
      fail("{}: quantized dimension {} is out of range for shape {}", where(), q.axis,
           to_string(t.shape));
    }
    if (t.shape[axis] != static_cast<std::int64_t>(q.scale.size())) {
      fail("{}: {} scales along dimension {} of shape {}", where(), q.scale.size(), q.axis,
           to_string(t.shape));
    }
  }
  if (!is_quantized_type(t.type)) return;
  for (const float scale : q.scale) {
    // The bounds keep products and quotients of two scales normal numbers in float32.
    if (!(scale >= 0x1p-60F && scale <= 0x1p60F)) {
      fail("{}: scale must be positive and between 2^-60 and 2^60, got {}", where(), scale);
    }
  }
  std::int32_t low = 0;
  std::int32_t high = 0;
  if (t.type == DType::kInt8) low = -128, high = 127;
  if (t.type == DType::kUint8) high = 255;
  if (t.type == DType::kInt16) low = -32768, high = 32767;
  for (const std::int32_t zero_point : q.zero_point) {
    if (zero_point < low || zero_point > high) {
      fail("{}: zero point must be in [{}, {}] for {}, got {}", where(), low, high, name_of(t.type),
           zero_point);
    }
  }
}

void check_tensor(const Graph& graph, TensorId id, Payload payload) {
  check_shape_bounds(graph, id);
  check_quantization(graph, id);
  const Tensor& t = graph.tensor(id);
  const auto size = static_cast<std::int64_t>(t.data.size());
  const bool may_be_absent = payload == Payload::kOptional && size == 0;
  if (t.is_constant && size != t.bytes() && !may_be_absent) {
    fail("tensor #{} `{}`: constant of {} bytes for {}{}, which needs {}", id, t.name, size,
         name_of(t.type), to_string(t.shape), t.bytes());
  }
  if (!t.is_constant && size != 0) {
    fail("tensor #{} `{}`: {} bytes of data in a tensor that is not constant", id, t.name, size);
  }
  if (t.is_constant && t.is_variable) {
    fail("tensor #{} `{}`: both constant and variable", id, t.name);
  }
}

/// Tracks which tensors have a value, in execution order.
class Order {
 public:
  Order(const Graph& graph, Payload payload)
      : graph_(graph),
        payload_(payload),
        known_(graph.tensors.size()),
        checked_(graph.tensors.size()) {}

  void add_inputs() {
    for (const TensorId id : graph_.inputs) {
      check(id, "graph inputs");
      const Tensor& t = graph_.tensor(id);
      if (t.is_constant || t.is_variable) {
        fail("graph inputs: {} is {}", describe_tensor(graph_, id),
             t.is_constant ? "a constant" : "a variable");
      }
      if (known_[static_cast<std::size_t>(id)]) {
        fail("graph inputs: {} is listed twice", describe_tensor(graph_, id));
      }
      known_[static_cast<std::size_t>(id)] = true;
      is_input_.insert(id);
    }
  }

  void add(const Node& node) {
    const std::string where = describe(node);
    for (const TensorId id : node.inputs) {
      if (id == kAbsent) continue;
      check(id, where);
      const Tensor& t = graph_.tensor(id);
      if (t.is_variable) {
        if (node.kind != OpKind::kSvdf || node.inputs.size() != 5 || node.inputs[4] != id) {
          fail("{}: {} is a variable, only SVDF has a state", where, describe_tensor(graph_, id));
        }
        if (!states_.insert(id).second) {
          fail("{}: {} is the state of two operators", where, describe_tensor(graph_, id));
        }
      } else if (!t.is_constant && !known_[static_cast<std::size_t>(id)]) {
        fail("{}: {} is read before any operator writes it", where, describe_tensor(graph_, id));
      }
    }
    for (const TensorId id : node.outputs) {
      check(id, where);
      const Tensor& t = graph_.tensor(id);
      if (t.is_constant || t.is_variable) {
        fail("{}: writes {}, {}", where, describe_tensor(graph_, id),
             t.is_constant ? "a constant" : "a variable");
      }
      if (known_[static_cast<std::size_t>(id)]) {
        fail("{}: {} is written twice", where, describe_tensor(graph_, id));
      }
      known_[static_cast<std::size_t>(id)] = true;
    }
  }

  void check_outputs() const {
    std::set<TensorId> seen;
    for (const TensorId id : graph_.outputs) {
      check_index(graph_, id, "graph outputs");
      if (!known_[static_cast<std::size_t>(id)] || is_input_.count(id) != 0) {
        fail("graph outputs: {} is written by no operator", describe_tensor(graph_, id));
      }
      if (!seen.insert(id).second) {
        fail("graph outputs: {} is listed twice", describe_tensor(graph_, id));
      }
    }
  }

 private:
  void check(TensorId id, const std::string& where) {
    check_index(graph_, id, where);
    if (checked_[static_cast<std::size_t>(id)]) return;
    check_tensor(graph_, id, payload_);
    checked_[static_cast<std::size_t>(id)] = true;
  }

  const Graph& graph_;
  Payload payload_;
  std::vector<bool> known_, checked_;
  std::set<TensorId> is_input_, states_;
};

}  // namespace

std::string describe_tensor(const Graph& graph, TensorId id) {
  const Tensor& t = graph.tensor(id);
  return fmt::format("tensor #{} `{}` {}{}", id, t.name, name_of(t.type), to_string(t.shape));
}

void check_node(const NodeView& view) {
  check_operands(view);
  for (const std::vector<TensorId>& ids : {view.node.inputs, view.node.outputs}) {
    for (const TensorId id : ids) {
      if (id != kAbsent) check_tensor(view.graph, id, Payload::kOptional);
    }
  }
  check_shapes(view);
  check_types(view);
}

void verify(const Graph& graph, Payload payload) {
  if (graph.nodes.empty()) fail("the graph has no operators");
  if (graph.inputs.empty()) fail("the graph has no inputs");
  if (graph.outputs.empty()) fail("the graph has no outputs");
  Order order(graph, payload);
  order.add_inputs();
  std::int64_t macs = 0;
  for (const Node& node : graph.nodes) {
    const NodeView view{graph, node};
    check_operands(view);
    order.add(node);
    check_shapes(view);
    check_types(view);
    macs += mac_count(graph, node);
    view.require(mac_count(graph, node) <= kMaxMacs && macs <= kMaxMacs,
                 "the network has more than 2^56 multiply-accumulates");
  }
  order.check_outputs();
}

}  // namespace npu::graph
