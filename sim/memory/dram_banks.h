#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/config/npu_config.h"

namespace npu {

using DramClock = std::int64_t;  ///< Instant in DRAM clock cycles.
inline constexpr DramClock kNever = std::numeric_limits<DramClock>::max() / 4;

enum class DramCommandKind : std::uint8_t { kPrecharge, kActivate, kRead, kWrite, kRefresh };

/// One command as it was put on the command bus; kept only for tests.
struct DramCommand {
  DramCommandKind kind;
  std::uint32_t bank;  ///< Flat; of kRefresh: the first bank refreshed.
  std::uint32_t row;
  DramClock at;
};

/// When a burst's commands and data can be.
struct BurstTimes {
  DramClock precharge = -1, activate = -1;  ///< −1: not needed.
  DramClock column = 0, data_start = 0, data_end = 0;
};

/// The banks of one channel: open rows, and the next instant that each bank, bank group, rank and
/// the data bus allow.
///
/// Rules, from the JEDEC standards' timing tables, all in clocks:
///   ACT→RD/WR same bank tRCD; PRE→ACT tRP; ACT→PRE tRAS (so ACT→ACT of a bank tRC = tRAS + tRP);
///   ACT→ACT tRRD_L in a bank group, tRRD_S in a rank; at most four ACT in tFAW per rank;
///   RD→RD, WR→WR tCCD_L in a bank group, tCCD_S else; RD→PRE tRTP; WR→PRE tCWL + burst + tWR;
///   WR→RD tCWL + burst + tWTR_L in a bank group, + tWTR_S in a rank;
///   data tCL after RD and tCWL after WR, burst_length / data_rate clocks long; between bursts of
///   other direction or rank the bus is free for tRTRS; refresh every tREFI per rank (all-bank,
///   tRFC, ranks staggered) or per bank (tRFCpb, banks staggered), rows closed before and after; a
///   per-bank refresh counts as an activate for tRRD_S, and the rank's next activate or per-bank
///   refresh is tRREFD after it.
/// Activates and refreshes of a rank, and all column commands, are issued in the order in which
/// they are booked. Not modelled: collisions on the command bus (command_bus.h), postponed refresh,
/// power-down, tRCD of reads and writes apart. Source: JESD79-4 (DDR4), JESD209-4 (LPDDR4), JESD235
/// (HBM), timing tables.
class DramBanks {
 public:
  explicit DramBanks(const DramConfig& config);

  [[nodiscard]] bool is_open(std::uint32_t bank) const { return open_[bank] != 0; }
  /// What holds for the next burst of one direction whatever its bank; until the next booking.
  struct Outlook {
    bool is_write = false;
    DramClock column_same_rank = 0, column_other_rank = 0;  ///< Of the last burst's rank.
  };
  [[nodiscard]] Outlook outlook(bool is_write, DramClock now) const {
    const DramClock column = later(now, next_column_);
    const DramClock bus = data_free_ - (is_write ? config_.tCWL : config_.tCL);
    const DramClock turned = later(column, bus + config_.tRTRS);
    return {.is_write = is_write,
            .column_same_rank = is_write == last_is_write_ ? later(column, bus) : turned,
            .column_other_rank = turned};
  }
  /// Earliest column command for the bank's open row; refresh not considered.
  [[nodiscard]] DramClock earliest_column(std::uint32_t bank, const Outlook& outlook) const {
    const DramClock bus =
        bank >> rank_shift_ == last_rank_ ? outlook.column_same_rank : outlook.column_other_rank;
    const std::vector<DramClock>& group = outlook.is_write ? group_write_ : group_read_;
    return later(bus, later(opened_[bank], group[bank >> group_shift_]));
  }
  /// Earliest activate of a bank, precharged before if a row is open, no command before `now`.
  [[nodiscard]] DramClock earliest_activate(std::uint32_t bank, DramClock now) const {
    const DramClock from = now + (open_[bank] != 0 ? config_.tRP : 0);
    return later(from, later(ready_[bank], group_activate_[bank >> group_shift_]));
  }
  /// Earliest precharge of a bank with an open row, no command before `now`.
  [[nodiscard]] DramClock earliest_precharge(std::uint32_t bank, DramClock now) const {
    return later(now, banks_[bank].next_precharge);
  }
  /// Earliest activate that some rank allows whatever the bank, no command before `now`.
  [[nodiscard]] DramClock any_activate(DramClock now) const { return later(now, any_activate_); }

