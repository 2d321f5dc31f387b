#include "sim/stats/path_tokens.h"

#include <deque>

#include "sim/base/error.h"

namespace npu {
namespace {

/// The tokens from engine `from` to engine `to` are in given[from · engines + to].
std::vector<std::deque<std::uint32_t>> given_tokens(const Schedule& schedule) {
  const std::size_t n = schedule.engines.size();
  std::vector<std::deque<std::uint32_t>> given(n * n);
  for (std::size_t from = 0; from < n; ++from) {
    const auto& instructions = schedule.engines[from].instructions;
    for (std::uint32_t k = 0; k < instructions.size(); ++k) {
      for (std::size_t to = 0; to < n; ++to) {
        if ((instructions[k].signal >> to & 1U) != 0) given[from * n + to].push_back(k);
      }
    }
  }
  return given;
}

}  // namespace

std::vector<std::vector<TokenGiver>> match_tokens(const Schedule& schedule) {
  const std::size_t n = schedule.engines.size();
  std::vector<std::deque<std::uint32_t>> given = given_tokens(schedule);
  std::vector<std::vector<TokenGiver>> givers(n);
  for (std::size_t to = 0; to < n; ++to) {
    const auto& instructions = schedule.engines[to].instructions;
    givers[to].resize(instructions.size());
    for (std::size_t k = 0; k < instructions.size(); ++k) {
      std::uint64_t latest = 0;
      for (std::size_t from = 0; from < n; ++from) {
        if ((instructions[k].wait >> from & 1U) == 0) continue;
        std::deque<std::uint32_t>& tokens = given[from * n + to];
        NPU_CHECK(!tokens.empty(), "a token was taken that nobody gave");
        const std::uint32_t giver = tokens.front();
        tokens.pop_front();
        const std::uint64_t cycle = schedule.engines[from].instructions[giver].completed_cycle;
        if (givers[to][k].engine == Schedule::kNone || cycle > latest) {
          latest = cycle;
          givers[to][k] = {static_cast<std::int32_t>(from), giver};
        }
      }
    }
  }
  return givers;
}

}  // namespace npu
