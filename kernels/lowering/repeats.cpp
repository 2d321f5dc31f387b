#include "kernels/lowering/repeats.h"

#include <algorithm>
#include <cmath>

#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using std::int64_t;
using std::size_t;

/// `count` periods of `period` layers from `begin` on, of which `steady` in the middle are kept.
struct Block {
  size_t begin = 0, period = 0, count = 0, steady = 0;
  double saved_cycles = 0;
  [[nodiscard]] size_t end() const { return begin + count * period; }
  [[nodiscard]] size_t layer(size_t which) const { return begin + which * period; }
};

class Finder {
 public:
  Finder(std::span<const std::uint32_t> keys, std::span<const double> cycles, double steady_cycles)
      : keys_(keys), steady_cycles_(steady_cycles), sum_(keys.size() + 1) {
    for (size_t i = 0; i < keys.size(); ++i) sum_[i + 1] = sum_[i] + cycles[i];
    plan_.stands_in.resize(keys.size());
  }

  RepeatPlan run() {
    fold(0, keys_.size(), 1);
    // What stands in may itself be left out of a nested block, for a layer before it.
    for (int& layer : plan_.stands_in) {
      while (plan_.stands_in[static_cast<size_t>(layer)] != layer) {
        layer = plan_.stands_in[static_cast<size_t>(layer)];
      }
    }
    double simulated = 0;
    for (const KeptLayer& kept : plan_.kept) {
      simulated += cycles(static_cast<size_t>(kept.layer), static_cast<size_t>(kept.layer) + 1);
    }
    if (simulated > (1 - kLeastSaving) * sum_.back()) return keep_all(keys_.size());
    return std::move(plan_);
  }

 private:
  [[nodiscard]] double cycles(size_t begin, size_t end) const { return sum_[end] - sum_[begin]; }

  /// The block of `period` layers from `begin` on, as often as it fits before `end`.
  [[nodiscard]] Block block_of(size_t begin, size_t period, size_t end) const {
    Block b{.begin = begin, .period = period, .count = (end - begin) / period};
    const double one = std::max(1.0, cycles(begin, begin + period));
    const double least = 2 * std::max(1.0, std::ceil(steady_cycles_ / (2 * one)));
    if (least + 3 >= static_cast<double>(b.count)) return b;
    b.steady = static_cast<size_t>(least);
    if ((b.count - b.steady) * period % 2 == 1) ++b.steady;
    b.saved_cycles = static_cast<double>(b.count - b.steady - 2) * one;
    return b;
  }

  [[nodiscard]] Block best(size_t begin, size_t end) const {
    constexpr size_t kFewest = 6;  // First, last, two or three steady ones, one to leave out.
    Block best;
    for (size_t period = 1; period <= std::min((end - begin) / kFewest, kLongestPeriod); ++period) {
      for (size_t at = begin; at + period < end; ++at) {
        size_t same = at;
        while (same + period < end && keys_[same] == keys_[same + period]) ++same;
        if (same == at) continue;
        const Block b = block_of(at, period, same + period);
        if (b.saved_cycles > best.saved_cycles) best = b;
        at = same;
      }
    }
    return best;
  }

  void fold(size_t begin, size_t end, int64_t repeats) {
    const Block b = best(begin, end);
    if (b.steady == 0) {
      for (size_t i = begin; i < end; ++i) {
        plan_.kept.push_back({static_cast<int>(i), repeats});
        plan_.stands_in[i] = static_cast<int>(i);
      }
      return;
    }
    fold(begin, b.begin, repeats);
    fold(b.layer(0), b.layer(1), repeats);
    fold_steady(b, repeats);
    fold(b.layer(b.count - 1), b.end(), repeats);
    fold(b.end(), end, repeats);
  }

  void fold_steady(const Block& b, int64_t repeats) {
    const auto kept = static_cast<int64_t>(b.steady);
    const auto all = static_cast<int64_t>(b.count - 2);
    SteadyPeriods steady{.early = {},
                         .late = {},
                         .early_periods = kept / 2,
                         .late_periods = kept - kept / 2,
                         .stands_for = all * repeats};
    for (int64_t i = 0; i < kept; ++i) {
      const int64_t times = all / kept + (i >= kept - all % kept ? 1 : 0);
      const size_t first = plan_.kept.size();
      const auto which = static_cast<size_t>(i) + 1;
      fold(b.layer(which), b.layer(which + 1), repeats * times);
      for (size_t k = first; k < plan_.kept.size(); ++k) {
        (i < steady.early_periods ? steady.early : steady.late)
            .push_back({k, plan_.kept[k].repeats / (repeats * times)});
      }
    }
    plan_.periods.push_back(std::move(steady));
    const size_t last = b.layer(b.steady);  // The last steady period stands in for what follows.
    for (size_t i = last + b.period; i < b.layer(b.count - 1); ++i) {
      plan_.stands_in[i] = static_cast<int>(last + (i - b.begin) % b.period);
    }
  }

  std::span<const std::uint32_t> keys_;
  double steady_cycles_;
  std::vector<double> sum_;  ///< Of the cycles of the layers before each.
  RepeatPlan plan_;
};

}  // namespace

double RepeatPlan::uncertain_cycles(std::span<const std::uint64_t> kept_cycles) const {
  const auto sum = [&](const std::vector<SteadyPeriods::Part>& parts) {
    double cycles = 0;
    for (const SteadyPeriods::Part& p : parts) {
      cycles += static_cast<double>(kept_cycles[p.kept]) * static_cast<double>(p.times);
    }
    return cycles;
  };
  double uncertain = 0;
  for (const SteadyPeriods& p : periods) {
    const double difference = sum(p.early) / static_cast<double>(p.early_periods) -
                              sum(p.late) / static_cast<double>(p.late_periods);
    uncertain += std::abs(difference) / 2 * static_cast<double>(p.stands_for);
  }
  return uncertain;
}

bool RepeatPlan::is_steady(std::span<const std::uint64_t> kept_cycles,
                           std::uint64_t run_cycles) const {
  return uncertain_cycles(kept_cycles) <= kSteadyShare * static_cast<double>(run_cycles);
}

RepeatPlan find_repeats(std::span<const std::uint32_t> keys, std::span<const double> cycles,
                        double steady_cycles) {
  NPU_CHECK(keys.size() == cycles.size(), "one key and one prediction per layer");
  return Finder(keys, cycles, steady_cycles).run();
}

RepeatPlan keep_all(std::size_t layers) {
  RepeatPlan plan;
  for (std::size_t i = 0; i < layers; ++i) {
    plan.kept.push_back({static_cast<int>(i), 1});
    plan.stands_in.push_back(static_cast<int>(i));
  }
  return plan;
}

}  // namespace npu::kernels
