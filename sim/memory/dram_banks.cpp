#include "sim/memory/dram_banks.h"

#include <algorithm>
#include <bit>

#include "sim/base/error.h"
#include "sim/timing/dram_timing.h"

namespace npu {

DramBanks::DramBanks(const DramConfig& config)
    : config_(config),
      burst_clocks_(timing::burst_clocks(config)),
      refresh_clocks_(config.refresh == RefreshPolicy::kPerBank ? config.tRFCpb : config.tRFC) {
  const auto group_banks = static_cast<std::uint32_t>(config.banks_per_group);
  const std::uint32_t rank_banks = group_banks * static_cast<std::uint32_t>(config.bank_groups);
  const auto rank_count = static_cast<std::uint32_t>(config.ranks);
  NPU_CHECK(std::has_single_bit(group_banks) && std::has_single_bit(rank_banks),
            "a DRAM dimension must be a power of two");
  group_shift_ = static_cast<std::uint32_t>(std::countr_zero(group_banks));
  rank_shift_ = static_cast<std::uint32_t>(std::countr_zero(rank_banks));
  unit_shift_ = config.refresh == RefreshPolicy::kPerBank ? 0 : rank_shift_;
  const std::size_t bank_count = std::size_t{rank_banks} * rank_count;
  const std::size_t group_count = bank_count >> group_shift_;
  open_.resize(bank_count);
  ready_.resize(bank_count);
  opened_.resize(bank_count);
  banks_.resize(bank_count);
  group_activate_.resize(group_count);
  group_read_.resize(group_count);
  group_write_.resize(group_count);
  ranks_.resize(rank_count);
  units_.resize(bank_count >> unit_shift_);
  if (config.refresh == RefreshPolicy::kNone) return;
  const auto count = static_cast<DramClock>(units_.size());
  for (DramClock i = 0; i < count; ++i) {
    units_[static_cast<std::size_t>(i)].due = DramClock{config.tREFI} * (i + 1) / count;
  }
  first_due_ = units_.front().due;
}

void DramBanks::hold_groups(std::vector<DramClock>& next, std::uint32_t rank, DramClock at) const {
  const std::uint32_t groups = rank_shift_ - group_shift_;
  for (std::uint32_t i = rank << groups; i < (rank + 1) << groups; ++i)
    next[i] = later(next[i], at);
}

void DramBanks::hold_activates(std::uint32_t rank, DramClock at) {
  hold_groups(group_activate_, rank, at);
  ranks_[rank].next_activate = at;
  any_activate_ = at;
  for (const Rank& other : ranks_) any_activate_ = std::min(any_activate_, other.next_activate);
}

void DramBanks::book_activate(std::uint32_t bank, std::uint32_t row, DramClock precharge,
                              DramClock at) {
  Bank& b = banks_[bank];
  Rank& rank = ranks_[bank >> rank_shift_];
  b.precharge = -1;
  if (b.open_row >= 0) {
    b.precharge = precharge;
    note(DramCommandKind::kPrecharge, bank, static_cast<std::uint32_t>(b.open_row), b.precharge);
  }
  note(DramCommandKind::kActivate, bank, row, at);
  b.open_row = row;
  open_[bank] = 1;
  b.activate = at;
  b.next_precharge = at + config_.tRAS;
  opened_[bank] = at + config_.tRCD;
  ready_[bank] = b.next_precharge + config_.tRP;
  group_activate_[bank >> group_shift_] = at + config_.tRRD_L;
  rank.activates[rank.oldest] = at;
  rank.oldest = (rank.oldest + 1) % rank.activates.size();
  hold_activates(bank >> rank_shift_,
                 later(at + config_.tRRD_S, rank.activates[rank.oldest] + config_.tFAW));
}

BurstTimes DramBanks::book_column(std::uint32_t bank, bool is_write, DramClock column,
                                  bool auto_precharge) {
  Bank& b = banks_[bank];
  const std::uint32_t group = bank >> group_shift_, rank = bank >> rank_shift_;
  BurstTimes t{.precharge = b.precharge, .activate = b.activate, .column = column};
  t.data_start = column + (is_write ? config_.tCWL : config_.tCL);
  t.data_end = t.data_start + burst_clocks_;
  const auto row = static_cast<std::uint32_t>(b.open_row);
  note(is_write ? DramCommandKind::kWrite : DramCommandKind::kRead, bank, row, column);
  b.precharge = b.activate = -1;
  next_column_ = column + config_.tCCD_S;
  group_write_[group] = column + config_.tCCD_L;
  group_read_[group] = later(group_read_[group], column + config_.tCCD_L);
  data_free_ = t.data_end;
  last_rank_ = rank;
  last_is_write_ = is_write;
  if (is_write) {
    group_read_[group] = later(group_read_[group], t.data_end + config_.tWTR_L);
    hold_groups(group_read_, rank, t.data_end + config_.tWTR_S);
    b.next_precharge = std::max(b.next_precharge, t.data_end + config_.tWR);
  } else {
    b.next_precharge = std::max(b.next_precharge, column + config_.tRTP);
  }
  ready_[bank] = b.next_precharge + config_.tRP;
  if (auto_precharge) {
    note(DramCommandKind::kPrecharge, bank, row, b.next_precharge);
    b.open_row = -1;
    open_[bank] = 0;
  }
  return t;
}

void DramBanks::refresh_unit(std::size_t index) {
  RefreshUnit& unit = units_[index];
  const std::size_t first = index << unit_shift_, end = (index + 1) << unit_shift_;
  DramClock begin = unit.due;
  for (std::size_t i = first; i < end; ++i) begin = std::max(begin, ready_[i]);
  if (config_.refresh == RefreshPolicy::kPerBank) {
    const auto rank = static_cast<std::uint32_t>(first >> rank_shift_);
    begin = std::max(begin, ranks_[rank].next_activate);
    hold_activates(rank, begin + std::max(config_.tRRD_S, config_.tRREFD));
  }
  unit.last = {begin, begin + refresh_clocks_};
  for (std::size_t i = first; i < end; ++i) {
    Bank& b = banks_[i];
    if (b.open_row >= 0) {
      note(DramCommandKind::kPrecharge, static_cast<std::uint32_t>(i),
           static_cast<std::uint32_t>(b.open_row), begin - config_.tRP);
    }
    b.open_row = b.precharge = b.activate = -1;
    open_[i] = 0;
    ready_[i] = unit.last.end;
  }
  note(DramCommandKind::kRefresh, static_cast<std::uint32_t>(first), 0, begin);
  unit.due += config_.tREFI;
  ++refresh_count_;
}

void DramBanks::refresh(std::uint32_t bank) { refresh_unit(bank >> unit_shift_); }

bool DramBanks::refresh_until(DramClock now) {
  if (now < first_due_) return false;
  // Of a long idle time only the last refresh of each unit is done, the others are counted.
  std::size_t first = 0;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    RefreshUnit& unit = units_[i];
    if (unit.due <= now) {
      const DramClock skipped = (now - unit.due) / config_.tREFI;
      unit.due += skipped * config_.tREFI;
      refresh_count_ += static_cast<std::uint64_t>(skipped);
    }
    if (unit.due < units_[first].due) first = i;
  }
  first_due_ = kNever;
  for (std::size_t n = 0; n < units_.size(); ++n) {
    const std::size_t i = first + n < units_.size() ? first + n : first + n - units_.size();
    if (units_[i].due <= now) refresh_unit(i);
    first_due_ = std::min(first_due_, units_[i].due);
  }
  return true;
}

}  // namespace npu
