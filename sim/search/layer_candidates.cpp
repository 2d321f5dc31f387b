#include "sim/search/layer_candidates.h"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "kernels/mapper/layer_planner.h"
#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/tile_builder.h"
#include "sim/base/error.h"

namespace npu::search {
namespace {

using graph::Node;
using mapper::LayerDecision;
using mapper::LayerPlan;
using mapper::WindowTile;
using std::int64_t;

/// What a search decides on top of what the user did.
LayerDecision start_of(const LayerPlan& plan, const LayerDecision* fixed) {
  LayerDecision d = fixed != nullptr ? *fixed : LayerDecision{};
  d.layer = plan.name;
  return d;
}

void set_slots(LayerDecision& d, std::string_view name, int slots) {
  if (slots == 0) return;
  for (mapper::BufferDecision& b : d.buffers) {
    if (b.name == name) {
      b.slots = slots;
      return;
    }
  }
  d.buffers.push_back({std::string(name), {}, {}, slots});
}

LayerDecision window_tile_decision(const LayerPlan& plan, const WindowTile& tile,
                                   const NpuConfig& config, const LayerDecision* fixed) {
  LayerDecision d = start_of(plan, fixed);
  d.out_h = tile.out_h;
  d.out_w = tile.out_w;
  d.out_c = tile.out_c;
  d.in_c = tile.in_c;
  d.loop_order = tile.order;
  if (config.mac_array.result_stream_entries > 0 && mapper::has_channel_input(*plan.window))
    d.streamed = tile.streamed;
  if (!tile.streamed && mapper::uses_array(*plan.window)) d.acc_slots = tile.acc_slots;
  set_slots(d, "x", tile.x_slots);
  set_slots(d, "w", tile.w_slots);
  set_slots(d, "y", tile.y_slots);
  return d;
}

class LayerSearch {
 public:
  LayerSearch(const kernels::MappedNetwork& network, const NpuConfig& config, std::size_t layer,
              const LayerDecision* fixed, const LayerSearchOptions& options)
      : network_(network),
        config_(config),
        layer_(layer),
        plan_(network.mapping.layers[layer]),
        node_(network.graph.nodes[static_cast<std::size_t>(plan_.node)]),
        fixed_(fixed),
        options_(options) {}

  LayerCandidates run() {
    LayerCandidates nothing;
    nothing.complete = true;
    if (mapper::has_addresses(fixed_)) return nothing;
    if (plan_.window && plan_.tile.images == 1) return window();
    if (node_.kind == graph::OpKind::kAttention) return attention();
    if (plan_.chunk > 0) return chunks();
    return nothing;
  }

 private:
  [[nodiscard]] int64_t budget_bytes() const {
    return mapper::layer_budget(network_.mapping.storages, static_cast<int>(layer_),
                                mapper::scratchpad_capacity(config_), fixed_);
  }

  LayerCandidates window() {
    const mapper::Storages& storages = network_.mapping.storages;
    WindowLayer w{.problem = *plan_.window, .area = {}, .decided = {}};
    if (fixed_ != nullptr) w.decided = mapper::window_decision(*fixed_);
    w.area.free =
        mapper::work_area(storages, static_cast<int>(layer_), mapper::scratchpad_capacity(config_));
    w.area.others = plan_.tile.params_bytes;
    w.area.from_the_top = layer_ % 2 == 1;
    const auto address = [&](graph::TensorId id) -> int64_t {
      if (id == graph::kAbsent || storages.of_tensor[static_cast<std::size_t>(id)] < 0) return 0;
      return storages.of(id).resident ? storages.of(id).address : 0;
    };
    w.area.residents = {address(node_.inputs[0]),
                        node_.inputs.size() > 1 ? address(node_.inputs[1]) : 0,
                        address(node_.outputs[0])};
    const bool is_products = plan_.window->w_per_image;
    if (is_products) w.problem.param_bytes = 0;
    const WindowResult found = search_window(w, config_,
                                             {.objective = options_.objective,
                                              .budget = options_.budget,
                                              .keep = options_.keep,
                                              .seed = options_.seed},
                                             {plan_.tile});
    LayerCandidates result{.decisions = {},
                           .evaluated = found.evaluated,
                           .space = found.space,
                           .complete = found.complete};
    for (const Candidate& c : found.best)
      result.decisions.push_back(window_tile_decision(plan_, c.tile, config_, fixed_));
    return result;
  }

