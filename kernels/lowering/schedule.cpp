#include "kernels/lowering/schedule.h"

#include <algorithm>
#include <map>

namespace npu::kernels {
namespace {

using std::int32_t;
using std::int64_t;

constexpr std::size_t kEngines = isa::kEngineCount;
/// Per engine: index of the last item known to be complete, −1 for none.
using Clock = std::array<int32_t, kEngines>;
constexpr Clock kNothing = {-1, -1, -1, -1, -1, -1, -1, -1};

bool conflicts(const Item& load, const std::vector<Item>& work) {
  for (const Item& w : work) {
    for (const Access& a : load.accesses) {
      for (const Access& b : w.accesses) {
        if (conflict(a, b)) return true;
      }
    }
  }
  return false;
}

/// Who touched the bytes of one memory last.
class AccessMap {
 public:
  struct Segment {
    int64_t high = 0;
    int32_t writer = -1;
    Clock readers = kNothing;
  };

  /// Calls visit(segment) for the segments that cover [low, high), splitting at its ends.
  template <typename Visit>
  void visit(int64_t low, int64_t high, Visit&& visit) {
    cut(low);
    cut(high);
    int64_t at = low;
    auto it = segments_.lower_bound(low);
    while (at < high) {
      if (it == segments_.end() || it->first > at) {
        const int64_t end = it == segments_.end() ? high : std::min(high, it->first);
        it = segments_.emplace_hint(it, at, Segment{end, -1, kNothing});
      }
      visit(it->second);
      at = it->second.high;
      ++it;
    }
  }
  /// Replaces everything in [low, high) by one segment.
  void replace(int64_t low, int64_t high, int32_t writer) {
    cut(low);
    cut(high);
    segments_.erase(segments_.lower_bound(low), segments_.lower_bound(high));
    segments_.emplace(low, Segment{high, writer, kNothing});
  }

 private:
  void cut(int64_t at) {
    auto it = segments_.upper_bound(at);
    if (it == segments_.begin()) return;
    --it;
    if (it->first == at || it->second.high <= at) return;
    Segment upper = it->second;
    it->second.high = at;
    segments_.emplace(at, upper);
  }
  std::map<int64_t, Segment> segments_;
};

}  // namespace

std::vector<Item> schedule(std::vector<Step> steps) {
  // position[i]: the loads of step i go before the work of this step, never before an earlier load.
  std::vector<std::vector<Item>> before(steps.size());
  std::size_t earliest = 0;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    for (Item& load : steps[s].loads) {
      std::size_t at = s;
      const std::size_t lookahead = load.lookahead > 0 ? load.lookahead : kLookahead;
      while (at > earliest && s - at < lookahead && !conflicts(load, steps[at - 1].work)) --at;
      earliest = at;
      before[at].push_back(std::move(load));
    }
  }
  std::vector<Item> items;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    std::move(before[s].begin(), before[s].end(), std::back_inserter(items));
    std::move(steps[s].work.begin(), steps[s].work.end(), std::back_inserter(items));
  }
  return items;
}

void insert_tokens(std::vector<Item>& items) {
  std::array<AccessMap, 3> memories;
  std::array<Clock, kEngines> known;
  known.fill(kNothing);
  std::vector<Clock> at_completion(items.size());

  for (std::size_t j = 0; j < items.size(); ++j) {
    Item& item = items[j];
    const auto engine = static_cast<std::size_t>(item.instruction.engine());
    Clock needed = kNothing;
    const auto need = [&](int32_t index) {
      if (index < 0) return;
      const auto other =
          static_cast<std::size_t>(items[static_cast<std::size_t>(index)].instruction.engine());
      needed[other] = std::max(needed[other], index);
    };
    for (const Access& a : item.accesses) {
      if (a.low >= a.high) continue;
      memories[static_cast<std::size_t>(a.memory)].visit(a.low, a.high, [&](AccessMap::Segment& s) {
        need(s.writer);
        if (!a.write) {
          s.readers[engine] = static_cast<int32_t>(j);
          return;
        }
        for (const int32_t r : s.readers) {
          if (r != static_cast<int32_t>(j)) need(r);
        }
      });
    }
    for (const Access& a : item.accesses) {
      if (a.write && a.low < a.high) {
        memories[static_cast<std::size_t>(a.memory)].replace(a.low, a.high,
                                                             static_cast<int32_t>(j));
      }
    }
    // Latest first: its token may bring the knowledge of the others with it.
    std::vector<std::pair<int32_t, std::size_t>> order;
    for (std::size_t e = 0; e < kEngines; ++e) {
      if (e != engine && needed[e] >= 0) order.emplace_back(needed[e], e);
    }
    std::sort(order.rbegin(), order.rend());
    for (const auto& [index, other] : order) {
      if (known[engine][other] >= index) continue;
      items[static_cast<std::size_t>(index)].instruction.signal |=
          static_cast<std::uint8_t>(1U << engine);
      item.instruction.wait |= static_cast<std::uint8_t>(1U << other);
      const Clock& seen = at_completion[static_cast<std::size_t>(index)];
      for (std::size_t e = 0; e < kEngines; ++e)
        known[engine][e] = std::max(known[engine][e], seen[e]);
    }
    known[engine][engine] = static_cast<int32_t>(j);
    at_completion[j] = known[engine];
  }
}

}  // namespace npu::kernels
