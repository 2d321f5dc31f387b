#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace npu {

/// Elementwise functions, of networks (MAP) and of the vector unit (vec.map). Names are lower case,
/// the same in both.
///
/// Domain. Where an operand is a float, or the function is one of kSqrt … kGeluTanh, operands are
/// widened to fp32 and every result is the exact value rounded once to fp32 (to nearest, ties to
/// even); transcendental functions are evaluated in fp64 and rounded to fp32. Otherwise operands
/// are 64-bit integers. Storing: a float into a narrower float rounds to nearest even, overflow is
/// infinity; a float into an integer is cut towards zero and saturates, NaN gives 0; an integer
/// into a narrower one keeps the low bits; an integer into a float rounds to nearest even.
/// Comparisons and logic give 1 or 0. docs/numerics.md settles the bits that are left open here.
enum class MapFunction : std::uint8_t {
  // a, b
  kAdd,
  kSub,
  kMul,
  kDiv,  ///< Integers: towards zero; by 0 gives 0.
  kMax,  ///< NaN where an operand is NaN.
  kMin,
  kPow,
  kMod,        ///< Sign of b (floor); integers by 0 give 0.
  kRemainder,  ///< Sign of a (truncation), C's fmod.
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,  ///< Bitwise on integers.
  kOr,
  kXor,
  kShiftLeft,   ///< By b in 0 … 63 (its low six bits).
  kShiftRight,  ///< Arithmetic: floor(a / 2^b).
  kPrelu,       ///< a ≥ 0 ? a : a · b.
  kSelect,      ///< a ≠ 0 ? b : what the destination held; in a network a third operand.
  // a
  kCopy,  ///< Conversion of the type.
  kNegate,
  kAbs,
  kSign,
  kNot,         ///< a = 0 ? 1 : 0.
  kComplement,  ///< Bits inverted; integers.
  kFloor,
  kCeil,
  kRound,  ///< Half to even.
  kIsNan,
  kIsInf,
  kRelu,
  kClip,         ///< min(max(a, imm0), imm1).
  kLeakyRelu,    ///< a ≥ 0 ? a : a · imm0.
  kThreshold,    ///< a > imm0 ? a : 0.
  kHardSigmoid,  ///< max(0, min(1, imm0·a + imm1)), two roundings.
  kHardSwish,    ///< a · max(0, min(1, a/6 + 0.5)) of the fp32 value a/6 + 0.5 rounded once.
  kDequantize,   ///< (a − imm1) · imm0: integer a, zero point imm1, scale imm0.
  kQuantize,     ///< clamp(round(a / imm0) + imm1): scale imm0, zero point imm1, half to even.
  kIntegerSqrt,  ///< floor(√a) of an integer; 0 below 0.
  kSqrt,
  kReciprocal,
  kReciprocalSqrt,
  kExp,
  kLog,
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kTanh,
  kAsinh,
  kAcosh,
  kAtanh,
  kErf,
  kSigmoid,
  kSilu,
  kSoftplus,
  kSoftsign,
  kMish,
  kElu,       ///< a ≥ 0 ? a : imm0 · (e^a − 1).
  kSelu,      ///< imm1 · (a ≥ 0 ? a : imm0 · (e^a − 1)).
  kCelu,      ///< max(0, a) + min(0, imm0 · (e^(a / imm0) − 1)).
  kGelu,      ///< a/2 · (1 + erf(a / √2)).
  kGeluTanh,  ///< a/2 · (1 + tanh(√(2/π) · (a + 0.044715·a³))).
};
inline constexpr std::size_t kMapFunctions = static_cast<std::size_t>(MapFunction::kGeluTanh) + 1;

/// What a function costs on the vector unit.
enum class FunctionClass : std::uint8_t { kElementwise, kMultiply, kSpecial };

struct FunctionInfo {
  std::string_view name;
  int operands = 1;    ///< 1: a; 2: a and b.
  int immediates = 0;  ///< How many of imm0, imm1 it reads.
  FunctionClass cost = FunctionClass::kElementwise;
};
[[nodiscard]] const FunctionInfo& info_of(MapFunction function);
[[nodiscard]] inline std::string_view name_of(MapFunction function) {
  return info_of(function).name;
}
[[nodiscard]] std::optional<MapFunction> find_map_function(std::string_view name);
/// True for the functions that are computed in fp32 whatever the operands are.
[[nodiscard]] constexpr bool is_real_function(MapFunction function) {
  return function >= MapFunction::kSqrt || function == MapFunction::kDequantize ||
         function == MapFunction::kQuantize || function == MapFunction::kHardSigmoid ||
         function == MapFunction::kHardSwish;
}

/// True for the functions that have no meaning on floats.
[[nodiscard]] constexpr bool takes_integers_only(MapFunction function) {
  return function == MapFunction::kShiftLeft || function == MapFunction::kShiftRight ||
         function == MapFunction::kComplement || function == MapFunction::kIntegerSqrt ||
         function == MapFunction::kDequantize;
}

/// Reductions, of networks (REDUCE) and of the vector unit (vec.reduce): elements are taken one
/// after the other, the outer reduced dimension outside. Floats in fp32, each step rounded to
/// nearest even; integers in 64 bits. kArgMax and kArgMin give the position in that order as int32,
/// the first of equals.
enum class ReduceFunction : std::uint8_t {
  kSum,
  kMax,
  kMin,
  kProduct,
  kSumSquares,
  kArgMax,
  kArgMin
};
inline constexpr std::size_t kReduceFunctions = 7;
[[nodiscard]] std::string_view name_of(ReduceFunction function);

}  // namespace npu
