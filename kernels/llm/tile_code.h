#pragma once

#include <cstdint>

#include "kernels/llm/areas.h"
#include "kernels/lowering/emitter.h"
#include "sim/base/function.h"

namespace npu::llm_kernels {

/// An array in the scratchpad, walked in up to three dimensions, innermost first. Strides count
/// bytes; 0 repeats.
struct Walk {
  std::int64_t address = 0;
  Code code = Code::kFloat32;
  std::int64_t step0 = 4, stride1 = 0, stride2 = 0;
};

/// Elements of a walk.
struct Extent {
  std::int64_t n0 = 1, n1 = 1, n2 = 1;
};

/// Rows of sums in the accumulators, [rows, columns] from byte `address`.
struct Sums {
  std::int64_t address = 0, rows = 1, columns = 1;
  Code code = Code::kFloat32;
};

/// How vec.output turns sums into elements.
struct Conversion {
  std::int64_t record = 0;       ///< (scale, bias) records; 0 with `raw`.
  bool per_channel = false;      ///< One record per column.
  std::int64_t row_scales = -1;  ///< float32 per row; −1: none.
  bool accumulate = false;       ///< To float32 only.
  bool raw = false;              ///< The sums as they are.
};

/// Operands of a matrix product sums[m,n] (+)= x[m,k] · w[n,k]ᵀ.
struct Product {
  std::int64_t x = 0, x_stride = 0;
  std::int64_t w = 0, w_stride = 0;
  bool w_transposed = false;  ///< w is [k,n].
  Code code = Code::kFloat32;
  std::int64_t k = 1;
  bool accumulate = false;
};

/// Writes the instructions of one step's program to an emitter.
class TileCode {
 public:
  explicit TileCode(kernels::Emitter& out) : out_(out) {}

  /// dst = f(a, b)
  void map(MapFunction function, const Walk& a, const Walk& b, const Walk& dst,
           const Extent& extent);
  /// dst = f(a)
  void map(MapFunction function, const Walk& a, const Walk& dst, const Extent& extent);
  /// dst = f(a, immediate): of fp32, or of integers where a is one.
  void map(MapFunction function, const Walk& a, double immediate, const Walk& dst,
           const Extent& extent);
  /// dst(i2, i1) = fold of a over i0; dst's strides are those of n1 and n2.
  void reduce(ReduceFunction function, const Walk& a, const Walk& dst, const Extent& extent);
  void product(const Product& p, const Sums& to);
  /// Rows go `row_stride` bytes apart.
  void convert(const Sums& from, const Conversion& how, std::int64_t dst, std::int64_t row_stride,
               Code code);

  [[nodiscard]] kernels::Emitter& out() { return out_; }

 private:
  void emit_map(MapFunction function, const Walk& a, const Walk* b, std::uint32_t immediate,
                const Walk& dst, const Extent& extent);

  kernels::Emitter& out_;
};

}  // namespace npu::llm_kernels