  /// Books an activate at `at`, from earliest_activate() on; with a row open its precharge at
  /// `precharge`, from earliest_precharge() on and at least tRP before.
  void book_activate(std::uint32_t bank, std::uint32_t row, DramClock precharge, DramClock at);
  /// Books a column command at `column` as earliest_column() gave it. @return its instants, with
  /// those that opened the row if it is the first since.
  BurstTimes book_column(std::uint32_t bank, bool is_write, DramClock column, bool auto_precharge);

  /// When the next refresh that takes this bank is due. No column command may be booked from then
  /// on before refresh().
  [[nodiscard]] DramClock refresh_due(std::uint32_t bank) const {
    return units_[bank >> unit_shift_].due;
  }
  /// Does the refresh that is due for this bank.
  void refresh(std::uint32_t bank);
  /// First bank and number of banks that refresh together with this one.
  struct BankRange {
    std::uint32_t first = 0, count = 0;
  };
  [[nodiscard]] BankRange refreshed_with(std::uint32_t bank) const {
    return {bank >> unit_shift_ << unit_shift_, 1U << unit_shift_};
  }
  /// Does every refresh that is due at or before `now`. @return whether there was one.
  bool refresh_until(DramClock now);
  struct Interval {
    DramClock begin = 0, end = 0;
  };
  /// The last refresh that took this bank.
  [[nodiscard]] Interval last_refresh(std::uint32_t bank) const {
    return units_[bank >> unit_shift_].last;
  }
  [[nodiscard]] std::uint64_t refresh_count() const { return refresh_count_; }

  [[nodiscard]] DramClock data_free() const { return data_free_; }
  [[nodiscard]] DramClock next_column() const { return next_column_; }
  [[nodiscard]] std::size_t bank_count() const { return banks_.size(); }

  std::vector<DramCommand>* log = nullptr;  ///< Gets every command if set.

 private:
  struct Bank {
    std::int64_t open_row = -1;
    DramClock next_precharge = 0;
    DramClock precharge = -1, activate = -1;  ///< Of the open row, until its first burst.
  };
  struct Rank {
    DramClock next_activate = 0;                                             ///< tRRD_S, tFAW.
    std::array<DramClock, 4> activates{-kNever, -kNever, -kNever, -kNever};  ///< The last four.
    std::size_t oldest = 0;
  };
  /// Banks that refresh together.
  struct RefreshUnit {
    DramClock due = kNever;
    Interval last;
  };

  void note(DramCommandKind kind, std::uint32_t bank, std::uint32_t row, DramClock at) {
    if (log != nullptr) log->push_back({kind, bank, row, at});
  }
  void refresh_unit(std::size_t unit);
  /// No activate in this rank before `at`.
  void hold_activates(std::uint32_t rank, DramClock at);
  /// None of these before `at` in any bank group of the rank.
  void hold_groups(std::vector<DramClock>& next, std::uint32_t rank, DramClock at) const;
  [[nodiscard]] static DramClock later(DramClock a, DramClock b) { return a > b ? a : b; }

  const DramConfig config_;
  const DramClock burst_clocks_, refresh_clocks_;
  std::uint32_t group_shift_, rank_shift_, unit_shift_;  ///< Bank to group, rank, refresh unit.
  // What commands wait for, apart for the search over many banks.
  std::vector<std::uint8_t> open_;         ///< Of banks.
  std::vector<DramClock> ready_, opened_;  ///< Of banks: precharge and tRP included; tRCD.
  /// Of bank groups, the rank's included: tRRD_S/L and tFAW; tCCD_L and tWTR_S/L.
  std::vector<DramClock> group_activate_, group_read_, group_write_;
  DramClock any_activate_ = 0;  ///< The earliest of all ranks.
  std::vector<Bank> banks_;
  std::vector<Rank> ranks_;
  std::vector<RefreshUnit> units_;
  DramClock first_due_ = kNever;
  std::uint64_t refresh_count_ = 0;
  DramClock next_column_ = 0, data_free_ = 0;
  std::uint32_t last_rank_ = 0;
  bool last_is_write_ = false;
};

}  // namespace npu
