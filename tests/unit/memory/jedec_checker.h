#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/memory/dram_banks.h"

namespace npu::test {

/// Checks a command log pair by pair against the JEDEC rules, knowing nothing of how it was made.
/// Quadratic within a window; returns the first violation, or an empty string.
class JedecChecker {
 public:
  explicit JedecChecker(const DramConfig& config) : c_(config) {}

  [[nodiscard]] std::string check(std::vector<DramCommand> log) const {
    std::stable_sort(log.begin(), log.end(),
                     [](const DramCommand& a, const DramCommand& b) { return a.at < b.at; });
    std::string fault = check_pairs(log);
    if (fault.empty()) fault = check_rows(log);
    if (fault.empty()) fault = check_activate_window(log);
    return fault.empty() ? check_data_bus(log) : fault;
  }

 private:
  using Kind = DramCommandKind;
  [[nodiscard]] std::uint32_t rank_banks() const {
    return static_cast<std::uint32_t>(c_.bank_groups * c_.banks_per_group);
  }
  [[nodiscard]] std::uint32_t group_of(std::uint32_t bank) const {
    return bank / static_cast<std::uint32_t>(c_.banks_per_group);
  }
  [[nodiscard]] bool refreshes(const DramCommand& refresh, std::uint32_t bank) const {
    const std::uint32_t count = c_.refresh == RefreshPolicy::kPerBank ? 1 : rank_banks();
    return bank >= refresh.bank && bank < refresh.bank + count;
  }
  [[nodiscard]] DramClock burst() const {
    return (c_.burst_length + c_.data_rate - 1) / c_.data_rate;
  }

  /// The least distance from a to a later b; 0 if none.
  [[nodiscard]] DramClock least(const DramCommand& a, const DramCommand& b) const {
    if (a.kind == Kind::kRefresh) {
      if (b.kind == Kind::kRefresh) return 0;
      const DramClock length = c_.refresh == RefreshPolicy::kPerBank ? c_.tRFCpb : c_.tRFC;
      return refreshes(a, b.bank) ? length : 0;
    }
    if (b.kind == Kind::kRefresh) {
      if (!refreshes(b, a.bank)) return 0;
      if (a.kind == Kind::kPrecharge) return c_.tRP;
      if (a.kind == Kind::kActivate) return c_.tRAS + c_.tRP;
      return recovery(a) + c_.tRP;
    }
    if (a.bank / rank_banks() != b.bank / rank_banks()) return 0;
    DramClock gap = same_rank(a, b);
    if (group_of(a.bank) == group_of(b.bank)) gap = std::max(gap, same_group(a, b));
    if (a.bank == b.bank) gap = std::max(gap, same_bank(a, b));
    return gap;
  }
  [[nodiscard]] static bool is_column(const DramCommand& c) {
    return c.kind == Kind::kRead || c.kind == Kind::kWrite;
  }
  [[nodiscard]] DramClock recovery(const DramCommand& column) const {
    return column.kind == Kind::kRead ? c_.tRTP : c_.tCWL + burst() + c_.tWR;
  }
  [[nodiscard]] DramClock same_rank(const DramCommand& a, const DramCommand& b) const {
    if (a.kind == Kind::kActivate && b.kind == Kind::kActivate) return c_.tRRD_S;
    if (a.kind == Kind::kWrite && b.kind == Kind::kRead) return c_.tCWL + burst() + c_.tWTR_S;
    return is_column(a) && is_column(b) ? c_.tCCD_S : 0;
  }
  [[nodiscard]] DramClock same_group(const DramCommand& a, const DramCommand& b) const {
    if (a.kind == Kind::kActivate && b.kind == Kind::kActivate) return c_.tRRD_L;
    if (a.kind == Kind::kWrite && b.kind == Kind::kRead) return c_.tCWL + burst() + c_.tWTR_L;
    return is_column(a) && is_column(b) ? c_.tCCD_L : 0;
  }
  [[nodiscard]] DramClock same_bank(const DramCommand& a, const DramCommand& b) const {
    if (a.kind == Kind::kActivate && is_column(b)) return c_.tRCD;
    if (a.kind == Kind::kActivate && b.kind == Kind::kPrecharge) return c_.tRAS;
    if (a.kind == Kind::kActivate && b.kind == Kind::kActivate) return c_.tRAS + c_.tRP;
    if (a.kind == Kind::kPrecharge && b.kind == Kind::kActivate) return c_.tRP;
    return is_column(a) && b.kind == Kind::kPrecharge ? recovery(a) : 0;
  }

  [[nodiscard]] static std::string show(const DramCommand& c) {
    const char* names[] = {"PRE", "ACT", "RD", "WR", "REF"};
    return std::string(names[static_cast<int>(c.kind)]) + " bank " + std::to_string(c.bank) +
           " row " + std::to_string(c.row) + " at " + std::to_string(c.at);
  }
  [[nodiscard]] std::string check_pairs(const std::vector<DramCommand>& log) const {
    const DramClock reach =
        c_.tRFC + c_.tRFCpb + c_.tRAS + c_.tRP + c_.tCWL + burst() + c_.tWR + c_.tWTR_L + c_.tRCD;
    for (std::size_t i = 0; i < log.size(); ++i) {
      for (std::size_t j = i + 1; j < log.size() && log[j].at - log[i].at <= reach; ++j) {
        if (log[j].at - log[i].at < least(log[i], log[j])) {
          return show(log[i]) + ", too soon " + show(log[j]);
        }
      }
    }
    return "";
  }
  [[nodiscard]] std::string check_rows(const std::vector<DramCommand>& log) const {
    std::map<std::uint32_t, std::int64_t> open;
    for (const DramCommand& c : log) {
      const bool is_open = open.contains(c.bank);
      if (c.kind == Kind::kRefresh) {
        std::erase_if(open, [&](const auto& o) { return refreshes(c, o.first); });
      } else if (c.kind == Kind::kActivate) {
        if (is_open) return "activates an open bank: " + show(c);
        open[c.bank] = c.row;
      } else if (!is_open || open[c.bank] != c.row) {
        return "row not open: " + show(c);
      } else if (c.kind == Kind::kPrecharge) {
        open.erase(c.bank);
      }
    }
    return "";
  }
  [[nodiscard]] std::string check_activate_window(const std::vector<DramCommand>& log) const {
    std::map<std::uint32_t, std::vector<DramClock>> activates;
    for (const DramCommand& c : log) {
      if (c.kind != Kind::kActivate) continue;
      auto& times = activates[c.bank / rank_banks()];
      times.push_back(c.at);
      const std::size_t n = times.size();
      if (n >= 5 && times[n - 1] - times[n - 5] < c_.tFAW) return "five in tFAW: " + show(c);
    }
    return "";
  }
  [[nodiscard]] std::string check_data_bus(const std::vector<DramCommand>& log) const {
    DramClock free = 0;
    std::uint32_t rank = 0;
    Kind kind = Kind::kRead;
    for (const DramCommand& c : log) {
      if (!is_column(c)) continue;
      const DramClock start = c.at + (c.kind == Kind::kRead ? c_.tCL : c_.tCWL);
      const bool turns = c.kind != kind || c.bank / rank_banks() != rank;
      if (start < free + (turns ? c_.tRTRS : 0)) return "data bus not free: " + show(c);
      free = start + burst();
      kind = c.kind;
      rank = c.bank / rank_banks();
    }
    return "";
  }

  DramConfig c_;
};

}  // namespace npu::test
