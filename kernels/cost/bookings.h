#pragma once

#include <cstddef>
#include <vector>

namespace npu::cost {

/// The share of a resource's time that is taken, as a step function of the cycle.
///
/// A stream asks for a constant share from its start on. Where earlier bookings leave less it gets
/// what they leave, and ends later by the rest. What ended long before is forgotten.
class Bookings {
 public:
  /// Books `work` cycles of the whole resource, spread over `duration` from `start` on [cycles].
  /// @return when the last of it is done.
  double book(double work, double start, double duration);
  /// Lets all that is booked happen `cycles` later.
  void shift(double cycles);
  /// Cycles of work booked after `cycle`.
  [[nodiscard]] double left_after(double cycle) const;

 private:
  /// `share` is taken from the end of the step before until `until`.
  struct Step {
    double until = 0, share = 0;
  };
  static constexpr std::size_t kMostSteps = 24;

  std::size_t split_at(double cycle);

  std::vector<Step> steps_;
};

}  // namespace npu::cost
