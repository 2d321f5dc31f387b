#pragma once

#include <cstdint>
#include <string>
#include <systemc>
#include <vector>

#include "sim/config/npu_config.h"
#include "sim/stats/recorder.h"
#include "sim/stats/repeats.h"
#include "sim/stats/run_stats.h"

namespace npu {

/// Power meter of the NPU: watches the units' counters and closes a window every
/// energy.window_cycles while the machine runs.
///
/// Energy of `count` events over [begin, end] cycles is spread evenly over that time, so an
/// activity that spans windows is shared between them in proportion; one with begin = end lies in
/// the window of begin. Watts of a component in a window = (energy of its events + its leakage) /
/// time of the window. Units report an activity when they know its end, which may lie windows back
/// or ahead: a closed window is amended, and what lies beyond the last cycle belongs to the last
/// window. So the windows' energies sum to the ledger's total. Not modelled: switching current
/// within an activity, voltage rails, feedback on the clock.
class PowerUnit final : public sc_core::sc_module {
 public:
  PowerUnit(const sc_core::sc_module_name& name, const EnergyConfig& energy,
            const ClockConfig& clock);

  /// Counts `count` events over [begin_cycle, end_cycle]; for Recorder::on_activity.
  void on_activity(Event event, std::uint64_t count, std::uint64_t begin_cycle,
                   std::uint64_t end_cycle);

  /// Starts to sample. The sampling timer ends by itself once nothing else in the simulation is
  /// pending.
  void start();
  /// The machine has finished: cancels the timer, so that it does not prolong the run.
  void stop();

  /// Rows' components in order of first appearance, of events first, then of leakage.
  [[nodiscard]] const std::vector<std::string>& components() const { return components_; }
  /// Watts per component in the last window that closed while running; empty before.
  [[nodiscard]] const std::vector<double>& latest_watts() const { return latest_watts_; }
  /// All windows of [0, total_cycles); the last one may be partial.
  [[nodiscard]] std::vector<PowerSample> samples(std::uint64_t total_cycles) const;
  /// The windows cut at the ends of the stretches, which are those of all runs, with their repeats.
  /// One factor per component makes the windows' energies, repeated, sum to that of `events`.
  [[nodiscard]] std::vector<PowerSample> repeated_samples(const std::vector<Stretch>& stretches,
                                                          const EventCounts& events) const;

 private:
  void close_window();
  [[nodiscard]] std::size_t component_index(const std::string& component);
  void add(std::uint64_t window, std::size_t component, double picojoules);
  /// Of events; the last window of all has what lies behind it, too.
  [[nodiscard]] std::vector<double> window_energy(std::uint64_t window,
                                                  std::uint64_t total_cycles) const;
  [[nodiscard]] std::vector<double> watts(const std::vector<double>& events_pj,
                                          std::uint64_t cycles) const;

  const std::uint64_t window_cycles_, period_ps_;
  std::vector<std::string> components_;
  std::vector<double> event_pj_;                ///< Per Event.
  std::vector<std::size_t> event_component_;    ///< Per Event.
  std::vector<double> leakage_pj_per_cycle_;    ///< Per component.
  std::vector<std::vector<double>> window_pj_;  ///< Per window and component, without leakage.
  std::vector<double> latest_watts_;
  sc_core::sc_event window_end_;
};

}  // namespace npu
