// vec.interpolate and vec.softmax_table: int16 functions by tables with linear interpolation.
// Source: TensorFlow Lite reference kernels, integer_ops/logistic.h and tanh.h, softmax.h.

#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

#include "sim/base/error.h"
#include "sim/compute/vector_exec.h"
#include "sim/compute/vector_rows.h"

namespace npu::compute {
namespace {

using isa::Opd;

constexpr std::int64_t kCurveEntries = 256;
constexpr std::int64_t kSoftmaxEntries = 513;

/// A function that is symmetric about p = 0, from its samples at p = i · 2^fraction.
struct Curve {
  std::int32_t multiplier, shift, fraction, limit, positive, negative, out_shift;
  std::array<std::uint16_t, kCurveEntries> table;

  explicit Curve(const VectorContext& x) {
    std::array<std::int32_t, 7> w{};
    load_row(x.scratchpad + x.get(Opd::kParams), Element::kInt32, 7, w.data());
    multiplier = w[0];
    shift = w[1];
    fraction = w[2];
    limit = w[3];
    positive = w[4];
    negative = w[5];
    out_shift = w[6];
    for (const auto& [name, value] :
         {std::pair("shift", shift), {"fraction", fraction}, {"out_shift", out_shift}}) {
      if (value >= 0 && value <= 31) continue;
      throw RunFault(
          fmt::format("instruction {}: vec.interpolate: {} in params must be 0 to 31, got {}",
                      x.index, name, value));
    }
    std::memcpy(table.data(), x.scratchpad + x.get(Opd::kTable), sizeof table);
  }

  [[nodiscard]] std::int16_t operator()(std::int16_t q) const {
    const std::int64_t half = shift > 0 ? std::int64_t{1} << (shift - 1) : 0;
    const std::int64_t p = (std::int64_t{q} * multiplier + half) >> shift;
    const std::int64_t u = p < 0 ? -p : p;
    const std::int64_t i = u >> fraction;
    std::int64_t r = std::int64_t{limit} * (std::int64_t{1} << fraction);
    if (i < kCurveEntries - 1) {
      const std::int64_t from = table[static_cast<std::size_t>(i)];
      const std::int64_t to = table[static_cast<std::size_t>(i + 1)];
      const std::int64_t rest = u - (i << fraction);
      r = (from << fraction) + rest * (to - from);
    }
    const std::int64_t y = (p >= 0 ? positive + r : negative - r) >> out_shift;
    return static_cast<std::int16_t>(std::clamp<std::int64_t>(y, INT16_MIN, INT16_MAX));
  }
};

/// 512 intervals over the range of int16.
class Samples {
 public:
  explicit Samples(const std::byte* at) { std::memcpy(values_.data(), at, sizeof values_); }
  [[nodiscard]] std::int32_t operator()(std::int32_t v) const {
    const std::size_t i = static_cast<std::size_t>(v + 32768) >> 7U;
    const std::int32_t slope = values_[i + 1] - values_[i];
    return values_[i] + ((slope * (v & 127) + 64) >> 7);
  }

 private:
  std::array<std::int16_t, kSoftmaxEntries> values_{};
};

}  // namespace

void run_interpolate(const VectorContext& x) {
  const Curve curve(x);
  const std::int64_t n0 = x.get(Opd::kN0);
  for (std::int64_t i2 = 0; i2 < x.get(Opd::kN2); ++i2) {
    for (std::int64_t i1 = 0; i1 < x.get(Opd::kN1); ++i1) {
      const std::byte* src = x.scratchpad + x.get(Opd::kSrc) + i1 * x.get(Opd::kSrcStride1) +
                             i2 * x.get(Opd::kSrcStride2);
      std::byte* dst = x.scratchpad + x.get(Opd::kDst) + i1 * x.get(Opd::kDstStride1) +
                       i2 * x.get(Opd::kDstStride2);
      for (std::int64_t i = 0; i < n0; ++i)
        store(dst + 2 * i, curve(load<std::int16_t>(src + 2 * i)));
    }
  }
}

void run_softmax_table(const VectorContext& x) {
  const std::byte* words = x.scratchpad + x.get(Opd::kParams);
  const FixedMultiplier step{load<std::int32_t>(words), load<std::int32_t>(words + 4)};
  const std::byte* tables = x.scratchpad + x.get(Opd::kTable);
  const Samples exponentials(tables);
  const Samples reciprocals(tables + kSoftmaxEntries * 2);
  const std::int64_t n = x.get(Opd::kN0);
  std::vector<std::int32_t> e(static_cast<std::size_t>(n));
  for (std::int64_t r = 0; r < x.get(Opd::kRows); ++r) {
    const std::byte* src = x.scratchpad + x.get(Opd::kSrc) + r * x.get(Opd::kSrcStride1);
    std::byte* dst = x.scratchpad + x.get(Opd::kDst) + r * x.get(Opd::kDstStride1);
    load_row(src, Element::kInt16, n, e.data());
    const std::int32_t largest = *std::max_element(e.begin(), e.end());
    std::int64_t sum = 0;
    for (std::int32_t& v : e) {
      const std::int64_t d = rescale(v - largest, step, Rounding::kTfliteDouble);
      v = exponentials(
          static_cast<std::int32_t>(std::clamp<std::int64_t>(d + 32767, -32768, 32767)));
      sum += v;
    }
    sum = std::clamp<std::int64_t>(sum, 1, INT32_MAX);
    // The sum as 1 + f, f in Q0.16, and from it the index of 1 / (1 + f).
    const int zeros = std::countl_zero(static_cast<std::uint32_t>(sum));
    const std::int64_t mantissa = ((sum << (zeros - 1)) + (1 << 13)) >> 14;
    const std::int32_t reciprocal =
        reciprocals(static_cast<std::int32_t>(std::min<std::int64_t>(mantissa - 98304, 32767)));
    const int shift = 31 - zeros;
    const std::int64_t half = shift > 0 ? std::int64_t{1} << (shift - 1) : 0;
    for (std::int32_t& v : e) {
      v = static_cast<std::int32_t>(
          std::clamp<std::int64_t>((std::int64_t{v} * reciprocal + half) >> shift, 0, 32767));
    }
    store_row(e.data(), Element::kInt16, n, dst);
  }
}

}  // namespace npu::compute
