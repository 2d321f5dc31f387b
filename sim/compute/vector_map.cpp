// vec.map: rows into one of two domains, float32 or 64-bit integers, through the function, and out.

#include <algorithm>
#include <bit>
#include <cstring>

#include "isa/functions.h"
#include "sim/compute/float_rows.h"
#include "sim/compute/map_functions.h"
#include "sim/compute/vector_exec.h"
#include "sim/compute/vector_rows.h"

namespace npu::compute {
namespace {

using isa::Opd;

/// The operands of one vec.map that do not change from row to row.
struct Map {
  MapFunction function;
  Element a_type, b_type, out_type;
  std::int64_t a_step, b_step, dst_step;
  bool reads_b, is_float;
  std::int32_t imm0, imm1;  ///< As encoded.

  explicit Map(const VectorContext& x)
      : function(isa::map_function(x.get(Opd::kFunction))),
        a_type(static_cast<Element>(x.get(Opd::kAType))),
        b_type(static_cast<Element>(x.get(Opd::kBType))),
        out_type(static_cast<Element>(x.get(Opd::kOutType))),
        a_step(x.get(Opd::kAStep0)),
        b_step(x.get(Opd::kBStep0)),
        dst_step(x.get(Opd::kDstStep0)),
        reads_b(info_of(function).operands == 2 && x.get(Opd::kBImmediate) == 0),
        is_float(compute::is_float(a_type) || (reads_b && compute::is_float(b_type)) ||
                 is_real_function(function)),
        imm0(word(x.get(Opd::kImm0))),
        imm1(word(x.get(Opd::kImm1))) {}

  static std::int32_t word(std::int64_t field) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(field));
  }
};

/// `count` elements, at most a block.
struct Part {
  const std::byte* a;
  const std::byte* b;
  std::byte* dst;
  std::int64_t count;
};

/// Elements at `dst` = those at `values`, dense, where `keep` is not set.
void store_selected(const Map& m, const bool* keep, const std::byte* values, const Part& p) {
  const auto size = static_cast<std::size_t>(size_of(m.out_type));
  for (std::int64_t i = 0; i < p.count; ++i, values += size) {
    if (!keep[i]) std::memcpy(p.dst + i * m.dst_step, values, size);
  }
}

void quantize(const Map& m, float* a, const Part& p) {
  const auto scale = std::bit_cast<float>(m.imm0);
  for (std::int64_t i = 0; i < p.count; ++i) a[i] /= scale;
  if (!is_float(m.out_type)) {
    return store_quantized(a, m.imm1, m.out_type, m.dst_step, p.count, p.dst);
  }
  for (std::int64_t i = 0; i < p.count; ++i) {
    a[i] = static_cast<float>(static_cast<double>(__builtin_rintf(a[i])) + m.imm1);
  }
  store_floats(a, m.out_type, m.dst_step, p.count, p.dst);
}

void dequantize(const Map& m, const Part& p) {
  std::int64_t a[kRowBlock];
  float out[kRowBlock];
  load_integers(p.a, m.a_type, m.a_step, p.count, a);
  const auto scale = std::bit_cast<float>(m.imm0);
  for (std::int64_t i = 0; i < p.count; ++i) out[i] = static_cast<float>(a[i] - m.imm1) * scale;
  store_floats(out, m.out_type, m.dst_step, p.count, p.dst);
}

void run_floats(const Map& m, const Part& p) {
  float a[kRowBlock];
  float b[kRowBlock];
  load_floats(p.a, m.a_type, m.a_step, p.count, a);
  if (m.function == MapFunction::kQuantize) return quantize(m, a, p);
  if (m.reads_b) {
    load_floats(p.b, m.b_type, m.b_step, p.count, b);
  } else {
    std::fill_n(b, p.count, std::bit_cast<float>(m.imm0));
  }
  if (m.function == MapFunction::kSelect) {
    std::byte values[kRowBlock * 4];
    bool keep[kRowBlock];
    for (std::int64_t i = 0; i < p.count; ++i) keep[i] = a[i] == 0;
    store_floats(b, m.out_type, size_of(m.out_type), p.count, values);
    return store_selected(m, keep, values, p);
  }
  map_floats(m.function,
             {a, b, std::bit_cast<float>(m.imm0), std::bit_cast<float>(m.imm1), p.count, a});
  store_floats(a, m.out_type, m.dst_step, p.count, p.dst);
}

void run_integers(const Map& m, const Part& p) {
  std::int64_t a[kRowBlock];
  std::int64_t b[kRowBlock];
  load_integers(p.a, m.a_type, m.a_step, p.count, a);
  if (m.reads_b) {
    load_integers(p.b, m.b_type, m.b_step, p.count, b);
  } else {
    std::fill_n(b, p.count, m.imm0);
  }
  if (m.function == MapFunction::kSelect) {
    std::byte values[kRowBlock * 4];
    bool keep[kRowBlock];
    for (std::int64_t i = 0; i < p.count; ++i) keep[i] = a[i] == 0;
    store_integers(b, m.out_type, size_of(m.out_type), p.count, values);
    return store_selected(m, keep, values, p);
  }
  map_integers(m.function, {a, b, m.imm0, m.imm1, p.count, a});
  store_integers(a, m.out_type, m.dst_step, p.count, p.dst);
}

}  // namespace

void run_map(const VectorContext& x) {
  const Map m(x);
  const std::int64_t n0 = x.get(Opd::kN0);
  for (std::int64_t i2 = 0; i2 < x.get(Opd::kN2); ++i2) {
    for (std::int64_t i1 = 0; i1 < x.get(Opd::kN1); ++i1) {
      const std::byte* a =
          x.scratchpad + x.get(Opd::kA) + i1 * x.get(Opd::kAStride1) + i2 * x.get(Opd::kAStride2);
      const std::byte* b =
          x.scratchpad + x.get(Opd::kB) + i1 * x.get(Opd::kBStride1) + i2 * x.get(Opd::kBStride2);
      std::byte* dst = x.scratchpad + x.get(Opd::kDst) + i1 * x.get(Opd::kDstStride1) +
                       i2 * x.get(Opd::kDstStride2);
      for (std::int64_t c = 0; c < n0; c += kRowBlock) {
        const Part part{a + c * m.a_step, b + c * m.b_step, dst + c * m.dst_step,
                        std::min(kRowBlock, n0 - c)};
        if (m.function == MapFunction::kDequantize) {
          dequantize(m, part);
        } else {
          m.is_float ? run_floats(m, part) : run_integers(m, part);
        }
      }
    }
  }
}

}  // namespace npu::compute
