#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <queue>
#include <string>
#include <vector>

#include "sim/memory/dram_banks.h"

namespace npu::test {

/// Judges the commands of one channel by the rules of the JEDEC standards, knowing nothing of how
/// they came about. Takes them in any order and judges them in the order of their clocks, so that
/// runs of any length need little memory.
///
/// The rules are a table: the least distance from one kind of command to another, per scope. Only
/// the latest command of a kind in a scope can be too close. Besides: rows are open where they are
/// used and closed where banks are activated or refreshed, four activates per tFAW and rank, bursts
/// do not overlap on the data bus and leave tRTRS between ranks and directions, refreshes are not
/// more than nine intervals apart (JESD79-4, 4.24: eight may be postponed).
class JedecChecker {
 public:
  explicit JedecChecker(const DramConfig& config)
      : c_(config),
        group_banks_(static_cast<std::uint32_t>(config.banks_per_group)),
        rank_banks_(group_banks_ * static_cast<std::uint32_t>(config.bank_groups)),
        bank_count_(rank_banks_ * static_cast<std::uint32_t>(config.ranks)),
        open_row_(bank_count_, -1),
        refreshed_(bank_count_, 0),
        activates_(static_cast<std::size_t>(config.ranks),
                   {kLongAgo, kLongAgo, kLongAgo, kLongAgo}),
        banks_(bank_count_),
        groups_(bank_count_ / group_banks_),
        ranks_(static_cast<std::size_t>(config.ranks)) {
    add_rules();
  }

  /// Takes commands and judges those before `until`, which must be all of them.
  /// @return the first violation, or an empty string.
  [[nodiscard]] std::string check(const std::vector<DramCommand>& log, DramClock until = kNever) {
    for (const DramCommand& command : log) waiting_.push({command, taken_++});
    while (fault_.empty() && !waiting_.empty() && waiting_.top().command.at < until) {
      const DramCommand command = waiting_.top().command;
      waiting_.pop();
      fault_ = judge(command);
      if (!fault_.empty()) fault_ += ": " + show(command);
    }
    return fault_;
  }
  [[nodiscard]] std::uint64_t judged() const { return judged_; }
  [[nodiscard]] std::uint64_t refreshes() const { return refresh_count_; }

 private:
  using Kind = DramCommandKind;
  static constexpr DramClock kLongAgo = -1'000'000'000;
  static constexpr std::size_t kKinds = 5;
  struct Waiting {
    DramCommand command;
    std::uint64_t order;
    /// Later ones have the lower priority.
    friend bool operator<(const Waiting& a, const Waiting& b) {
      return a.command.at != b.command.at ? a.command.at > b.command.at : a.order > b.order;
    }
  };
  enum class Scope : std::uint8_t { kBank, kGroup, kRank, kChannel };
  struct Rule {
    const char* name;
    Kind from, to;
    Scope scope;
    DramClock clocks;
  };
  struct Latest {
    std::array<DramClock, kKinds> at{kLongAgo, kLongAgo, kLongAgo, kLongAgo, kLongAgo};
  };

  void add_rules() {
    const DramClock burst = (c_.burst_length + c_.data_rate - 1) / c_.data_rate;
    const DramClock written = c_.tCWL + burst;
    const bool per_bank = c_.refresh == RefreshPolicy::kPerBank;
    const Scope refreshed = per_bank ? Scope::kBank : Scope::kRank;
    const DramClock refresh = per_bank ? c_.tRFCpb : c_.tRFC;
    rules_ = {
        {"tRCD", Kind::kActivate, Kind::kRead, Scope::kBank, c_.tRCD},
        {"tRCD", Kind::kActivate, Kind::kWrite, Scope::kBank, c_.tRCD},
        {"tRAS", Kind::kActivate, Kind::kPrecharge, Scope::kBank, c_.tRAS},
        {"tRC", Kind::kActivate, Kind::kActivate, Scope::kBank, c_.tRAS + c_.tRP},
        {"tRC", Kind::kActivate, Kind::kRefresh, refreshed, c_.tRAS + c_.tRP},
        {"tRP", Kind::kPrecharge, Kind::kActivate, Scope::kBank, c_.tRP},
        {"tRP", Kind::kPrecharge, Kind::kRefresh, refreshed, c_.tRP},
        {"tRTP", Kind::kRead, Kind::kPrecharge, Scope::kBank, c_.tRTP},
        {"tWR", Kind::kWrite, Kind::kPrecharge, Scope::kBank, written + c_.tWR},
        {"tRRD_L", Kind::kActivate, Kind::kActivate, Scope::kGroup, c_.tRRD_L},
        {"tRRD_S", Kind::kActivate, Kind::kActivate, Scope::kRank, c_.tRRD_S},
        {"tCCD_L", Kind::kRead, Kind::kRead, Scope::kGroup, c_.tCCD_L},
        {"tCCD_L", Kind::kWrite, Kind::kWrite, Scope::kGroup, c_.tCCD_L},
        {"tCCD_S", Kind::kRead, Kind::kRead, Scope::kRank, c_.tCCD_S},
        {"tCCD_S", Kind::kWrite, Kind::kWrite, Scope::kRank, c_.tCCD_S},
        {"tWTR_L", Kind::kWrite, Kind::kRead, Scope::kGroup, written + c_.tWTR_L},
        {"tWTR_S", Kind::kWrite, Kind::kRead, Scope::kRank, written + c_.tWTR_S},
        {"read to write", Kind::kRead, Kind::kWrite, Scope::kChannel,
         c_.tCL + burst + c_.tRTRS - c_.tCWL},
        {"tRFC", Kind::kRefresh, Kind::kActivate, refreshed, refresh},
        {"tRFC", Kind::kRefresh, Kind::kRefresh, refreshed, refresh},
    };
    if (per_bank) {
      rules_.push_back({"tRREFD", Kind::kRefresh, Kind::kActivate, Scope::kRank, c_.tRREFD});
      rules_.push_back({"tRREFD", Kind::kRefresh, Kind::kRefresh, Scope::kRank, c_.tRREFD});
      rules_.push_back({"tRRD_S", Kind::kActivate, Kind::kRefresh, Scope::kRank, c_.tRRD_S});
    }
  }

