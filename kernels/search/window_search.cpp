#include "kernels/search/window_search.h"

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <tuple>

#include "kernels/mapper/tile_builder.h"
#include "sim/base/math.h"

namespace npu::search {
namespace {

using mapper::LoopOrder;
using mapper::WindowDecision;
using mapper::WindowPartial;
using mapper::WindowProblem;
using mapper::WindowTile;
using std::int64_t;

/// Streaming and channels of a tile, with the bound of all tiles that have them.
struct Channels {
  bool streamed = false;
  int64_t out_c = 1, in_c = 1;
  double bound = 0;
};
struct Space {
  int64_t out_h = 1, out_w = 1;
  double bound = 0;
};

class Search {
 public:
  Search(const WindowLayer& layer, const NpuConfig& config)
      : layer_(layer), p_(layer.problem), config_(config) {}

  [[nodiscard]] std::vector<Channels> channels() const {
    const WindowDecision& d = layer_.decided;
    std::vector<Channels> all;
    const MacArrayConfig& array = config_.mac_array;
    const bool can_stream = mapper::has_channel_input(p_) && array.result_stream_entries > 0 &&
                            p_.output == mapper::OutputKind::kRequantize;
    for (const bool streamed : {true, false}) {
      if (streamed && !can_stream) continue;
      if (d.streamed.value_or(streamed) != streamed) continue;
      // Streamed tiles have no accumulators, all others of the array have some.
      if (mapper::uses_array(p_) && d.acc_slots && (*d.acc_slots == 0) != streamed) continue;
      const int64_t unit = p_.kind == mapper::WindowKind::kDepthwise ? p_.multiplier : 1;
      const bool tied = !mapper::has_channel_input(p_);
      std::optional<int64_t> out_c = d.out_c;
      if (tied && d.in_c && !out_c) out_c = *d.in_c * unit;
      for (const int64_t out : chosen(out_c, p_.out_c, unit, array.cols)) {
        if (streamed && out > array.cols) continue;
        if (tied) {
          if (d.in_c.value_or(out / unit) == out / unit)
            all.push_back({streamed, out, out / unit, 0});
          continue;
        }
        for (const int64_t in : chosen(d.in_c, p_.in_c, 1, array.rows)) {
          if (!streamed || in == p_.in_c) all.push_back({streamed, out, in, 0});
        }
      }
    }
    return all;
  }
  [[nodiscard]] std::vector<Space> spaces() const {
    std::vector<Space> all;
    for (const int64_t h : chosen(layer_.decided.out_h, p_.out_h)) {
      for (const int64_t w : chosen(layer_.decided.out_w, p_.out_w)) all.push_back({h, w, 0});
    }
    return all;
  }
  /// Loop orders that differ.
  [[nodiscard]] std::vector<LoopOrder> orders(const Channels& c, const Space& s) const {
    if (layer_.decided.order) return {*layer_.decided.order};
    const bool one_space = s.out_h == p_.out_h && s.out_w == p_.out_w && p_.batch == 1;
    if (one_space || c.out_c == p_.out_c) return {LoopOrder::kChannelsOuter};
    return {LoopOrder::kChannelsOuter, LoopOrder::kSpaceOuter};
  }

  /// Calls visit(tile) for the choices of slots that fit. With `least`, fewer slots only where more
  /// do not fit.
  template <typename Visit>
  void over_slots(const Channels& c, const Space& s, LoopOrder order, bool least,
                  Visit&& visit) const {
    const WindowTile wanted{.out_h = s.out_h,
                            .out_w = s.out_w,
                            .out_c = c.out_c,
                            .in_c = c.in_c,
                            .order = order,
                            .streamed = c.streamed};
    unsigned two = 15;  // bit i: the buffer has two slots
    if (const std::optional<WindowTile> tile = build(wanted, layer_.decided)) {
      visit(*tile);
      if (least) return;
      two = (tile->x_slots == 2 ? 1U : 0U) | (tile->w_slots == 2 ? 2U : 0U) |
            (tile->y_slots == 2 ? 4U : 0U) | (tile->acc_slots == 2 ? 8U : 0U);
    }
    if (c.streamed) return;
    // Bit i: one slot in place of two.
    std::array<bool, 16> fits{};
    for (unsigned fewer = 1; fewer < 16; ++fewer) {
      if ((fewer & ~two) != 0) continue;
      bool dominated = false;
      for (unsigned other = 1; other < fewer; ++other)
        dominated = dominated || (fits[other] && (other & fewer) == other);
      if (least && dominated) continue;
      WindowDecision d = layer_.decided;
      if (!take_one(d.x_slots, fewer & 1U) || !take_one(d.w_slots, fewer & 2U) ||
          !take_one(d.y_slots, fewer & 4U) || !take_one(d.acc_slots, fewer & 8U)) {
        continue;
      }
      if (const std::optional<WindowTile> tile = build(wanted, d)) {
        fits[fewer] = true;
        visit(*tile);
      }
    }
  }
  /// Visits the tiles of which one extent is the next larger or smaller one.
  template <typename Visit>
  void neighbour(WindowTile t, std::size_t extent, bool larger, Visit&& visit) const {
    const WindowDecision& d = layer_.decided;
    const auto step = [&](int64_t& size, int64_t n, int64_t unit, int64_t block, bool is_decided) {
      if (is_decided) return;
      const std::vector<int64_t> sizes = chosen({}, n, unit, block);
      const auto at = std::find(sizes.begin(), sizes.end(), size);
      if (larger && at != sizes.begin() && at != sizes.end()) size = *(at - 1);
      if (!larger && at != sizes.end() && at + 1 != sizes.end()) size = *(at + 1);
    };
    const int64_t unit = p_.kind == mapper::WindowKind::kDepthwise ? p_.multiplier : 1;
    const MacArrayConfig& array = config_.mac_array;
    if (extent == 0) step(t.out_h, p_.out_h, 1, 1, d.out_h.has_value());
    if (extent == 1) step(t.out_w, p_.out_w, 1, 1, d.out_w.has_value());
    if (extent == 2) step(t.out_c, p_.out_c, unit, array.cols, d.out_c.has_value());
    if (extent == 3 && mapper::has_channel_input(p_) && !t.streamed)
      step(t.in_c, p_.in_c, 1, array.rows, d.in_c.has_value());
    if (!mapper::has_channel_input(p_)) t.in_c = t.out_c / unit;
    if (d.in_c && *d.in_c != t.in_c) return;
    if (t.streamed && t.out_c > config_.mac_array.cols) return;
    const Channels c{t.streamed, t.out_c, t.in_c, 0};
    const Space s{t.out_h, t.out_w, 0};
    for (const LoopOrder order : orders(c, s)) over_slots(c, s, order, true, visit);
  }

