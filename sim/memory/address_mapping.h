#pragma once

#include <array>
#include <cstdint>

#include "sim/config/npu_config.h"

namespace npu {

/// Where a burst lies.
struct DramLocation {
  std::uint32_t channel = 0, rank = 0, bank_group = 0, bank = 0, row = 0;
  std::uint32_t column = 0;  ///< In bursts.

  friend bool operator==(const DramLocation&, const DramLocation&) = default;
};

/// Splits an address as DramConfig::address_mapping says: the fields ro ra bg ba co ch from high to
/// low bits, above the offset within a burst; a "co:n" holds the lowest n column bits, "co" then
/// the rest. With a bank hash, rank, bank group and bank are XORed with the lowest bits of the row,
/// or they and then the row with those of the column, which spreads strides over the banks. Every
/// size is a power of two (checked when the configuration is read). Source: Zhang et al., A
/// Permutation-Based Page Interleaving Scheme, MICRO 2000 (row hash); Kaseridis et al., Minimalist
/// Open-Page, MICRO 2011 (split column).
class AddressMapping {
 public:
  explicit AddressMapping(const DramConfig& config);

  [[nodiscard]] DramLocation decode(std::int64_t address) const;
  /// First byte of the burst at `location`.
  [[nodiscard]] std::int64_t encode(const DramLocation& location) const;
  [[nodiscard]] std::int64_t capacity_bytes() const { return capacity_bytes_; }

 private:
  struct Field {
    int shift = 0, bits = 0;
    std::uint64_t mask = 0;
    [[nodiscard]] std::uint32_t of(std::uint64_t address) const {
      return static_cast<std::uint32_t>((address >> shift) & mask);
    }
    [[nodiscard]] std::uint64_t at(std::uint32_t value) const {
      return std::uint64_t{value} << shift;
    }
  };
  void hash(DramLocation& location) const;

  Field channel_, rank_, bank_group_, bank_, row_, column_, low_column_;
  BankHash bank_hash_ = BankHash::kNone;
  std::int64_t capacity_bytes_ = 0;
};

}  // namespace npu
