// vec.requantize and vec.rescale.

#include <algorithm>
#include <vector>

#include "sim/compute/simd.h"
#include "sim/compute/vector_exec.h"
#include "sim/compute/vector_rows.h"

namespace npu::compute {
namespace {

using isa::Opd;

/// The records of a run of channels, one array per field, so that the loops over channels
/// vectorize.
struct Records {
  std::vector<std::int64_t> bias;
  std::vector<FixedMultiplier> multiplier;
  std::vector<std::int32_t> bias32, value, left, right, total;
  std::vector<float> scale;

  /// `repeats` times the records of `channels` channels; all the same record when not per_channel.
  Records(const std::byte* at, std::int64_t channels, std::int64_t repeats, bool per_channel,
          bool wide) {
    const std::int64_t bytes = wide ? 16 : 12;
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::byte* record = at + (per_channel ? c * bytes : 0);
      const std::int64_t b = wide ? load<std::int64_t>(record) : load<std::int32_t>(record);
      record += bytes - 8;
      const FixedMultiplier m{load<std::int32_t>(record), load<std::int32_t>(record + 4)};
      const int shift = std::clamp(m.shift, -31, 31);
      bias.push_back(b);
      bias32.push_back(static_cast<std::int32_t>(b));
      multiplier.push_back(m);
      value.push_back(m.multiplier);
      left.push_back(std::max(shift, 0));
      right.push_back(std::max(-shift, 0));
      total.push_back(31 - std::min(shift, 30));
      scale.push_back(float_scale(m));
    }
    const auto repeat = [&](auto& field) {
      const auto count = static_cast<std::size_t>(channels);
      field.resize(static_cast<std::size_t>(repeats) * count);
      for (std::size_t i = count; i < field.size(); ++i) field[i] = field[i - count];
    };
    repeat(bias);
    repeat(bias32);
    repeat(multiplier);
    repeat(value);
    repeat(left);
    repeat(right);
    repeat(total);
    repeat(scale);
  }
};

NPU_VECTOR_CLONES
void rescale_row_double(std::int32_t* v, const std::int32_t* value, const std::int32_t* left,
                        const std::int32_t* right, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) v[i] = rescale_double(v[i], value[i], left[i], right[i]);
}

NPU_VECTOR_CLONES
void rescale_row_single(std::int32_t* v, const std::int32_t* value, const std::int32_t* total,
                        std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) v[i] = rescale_single(v[i], value[i], total[i]);
}

NPU_VECTOR_CLONES
void rescale_row_float(std::int32_t* v, const float* scale, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) v[i] = rescale_float(v[i], scale[i]);
}

NPU_VECTOR_CLONES
void add_row(std::int32_t* v, const std::int32_t* bias, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) v[i] = add_wrap(v[i], bias[i]);
}

/// v[i] = rescale(acc[i] + bias), channel i of the records from `first` on.
void requantize_row(const std::byte* acc, const Records& r, std::int64_t first, std::int64_t count,
                    bool wide, bool reduced, Rounding rounding, std::int32_t* v) {
  if (wide || reduced) {
    for (std::int64_t i = 0; i < count; ++i) {
      const auto c = static_cast<std::size_t>(first + i);
      std::int64_t sum = 0;
      if (wide) {
        sum = static_cast<std::int64_t>(load<std::uint64_t>(acc + i * 8) +
                                        static_cast<std::uint64_t>(r.bias[c]));
      } else {
        sum = add_wrap(load<std::int32_t>(acc + i * 4), r.bias32[c]);
      }
      v[i] = reduced
                 ? rescale_wide(sum, r.multiplier[c])
                 : static_cast<std::int32_t>(std::clamp<std::int64_t>(sum, INT32_MIN, INT32_MAX));
    }
    if (reduced) return;
  } else {
    load_row(acc, Element::kInt32, count, v);
    add_row(v, r.bias32.data() + first, count);
  }
  switch (rounding) {
    case Rounding::kTfliteDouble:
      return rescale_row_double(v, r.value.data() + first, r.left.data() + first,
                                r.right.data() + first, count);
    case Rounding::kTfliteSingle:
      return rescale_row_single(v, r.value.data() + first, r.total.data() + first, count);
    case Rounding::kFloatRne:
      return rescale_row_float(v, r.scale.data() + first, count);
  }
}

}  // namespace

