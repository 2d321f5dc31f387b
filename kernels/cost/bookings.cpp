#include "kernels/cost/bookings.h"

#include <algorithm>

namespace npu::cost {
namespace {

constexpr double kLeast = 1e-9;  ///< Of a cycle or a share: less is nothing.

}  // namespace

std::size_t Bookings::split_at(double cycle) {
  std::size_t i = steps_.size();
  while (i > 0 && steps_[i - 1].until > cycle) --i;
  // Step i, if any, is the one that reaches beyond the cycle.
  if (i == steps_.size()) {
    if (i == 0 || steps_[i - 1].until < cycle) {
      steps_.push_back({cycle, 0});
      ++i;
    }
    return i;
  }
  if (i > 0 && steps_[i - 1].until == cycle) return i;
  steps_.insert(steps_.begin() + static_cast<std::ptrdiff_t>(i), {cycle, steps_[i].share});
  return i + 1;
}

double Bookings::book(double work, double start, double duration) {
  if (work <= 0) return start;
  if (steps_.size() > kMostSteps) {
    steps_.erase(steps_.begin(), steps_.end() - static_cast<std::ptrdiff_t>(kMostSteps / 2));
  }
  const double wanted = duration <= work ? 1.0 : work / duration;
  double from = start;
  double left = work;
  for (std::size_t i = split_at(start); i < steps_.size(); ++i) {
    const double got = std::min(wanted, 1.0 - steps_[i].share);
    if (got > kLeast) {
      const double end = from + left / got;
      if (end <= steps_[i].until) {
        if (end < steps_[i].until) {
          steps_.insert(steps_.begin() + static_cast<std::ptrdiff_t>(i), {end, steps_[i].share});
        }
        steps_[i].share += got;
        return end;
      }
      left -= got * (steps_[i].until - from);
      steps_[i].share += got;
    }
    from = steps_[i].until;
  }
  const double end = from + left / wanted;
  steps_.push_back({end, wanted});
  return end;
}

void Bookings::shift(double cycles) {
  for (Step& s : steps_) s.until += cycles;
}

double Bookings::left_after(double cycle) const {
  double left = 0;
  double from = cycle;
  for (const Step& s : steps_) {
    if (s.until <= from) continue;
    left += (s.until - from) * s.share;
    from = s.until;
  }
  return left;
}

}  // namespace npu::cost
