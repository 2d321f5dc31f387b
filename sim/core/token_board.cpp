#include "sim/core/token_board.h"

namespace npu {

void TokenBoard::give(isa::Engine from, std::uint8_t mask) {
  auto& row = counts_[static_cast<std::size_t>(from)];
  for (std::size_t to = 0; to < isa::kEngineCount; ++to) {
    if ((mask >> to & 1) == 0) continue;
    ++row[to];
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
    if ((mask >> from & 1) != 0) --counts_[from][static_cast<std::size_t>(to)];
  }
  return true;
}

}  // namespace npu
