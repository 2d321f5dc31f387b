#include <algorithm>

#include "kernels/reference/broadcast.h"
#include "kernels/reference/elementwise.h"
#include "kernels/reference/operators.h"

namespace npu::reference {

void select_extreme(bool maximum, const View& a, const View& b, TensorData& y) {
  const std::vector<std::int32_t> left = broadcast_integers(a, 0, y.shape);
  std::vector<std::int32_t> right = broadcast_integers(b, 0, y.shape);
  for (std::size_t i = 0; i < right.size(); ++i) {
    right[i] = maximum ? std::max(left[i], right[i]) : std::min(left[i], right[i]);
  }
  store_integers(y, right);
}

namespace {

bool has_integer(const graph::Graph& graph, const graph::Node& node) {
  return uniform_quantized(graph, node);
}

void run_integer(Invocation& call, bool maximum) {
  select_extreme(maximum, call.input(0), call.input(1), call.output());
}

void run_float(Invocation& call, bool maximum) {
  const std::vector<float> a = broadcast_float(call, 0);
  const std::vector<float> b = broadcast_float(call, 1);
  const auto y = call.output().as<float>();
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = maximum ? std::max(a[i], b[i]) : std::min(a[i], b[i]);
  }
}

}  // namespace

const Operator kMaximum = {has_integer, [](Invocation& call) { run_integer(call, true); },
                           [](Invocation& call) { run_float(call, true); }};
const Operator kMinimum = {has_integer, [](Invocation& call) { run_integer(call, false); },
                           [](Invocation& call) { run_float(call, false); }};

}  // namespace npu::reference
