#include <algorithm>
#include <cmath>

#include "sim/base/error.h"
#include "sim/compute/map_functions.h"
#include "sim/compute/simd.h"

namespace npu::compute {
namespace {

using Int = std::int64_t;

/// Modulo 2^64; by a negative b the quotient, cut towards zero: 0 but for a = ±1.
Int power(Int a, Int b) {
  if (b < 0) return a == 1 ? 1 : a != -1 ? 0 : b % 2 == 0 ? 1 : -1;
  std::uint64_t result = 1;
  for (auto base = static_cast<std::uint64_t>(a); b > 0; b >>= 1, base *= base) {
    if (b % 2 == 1) result *= base;
  }
  return static_cast<Int>(result);
}

Int floor_mod(Int a, Int b) {
  if (b == 0) return 0;
  const Int r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

Int shift_left(Int a, Int b) { return static_cast<Int>(static_cast<std::uint64_t>(a) << (b & 63)); }

NPU_VECTOR_CLONES
void map_pairs(MapFunction function, const MapOperands<Int>& operands) {
  const MapOperands<Int> row = operands;
  using enum MapFunction;
  switch (function) {
    case kAdd:
      return each_pair(row, [](Int a, Int b) { return a + b; });
    case kSub:
      return each_pair(row, [](Int a, Int b) { return a - b; });
    case kMul:
      return each_pair(row, [](Int a, Int b) { return a * b; });
    case kDiv:
      return each_pair(row, [](Int a, Int b) { return b == 0 ? 0 : a / b; });
    case kMax:
      return each_pair(row, [](Int a, Int b) { return std::max(a, b); });
    case kMin:
      return each_pair(row, [](Int a, Int b) { return std::min(a, b); });
    case kPow:
      return each_pair(row, power);
    case kMod:
      return each_pair(row, floor_mod);
    case kRemainder:
      return each_pair(row, [](Int a, Int b) { return b == 0 ? 0 : a % b; });
    case kEqual:
      return each_pair(row, [](Int a, Int b) { return Int{a == b}; });
    case kNotEqual:
      return each_pair(row, [](Int a, Int b) { return Int{a != b}; });
    case kLess:
      return each_pair(row, [](Int a, Int b) { return Int{a < b}; });
    case kLessEqual:
      return each_pair(row, [](Int a, Int b) { return Int{a <= b}; });
    case kGreater:
      return each_pair(row, [](Int a, Int b) { return Int{a > b}; });
    case kGreaterEqual:
      return each_pair(row, [](Int a, Int b) { return Int{a >= b}; });
    case kAnd:
      return each_pair(row, [](Int a, Int b) { return a & b; });
    case kOr:
      return each_pair(row, [](Int a, Int b) { return a | b; });
    case kXor:
      return each_pair(row, [](Int a, Int b) { return a ^ b; });
    case kShiftLeft:
      return each_pair(row, shift_left);
    case kShiftRight:
      return each_pair(row, [](Int a, Int b) { return a >> (b & 63); });
    case kPrelu:
      return each_pair(row, [](Int a, Int b) { return a >= 0 ? a : a * b; });
    default:
      NPU_CHECK(false, "not a function of two integers");
  }
}

NPU_VECTOR_CLONES
void map_ones(MapFunction function, const MapOperands<Int>& operands) {
  const MapOperands<Int> row = operands;
  using enum MapFunction;
  switch (function) {
    case kCopy:
    case kFloor:
    case kCeil:
    case kRound:
      return each_one(row, [](Int a) { return a; });
    case kNegate:
      return each_one(row, [](Int a) { return -a; });
    case kAbs:
      return each_one(row, [](Int a) { return a < 0 ? -a : a; });
    case kSign:
      return each_one(row, [](Int a) { return Int{a > 0} - Int{a < 0}; });
    case kNot:
      return each_one(row, [](Int a) { return Int{a == 0}; });
    case kComplement:
      return each_one(row, [](Int a) { return ~a; });
    case kIsNan:
    case kIsInf:
      return each_one(row, [](Int) { return Int{0}; });
    case kRelu:
      return each_one(row, [](Int a) { return std::max(a, Int{0}); });
    case kClip:
      return each_one(row, [=](Int a) { return std::min(std::max(a, row.imm0), row.imm1); });
    case kLeakyRelu:
      return each_one(row, [=](Int a) { return a >= 0 ? a : a * row.imm0; });
    case kThreshold:
      return each_one(row, [=](Int a) { return a > row.imm0 ? a : 0; });
    case kIntegerSqrt:
      return each_one(row, [](Int a) {
        return a <= 0 ? 0 : static_cast<Int>(std::sqrt(static_cast<double>(a)));
      });
    default:
      NPU_CHECK(false, "not a function of one integer");
  }
}

}  // namespace

void map_integers(MapFunction function, const MapOperands<Int>& row) {
  info_of(function).operands == 2 ? map_pairs(function, row) : map_ones(function, row);
}

}  // namespace npu::compute