  [[nodiscard]] const Latest& latest(Scope scope, std::uint32_t bank) const {
    switch (scope) {
      case Scope::kBank:
        return banks_[bank];
      case Scope::kGroup:
        return groups_[bank / group_banks_];
      case Scope::kRank:
        return ranks_[bank / rank_banks_];
      case Scope::kChannel:
        break;
    }
    return channel_;
  }
  void remember(const DramCommand& c) {
    const auto kind = static_cast<std::size_t>(c.kind);
    for (Latest* l : {&banks_[c.bank], &groups_[c.bank / group_banks_],
                      &ranks_[c.bank / rank_banks_], &channel_}) {
      l->at[kind] = c.at;
    }
  }

  [[nodiscard]] std::string judge(const DramCommand& c) {
    ++judged_;
    if (c.bank >= bank_count_) return "no such bank";
    for (const Rule& rule : rules_) {
      if (rule.to != c.kind) continue;
      const DramClock from = latest(rule.scope, c.bank).at[static_cast<std::size_t>(rule.from)];
      if (c.at - from < rule.clocks) return rule.name;
    }
    std::string fault;
    switch (c.kind) {
      case Kind::kPrecharge:
        open_row_[c.bank] = -1;
        break;
      case Kind::kActivate:
        fault = judge_activate(c);
        break;
      case Kind::kRead:
      case Kind::kWrite:
        fault = judge_burst(c);
        break;
      case Kind::kRefresh:
        fault = judge_refresh(c);
        break;
    }
    remember(c);
    return fault;
  }
  [[nodiscard]] std::string judge_activate(const DramCommand& c) {
    if (open_row_[c.bank] >= 0) return "activates an open bank";
    open_row_[c.bank] = c.row;
    auto& last = activates_[c.bank / rank_banks_];
    const DramClock fourth = last[0];
    std::rotate(last.begin(), last.begin() + 1, last.end());
    last[3] = c.at;
    return c.at - fourth < c_.tFAW ? "five activates in tFAW" : "";
  }
  [[nodiscard]] std::string judge_burst(const DramCommand& c) {
    if (open_row_[c.bank] != std::int64_t{c.row}) return "row not open";
    const bool is_write = c.kind == Kind::kWrite;
    const std::uint32_t rank = c.bank / rank_banks_;
    const bool turns = is_write != bus_is_write_ || rank != bus_rank_;
    const DramClock start = c.at + (is_write ? c_.tCWL : c_.tCL);
    if (start < bus_free_ + (turns ? c_.tRTRS : 0)) return "data bus not free";
    bus_free_ = start + (c_.burst_length + c_.data_rate - 1) / c_.data_rate;
    bus_rank_ = rank;
    bus_is_write_ = is_write;
    return "";
  }
  [[nodiscard]] std::string judge_refresh(const DramCommand& c) {
    ++refresh_count_;
    const std::uint32_t count = c_.refresh == RefreshPolicy::kPerBank ? 1 : rank_banks_;
    if (c.bank % count != 0) return "refresh in the middle of a rank";
    for (std::uint32_t bank = c.bank; bank < c.bank + count; ++bank) {
      if (open_row_[bank] >= 0) return "refreshes an open bank";
      if (c.at - refreshed_[bank] > DramClock{9} * c_.tREFI) return "refresh postponed too far";
      refreshed_[bank] = c.at;
    }
    return "";
  }

  [[nodiscard]] static std::string show(const DramCommand& c) {
    constexpr std::array<const char*, kKinds> kNames = {"PRE", "ACT", "RD", "WR", "REF"};
    return std::string(kNames[static_cast<std::size_t>(c.kind)]) + " bank " +
           std::to_string(c.bank) + " row " + std::to_string(c.row) + " at " + std::to_string(c.at);
  }

  DramConfig c_;
  std::uint32_t group_banks_, rank_banks_, bank_count_;
  std::vector<Rule> rules_;
  std::vector<std::int64_t> open_row_;
  std::vector<DramClock> refreshed_;
  std::vector<std::array<DramClock, 4>> activates_;  ///< Of each rank, the last four.
  std::vector<Latest> banks_, groups_, ranks_;
  Latest channel_;
  DramClock bus_free_ = 0;
  std::uint32_t bus_rank_ = 0;
  bool bus_is_write_ = false;
  std::priority_queue<Waiting> waiting_;
  std::string fault_;
  std::uint64_t taken_ = 0, judged_ = 0, refresh_count_ = 0;
};

}  // namespace npu::test
