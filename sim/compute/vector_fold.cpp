// vec.reduce: neighbouring outputs side by side where they are neighbours in memory, otherwise one
// output after the other; the order of the elements of an output is the same.

#include <algorithm>
#include <array>

#include "isa/functions.h"
#include "sim/compute/float_rows.h"
#include "sim/compute/map_functions.h"
#include "sim/compute/simd.h"
#include "sim/compute/vector_exec.h"
#include "sim/compute/vector_rows.h"

namespace npu::compute {
namespace {

using isa::Opd;

float larger(float a, float b) { return larger_of(a, b); }
float smaller(float a, float b) { return smaller_of(a, b); }
std::int64_t larger(std::int64_t a, std::int64_t b) { return std::max(a, b); }
std::int64_t smaller(std::int64_t a, std::int64_t b) { return std::min(a, b); }

/// Sums and products modulo 2^64.
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t product(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
float sum(float a, float b) { return a + b; }
float product(float a, float b) { return a * b; }

/// body(step) with step(accumulator, element) of the function.
template <typename T, typename Body>
inline __attribute__((always_inline)) void with_step(ReduceFunction function, const Body& body) {
  switch (function) {
    case ReduceFunction::kSum:
      return body([](T a, T x) { return sum(a, x); });
    case ReduceFunction::kSumSquares:
      return body([](T a, T x) { return sum(a, product(x, x)); });
    case ReduceFunction::kProduct:
      return body([](T a, T x) { return product(a, x); });
    case ReduceFunction::kMax:
      return body([](T a, T x) { return larger(a, x); });
    default:
      return body([](T a, T x) { return smaller(a, x); });
  }
}

/// sums[i] = step(sums[i], row[i])
template <typename T>
inline __attribute__((always_inline)) void fold_across_as(ReduceFunction function, const T* row,
                                                          std::int64_t count, T* sums) {
  with_step<T>(function, [&](const auto& step) {
    for (std::int64_t i = 0; i < count; ++i) sums[i] = step(sums[i], row[i]);
  });
}
NPU_VECTOR_CLONES
void fold_across(ReduceFunction function, const float* row, std::int64_t count, float* sums) {
  fold_across_as(function, row, count, sums);
}
NPU_VECTOR_CLONES
void fold_across(ReduceFunction function, const std::int64_t* row, std::int64_t count,
                 std::int64_t* sums) {
  fold_across_as(function, row, count, sums);
}

/// One accumulator over a row.
template <typename T>
void fold_along(ReduceFunction function, const T* row, std::int64_t count, T* accumulator) {
  with_step<T>(function, [&](const auto& step) {
    T a = *accumulator;
    for (std::int64_t i = 0; i < count; ++i) a = step(a, row[i]);
    *accumulator = a;
  });
}

void load_row(const std::byte* at, Element type, std::int64_t step, std::int64_t count,
              float* out) {
  load_floats(at, type, step, count, out);
}
void load_row(const std::byte* at, Element type, std::int64_t step, std::int64_t count,
              std::int64_t* out) {
  load_integers(at, type, step, count, out);
}
void store_row(const float* values, Element type, std::int64_t step, std::int64_t count,
               std::byte* out) {
  store_floats(values, type, step, count, out);
}
void store_row(const std::int64_t* values, Element type, std::int64_t step, std::int64_t count,
               std::byte* out) {
  store_integers(values, type, step, count, out);
}

struct Reduction {
  ReduceFunction function;
  Element in_type, out_type;
  std::int64_t n0, r1, step0, r_stride;
  bool accumulate;

  explicit Reduction(const VectorContext& x)
      : function(isa::reduce_function(x.get(Opd::kFunction))),
        in_type(static_cast<Element>(x.get(Opd::kInType))),
        out_type(static_cast<Element>(x.get(Opd::kOutType))),
        n0(x.get(Opd::kN0)),
        r1(x.get(Opd::kR1)),
        step0(x.get(Opd::kSrcStep0)),
        r_stride(x.get(Opd::kRStride1)),
        accumulate(x.get(Opd::kAccumulate) != 0) {}

  [[nodiscard]] bool is_float() const {
    return compute::is_float(in_type) || (accumulate && compute::is_float(out_type));
  }
  [[nodiscard]] bool is_arg() const { return function >= ReduceFunction::kArgMax; }
  /// The first element, not a constant, is what the fold starts with.
  [[nodiscard]] bool starts_with_element() const {
    return !accumulate && (function == ReduceFunction::kMax || function == ReduceFunction::kMin);
  }
};

/// Outputs of one i2, `count` of them from the first: their sources and destinations are `stride`s
/// apart.
struct Outputs {
  const std::byte* src;
  std::int64_t src_stride;
  std::byte* dst;
  std::int64_t dst_stride;
  std::int64_t count;
};

template <typename T>
void initial(const Reduction& r, const Outputs& o, T* sums) {
  if (r.accumulate) {
    load_row(o.dst, r.out_type, o.dst_stride, o.count, sums);
  } else if (r.starts_with_element()) {
    load_row(o.src, r.in_type, o.src_stride, o.count, sums);
  } else {
    std::fill_n(sums, o.count, r.function == ReduceFunction::kProduct ? T{1} : T{0});
  }
}

/// At most a block of outputs at once, element by element.
template <typename T>
void reduce_across(const Reduction& r, const Outputs& o) {
  T sums[kRowBlock];
  T row[kRowBlock];
  initial(r, o, sums);
  for (std::int64_t j1 = 0; j1 < r.r1; ++j1) {
    for (std::int64_t j0 = r.starts_with_element() && j1 == 0 ? 1 : 0; j0 < r.n0; ++j0) {
      load_row(o.src + j1 * r.r_stride + j0 * r.step0, r.in_type, o.src_stride, o.count, row);
      fold_across(r.function, row, o.count, sums);
    }
  }
  store_row(sums, r.out_type, o.dst_stride, o.count, o.dst);
}

/// One output after the other, a block of elements at a time.
template <typename T>
void reduce_along(const Reduction& r, const Outputs& outputs) {
  T row[kRowBlock];
  for (std::int64_t i = 0; i < outputs.count; ++i) {
    const Outputs o{outputs.src + i * outputs.src_stride, 0, outputs.dst + i * outputs.dst_stride,
                    0, 1};
    T accumulator{};
    initial(r, o, &accumulator);
    for (std::int64_t j1 = 0; j1 < r.r1; ++j1) {
      for (std::int64_t j0 = r.starts_with_element() && j1 == 0 ? 1 : 0; j0 < r.n0;
           j0 += kRowBlock) {
        const std::int64_t n = std::min(kRowBlock, r.n0 - j0);
        load_row(o.src + j1 * r.r_stride + j0 * r.step0, r.in_type, r.step0, n, row);
        fold_along(r.function, row, n, &accumulator);
      }
    }
    store_row(&accumulator, r.out_type, 0, 1, o.dst);
  }
}

/// Whether x is taken instead of the best so far; NaN is more extreme than every number.
template <typename T>
bool beats(T x, T best, bool largest) {
  if (best != best) return false;
  return x != x || (largest ? x > best : x < best);
}

template <typename T>
void find_position(const Reduction& r, const Outputs& outputs) {
  T row[kRowBlock];
  for (std::int64_t i = 0; i < outputs.count; ++i) {
    const std::byte* src = outputs.src + i * outputs.src_stride;
    T best{};
    std::int64_t position = -1;
    for (std::int64_t j1 = 0; j1 < r.r1; ++j1) {
      for (std::int64_t j0 = 0; j0 < r.n0; j0 += kRowBlock) {
        const std::int64_t n = std::min(kRowBlock, r.n0 - j0);
        load_row(src + j1 * r.r_stride + j0 * r.step0, r.in_type, r.step0, n, row);
        for (std::int64_t k = 0; k < n; ++k) {
          if (position >= 0 && !beats(row[k], best, r.function == ReduceFunction::kArgMax))
            continue;
          best = row[k];
          position = j1 * r.n0 + j0 + k;
        }
      }
    }
    store<std::int32_t>(outputs.dst + i * outputs.dst_stride, static_cast<std::int32_t>(position));
  }
}

template <typename T>
void reduce(const Reduction& r, const Outputs& o) {
  if (r.is_arg()) return find_position<T>(r, o);
  if (o.src_stride != size_of(r.in_type) || o.count == 1) return reduce_along<T>(r, o);
  for (std::int64_t i = 0; i < o.count; i += kRowBlock) {
    reduce_across<T>(r, {o.src + i * o.src_stride, o.src_stride, o.dst + i * o.dst_stride,
                         o.dst_stride, std::min(kRowBlock, o.count - i)});
  }
}

}  // namespace

void run_reduce(const VectorContext& x) {
  const Reduction r(x);
  for (std::int64_t i2 = 0; i2 < x.get(Opd::kN2); ++i2) {
    const Outputs outputs{x.scratchpad + x.get(Opd::kSrc) + i2 * x.get(Opd::kSrcStride2),
                          x.get(Opd::kSrcStride1),
                          x.scratchpad + x.get(Opd::kDst) + i2 * x.get(Opd::kDstStride2),
                          x.get(Opd::kDstStride1), x.get(Opd::kN1)};
    r.is_float() ? reduce<float>(r, outputs) : reduce<std::int64_t>(r, outputs);
  }
}

}  // namespace npu::compute