void run_requantize(const VectorContext& x) {
  const std::int64_t out_w = x.get(Opd::kOutW);
  const std::int64_t channels = x.get(Opd::kOutC);
  const std::int64_t pitch = x.get(Opd::kAccPitch);
  const bool wide = x.get(Opd::kWide) != 0;
  const bool reduced = x.get(Opd::kReduced) != 0;
  const auto out_type = static_cast<Element>(x.get(Opd::kOutType));
  const std::int64_t sum_bytes = wide ? 8 : 4;
  const auto zero = static_cast<std::int32_t>(x.get(Opd::kOutZero));
  const auto low = static_cast<std::int32_t>(x.get(Opd::kClampMin));
  const auto high = static_cast<std::int32_t>(x.get(Opd::kClampMax));

  // Few channels, densely packed: several pixels make one row of records repeated.
  const bool dense =
      pitch == channels && x.get(Opd::kDstPixelStride) == channels * size_of(out_type);
  const std::int64_t pixels = dense ? std::clamp(kRowBlock / channels, std::int64_t{1}, out_w) : 1;
  const Records records(x.scratchpad + x.get(Opd::kParams), channels, pixels,
                        x.get(Opd::kPerChannel) != 0, wide);
  std::int32_t row[kRowBlock];
  for (std::int64_t y = 0; y < x.get(Opd::kOutH); ++y) {
    for (std::int64_t p = 0; p < out_w; p += pixels) {
      const std::int64_t count = std::min(pixels, out_w - p) * channels;
      const std::byte* acc = x.accumulator + x.get(Opd::kAcc) + (y * out_w + p) * pitch * sum_bytes;
      std::byte* dst = x.scratchpad + x.get(Opd::kDst) + y * x.get(Opd::kDstRowStride) +
                       p * x.get(Opd::kDstPixelStride);
      for (std::int64_t c = 0; c < count; c += kRowBlock) {
        const std::int64_t n = std::min(kRowBlock, count - c);
        requantize_row(acc + c * sum_bytes, records, c, n, wide, reduced, x.rounding, row);
        offset_and_clamp(row, n, zero, low, high);
        store_row(row, out_type, n, dst + c * size_of(out_type));
      }
    }
  }
}

void run_rescale(const VectorContext& x) {
  std::int32_t words[8];
  load_row(x.scratchpad + x.get(Opd::kParams), Element::kInt32, 8, words);
  const FixedMultiplier positive{words[1], words[2]};
  // Below 0: the magnitude is applied and the result negated.
  const bool negate = words[3] < 0;
  const FixedMultiplier negative{negate ? subtract_wrap(0, words[3]) : words[3], words[4]};
  const auto in_type = static_cast<Element>(x.get(Opd::kInType));
  const auto out_type = static_cast<Element>(x.get(Opd::kOutType));
  const std::int64_t n0 = x.get(Opd::kN0);
  std::int32_t row[kRowBlock];
  for (std::int64_t i2 = 0; i2 < x.get(Opd::kN2); ++i2) {
    for (std::int64_t i1 = 0; i1 < x.get(Opd::kN1); ++i1) {
      const std::byte* src = x.scratchpad + x.get(Opd::kSrc) + i1 * x.get(Opd::kSrcStride1) +
                             i2 * x.get(Opd::kSrcStride2);
      std::byte* dst = x.scratchpad + x.get(Opd::kDst) + i1 * x.get(Opd::kDstStride1) +
                       i2 * x.get(Opd::kDstStride2);
      for (std::int64_t c = 0; c < n0; c += kRowBlock) {
        const std::int64_t n = std::min(kRowBlock, n0 - c);
        load_row(src + c * size_of(in_type), in_type, n, row);
        for (std::int64_t i = 0; i < n; ++i) {
          const std::int32_t d = subtract_wrap(row[i], words[0]);
          row[i] = rescale(d, d >= 0 ? positive : negative, x.rounding);
          if (negate && d < 0) row[i] = subtract_wrap(0, row[i]);
        }
        offset_and_clamp(row, n, words[5], words[6], words[7]);
        store_row(row, out_type, n, dst + c * size_of(out_type));
      }
    }
  }
}

}  // namespace npu::compute
