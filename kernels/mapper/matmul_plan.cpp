#include "kernels/mapper/matmul_plan.h"

#include <algorithm>

#include "kernels/mapper/chunking.h"
#include "kernels/mapper/mapping.h"
#include "sim/base/math.h"

namespace npu::mapper {

using graph::Graph;
using graph::Node;
using graph::Tensor;
using std::int64_t;

namespace {

Shape lead_of(const Tensor& t) { return {t.shape.begin(), t.shape.end() - 2}; }

/// Steps that a batch of products is cut into at least, so that loads, products and stores overlap.
constexpr int64_t kSteps = 4;

}  // namespace

int64_t Products::count() const {
  int64_t products = 1;
  for (const BroadcastDim& d : lead) products *= d.size;
  return products;
}

bool has_packed_weights(const Graph& graph, const Node& node) {
  const Tensor& b = graph.tensor(node.inputs.at(1));
  return node.kind == graph::OpKind::kMatMul && b.is_constant && element_count(lead_of(b)) == 1;
}

Products products_of(const Graph& graph, const Node& node) {
  const Tensor& a = graph.tensor(node.inputs.at(0));
  const Tensor& b = graph.tensor(node.inputs.at(1));
  const Tensor& y = graph.tensor(node.outputs.at(0));
  Products p;
  p.m = y.shape[y.shape.size() - 2];
  p.n = y.shape.back();
  p.k = a.shape.back();
  for (const BroadcastDim& d : broadcast_dims(lead_of(a), lead_of(b), lead_of(y))) {
    if (d.size > 1) p.lead.push_back(d);
  }
  if (!p.lead.empty() && p.lead.back().a && !p.lead.back().b) {
    p.m *= p.lead.back().size;
    p.lead.pop_back();
  }
  return p;
}

WindowProblem products_problem(const Graph& graph, const Node& node, const Storages& storages,
                               const Products& products) {
  const Tensor& a = graph.tensor(node.inputs[0]);
  WindowProblem p;
  p.kind = WindowKind::kGemm;
  p.type = a.type;
  p.x_size = size_of(a.type);
  p.w_size = size_of(graph.tensor(node.inputs[1]).type);
  p.y_size = size_of(graph.tensor(node.outputs[0]).type);
  p.x_resident = storages.of(node.inputs[0]).resident;
  p.y_resident = storages.of(node.outputs[0]).resident;
  set_output(p, graph, node);
  p.out_w = p.in_w = products.m;
  p.out_c = products.n;
  p.in_c = products.k;
  if (has_packed_weights(graph, node)) return p;
  p.w_resident = storages.of(node.inputs[1]).resident;
  p.w_per_image = true;
  p.batch = products.count();
  return p;
}

int64_t products_params_bytes(const WindowProblem& p) {
  return round_up(p.uniform_params ? p.param_bytes : p.out_c * p.param_bytes, kAlignment);
}

WindowTile choose_products_tile(const WindowProblem& problem, const Products& products,
                                const NpuConfig& config, int64_t scratchpad_bytes,
                                const std::string& layer) {
  const int64_t params = products_params_bytes(problem);
  WindowProblem p = problem;
  p.param_bytes = 0;
  WindowTile t = choose_window_tile(p, config, scratchpad_bytes - params, layer);
  t.params_bytes = params;
  if (t.out_w < p.out_w || t.out_c < p.out_c || t.in_c < p.in_c || products.lead.empty()) return t;

  const BroadcastDim inner = products.lead.back();
  const int64_t x = t.x_bytes, w = t.w_bytes, y = t.y_bytes, acc = t.acc_bytes;
  const auto bytes = [&](int64_t images) {  // rows of products follow each other without gaps
    return (inner.a ? images : 1) * x + (inner.b ? images : 1) * w + images * y;
  };
  const auto fits = [&](int64_t images) {
    return 2 * bytes(images) + params <= scratchpad_bytes && images <= 65535 &&
           2 * images * acc <= config.accumulator.capacity_bytes;
  };
  const int64_t steps = products.count() / inner.size;
  int64_t images = std::max<int64_t>(1, inner.size / std::max<int64_t>(1, ceil_div(kSteps, steps)));
  while (images < inner.size && bytes(images) < kMinChunkBytes) ++images;
  while (images > 1 && !fits(images)) --images;
  if (images == 1) return t;
  t.images = images;
  const int slots = images == products.count() ? 1 : 2;
  t.x_bytes = (inner.a ? images : 1) * x;
  t.w_bytes = (inner.b ? images : 1) * w;
  t.y_bytes = images * y;
  t.x_slots = x > 0 ? slots : 0;
  t.w_slots = w > 0 ? slots : 0;
  t.y_slots = y > 0 ? slots : 0;
  t.acc_bytes = images * acc;
  t.acc_slots = slots;
  return t;
}

}  // namespace npu::mapper
