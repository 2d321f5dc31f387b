#include "kernels/onnx_reference/legacy.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

constexpr std::int64_t kOpsetOfBroadcasting = 7;
constexpr std::array<std::string_view, 12> kOperators = {
    "Add", "And", "Div", "Equal", "Gemm", "Greater", "Less", "Mul", "Or", "Pow", "Sub", "Xor"};

}  // namespace

bool has_legacy_broadcast(const Node& node, std::int64_t opset) {
  return opset < kOpsetOfBroadcasting && node.domain.empty() &&
         (node.attributes.contains("broadcast") || node.attributes.contains("axis")) &&
         std::find(kOperators.begin(), kOperators.end(), node.op_type) != kOperators.end();
}

Node without_legacy_broadcast(Node node) {
  node.attributes.erase("broadcast");
  node.attributes.erase("axis");
  return node;
}

Shape legacy_shape(const Node& node, const Shape& a, const Shape& b) {
  const auto it = node.attributes.find("axis");
  if (it == node.attributes.end() || node.op_type == "Gemm") return b;
  const auto* axis = std::get_if<std::int64_t>(&it->second);
  if (axis == nullptr) fail("attribute \"axis\" has the wrong type");
  const std::size_t first = resolve_axis(*axis, static_cast<std::int64_t>(a.size()));
  if (first + b.size() > a.size()) {
    fail("{} does not lie along axis {} of {}", to_string(b), *axis, to_string(a));
  }
  Shape shape = b;
  shape.resize(a.size() - first, 1);
  return shape;
}

}  // namespace npu::onnx
