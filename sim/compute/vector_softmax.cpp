// vec.softmax: exp(beta·(q − max)) in Q0.31, their sum in Q12.19, its reciprocal by Newton-Raphson.
// Source: TensorFlow Lite reference kernels, softmax.h.

#include <algorithm>
#include <bit>

#include "sim/base/error.h"
#include "sim/compute/element.h"
#include "sim/compute/vector_exec.h"

namespace npu::compute {
namespace {

using isa::Opd;

constexpr int kSumIntegerBits = 12;
constexpr int kDifferenceIntegerBits = 5;

struct SoftmaxParams {
  std::int32_t multiplier;
  int left_shift;
  std::int32_t lowest_difference;

  [[nodiscard]] std::int32_t exponential(std::int32_t difference) const {
    // A product of a negative and a positive number: the argument is never above zero unless the
    // words are nonsense.
    const std::int32_t scaled = high_multiply(shift_left_wrap(difference, left_shift), multiplier);
    return exp_on_negative(std::min(scaled, 0), kDifferenceIntegerBits);
  }
};

}  // namespace

void run_softmax(const VectorContext& x) {
  const auto in_type = static_cast<Element>(x.get(Opd::kInType));
  const auto out_type = static_cast<Element>(x.get(Opd::kOutType));
  const std::byte* words = x.scratchpad + x.get(Opd::kParams);
  const SoftmaxParams params{load<std::int32_t>(words), load<std::int32_t>(words + 4),
                             load<std::int32_t>(words + 8)};
  if (params.left_shift < 0 || params.left_shift > 31) {
    throw RunFault(
        fmt::format("instruction {}: vec.softmax: left shift in params must be 0 to 31, got {}",
                    x.index, params.left_shift));
  }
  const int out_bits = out_type == Element::kInt16 ? 16 : 8;
  const std::int32_t lowest = lowest_of(out_type);
  const std::int32_t highest = highest_of(out_type);
  const std::int64_t n = x.get(Opd::kN0);
  for (std::int64_t r = 0; r < x.get(Opd::kRows); ++r) {
    const std::byte* src = x.scratchpad + x.get(Opd::kSrc) + r * x.get(Opd::kSrcStride1);
    std::byte* dst = x.scratchpad + x.get(Opd::kDst) + r * x.get(Opd::kDstStride1);
    const auto value = [&](std::int64_t i) {
      return load_element(src + i * size_of(in_type), in_type);
    };
    std::int32_t largest = value(0);
    for (std::int64_t i = 1; i < n; ++i) largest = std::max(largest, value(i));
    // The unsigned register holds 8,191 times the largest term; a longer row of equal values
    // saturates it.
    std::uint32_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int32_t difference = value(i) - largest;
      if (difference < params.lowest_difference) continue;
      const auto term = static_cast<std::uint32_t>(
          rounding_shift_right(params.exponential(difference), kSumIntegerBits));
      sum = sum > UINT32_MAX - term ? UINT32_MAX : sum + term;
    }
    const int headroom = sum == 0 ? 0 : std::countl_zero(sum);
    const std::int32_t reciprocal = one_over_one_plus(
        static_cast<std::int32_t>((sum << headroom) & static_cast<std::uint32_t>(INT32_MAX)));
    const int shift = kSumIntegerBits - headroom + 31 - out_bits;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int32_t difference = value(i) - largest;
      std::int32_t y = lowest;
      if (difference >= params.lowest_difference) {
        const std::int32_t ratio = high_multiply(reciprocal, params.exponential(difference));
        // Beyond 31 places even the largest ratio rounds to 0.
        const std::int32_t steps = shift > 31 ? 0 : rounding_shift_right(ratio, std::max(shift, 0));
        y = std::clamp(add_wrap(steps, lowest), lowest, highest);
      }
      with_type(out_type, [&](auto zero) {
        using T = decltype(zero);
        store<T>(dst + i * static_cast<std::int64_t>(sizeof(T)), static_cast<T>(y));
      });
    }
  }
}

}  // namespace npu::compute
