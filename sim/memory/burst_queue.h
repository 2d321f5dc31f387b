#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "sim/memory/bank_set.h"
#include "sim/memory/dram_banks.h"

namespace npu {

/// A burst waiting at a controller.
struct DramBurst {
  std::uint32_t bank = 0, row = 0;  ///< Flat bank of the channel.
  std::uint32_t column = 0;         ///< In bursts.
  bool is_write = false;
  bool waits_for_place = false;  ///< Pushed while its queue was full.
  DramClock arrival = 0;         ///< At the controller.
  std::uint32_t request = 0;     ///< The caller's.
};

/// The bursts of one direction that wait at a controller, linked by age and, per bank, by age.
///
/// Of each bank the burst to serve next is kept: the oldest on the bank's open row (a hit), else
/// the oldest of all (a miss); after `cap` hits that went before the bank's oldest burst, that one.
/// The open row is told by set_open_row(). Every operation takes constant time but a search along
/// the bursts of one bank. Source of the cap: Mutlu and Moscibroda, Stall-Time Fair Memory Access
/// Scheduling, MICRO 2007 (FR-FCFS+Cap).
class BurstQueue {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = std::numeric_limits<Slot>::max();

  BurstQueue(std::size_t depth, std::size_t bank_count, int cap);

  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Whether no place is free. A burst for which a row is being opened has left its place.
  [[nodiscard]] bool full() const { return places_taken() >= depth_; }
  [[nodiscard]] std::size_t places_taken() const { return size_ - opening_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Slot oldest() const { return oldest_; }
  [[nodiscard]] const DramBurst& burst(Slot slot) const { return entries_[slot].burst; }
  /// Grows from burst to burst in the order in which they came.
  [[nodiscard]] std::uint64_t order(Slot slot) const { return entries_[slot].order; }

  /// How many bursts ever came.
  [[nodiscard]] std::uint64_t pushed() const { return pushed_; }

  /// @return whether it is its bank's burst to serve next.
  bool push(const DramBurst& burst);
  void erase(Slot slot);

  /// Tells which row of a bank is open; −1: none.
  void set_open_row(std::uint32_t bank, std::int64_t row);
  /// The same for a row that is opened for this burst, its bank's next or the oldest of all.
  void open_row_for(Slot slot);
  /// The bank's burst to serve next; the bank must have one.
  [[nodiscard]] Slot next_of(std::uint32_t bank) const { return banks_[bank].next; }
  /// order() of that burst.
  [[nodiscard]] std::uint64_t next_order(std::uint32_t bank) const { return next_order_[bank]; }
  /// Banks whose next burst is a hit, is a miss, and has had its row opened.
  [[nodiscard]] const BankSet& hits() const { return hits_; }
  [[nodiscard]] const BankSet& misses() const { return misses_; }
  [[nodiscard]] const BankSet& opened() const { return opened_; }
  [[nodiscard]] bool is_hit(Slot slot) const {
    const DramBurst& b = entries_[slot].burst;
    return banks_[b.bank].open_row == b.row;
  }
  /// How many bursts wait for this row.
  [[nodiscard]] int count_on_row(std::uint32_t bank, std::uint32_t row) const;
  /// The youngest burst for exactly this place, or kNone.
  [[nodiscard]] Slot find(std::uint32_t bank, std::uint32_t row, std::uint32_t column) const;

 private:
  struct Entry {
    DramBurst burst;
    std::uint64_t order = 0;
    Slot older = kNone, younger = kNone;            ///< Of all; younger also links free entries.
    Slot bank_older = kNone, bank_younger = kNone;  ///< Of its bank.
  };
  struct Bank {
    Slot oldest = kNone, youngest = kNone;
    Slot next = kNone;
    std::int64_t open_row = -1;
    Slot opening = kNone;  ///< The burst that the open row was opened for.
    int overtaken = 0;     ///< Hits served before the oldest since it is the oldest.
  };
  /// Finds the next burst of a bank; no hit is older than `from`.
  void search(std::uint32_t bank, Slot from);
  void set_next(std::uint32_t bank, Slot slot);

  std::vector<Entry> entries_;
  std::vector<Bank> banks_;
  BankSet hits_, misses_, opened_;
  std::vector<std::uint64_t> next_order_;  ///< Of each bank's next burst.
  std::size_t depth_;
  int cap_;
  std::size_t size_ = 0, opening_ = 0;
  Slot oldest_ = kNone, youngest_ = kNone, free_ = kNone;
  std::uint64_t pushed_ = 0;
};

}  // namespace npu