  /// Plans the layer with a decision; nullopt if that is not possible.
  [[nodiscard]] std::optional<LayerPlan> plan_with(const LayerDecision& d) const {
    try {
      return mapper::plan_layer(network_.graph, config_, network_.mapping.storages, plan_.node,
                                plan_.name, budget_bytes(), &d);
    } catch (const mapper::MappingError&) {
      return std::nullopt;
    }
  }

  LayerCandidates attention() {
    const mapper::AttentionShape shape = mapper::attention_shape(network_.graph, node_);
    std::vector<std::pair<double, LayerDecision>> all;
    LayerCandidates result;
    for (const int64_t heads : tile_sizes(shape.group)) {
      for (const int64_t rows : tile_sizes(shape.rows)) {
        if (heads > 1 && rows < shape.rows) continue;
        for (const int64_t keys : tile_sizes(shape.keys)) {
          LayerDecision d = start_of(plan_, fixed_);
          if (d.heads.value_or(heads) != heads || d.rows.value_or(rows) != rows ||
              d.keys.value_or(keys) != keys) {
            continue;
          }
          ++result.space;
          if (result.evaluated >= options_.budget) continue;
          d.heads = heads;
          d.rows = rows;
          d.keys = keys;
          ++result.evaluated;
          if (const auto plan = plan_with(d))
            all.emplace_back(static_cast<double>(plan->predicted_cycles), std::move(d));
        }
      }
    }
    result.complete = static_cast<double>(result.evaluated) == result.space;
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [cycles, d] : all) {
      if (result.decisions.size() == options_.keep) break;
      result.decisions.push_back(std::move(d));
    }
    return result;
  }

  /// SOFTMAX over floats in three and in two passes, unless that is decided; others as they are.
  [[nodiscard]] std::vector<LayerDecision> passes() const {
    const LayerDecision start = start_of(plan_, fixed_);
    if (plan_.softmax.passes == 0 || start.passes || start.block) return {start};
    std::vector<LayerDecision> both = {start, start};
    both[0].passes = 3;
    both[1].passes = 2;
    return both;
  }

  LayerCandidates chunks() {
    const mapper::ChunkProblem problem = mapper::chunk_problem(
        network_.graph, node_, network_.mapping.storages, plan_.softmax.block);
    std::vector<LayerDecision> all;
    LayerCandidates result;
    for (const LayerDecision& start : passes()) {
      for (std::size_t level = 0; level < problem.levels.size(); ++level) {
        for (const int64_t units : tile_sizes(problem.levels[level].units)) {
          LayerDecision d = start;
          if (d.cut_level.value_or(level) != level || d.cut_units.value_or(units) != units)
            continue;
          ++result.space;
          if (result.evaluated >= options_.budget) continue;
          ++result.evaluated;
          d.cut_level = level;
          d.cut_units = units;
          if (plan_with(d)) all.push_back(std::move(d));
        }
      }
    }
    // Larger chunks first; spread over the space where not all can be simulated.
    const std::size_t keep = std::min(options_.keep, all.size());
    for (std::size_t i = 0; i < keep; ++i) result.decisions.push_back(all[i * all.size() / keep]);
    result.complete =
        all.size() <= options_.keep && static_cast<double>(result.evaluated) == result.space;
    return result;
  }

