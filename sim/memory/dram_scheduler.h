#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "sim/memory/burst_queue.h"
#include "sim/memory/command_bus.h"
#include "sim/memory/dram_banks.h"

namespace npu {

/// The controller of one channel: FR-FCFS over a bounded read queue and a bounded write queue.
///
/// Reads go first; writes collect. When write_drain_high writes are queued, or no read is, writes
/// are served until write_drain_low are left and a read waits. A read of a burst whose write is
/// queued makes the writes go first up to that one.
/// With bank_queue_depth, bursts go on from these queues to a queue per bank, reads or, in a drain,
/// as many writes as were queued at its start. The banks' queues hold both directions by age; the
/// scheduler sees nothing else and serves both at once. Of commands that are possible at the same
/// clock that of the bank goes first whose turn it is, in a round from the bank of the last
/// command; each takes a clock of the command bus, column commands without precedence. Without
/// these queues, age decides, and column commands find the command bus free. In what is served,
/// each bank offers its oldest row hit, else its oldest burst, so a row with queued hits is not
/// closed. Of the hits the one whose column command can be earliest goes next, of equals the older;
/// of the misses the one whose activate can be earliest opens its row next, of equals the older;
/// whichever command comes first is booked first. A burst for which a row was opened before the
/// direction changed is served as soon as it can be, and no row is opened in its bank before
/// (without queues of the banks). When starvation_cap row hits have overtaken the oldest burst, it
/// goes before all. A burst leaves its place in the queue when an activate is booked for it, else
/// when its column command is. Closed pages: precharge with the last queued hit of a row. Commands
/// are booked up to kBatchBursts bursts ahead of their time, to save simulation events: what
/// arrives meanwhile cannot overtake those. Not modelled: gaps on the data bus filled by later
/// bursts, writes answered to reads or merged in the queue. Source: Rixner et al., Memory Access
/// Scheduling, ISCA 2000 (first ready, first come first served); watermarks as in DRAMsim3 and
/// Ramulator 2.
class DramScheduler {
 public:
  explicit DramScheduler(const DramConfig& config);

  /// Whether the queue has a free entry, counting bursts on their way to the controller.
  [[nodiscard]] bool has_room(bool is_write) const { return side(is_write).has_room(); }
  /// Puts a burst on its way; it waits in front of a full queue. Bursts of a direction arrive in
  /// the order pushed. @return whether a place in the queue was free.
  bool push(DramBurst burst) {
    Side& s = side(burst.is_write);
    burst.waits_for_place = !s.has_room();
    s.under_way.push_back(burst);
    return !burst.waits_for_place;
  }

  /// One burst that has been booked.
  struct Issue {
    DramBurst burst;
    BurstTimes times;
    DramClock wanted_since = 0;  ///< From when on the channel had work that led here.
  };
  /// Books what can be booked at `now`, appending to `issues`. @return when to call again; kNever
  /// if nothing waits.
  [[nodiscard]] DramClock run(DramClock now, std::vector<Issue>& issues);
  /// Requests of the bursts that found a place in the last run() and had none when pushed.
  [[nodiscard]] const std::vector<std::uint32_t>& placed() const { return placed_; }

  /// The earliest instant at which a burst arriving at `arrival` needs run().
  [[nodiscard]] DramClock wake_for(DramClock arrival) const;

  [[nodiscard]] DramBanks& banks() { return banks_; }
  [[nodiscard]] const DramBanks& banks() const { return banks_; }

 private:
  /// One direction.
  struct Side {
    Side(const DramConfig& config, int queue_depth, std::size_t bank_count);
    [[nodiscard]] bool has_room() const {
      return (behind_banks ? front.size() : queue.places_taken()) + under_way.size() < depth;
    }
    [[nodiscard]] bool is_full() const {
      return (behind_banks ? front.size() : queue.places_taken()) >= depth;
    }
    /// Whether a burst arrives and finds a place.
    [[nodiscard]] bool takes_burst(DramClock now) const {
      return !under_way.empty() && under_way.front().arrival <= now && !is_full();
    }
    [[nodiscard]] DramClock next_arrival() const {
      return under_way.empty() ? kNever : under_way.front().arrival;
    }
    std::size_t depth;
    bool behind_banks;                ///< Whether the banks have queues of their own.
    std::deque<DramBurst> under_way;  ///< By arrival.
    std::deque<DramBurst> front;      ///< In the common queue before those of the banks, by age.
    BurstQueue queue;  ///< What the scheduler chooses from; of reads: also the banks' queues.
    std::size_t waiting = 0;  ///< Bursts in these queues.
    int overtaken = 0;        ///< Row hits issued since the oldest burst is the oldest.
  };
  /// A command to book next.
  struct Command {
    DramClock at = kNever;  ///< Of the column command or the activate.
    BurstQueue::Slot slot = BurstQueue::kNone;
    bool is_column = false;
    bool closes_row = false;    ///< A precharge goes before the activate.
    bool is_left_over = false;  ///< Of the direction that is not served.
  };
  /// The first command of its kind in the direction served, as long as nothing changes it.
  struct Kept {
    Command command;
    bool is_valid = false;
  };

