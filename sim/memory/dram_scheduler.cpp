#include "sim/memory/dram_scheduler.h"

#include <algorithm>

#include "sim/base/error.h"
#include "sim/timing/dram_timing.h"

namespace npu {

DramScheduler::DramScheduler(const DramConfig& config)
    : depth_(static_cast<std::size_t>(config.queue_depth)),
      starvation_cap_(config.starvation_cap),
      closed_page_(config.page_policy == PagePolicy::kClosed),
      lookahead_(config.tRP + config.tRCD + std::max(config.tCL, config.tCWL) +
                 timing::burst_clocks(config)),
      batch_(kBatchBursts * timing::burst_clocks(config)),
      banks_(config),
      looked_(banks_.bank_count() * 3) {
  NPU_CHECK(config.queue_depth > 0, "a DRAM queue needs an entry");
  queue_.reserve(depth_);
  if (config.refresh == RefreshPolicy::kNone) return;
  const bool per_bank = config.refresh == RefreshPolicy::kPerBank;
  const DramClock least = (per_bank ? config.tRFCpb : config.tRFC) + 2 * (lookahead_ + batch_) +
                          config.tRAS + config.tFAW + config.tWR + config.tWTR_L;
  if (config.tREFI < least) {
    fail("dram: tREFI: must be at least {} to leave time for accesses between refreshes, got {}",
         least, config.tREFI);
  }
}

DramClock DramScheduler::wake_for(DramClock arrival) const {
  return std::max(arrival, banks_.data_free() - lookahead_);
}

DramClock DramScheduler::next_arrival() const {
  const DramClock read = reads_.empty() ? kNever : reads_.front().arrival;
  const DramClock write = writes_.empty() ? kNever : writes_.front().arrival;
  return std::min(read, write);
}

void DramScheduler::refill(DramClock now) {
  while (queue_.size() < depth_ && next_arrival() <= now) {
    const bool take_read =
        !reads_.empty() && (writes_.empty() || reads_.front().arrival <= writes_.front().arrival);
    std::deque<DramBurst>& from = take_read ? reads_ : writes_;
    queue_.push_back(from.front());
    from.pop_front();
  }
}

void DramScheduler::consider_hits(DramClock now, Choice& best) {
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    const DramBurst& b = queue_[i];
    if (!banks_.is_hit(b.bank, b.row)) continue;
    if (!first_look(std::size_t{b.bank} * 3 + (b.is_write ? 1 : 0))) continue;
    const BurstTimes times = banks_.earliest(b.bank, b.row, b.is_write, now);
    if (times.column >= banks_.refresh_due(b.bank)) continue;
    looked_[std::size_t{b.bank} * 3 + 2] = choice_number_;  // Not to be closed.
    if (times.column >= best.times.column) continue;
    best = {i, times};
    if (times.column <= std::max(now, banks_.next_column())) return;
  }
}

void DramScheduler::consider_misses(DramClock now, Choice& best) {
  const DramClock soonest = banks_.any_activate(now);
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    const DramBurst& b = queue_[i];
    if (!first_look(std::size_t{b.bank} * 3 + 2)) continue;
    const BurstTimes times = banks_.earliest(b.bank, b.row, b.is_write, now);
    if (times.column >= best.times.column) continue;
    best = {i, times};
    if (times.activate <= soonest) return;
  }
}

DramScheduler::Choice DramScheduler::choose(DramClock now) {
  for (;;) {
    ++choice_number_;
    Choice best;
    const DramBurst& oldest = queue_.front();
    if (oldest.overtaken >= starvation_cap_) {
      best.times = banks_.earliest(oldest.bank, oldest.row, oldest.is_write, now);
    } else {
      consider_hits(now, best);
      if (best.times.column > std::max(now, banks_.next_column())) consider_misses(now, best);
    }
    const std::uint32_t bank = queue_[best.index].bank;
    if (best.times.column < banks_.refresh_due(bank)) return best;
    banks_.refresh(bank);
  }
}

bool DramScheduler::is_last_hit(std::size_t index) const {
  const DramBurst& chosen = queue_[index];
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    if (i != index && queue_[i].bank == chosen.bank && queue_[i].row == chosen.row) return false;
  }
  return true;
}

void DramScheduler::issue(const Choice& choice, std::vector<Issue>& issues) {
  const DramBurst burst = queue_[choice.index];
  banks_.book(burst.bank, burst.row, burst.is_write, choice.times,
              closed_page_ && is_last_hit(choice.index));
  issues.push_back({burst, choice.times, std::min(burst.arrival, queue_.front().arrival)});
  if (choice.times.activate < 0) {
    for (std::size_t i = 0; i < choice.index; ++i) ++queue_[i].overtaken;
  }
  queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(choice.index));
}

DramClock DramScheduler::run(DramClock now, std::vector<Issue>& issues) {
  banks_.refresh_until(now);
  const DramClock horizon = now + lookahead_ + batch_;
  DramClock wake = kNever;
  for (;;) {
    refill(now);
    if (queue_.empty()) break;
    const Choice choice = choose(now);
    if (choice.times.data_end > horizon) {
      wake = choice.times.data_end - lookahead_;
      break;
    }
    issue(choice, issues);
  }
  if (queue_.size() < depth_ && next_arrival() < kNever) {
    wake = std::min(wake, wake_for(next_arrival()));
  }
  return wake == kNever ? kNever : std::max(wake, now + 1);
}

}  // namespace npu
