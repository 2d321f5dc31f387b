#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "sim/memory/dram_banks.h"

namespace npu {

/// The command bus of a channel: one command per clock. Remembers the clocks that are taken in the
/// kWindow clocks before and after the last ones.
class CommandBus {
 public:
  /// The first clock from `at` on that is free.
  [[nodiscard]] DramClock free_from(DramClock at) const {
    while (is_taken(at)) ++at;
    return at;
  }
  /// The last clock of from…to that is free; −1: none.
  [[nodiscard]] DramClock last_free(DramClock from, DramClock to) const {
    while (to >= from && is_taken(to)) --to;
    return to >= from ? to : -1;
  }
  void take(DramClock at) {
    Word& word = words_[index_of(at)];
    if (word.number != at / kBits) word = {.number = at / kBits};
    word.taken |= bit_of(at);
  }

 private:
  static constexpr DramClock kBits = 64;
  static constexpr std::size_t kWords = 64;
  struct Word {
    DramClock number = -1;
    std::uint64_t taken = 0;
  };
  static std::size_t index_of(DramClock at) {
    return static_cast<std::size_t>(at / kBits) % kWords;
  }
  static std::uint64_t bit_of(DramClock at) { return std::uint64_t{1} << (at % kBits); }
  [[nodiscard]] bool is_taken(DramClock at) const {
    const Word& word = words_[index_of(at)];
    return word.number == at / kBits && (word.taken & bit_of(at)) != 0;
  }

  std::array<Word, kWords> words_;
};

}  // namespace npu
