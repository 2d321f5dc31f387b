#include "kernels/mapper/matmul_plan.h"

#include <algorithm>

#include "kernels/mapper/chunking.h"
#include "kernels/mapper/mapping.h"
#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/tile_builder.h"
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
  p.inner_batch = products.inner();
  p.shares_x = !products.lead.empty() && !products.lead.back().a;
  return p;
}

int64_t products_params_bytes(const WindowProblem& p) {
  return round_up(p.uniform_params ? p.param_bytes : p.out_c * p.param_bytes, kAlignment);
}

namespace {

/// Several products per step are whole ones.
WindowDecision whole_products(const WindowProblem& p, const Products& products,
                              WindowDecision decided, const std::string& layer) {
  if (!decided.images) return decided;
  const auto refuse = [&](std::string_view key, int64_t value, const std::string& why) {
    fail_mapping({.kind = FaultKind::kUnsupported, .layer = layer, .key = std::string(key)},
                 "{}: {}: {}: {}", layer, key, value, why);
  };
  if (*decided.images < 1 || *decided.images > std::min<int64_t>(products.inner(), 65535)) {
    refuse("images", *decided.images,
           fmt::format("1 to {} products share a step", products.inner()));
  }
  if (*decided.images == 1) return decided;
  const auto whole = [&](std::string_view key, std::optional<int64_t>& extent, int64_t size) {
    if (extent.value_or(size) != size)
      refuse(key, *extent, fmt::format("several products per step are whole, {}", size));
    extent = size;
  };
  whole("tile.out_w", decided.out_w, p.out_w);
  whole("tile.out_c", decided.out_c, p.out_c);
  whole("tile.in_c", decided.in_c, p.in_c);
  return decided;
}

/// A tile of several products: one product's bytes and slots times `images` where the operand
/// advances.
WindowTile times_images(WindowTile t, const BroadcastDim& inner, int64_t images, int slots,
                        const WindowDecision& d) {
  t.images = images;
  t.x_bytes *= inner.a ? images : 1;
  t.w_bytes *= inner.b ? images : 1;
  t.y_bytes *= images;
  t.x_slots = t.x_bytes > 0 ? d.x_slots.value_or(slots) : 0;
  t.w_slots = t.w_bytes > 0 ? d.w_slots.value_or(slots) : 0;
  t.y_slots = t.y_bytes > 0 ? d.y_slots.value_or(slots) : 0;
  t.acc_bytes *= images;
  t.acc_slots = d.acc_slots.value_or(slots);
  return t;
}

}  // namespace

WindowTile choose_products_tile(const WindowProblem& problem, const Products& products,
                                const NpuConfig& config, int64_t scratchpad_bytes,
                                const std::string& layer, const WindowDecision& decision) {
  const WindowDecision decided = whole_products(problem, products, decision, layer);
  const int64_t params = products_params_bytes(problem);
  WindowProblem p = problem;
  p.param_bytes = 0;
  // Of one product; what is decided of the slots of several is taken below.
  WindowDecision one = decided;
  const bool several = decided.images.value_or(1) > 1;
  if (several) one.x_bytes = one.w_bytes = one.y_bytes = std::nullopt;
  WindowTile t = choose_window_tile(p, config, scratchpad_bytes - params, layer, one);
  t.params_bytes = params;
  if (t.out_w < p.out_w || t.out_c < p.out_c || t.in_c < p.in_c || products.lead.empty() ||
      (decided.images && !several)) {
    return t;
  }
  const BroadcastDim inner = products.lead.back();
  const auto fits = [&](const WindowTile& of) {
    return of.scratchpad_bytes() <= scratchpad_bytes && of.images <= 65535 &&
           of.acc_slots * of.acc_bytes <= config.accumulator.capacity_bytes;
  };
  const auto slots_of = [&](int64_t images) { return images == products.count() ? 1 : 2; };
  if (several) {
    const int64_t images = *decided.images;
    WindowTile all = times_images(t, inner, images, slots_of(images), decided);
    require_slots(all, decided, layer);
    take_slots(all, decided);
    if (fits(all)) return all;
    const int64_t sums = all.acc_slots * all.acc_bytes;
    const bool in_sums = sums > config.accumulator.capacity_bytes;
    const int64_t needed = in_sums ? sums : all.scratchpad_bytes();
    const int64_t there = in_sums ? config.accumulator.capacity_bytes : scratchpad_bytes;
    const MemoryLevel level = in_sums ? MemoryLevel::kAccumulator : MemoryLevel::kScratchpad;
    fail_mapping({.kind = FaultKind::kCapacity,
                  .layer = layer,
                  .key = "images",
                  .level = level,
                  .object = in_sums ? "sums" : "x",
                  .needed = needed,
                  .there = there},
                 "{}: {}: {} products per step need {} bytes, {} are there", layer, name_of(level),
                 images, needed, there);
  }
  // Rows of products follow each other without gaps.
  const auto bytes = [&](int64_t images) {
    return (inner.a ? images : 1) * t.x_bytes + (inner.b ? images : 1) * t.w_bytes +
           images * t.y_bytes;
  };
  const int64_t steps = products.count() / inner.size;
  int64_t images = std::max<int64_t>(1, inner.size / std::max<int64_t>(1, ceil_div(kSteps, steps)));
  while (images < inner.size && bytes(images) < kMinChunkBytes) ++images;
  // Two slots of each even where one step does all.
  const auto possible = [&](int64_t of) {
    const WindowTile two = times_images(t, inner, of, 2, decided);
    return fits(two) && slots_suffice(two, decided);
  };
  while (images > 1 && !possible(images)) --images;
  if (images == 1) return t;
  t = times_images(t, inner, images, slots_of(images), decided);
  take_slots(t, decided);
  return t;
}

}  // namespace npu::mapper
