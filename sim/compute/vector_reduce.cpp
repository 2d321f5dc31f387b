// vec.reduce_sum and vec.dot: sums modulo 2^32 into the accumulators.

#include <algorithm>

#include "sim/compute/simd.h"
#include "sim/compute/vector_exec.h"
#include "sim/compute/vector_rows.h"

namespace npu::compute {
namespace {

using isa::Opd;

NPU_VECTOR_CLONES
void add_row(std::int32_t* sums, const std::int32_t* row, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sums[i] = add_wrap(sums[i], row[i]);
}

NPU_VECTOR_CLONES
std::uint32_t dot_row(const std::int32_t* a, std::int32_t a_zero, const std::int32_t* b,
                      std::int32_t b_zero, std::int64_t count) {
  std::uint32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    sum += static_cast<std::uint32_t>(
        multiply_wrap(subtract_wrap(a[i], a_zero), subtract_wrap(b[i], b_zero)));
  }
  return sum;
}

}  // namespace

void run_reduce_sum(const VectorContext& x) {
  const auto type = static_cast<Element>(x.get(Opd::kInType));
  const std::int64_t step = x.get(Opd::kSrcStep0);
  const std::int64_t columns = x.get(Opd::kN0);
  const bool accumulate = x.get(Opd::kAccumulate) != 0;
  std::int32_t sums[kRowBlock];
  std::int32_t row[kRowBlock];
  for (std::int64_t r = 0; r < x.get(Opd::kRows); ++r) {
    for (std::int64_t c = 0; c < columns; c += kRowBlock) {
      const std::int64_t n = std::min(kRowBlock, columns - c);
      std::byte* acc = x.accumulator + x.get(Opd::kAcc) + (r * x.get(Opd::kAccPitch) + c) * 4;
      if (accumulate) {
        load_row(acc, Element::kInt32, n, sums);
      } else {
        std::fill_n(sums, n, 0);
      }
      for (std::int64_t j2 = 0; j2 < x.get(Opd::kR2); ++j2) {
        for (std::int64_t j1 = 0; j1 < x.get(Opd::kR1); ++j1) {
          const std::byte* src = x.scratchpad + x.get(Opd::kSrc) + r * x.get(Opd::kSrcStride1) +
                                 c * step + j1 * x.get(Opd::kRStride1) + j2 * x.get(Opd::kRStride2);
          if (step == size_of(type)) {
            load_row(src, type, n, row);
          } else {
            for (std::int64_t i = 0; i < n; ++i) row[i] = load_element(src + i * step, type);
          }
          add_row(sums, row, n);
        }
      }
      store_row(sums, Element::kInt32, n, acc);
    }
  }
}

void run_dot(const VectorContext& x) {
  const auto a_type = static_cast<Element>(x.get(Opd::kAType));
  const auto b_type = static_cast<Element>(x.get(Opd::kBType));
  const auto a_zero = static_cast<std::int32_t>(x.get(Opd::kAZero));
  const auto b_zero = static_cast<std::int32_t>(x.get(Opd::kBZero));
  const std::int64_t depth = x.get(Opd::kN0);
  std::int32_t a[kRowBlock];
  std::int32_t b[kRowBlock];
  for (std::int64_t r = 0; r < x.get(Opd::kRows); ++r) {
    const std::byte* a_row = x.scratchpad + x.get(Opd::kA) + r * x.get(Opd::kAStride1);
    const std::byte* b_row = x.scratchpad + x.get(Opd::kB) + r * x.get(Opd::kBStride1);
    std::byte* acc = x.accumulator + x.get(Opd::kAcc) + r * 4;
    std::uint32_t sum = x.get(Opd::kAccumulate) != 0 ? load<std::uint32_t>(acc) : 0;
    for (std::int64_t k = 0; k < depth; k += kRowBlock) {
      const std::int64_t n = std::min(kRowBlock, depth - k);
      load_row(a_row + k * size_of(a_type), a_type, n, a);
      load_row(b_row + k * size_of(b_type), b_type, n, b);
      sum += dot_row(a, a_zero, b, b_zero, n);
    }
    store<std::uint32_t>(acc, sum);
  }
}

}  // namespace npu::compute
