#pragma once

#include <cmath>
#include <cstdint>

namespace npu {

/// Converts instants between two clocks by a fixed-point factor of 62 significant bits; monotone.
/// What lies within 2^-20 of a whole number counts as that number, so that to and fro is the
/// identity up to 2^40 ticks.
class ClockRatio {
 public:
  /// numerator / denominator ticks of the target clock per tick of the source clock; 2^-20 to 2^20,
  /// both below 2^44.
  ClockRatio(std::int64_t numerator, std::int64_t denominator)
      : bits_(kSignificantBits - 1 -
              std::ilogb(static_cast<double>(numerator) / static_cast<double>(denominator))),
        factor_(static_cast<std::uint64_t>((static_cast<Wide>(numerator) << bits_) /
                                           static_cast<Wide>(denominator))) {}

  [[nodiscard]] std::int64_t ceil(std::int64_t source) const {
    return shift(product(source) + (Wide{1} << bits_) - 1 - slack());
  }
  [[nodiscard]] std::int64_t floor(std::int64_t source) const {
    return shift(product(source) + slack());
  }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr int kSignificantBits = 62;

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
