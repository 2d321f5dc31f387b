#pragma once

#include <cmath>
#include <cstdint>

namespace npu {

/// Converts instants between two clocks by a fixed-point factor of 53 significant bits; monotone.
/// What lies within 2^-20 of a whole number counts as that number, so that to and fro is the
/// identity.
class ClockRatio {
 public:
  /// @param factor  ticks of the target clock per tick of the source clock; 2^-20 to 2^20.
  explicit ClockRatio(double factor)
      : bits_(kSignificantBits - 1 - std::ilogb(factor)),
        factor_(static_cast<std::uint64_t>(std::llround(std::ldexp(factor, bits_)))) {}

  [[nodiscard]] std::int64_t ceil(std::int64_t source) const {
    return shift(product(source) + (Wide{1} << bits_) - 1 - slack());
  }
  [[nodiscard]] std::int64_t floor(std::int64_t source) const {
    return shift(product(source) + slack());
  }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr int kSignificantBits = 53;

  [[nodiscard]] Wide slack() const { return Wide{1} << (bits_ - 20); }
  [[nodiscard]] Wide product(std::int64_t source) const {
    return static_cast<Wide>(static_cast<std::uint64_t>(source)) * factor_;
  }
  [[nodiscard]] std::int64_t shift(Wide value) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(value >> bits_));
  }

  int bits_;
  std::uint64_t factor_;
};

}  // namespace npu
