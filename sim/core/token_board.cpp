#include "sim/core/token_board.h"

namespace npu {

void TokenBoard::clear() {
  for (std::size_t from = 0; from < isa::kEngineCount; ++from) {
    for (std::size_t to = 0; to < isa::kEngineCount; ++to) {
      if (counts_[from][to] > 0) changed(from, to, -std::int64_t{counts_[from][to]});
    }
  }
  counts_ = {};
}

void TokenBoard::give(isa::Engine from, std::uint8_t mask) {
  auto& row = counts_[static_cast<std::size_t>(from)];
  for (std::size_t to = 0; to < isa::kEngineCount; ++to) {
    if ((mask >> to & 1) == 0) continue;
    ++row[to];
    changed(static_cast<std::size_t>(from), to, 1);
    given_[to].notify(sc_core::SC_ZERO_TIME);
  }
}

std::uint8_t TokenBoard::missing(isa::Engine to, std::uint8_t mask) const {
  unsigned missing = 0;
  for (std::size_t from = 0; from < isa::kEngineCount; ++from) {
    if ((mask >> from & 1) != 0 && counts_[from][static_cast<std::size_t>(to)] == 0) {
      missing |= 1u << from;
    }
  }
  return static_cast<std::uint8_t>(missing);
}

bool TokenBoard::take(isa::Engine to, std::uint8_t mask) {
  if (missing(to, mask) != 0) return false;
  for (std::size_t from = 0; from < isa::kEngineCount; ++from) {
    if ((mask >> from & 1) == 0) continue;
    --counts_[from][static_cast<std::size_t>(to)];
    changed(from, static_cast<std::size_t>(to), -1);
  }
  return true;
}

}  // namespace npu
