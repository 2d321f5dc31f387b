#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace npu {

/// A set of banks of a channel, a bit each.
class BankSet {
 public:
  explicit BankSet(std::size_t bank_count) : words_((bank_count + 63) / 64) {}

  [[nodiscard]] bool contains(std::uint32_t bank) const {
    return (words_[bank / 64] >> (bank % 64) & 1) != 0;
  }
  [[nodiscard]] bool empty() const {
    return std::ranges::all_of(words_, [](std::uint64_t word) { return word == 0; });
  }
  void set(std::uint32_t bank, bool is_in) {
    std::uint64_t& word = words_[bank / 64];
    word = (word & ~(std::uint64_t{1} << (bank % 64))) | std::uint64_t{is_in} << (bank % 64);
  }
  /// Calls visit(bank) for each bank, in ascending order.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t word = 0; word < words_.size(); ++word)
      for_each_bit(word, words_[word], visit);
  }
  /// The same for those that are not in `others`.
  template <typename Visit>
  void for_each_except(const BankSet& others, Visit visit) const {
    for (std::size_t word = 0; word < words_.size(); ++word) {
      for_each_bit(word, words_[word] & ~others.words_[word], visit);
    }
  }

 private:
  template <typename Visit>
  static void for_each_bit(std::size_t word, std::uint64_t bits, Visit visit) {
    for (; bits != 0; bits &= bits - 1) {
      visit(static_cast<std::uint32_t>(word * 64) +
            static_cast<std::uint32_t>(std::countr_zero(bits)));
    }
  }

  std::vector<std::uint64_t> words_;
};

}  // namespace npu