 private:
  static bool take_one(std::optional<int>& slots, unsigned wanted) {
    if (wanted == 0) return true;
    if (slots) return false;
    slots = 1;
    return true;
  }
  [[nodiscard]] std::optional<WindowTile> build(const WindowTile& wanted,
                                                const WindowDecision& d) const {
    mapper::TileBuilder builder(p_, config_, layer_.area.bytes(), d);
    return builder.build(wanted);
  }
  /// Multiples of `unit`; `block` is the array's.
  static std::vector<int64_t> chosen(const std::optional<int64_t>& decided, int64_t n,
                                     int64_t unit = 1, int64_t block = 1) {
    if (decided) return {*decided};
    std::vector<int64_t> sizes = tile_sizes(n / unit, std::max<int64_t>(1, block / unit));
    for (int64_t& s : sizes) s *= unit;
    return sizes;
  }

  const WindowLayer& layer_;
  const WindowProblem& p_;
  const NpuConfig& config_;
};

bool before(const WindowTile& a, const WindowTile& b) {
  const auto key = [](const WindowTile& t) {
    return std::tuple(t.scratchpad_bytes(), -t.in_c, -t.out_c, -t.out_h, -t.out_w, t.order,
                      t.acc_slots, t.streamed);
  };
  return key(a) < key(b);
}

bool same(const WindowTile& a, const WindowTile& b) {
  const auto key = [](const WindowTile& t) {
    return std::tuple(t.out_h, t.out_w, t.out_c, t.in_c, t.order, t.x_slots, t.w_slots, t.y_slots,
                      t.acc_slots, t.streamed);
  };
  return key(a) == key(b);
}

/// The best tiles so far.
class Best {
 public:
  explicit Best(std::size_t keep) : keep_(std::max<std::size_t>(keep, 1)) {}
  [[nodiscard]] double limit() const {
    return best_.size() < keep_ ? std::numeric_limits<double>::infinity() : best_.back().value;
  }
  void add(const Candidate& c) {
    if (c.value > limit()) return;
    for (const Candidate& b : best_) {
      if (same(b.tile, c.tile)) return;
    }
    const auto at =
        std::upper_bound(best_.begin(), best_.end(), c, [](const Candidate& x, const Candidate& y) {
          if (x.value != y.value) return x.value < y.value;
          return before(x.tile, y.tile);
        });
    best_.insert(at, c);
    if (best_.size() > keep_) best_.pop_back();
  }
  [[nodiscard]] const std::vector<Candidate>& all() const { return best_; }
  std::vector<Candidate> take() { return std::move(best_); }

