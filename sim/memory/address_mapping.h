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
/// low bits, above the offset within a burst. Every size is a power of two (checked when the
/// configuration is read). Not modelled: hashed (XOR) mappings.
class AddressMapping {
 public:
  explicit AddressMapping(const DramConfig& config);

  [[nodiscard]] DramLocation decode(std::int64_t address) const;
  /// First byte of the burst at `location`.
  [[nodiscard]] std::int64_t encode(const DramLocation& location) const;
  [[nodiscard]] std::int64_t capacity_bytes() const { return capacity_bytes_; }

 private:
  struct Field {
    int shift = 0;
    std::uint64_t mask = 0;
    [[nodiscard]] std::uint32_t of(std::uint64_t address) const {
      return static_cast<std::uint32_t>((address >> shift) & mask);
    }
    [[nodiscard]] std::uint64_t at(std::uint32_t value) const {
      return std::uint64_t{value} << shift;
    }
  };
  Field channel_, rank_, bank_group_, bank_, row_, column_;
  std::int64_t capacity_bytes_ = 0;
};

}  // namespace npu