  [[nodiscard]] Side& side(bool is_write) { return is_write ? writes_ : reads_; }
  [[nodiscard]] const Side& side(bool is_write) const { return is_write ? writes_ : reads_; }
  void refill(Side& side, DramClock now);
  void order_after_write(const DramBurst& read);
  void fill_banks(DramClock now);
  void choose_direction();
  /// The command to book next; it stands until the next call or booking.
  [[nodiscard]] const Command& choose(DramClock now);
  void find_first_column(DramClock now);
  void find_first_activate(DramClock now);
  /// The first column command of a burst of the other direction for which a row was opened before
  /// the direction changed.
  [[nodiscard]] Command find_left_over(DramClock now) const;
  [[nodiscard]] const Side& side_of(const Command& c) const {
    return side(c.is_left_over != draining_);
  }
  [[nodiscard]] Side& side_of(const Command& c) { return side(c.is_left_over != draining_); }
  /// What became of a bank's next burst: compares it with the first commands.
  void consider(std::uint32_t bank, DramClock now);
  /// When its first command is: the precharge before an activate, or itself.
  [[nodiscard]] DramClock first_of(const Command& command) const {
    return command.at - (command.closes_row ? precharge_clocks_ : 0);
  }
  void offer(Kept& kept, const Command& command) const;
  [[nodiscard]] Command column_of(const BurstQueue& queue, BurstQueue::Slot slot,
                                  DramClock now) const;
  [[nodiscard]] Command activate_of(const BurstQueue& queue, BurstQueue::Slot slot,
                                    DramClock now) const;
  /// The queues of the banks, which hold both directions.
  [[nodiscard]] BurstQueue& banks_queue() { return reads_.queue; }
  /// Whether the banks, each with its queue, take turns at the command bus.
  [[nodiscard]] bool takes_turns() const { return bank_depth_ > 0; }
  /// How far a bank is from its turn in the round: of commands that are possible at the same clock
  /// that with the least goes first.
  [[nodiscard]] std::uint64_t turn_of(std::uint32_t bank) const {
    const auto banks = static_cast<std::uint32_t>(banks_.bank_count());
    return (bank + banks - last_bank_ - 1) % banks;
  }
  /// The command as soon as the command bus is free for it and for the precharge before it.
  [[nodiscard]] Command on_bus(Command command, DramClock now) const;
  /// first_of(), but a precharge goes at an earlier clock where the command bus is taken; −1: at
  /// none.
  [[nodiscard]] DramClock first_on_bus(const Command& command, DramClock now) const;
  void refresh(std::uint32_t bank);
  void set_open_row(std::uint32_t bank, std::int64_t row) {
    reads_.queue.set_open_row(bank, row);
    writes_.queue.set_open_row(bank, row);
  }
  void activate(BurstQueue::Slot slot, DramClock precharge, DramClock at, DramClock now);
  void issue(Side& side, BurstQueue::Slot slot, DramClock at, DramClock now,
             std::vector<Issue>& issues);

  const std::size_t drain_high_, drain_low_;
  const int starvation_cap_;
  const bool closed_page_;
  const DramClock batch_, precharge_clocks_, activate_clocks_, lookahead_;
  DramBanks banks_;
  Side reads_, writes_;
  bool draining_ = false;
  BurstQueue::Slot read_again_ = BurstQueue::kNone;  ///< The queued write that a read waits for.
  std::size_t bank_depth_;                           ///< 0: the banks have no queues.
  std::vector<std::size_t> in_bank_;                 ///< Bursts in each bank's queue.
  CommandBus bus_;                                   ///< With queues of the banks.
  std::uint32_t last_bank_ = 0;                      ///< Of the last command, likewise.
  std::size_t drain_left_ = 0;  ///< Writes of a drain not yet in the banks' queues.
  Kept column_, activate_;
  Command other_;  ///< Chosen instead of these: left over, or moved by the command bus.
  DramClock booked_until_ = 0;  ///< What can be booked before is.
  std::vector<std::uint32_t> placed_;
};

}  // namespace npu
