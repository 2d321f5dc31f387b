#include "sim/memory/dram_scheduler.h"

#include <algorithm>
#include <array>

#include "sim/base/error.h"
#include "sim/timing/dram_timing.h"

namespace npu {
namespace {

/// The best of commands by distance from now, then by age, found without branches. Ages compare
/// right up to 2^40 bursts.
class First {
 public:
  void offer(std::uint32_t bank, DramClock distance, std::uint64_t order) {
    const std::uint64_t rank =
        static_cast<std::uint64_t>(distance) << kOrderBits | (order & kOrderMask);
    bank_ = rank < rank_ ? bank : bank_;
    rank_ = rank < rank_ ? rank : rank_;
  }
  [[nodiscard]] bool is_any() const { return rank_ != kNothing; }
  [[nodiscard]] std::uint32_t bank() const { return bank_; }

 private:
  static constexpr int kOrderBits = 40;
  static constexpr std::uint64_t kOrderMask = (std::uint64_t{1} << kOrderBits) - 1;
  static constexpr std::uint64_t kNothing = ~std::uint64_t{0};
  std::uint32_t bank_ = 0;
  std::uint64_t rank_ = kNothing;
};

}  // namespace

DramScheduler::Side::Side(const DramConfig& config, int queue_depth, std::size_t bank_count)
    : depth(static_cast<std::size_t>(queue_depth)),
      behind_banks(config.bank_queue_depth > 0),
      queue(behind_banks ? static_cast<std::size_t>(config.bank_queue_depth) * bank_count : depth,
            bank_count, config.starvation_cap) {}

DramScheduler::DramScheduler(const DramConfig& config)
    : drain_high_(static_cast<std::size_t>(config.write_drain_high)),
      drain_low_(static_cast<std::size_t>(config.write_drain_low)),
      starvation_cap_(config.starvation_cap * config.ranks * config.bank_groups *
                      config.banks_per_group),
      closed_page_(config.page_policy == PagePolicy::kClosed),
      batch_(DramConfig::kBatchBursts * timing::burst_clocks(config)),
      precharge_clocks_(config.tRP),
      activate_clocks_(config.tRCD),
      lookahead_(config.lookahead_clocks()),
      banks_(config),
      reads_(config, config.queue_depth, banks_.bank_count()),
      writes_(config, config.write_queue_depth, banks_.bank_count()),
      bank_depth_(static_cast<std::size_t>(config.bank_queue_depth)),
      in_bank_(banks_.bank_count()) {
  NPU_CHECK(drain_low_ < drain_high_ && drain_high_ <= writes_.depth,
            "the watermarks of a DRAM write queue");
  NPU_CHECK(
      config.refresh == RefreshPolicy::kNone || config.tREFI >= config.least_refresh_interval(),
      "DRAM refresh leaves no time");
}

DramClock DramScheduler::wake_for(DramClock arrival) const {
  return std::max({arrival, booked_until_, banks_.data_free() - lookahead_});
}

void DramScheduler::refill(Side& side, DramClock now) {
  while (side.takes_burst(now)) {
    const DramBurst& burst = side.under_way.front();
    if (burst.waits_for_place) placed_.push_back(burst.request);
    ++side.waiting;
    if (side.behind_banks) {
      side.front.push_back(burst);
    } else {
      const bool is_next = side.queue.push(burst);
      if (is_next && burst.is_write == draining_) consider(burst.bank, now);
    }
    if (!burst.is_write && writes_.waiting > 0) order_after_write(burst);
    side.under_way.pop_front();
  }
}

void DramScheduler::order_after_write(const DramBurst& read) {
  const BurstQueue::Slot match = writes_.queue.find(read.bank, read.row, read.column);
  if (match != BurstQueue::kNone) read_again_ = match;
  const auto same = [&read](const DramBurst& write) {
    return write.bank == read.bank && write.row == read.row && write.column == read.column;
  };
  if (std::ranges::any_of(writes_.front, same)) drain_left_ = writes_.front.size();
}

void DramScheduler::fill_banks(DramClock now) {
  if (drain_left_ == 0 &&
      (writes_.front.size() >= drain_high_ ||
       (reads_.front.empty() && (writes_.front.size() > drain_low_ || banks_queue().empty())))) {
    drain_left_ = writes_.front.size();
  }
  std::deque<DramBurst>& from = side(drain_left_ > 0).front;
  for (auto burst = from.begin(); burst != from.end();) {
    if (in_bank_[burst->bank] == bank_depth_) {
      ++burst;
      continue;
    }
    ++in_bank_[burst->bank];
    banks_queue().push(*burst);
    consider(burst->bank, now);
    const bool drained = burst->is_write && --drain_left_ == 0;
    burst = from.erase(burst);
    if (drained) break;
  }
}

void DramScheduler::choose_direction() {
  const std::size_t writes = writes_.queue.size();
  const bool must_drain = read_again_ != BurstQueue::kNone || reads_.queue.empty();
  const bool goes_on = writes > drain_low_;
  const bool starts = writes >= drain_high_;
  const bool drains = writes > 0 && (must_drain || (draining_ ? goes_on : starts));
  if (drains != draining_) column_.is_valid = activate_.is_valid = false;
  draining_ = drains;
}

DramScheduler::Command DramScheduler::column_of(const BurstQueue& queue, BurstQueue::Slot slot,
                                                DramClock now) const {
  const DramBurst& burst = queue.burst(slot);
  const DramBanks::Outlook outlook = banks_.outlook(burst.is_write, now);
  return {.at = banks_.earliest_column(burst.bank, outlook), .slot = slot, .is_column = true};
}

DramScheduler::Command DramScheduler::activate_of(const BurstQueue& queue, BurstQueue::Slot slot,
                                                  DramClock now) const {
  const std::uint32_t bank = queue.burst(slot).bank;
  return {
      .at = banks_.earliest_activate(bank, now), .slot = slot, .closes_row = banks_.is_open(bank)};
}

void DramScheduler::offer(Kept& kept, const Command& command) const {
  const BurstQueue& queue = side(draining_).queue;
  const Command& best = kept.command;
  if (command.at < best.at ||
      (command.at == best.at && queue.order(command.slot) < queue.order(best.slot))) {
    kept.command = command;
  }
}

void DramScheduler::find_first_column(DramClock now) {
  const BurstQueue& queue = side(draining_).queue;
  First first;
  if (takes_turns()) {
    const std::array outlooks = {banks_.outlook(false, now), banks_.outlook(true, now)};
    queue.hits().for_each([&](std::uint32_t bank) {
      const DramBurst& burst = queue.burst(queue.next_of(bank));
      first.offer(bank, banks_.earliest_column(bank, outlooks[burst.is_write ? 1 : 0]) - now,
                  turn_of(bank));
    });
  } else {
    const DramBanks::Outlook outlook = banks_.outlook(draining_, now);
    queue.hits().for_each([&](std::uint32_t bank) {
      first.offer(bank, banks_.earliest_column(bank, outlook) - now, queue.next_order(bank));
    });
  }
  column_.is_valid = true;
  column_.command = first.is_any() ? column_of(queue, queue.next_of(first.bank()), now) : Command{};
}

void DramScheduler::find_first_activate(DramClock now) {
  const BurstQueue& queue = side(draining_).queue;
  First first;
  if (takes_turns()) {
    queue.misses().for_each([&](std::uint32_t bank) {
      first.offer(bank, banks_.earliest_activate(bank, now) - now, turn_of(bank));
    });
  } else {
    queue.misses().for_each_except(side(!draining_).queue.opened(), [&](std::uint32_t bank) {
      first.offer(bank, banks_.earliest_activate(bank, now) - now, queue.next_order(bank));
    });
  }
  activate_.is_valid = true;
  activate_.command =
      first.is_any() ? activate_of(queue, queue.next_of(first.bank()), now) : Command{};
}

DramScheduler::Command DramScheduler::find_left_over(DramClock now) const {
  const BurstQueue& queue = side(!draining_).queue;
  const DramBanks::Outlook outlook = banks_.outlook(!draining_, now);
  First first;
  queue.opened().for_each([&](std::uint32_t bank) {
    first.offer(bank, banks_.earliest_column(bank, outlook) - now, queue.next_order(bank));
  });
  Command command = column_of(queue, queue.next_of(first.bank()), now);
  command.is_left_over = true;
  return command;
}

void DramScheduler::consider(std::uint32_t bank, DramClock now) {
  if (takes_turns()) {
    column_.is_valid = activate_.is_valid = false;
    return;
  }
  const BurstQueue& queue = side(draining_).queue;
  const BurstQueue::Slot slot = queue.next_of(bank);
  if (slot == BurstQueue::kNone) return;
  if (queue.is_hit(slot)) {
    if (column_.is_valid) offer(column_, column_of(queue, slot, now));
    if (activate_.is_valid && activate_.command.slot != BurstQueue::kNone &&
        queue.burst(activate_.command.slot).bank == bank) {
      activate_.is_valid = false;
    }
  } else if (activate_.is_valid && !side(!draining_).queue.opened().contains(bank)) {
    offer(activate_, activate_of(queue, slot, now));
  }
}

const DramScheduler::Command& DramScheduler::choose(DramClock now) {
  const Side& s = side(draining_);
  for (;;) {
    const Command* command = &column_.command;
    if (s.overtaken >= starvation_cap_) {
      const BurstQueue::Slot slot = s.queue.oldest();
      other_ =
          s.queue.is_hit(slot) ? column_of(s.queue, slot, now) : activate_of(s.queue, slot, now);
      command = &other_;
    } else {
      // What is not before now is still first: the others have not become earlier.
      if (!column_.is_valid || column_.command.at < now) find_first_column(now);
      if (!s.queue.misses().empty()) {
        const DramClock bound = banks_.any_activate(now);
        if (bound - precharge_clocks_ < first_of(*command)) {
          if (!activate_.is_valid || first_of(activate_.command) < now) {
            find_first_activate(now);
          }
          if (first_of(activate_.command) < first_of(*command)) command = &activate_.command;
        }
      }
    }
    if (takes_turns()) {
      other_ = on_bus(*command, now);
      command = &other_;
    } else if (!side(!draining_).queue.opened().empty()) {
      const Command left_over = find_left_over(now);
      if (left_over.at <= first_of(*command)) {
        other_ = left_over;
        command = &other_;
      }
    }
    // No command of a bank from when its refresh is due, and no row opened in vain before.
    const std::uint32_t bank = side_of(*command).queue.burst(command->slot).bank;
    const DramClock column = command->is_column ? command->at : command->at + activate_clocks_;
    if (column < banks_.refresh_due(bank)) return *command;
    refresh(bank);
  }
}

DramScheduler::Command DramScheduler::on_bus(Command command, DramClock now) const {
  command.at = bus_.free_from(command.at);
  while (first_on_bus(command, now) < 0) command.at = bus_.free_from(command.at + 1);
  return command;
}

DramClock DramScheduler::first_on_bus(const Command& command, DramClock now) const {
  if (!command.closes_row) return command.at;
  const std::uint32_t bank = side_of(command).queue.burst(command.slot).bank;
  return bus_.last_free(banks_.earliest_precharge(bank, now), first_of(command));
}

void DramScheduler::refresh(std::uint32_t bank) {
  banks_.refresh(bank);
  const DramBanks::BankRange range = banks_.refreshed_with(bank);
  for (std::uint32_t i = 0; i < range.count; ++i) set_open_row(range.first + i, -1);
  column_.is_valid = activate_.is_valid = false;
}

void DramScheduler::activate(BurstQueue::Slot slot, DramClock precharge, DramClock at,
                             DramClock now) {
  const DramBurst& burst = side(draining_).queue.burst(slot);
  banks_.book_activate(burst.bank, burst.row, precharge, at);
  side(draining_).queue.open_row_for(slot);
  side(!draining_).queue.set_open_row(burst.bank, burst.row);
  activate_.is_valid = false;
  consider(burst.bank, now);
}

void DramScheduler::issue(Side& s, BurstQueue::Slot slot, DramClock at, DramClock now,
                          std::vector<Issue>& issues) {
  const DramBurst burst = s.queue.burst(slot);
  const bool closes = closed_page_ && s.queue.count_on_row(burst.bank, burst.row) == 1;
  const BurstTimes times = banks_.book_column(burst.bank, burst.is_write, at, closes);
  const BurstQueue::Slot oldest = s.queue.oldest();
  const DramClock wanted_since = std::min(burst.arrival, s.queue.burst(oldest).arrival);
  if (slot == oldest) {
    s.overtaken = 0;
  } else if (times.activate < 0) {
    ++s.overtaken;
  }
  if (burst.is_write && slot == read_again_) read_again_ = BurstQueue::kNone;
  if (bank_depth_ > 0) --in_bank_[burst.bank];
  s.queue.erase(slot);
  --side(burst.is_write).waiting;
  if (closes) set_open_row(burst.bank, -1);
  column_.is_valid = false;
  if (&s != &side(draining_)) activate_.is_valid = false;
  consider(burst.bank, now);
  issues.push_back({burst, times, wanted_since});
}

DramClock DramScheduler::run(DramClock now, std::vector<Issue>& issues) {
  if (banks_.refresh_until(now)) {
    for (std::uint32_t bank = 0; bank < banks_.bank_count(); ++bank) {
      if (!banks_.is_open(bank)) set_open_row(bank, -1);
    }
    column_.is_valid = activate_.is_valid = false;
  }
  placed_.clear();
  booked_until_ = now;
  DramClock wake = kNever;
  for (;;) {
    refill(writes_, now);
    refill(reads_, now);
    if (bank_depth_ > 0) fill_banks(now);
    if (!takes_turns()) choose_direction();
    if (side(draining_).queue.empty()) break;
    const Command& command = choose(now);
    // A lone burst has nothing to compete with and saves an event.
    const bool is_lone = reads_.waiting + writes_.waiting == 1;
    const DramClock window = now + (is_lone ? lookahead_ : batch_);
    const DramClock first = takes_turns() ? first_on_bus(command, now) : first_of(command);
    if (first > window) {
      wake = first;
      booked_until_ = window;
      break;
    }
    if (takes_turns()) {
      bus_.take(command.at);
      bus_.take(first);
      last_bank_ = side_of(command).queue.burst(command.slot).bank;
    }
    if (command.is_column) {
      issue(side_of(command), command.slot, command.at, now, issues);
    } else {
      activate(command.slot, first, command.at, now);
    }
  }
  for (const Side* s : {&reads_, &writes_}) {
    if (!s->is_full() && !s->under_way.empty()) {
      wake = std::min(wake, wake_for(s->next_arrival()));
    }
  }
  return wake == kNever ? kNever : std::max(wake, now + 1);
}

}  // namespace npu