 private:
  std::size_t keep_;
  std::vector<Candidate> best_;
};

/// Random steps from the best tiles: one extent to the next larger or smaller size.
template <typename Evaluate>
void walk(const Search& search, const Best& best, const WindowSearchOptions& options,
          const WindowResult& result, Evaluate&& evaluate) {
  std::mt19937_64 random(options.seed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  // Steps that lead nowhere count, too.
  for (std::int64_t steps = 4 * options.budget; steps > 0 && result.evaluated < options.budget;
       --steps) {
    if (best.all().empty()) return;
    const WindowTile& from = best.all()[below(best.all().size())].tile;
    const std::size_t extent = below(4);
    const bool larger = below(2) == 1;
    search.neighbour(from, extent, larger, evaluate);
  }
}

}  // namespace

mapper::WindowPlacement WorkArea::place(const WindowTile& t) const {
  mapper::WindowPlacement placed = residents;
  mapper::FreeArea area = free;
  const auto put = [&](int64_t& address, int64_t bytes) {
    if (bytes > 0) address = area.take(bytes, from_the_top);
  };
  put(placed.x, t.x_bytes * t.x_slots);
  put(placed.w, t.w_bytes * t.w_slots);
  put(placed.y, t.y_bytes * t.y_slots);
  return placed;
}

std::vector<int64_t> tile_sizes(int64_t n, int64_t unit) {
  std::vector<int64_t> sizes;
  if (n <= kAllSizes) {
    for (int64_t size = n; size > 0; --size) sizes.push_back(size);
    return sizes;
  }
  for (int64_t size = n; size > 0;) {
    sizes.push_back(size);
    if (unit > 1 && round_up(size, unit) < n) sizes.push_back(round_up(size, unit));
    // The largest size that makes one tile more.
    size = std::min(size - 1, ceil_div(n, ceil_div(n, size) + 1));
  }
  std::sort(sizes.rbegin(), sizes.rend());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

Cost cost_of(const WindowLayer& layer, const NpuConfig& config, const WindowTile& tile) {
  const mapper::WindowPrediction p =
      mapper::predict_window(layer.problem, tile, config, layer.area.place(tile));
  const auto cycles = static_cast<double>(p.cycles);
  return {cycles, energy_pj(config, p.traffic, layer.problem.type, cycles)};
}

Cost bound_of(const WindowLayer& layer, const NpuConfig& config, const WindowPartial& partial,
              bool streamed) {
  const double cycles = mapper::window_bound(layer.problem, config, partial, streamed);
  const mapper::CompulsoryBytes bytes = mapper::compulsory_bytes(layer.problem);
  const auto burst = static_cast<double>(config.dram.burst_bytes());
  const WindowProblem& p = layer.problem;
  cost::Traffic least;
  if (mapper::uses_array(p)) {
    const int64_t k = p.kind == mapper::WindowKind::kDepthwise ? p.taps() : p.taps() * p.in_c;
    least.macs = static_cast<double>(p.batch * p.groups * p.out_h * p.out_w * p.out_c * k);
  }
  least.dma_bytes = static_cast<double>(bytes.total());
  least.scratchpad_write_bytes = static_cast<double>(bytes.x + bytes.w);
  least.scratchpad_read_bytes = static_cast<double>(bytes.y);
  least.dram_read_bursts = static_cast<double>(bytes.x + bytes.w) / burst;
  least.dram_write_bursts = static_cast<double>(bytes.y) / burst;
  return {cycles, energy_pj(config, least, p.type, cycles)};
}

WindowResult search_window(const WindowLayer& layer, const NpuConfig& config,
                           const WindowSearchOptions& options,
                           const std::vector<WindowTile>& first) {
  const Search search(layer, config);
  WindowResult result;
  Best best(options.keep);
  const auto evaluate = [&](const WindowTile& tile) {
    ++result.evaluated;
    const Cost cost = cost_of(layer, config, tile);
    best.add({tile, cost, cost.value(options.objective)});
  };
  const auto bound = [&](const WindowPartial& partial, bool streamed) {
    return bound_of(layer, config, partial, streamed).value(options.objective);
  };
  for (const WindowTile& tile : first) evaluate(tile);

  std::vector<Channels> channels = search.channels();
  const std::vector<Space> all_spaces = search.spaces();
  result.space = static_cast<double>(channels.size()) * static_cast<double>(all_spaces.size());
  const bool least = kSlotChoices * result.space > static_cast<double>(options.budget);
  for (Channels& c : channels) c.bound = bound({.out_c = c.out_c, .in_c = c.in_c}, c.streamed);
  std::stable_sort(channels.begin(), channels.end(),
                   [](const Channels& a, const Channels& b) { return a.bound < b.bound; });
  for (const Channels& c : channels) {
    if (c.bound > best.limit()) break;
    std::vector<Space> spaces = all_spaces;
    for (Space& s : spaces) {
      s.bound =
          bound({.out_h = s.out_h, .out_w = s.out_w, .out_c = c.out_c, .in_c = c.in_c}, c.streamed);
    }
    std::stable_sort(spaces.begin(), spaces.end(),
                     [](const Space& a, const Space& b) { return a.bound < b.bound; });
    for (const Space& s : spaces) {
      if (s.bound > best.limit()) break;
      if (static_cast<double>(result.evaluated) >=
          (1 - kWalkShare) * static_cast<double>(options.budget)) {
        walk(search, best, options, result, evaluate);
        result.best = best.take();
        return result;
      }
      for (const LoopOrder order : search.orders(c, s))
        search.over_slots(c, s, order, least, evaluate);
    }
  }
  result.complete = true;
  result.best = best.take();
  return result;
}

}  // namespace npu::search
