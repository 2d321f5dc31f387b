#include "tests/support/race_oracle.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "isa/footprint.h"
#include "isa/unroll.h"

namespace npu::test {
namespace {

/// Bytes of the three memories side by side: [low, high), ascending.
using Bytes = std::vector<std::pair<std::int64_t, std::int64_t>>;

Bytes bytes_of(const std::vector<isa::Region>& regions) {
  constexpr std::int64_t kMemoryStride = std::int64_t{1} << 50;
  Bytes all;
  for (const isa::Region& r : regions) {
    const std::int64_t base = r.base + static_cast<std::int64_t>(r.memory) * kMemoryStride;
    for (std::int64_t a = 0; a < r.count[0]; ++a) {
      for (std::int64_t b = 0; b < r.count[1]; ++b) {
        for (std::int64_t c = 0; c < r.count[2]; ++c) {
          const std::int64_t at = base + a * r.stride[0] + b * r.stride[1] + c * r.stride[2];
          all.emplace_back(at, at + r.run);
        }
      }
    }
  }
  std::ranges::sort(all);
  Bytes merged;
  for (const auto& [low, high] : all) {
    if (!merged.empty() && low <= merged.back().second) {
      merged.back().second = std::max(merged.back().second, high);
    } else {
      merged.emplace_back(low, high);
    }
  }
  return merged;
}

bool overlap(const Bytes& a, const Bytes& b) {
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i].first < b[j].second && b[j].first < a[i].second) return true;
    if (a[i].second <= b[j].second) {
      ++i;
    } else {
      ++j;
    }
  }
  return false;
}

struct Event {
  isa::Instruction instruction;
  Bytes reads, writes;
  std::vector<bool> after;  ///< Events that are known to be complete before it starts.
};

bool conflict(const Event& a, const Event& b) {
  return overlap(a.writes, b.writes) || overlap(a.writes, b.reads) || overlap(a.reads, b.writes);
}

void follow(Event& event, const std::vector<Event>& events, std::size_t before) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[before].after[i]) event.after[i] = true;
  }
  event.after[before] = true;
}

}  // namespace

bool has_race(const isa::Program& program) {
  constexpr auto kEngines = static_cast<std::size_t>(isa::kEngineCount);
  std::vector<Event> events;
  std::array<std::deque<std::size_t>, kEngines> queues;
  isa::Unroller unroller(program.code);
  isa::Instruction instruction;
  std::int32_t index = 0;
  while (unroller.next(instruction, index)) {
    queues[static_cast<std::size_t>(instruction.engine())].push_back(events.size());
    const isa::Footprint touched = isa::footprint(instruction);
    events.push_back({instruction, bytes_of(touched.reads), bytes_of(touched.writes), {}});
  }
  for (Event& e : events) e.after.resize(events.size());

  std::array<std::optional<std::size_t>, kEngines> last;
  std::array<std::array<std::deque<std::size_t>, kEngines>, kEngines> tokens;  // [to][from]
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t engine = 0; engine < kEngines; ++engine) {
      if (queues[engine].empty()) continue;
      const std::size_t at = queues[engine].front();
      Event& event = events[at];
      bool ready = true;
      for (std::size_t e = 0; e < kEngines; ++e) {
        ready &= (event.instruction.wait >> e & 1) == 0 || !tokens[engine][e].empty();
      }
      if (!ready) continue;
      queues[engine].pop_front();
      moved = true;
      if (last[engine]) follow(event, events, *last[engine]);
      last[engine] = at;
      for (std::size_t e = 0; e < kEngines; ++e) {
        if ((event.instruction.wait >> e & 1) != 0) {
          follow(event, events, tokens[engine][e].front());
          tokens[engine][e].pop_front();
        }
        if ((event.instruction.signal >> e & 1) != 0) tokens[e][engine].push_back(at);
      }
    }
  }
  for (std::size_t i = 0; i < events.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (events[i].after[j] || events[j].after[i]) continue;
      if (conflict(events[i], events[j])) return true;
    }
  }
  return false;
}

}  // namespace npu::test
