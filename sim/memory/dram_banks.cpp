#include "sim/memory/dram_banks.h"

#include <algorithm>

#include "sim/timing/dram_timing.h"

namespace npu {

DramBanks::DramBanks(const DramConfig& config)
    : config_(config),
      burst_clocks_(timing::burst_clocks(config)),
      refresh_clocks_(config.refresh == RefreshPolicy::kPerBank ? config.tRFCpb : config.tRFC),
      group_banks_(static_cast<std::uint32_t>(config.banks_per_group)),
      rank_banks_(static_cast<std::uint32_t>(config.banks_per_group * config.bank_groups)),
      unit_banks_(config.refresh == RefreshPolicy::kPerBank ? 1 : rank_banks_),
      banks_(std::size_t{rank_banks_} * static_cast<std::size_t>(config.ranks)),
      groups_(static_cast<std::size_t>(config.bank_groups) *
              static_cast<std::size_t>(config.ranks)),
      ranks_(static_cast<std::size_t>(config.ranks)),
      units_(banks_.size() / unit_banks_) {
  if (config.refresh == RefreshPolicy::kNone) return;
  const auto count = static_cast<DramClock>(units_.size());
  for (DramClock i = 0; i < count; ++i) {
    units_[static_cast<std::size_t>(i)].due = DramClock{config.tREFI} * (i + 1) / count;
  }
  first_due_ = units_.front().due;
}

DramClock DramBanks::rank_activate(const Rank& rank, DramClock now) const {
  return std::max({now, rank.next_activate, rank.activates[rank.oldest] + config_.tFAW});
}

DramClock DramBanks::any_activate(DramClock now) const {
  DramClock first = kNever;
  for (const Rank& rank : ranks_) first = std::min(first, rank_activate(rank, now));
  return first;
}

BurstTimes DramBanks::earliest(std::uint32_t bank, std::uint32_t row, bool is_write,
                               DramClock now) const {
  const Bank& b = banks_[bank];
  const Group& group = groups_[bank / group_banks_];
  const std::uint32_t rank_index = bank / rank_banks_;
  const Rank& rank = ranks_[rank_index];
  BurstTimes t;
  DramClock column = std::max({now, next_column_, group.next_column});
  if (!is_write) column = std::max({column, group.next_read, rank.next_read});
  if (b.open_row == row) {
    column = std::max(column, b.next_column);
  } else {
    DramClock ready = b.next_activate;
    if (b.open_row >= 0) {
      t.precharge = std::max(now, b.next_precharge);
      ready = t.precharge + config_.tRP;
    }
    t.activate = std::max({ready, rank_activate(rank, now), group.next_activate});
    column = std::max(column, t.activate + config_.tRCD);
  }
  const DramClock latency = is_write ? config_.tCWL : config_.tCL;
  const bool turns = is_write != last_is_write_ || rank_index != last_rank_;
  const DramClock bus = data_free_ + (turns ? config_.tRTRS : 0);
  t.column = std::max(column, bus - latency);
  t.data_start = t.column + latency;
  t.data_end = t.data_start + burst_clocks_;
  return t;
}

void DramBanks::book(std::uint32_t bank, std::uint32_t row, bool is_write, const BurstTimes& t,
                     bool auto_precharge) {
  Bank& b = banks_[bank];
  Group& group = groups_[bank / group_banks_];
  Rank& rank = ranks_[bank / rank_banks_];
  if (t.precharge >= 0) {
    note(DramCommandKind::kPrecharge, bank, static_cast<std::uint32_t>(b.open_row), t.precharge);
  }
  if (t.activate >= 0) {
    note(DramCommandKind::kActivate, bank, row, t.activate);
    b.open_row = row;
    b.next_precharge = t.activate + config_.tRAS;
    b.next_column = t.activate + config_.tRCD;
    group.next_activate = t.activate + config_.tRRD_L;
    rank.next_activate = t.activate + config_.tRRD_S;
    rank.activates[rank.oldest] = t.activate;
    rank.oldest = (rank.oldest + 1) % rank.activates.size();
  }
  note(is_write ? DramCommandKind::kWrite : DramCommandKind::kRead, bank, row, t.column);
  next_column_ = t.column + config_.tCCD_S;
  group.next_column = t.column + config_.tCCD_L;
  data_free_ = t.data_end;
  last_rank_ = bank / rank_banks_;
  last_is_write_ = is_write;
  if (is_write) {
    group.next_read = t.data_end + config_.tWTR_L;
    rank.next_read = t.data_end + config_.tWTR_S;
    b.next_precharge = std::max(b.next_precharge, t.data_end + config_.tWR);
  } else {
    b.next_precharge = std::max(b.next_precharge, t.column + config_.tRTP);
  }
  if (auto_precharge) {
    note(DramCommandKind::kPrecharge, bank, row, b.next_precharge);
    b.open_row = -1;
    b.next_activate = b.next_precharge + config_.tRP;
  }
}

void DramBanks::refresh_unit(std::size_t index) {
  RefreshUnit& unit = units_[index];
  const std::size_t first = index * unit_banks_;
  DramClock begin = unit.due;
  for (std::size_t i = first; i < first + unit_banks_; ++i) {
    const Bank& b = banks_[i];
    begin = std::max(begin, b.open_row < 0 ? b.next_activate : b.next_precharge + config_.tRP);
  }
  unit.last = {begin, begin + refresh_clocks_};
  for (std::size_t i = first; i < first + unit_banks_; ++i) {
    banks_[i].open_row = -1;
    banks_[i].next_activate = unit.last.end;
  }
  note(DramCommandKind::kRefresh, static_cast<std::uint32_t>(first), 0, begin);
  unit.due += config_.tREFI;
  ++refresh_count_;
}

void DramBanks::refresh(std::uint32_t bank) { refresh_unit(unit_of(bank)); }

void DramBanks::refresh_until(DramClock now) {
  if (now < first_due_) return;
  first_due_ = kNever;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    RefreshUnit& unit = units_[i];
    // All but the first and the last of a long idle time find the banks closed and leave them so.
    if (unit.due <= now) refresh_unit(i);
    if (unit.due <= now) {
      const DramClock skipped = (now - unit.due) / config_.tREFI;
      unit.due += skipped * config_.tREFI;
      refresh_count_ += static_cast<std::uint64_t>(skipped);
      refresh_unit(i);
    }
    first_due_ = std::min(first_due_, unit.due);
  }
}

}  // namespace npu
