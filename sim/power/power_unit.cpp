#include "sim/power/power_unit.h"

#include <algorithm>

#include "sim/base/error.h"
#include "sim/config/leakage.h"

namespace npu {

PowerUnit::PowerUnit(const sc_core::sc_module_name& name, const EnergyConfig& energy,
                     const ClockConfig& clock)
    : sc_module(name),
      window_cycles_(static_cast<std::uint64_t>(energy.window_cycles)),
      period_ps_(static_cast<std::uint64_t>(clock.period_ps())) {
  NPU_CHECK(window_cycles_ > 0 && period_ps_ > 0, "window and clock period must be positive");
  NPU_CHECK(energy.events.size() == kEventCount, "energy table without a row for every event");
  for (std::size_t i = 0; i < kEventCount; ++i) {
    event_pj_.push_back(energy.events[i].picojoules);
    event_component_.push_back(component_index(std::string(component_of(static_cast<Event>(i)))));
  }
  for (const LeakageRow& row : energy.leakage) {
    const std::size_t c = component_index(row.component);
    leakage_pj_per_cycle_[c] += leakage_per_cycle_pj(row, clock.period_ps());
  }
  SC_HAS_PROCESS(PowerUnit);
  SC_METHOD(close_window);
  sensitive << window_end_;
  dont_initialize();
}

std::size_t PowerUnit::component_index(const std::string& component) {
  const auto at = std::find(components_.begin(), components_.end(), component);
  if (at != components_.end()) return static_cast<std::size_t>(at - components_.begin());
  components_.push_back(component);
  leakage_pj_per_cycle_.push_back(0);
  return components_.size() - 1;
}

void PowerUnit::add(std::uint64_t window, std::size_t component, double picojoules) {
  while (window_pj_.size() <= window) window_pj_.emplace_back(components_.size(), 0.0);
  window_pj_[window][component] += picojoules;
}

void PowerUnit::on_activity(Event event, std::uint64_t count, std::uint64_t begin_cycle,
                            std::uint64_t end_cycle) {
  const auto e = static_cast<std::size_t>(event);
  const double energy = static_cast<double>(count) * event_pj_[e];
  const std::size_t component = event_component_[e];
  const std::uint64_t first = begin_cycle / window_cycles_;
  const std::uint64_t last = end_cycle > begin_cycle ? (end_cycle - 1) / window_cycles_ : first;
  if (first == last) {
    add(first, component, energy);
    return;
  }
  const double per_cycle = energy / static_cast<double>(end_cycle - begin_cycle);
  for (std::uint64_t w = first; w <= last; ++w) {
    const std::uint64_t from = std::max(begin_cycle, w * window_cycles_);
    const std::uint64_t to = std::min(end_cycle, (w + 1) * window_cycles_);
    add(w, component, per_cycle * static_cast<double>(to - from));
  }
}

void PowerUnit::start() {
  const std::uint64_t now_ps = sc_core::sc_time_stamp().value();
  const std::uint64_t window_ps = window_cycles_ * period_ps_;
  const std::uint64_t next_ps = (now_ps / window_ps + 1) * window_ps;
  window_end_.notify(sc_core::sc_time::from_value(next_ps - now_ps));
}

void PowerUnit::stop() { window_end_.cancel(); }

void PowerUnit::close_window() {
  const std::uint64_t now_cycle = sc_core::sc_time_stamp().value() / period_ps_;
  const std::uint64_t window = now_cycle / window_cycles_ - 1;
  if (window_pj_.size() <= window) add(window, 0, 0);
  latest_watts_ = watts(window_pj_[window], window_cycles_);
  if (sc_core::sc_pending_activity()) start();
}

std::vector<double> PowerUnit::watts(const std::vector<double>& events_pj,
                                     std::uint64_t cycles) const {
  const double window_ps = static_cast<double>(cycles * period_ps_);
  std::vector<double> result(components_.size());
  for (std::size_t c = 0; c < result.size(); ++c) {
    const double energy = events_pj[c] + leakage_pj_per_cycle_[c] * static_cast<double>(cycles);
    result[c] = energy / window_ps;  // pJ/ps = W
  }
  return result;
}

std::vector<PowerSample> PowerUnit::repeated_samples(const std::vector<Stretch>& stretches,
                                                     const EventCounts& events) const {
  struct Piece {
    std::uint64_t begin, end, repeats;
    std::vector<double> energy_pj;
  };
  std::vector<Piece> pieces;
  std::vector<double> spread(components_.size());
  const std::uint64_t total = stretches.back().end_cycle;
  for (const Stretch& s : stretches) {
    for (std::uint64_t begin = s.begin_cycle; begin < s.end_cycle;) {
      const std::uint64_t w = begin / window_cycles_;
      const std::uint64_t window_end = std::min(total, (w + 1) * window_cycles_);
      const std::uint64_t end = std::min(s.end_cycle, window_end);
      const double share =
          static_cast<double>(end - begin) / static_cast<double>(window_end - w * window_cycles_);
      std::vector<double> energy = window_energy(w, total);
      for (std::size_t c = 0; c < energy.size(); ++c) {
        energy[c] *= share;
        spread[c] += energy[c] * static_cast<double>(s.repeats);
      }
      pieces.push_back({begin, end, s.repeats, std::move(energy)});
      begin = end;
    }
  }
  std::vector<double> factor(components_.size());
  for (std::size_t e = 0; e < kEventCount; ++e) {
    factor[event_component_[e]] += static_cast<double>(events[e]) * event_pj_[e];
  }
  for (std::size_t c = 0; c < factor.size(); ++c) {
    factor[c] = spread[c] > 0 ? factor[c] / spread[c] : 1.0;
  }
  std::vector<PowerSample> result;
  for (Piece& p : pieces) {
    for (std::size_t c = 0; c < factor.size(); ++c) p.energy_pj[c] *= factor[c];
    result.push_back({p.begin, p.end, watts(p.energy_pj, p.end - p.begin), p.repeats});
  }
  return result;
}

std::vector<double> PowerUnit::window_energy(std::uint64_t window,
                                             std::uint64_t total_cycles) const {
  std::vector<double> energy = window < window_pj_.size()
                                   ? window_pj_[window]
                                   : std::vector<double>(components_.size(), 0.0);
  const std::uint64_t windows = (total_cycles + window_cycles_ - 1) / window_cycles_;
  for (std::uint64_t late = windows; window + 1 == windows && late < window_pj_.size(); ++late) {
    for (std::size_t c = 0; c < energy.size(); ++c) energy[c] += window_pj_[late][c];
  }
  return energy;
}

std::vector<PowerSample> PowerUnit::samples(std::uint64_t total_cycles) const {
  std::vector<PowerSample> result;
  const std::uint64_t windows = (total_cycles + window_cycles_ - 1) / window_cycles_;
  for (std::uint64_t w = 0; w < windows; ++w) {
    const std::uint64_t begin = w * window_cycles_;
    const std::uint64_t end = std::min(total_cycles, begin + window_cycles_);
    result.push_back({begin, end, watts(window_energy(w, total_cycles), end - begin), 1});
  }
  return result;
}

}  // namespace npu