  const kernels::MappedNetwork& network_;
  const NpuConfig& config_;
  std::size_t layer_;
  const LayerPlan& plan_;
  const Node& node_;
  const LayerDecision* fixed_;
  const LayerSearchOptions& options_;
};

/// What a search sets of a decision, as numbers; −1: nothing.
constexpr std::array<const char*, 3> kSearchedBuffers = {"x", "w", "y"};
constexpr std::size_t kNumbers = 16;
using Numbers = std::array<int64_t, kNumbers>;

template <typename T>
int64_t number_of(const std::optional<T>& value) {
  return value ? static_cast<int64_t>(*value) : -1;
}

Numbers numbers_of(const LayerDecision& d) {
  Numbers n = {number_of(d.out_h),
               number_of(d.out_w),
               number_of(d.out_c),
               number_of(d.in_c),
               number_of(d.loop_order),
               number_of(d.streamed),
               number_of(d.acc_slots),
               number_of(d.cut_level),
               number_of(d.cut_units),
               number_of(d.heads),
               number_of(d.rows),
               number_of(d.keys),
               number_of(d.passes),
               -1,
               -1,
               -1};
  for (std::size_t i = 0; i < kSearchedBuffers.size(); ++i) {
    const mapper::BufferDecision* b = mapper::find_decision(d.buffers, kSearchedBuffers[i]);
    if (b != nullptr) n[kNumbers - kSearchedBuffers.size() + i] = number_of(b->slots);
  }
  return n;
}

template <typename T>
void set_number(std::optional<T>& value, int64_t number) {
  if (number >= 0) value = static_cast<T>(number);
}

void set_numbers(LayerDecision& d, const Numbers& n) {
  std::size_t i = 0;
  for (std::optional<int64_t>* v : {&d.out_h, &d.out_w, &d.out_c, &d.in_c}) set_number(*v, n[i++]);
  set_number(d.loop_order, n[i++]);
  set_number(d.streamed, n[i++]);
  set_number(d.acc_slots, n[i++]);
  set_number(d.cut_level, n[i++]);
  for (std::optional<int64_t>* v : {&d.cut_units, &d.heads, &d.rows, &d.keys})
    set_number(*v, n[i++]);
  set_number(d.passes, n[i++]);
  for (const char* name : kSearchedBuffers) {
    if (n[i] > 0) set_slots(d, name, static_cast<int>(n[i]));
    ++i;
  }
}

}  // namespace

std::string readable(const LayerDecision& d) {
  std::string text;
  const auto add = [&](std::string_view name, const auto& value) {
    if (value) text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, *value);
  };
  add("out_h", d.out_h);
  add("out_w", d.out_w);
  add("out_c", d.out_c);
  add("in_c", d.in_c);
  if (d.loop_order) text += fmt::format(" {}", mapper::name_of(*d.loop_order));
  if (d.streamed.value_or(false)) text += " streamed";
  add("heads", d.heads);
  add("rows", d.rows);
  add("keys", d.keys);
  add("level", d.cut_level);
  add("units", d.cut_units);
  add("passes", d.passes);
  add("block", d.block);
  for (const mapper::BufferDecision& b : d.buffers) add(b.name + "_slots", b.slots);
  add("acc_slots", d.acc_slots);
  return text;
}

std::string to_text(const LayerCandidates& c) {
  std::string text = fmt::format("{} {:.17g} {}", c.evaluated, c.space, c.complete ? 1 : 0);
  for (const LayerDecision& d : c.decisions) {
    for (const int64_t n : numbers_of(d)) text += fmt::format(" {}", n);
  }
  return text;
}

LayerCandidates candidates_from_text(const std::string& text, const LayerPlan& plan,
                                     const LayerDecision* fixed) {
  std::istringstream in(text);
  LayerCandidates c;
  int complete = 0;
  in >> c.evaluated >> c.space >> complete;
  NPU_CHECK(!in.fail(), "a search ends with its counts");
  c.complete = complete != 0;
  for (Numbers n{}; in >> n[0];) {
    for (std::size_t i = 1; i < kNumbers; ++i) in >> n[i];
    c.decisions.push_back(start_of(plan, fixed));
    set_numbers(c.decisions.back(), n);
  }
  return c;
}

LayerCandidates search_layer(const kernels::MappedNetwork& network, const NpuConfig& config,
                             std::size_t layer, const LayerDecision* fixed,
                             const LayerSearchOptions& options) {
  return LayerSearch(network, config, layer, fixed, options).run();
}

void replace_layer(kernels::MappedNetwork& network, const NpuConfig& config, std::size_t layer,
                   const LayerDecision& decision) {
  LayerPlan& old = network.mapping.layers[layer];
  const mapper::Storages& storages = network.mapping.storages;
  const int64_t capacity = mapper::scratchpad_capacity(config);
  LayerPlan plan = mapper::plan_layer(
      network.graph, config, storages, old.node, old.name,
      mapper::layer_budget(storages, static_cast<int>(layer), capacity, &decision), &decision);
  mapper::place_buffers(plan, storages, static_cast<int>(layer), capacity, layer % 2 == 1,
                        &decision);
  mapper::predict_layer(plan, network.graph, config, storages);
  old = std::move(plan);
}

}  // namespace npu::search
