#include <cmath>

#include "sim/base/error.h"
#include "sim/compute/map_functions.h"
#include "sim/compute/simd.h"

namespace npu::compute {
namespace {

constexpr float truth(bool value) { return value ? 1.0F : 0.0F; }

/// Sign of b; 0 has the sign of b too.
float floor_mod(float a, float b) {
  const float r = std::fmod(a, b);
  if (r == 0) return std::copysign(0.0F, b);
  return (r < 0) != (b < 0) ? r + b : r;
}

NPU_VECTOR_CLONES
void map_pairs(MapFunction function, const MapOperands<float>& operands) {
  const MapOperands<float> row = operands;
  using enum MapFunction;
  switch (function) {
    case kAdd:
      return each_pair(row, [](float a, float b) { return a + b; });
    case kSub:
      return each_pair(row, [](float a, float b) { return a - b; });
    case kMul:
      return each_pair(row, [](float a, float b) { return a * b; });
    case kDiv:
      return each_pair(row, [](float a, float b) { return a / b; });
    case kMax:
      return each_pair(row, larger_of);
    case kMin:
      return each_pair(row, smaller_of);
    case kEqual:
      return each_pair(row, [](float a, float b) { return truth(a == b); });
    case kNotEqual:
      return each_pair(row, [](float a, float b) { return truth(a != b); });
    case kLess:
      return each_pair(row, [](float a, float b) { return truth(a < b); });
    case kLessEqual:
      return each_pair(row, [](float a, float b) { return truth(a <= b); });
    case kGreater:
      return each_pair(row, [](float a, float b) { return truth(a > b); });
    case kGreaterEqual:
      return each_pair(row, [](float a, float b) { return truth(a >= b); });
    case kAnd:
      return each_pair(row, [](float a, float b) { return truth((a != 0) & (b != 0)); });
    case kOr:
      return each_pair(row, [](float a, float b) { return truth((a != 0) | (b != 0)); });
    case kXor:
      return each_pair(row, [](float a, float b) { return truth((a != 0) != (b != 0)); });
    case kPrelu:
      return each_pair(row, [](float a, float b) { return a >= 0 ? a : a * b; });
    default:
      NPU_CHECK(false, "not a function of two floats");
  }
}

NPU_VECTOR_CLONES
void map_ones(MapFunction function, const MapOperands<float>& operands) {
  const MapOperands<float> row = operands;
  using enum MapFunction;
  switch (function) {
    case kCopy:
      return each_one(row, [](float a) { return a; });
    case kNegate:
      return each_one(row, [](float a) { return -a; });
    case kAbs:
      return each_one(row, [](float a) { return std::fabs(a); });
    case kSign:
      return each_one(row, [](float a) { return a != a ? a : truth(a > 0) - truth(a < 0); });
    case kNot:
      return each_one(row, [](float a) { return truth(a == 0); });
    case kFloor:
      return each_one(row, [](float a) { return std::floor(a); });
    case kCeil:
      return each_one(row, [](float a) { return std::ceil(a); });
    case kRound:
      return each_one(row, [](float a) { return std::rint(a); });
    case kIsNan:
      return each_one(row, [](float a) { return truth(a != a); });
    case kIsInf:
      return each_one(row, [](float a) { return truth(std::fabs(a) == HUGE_VALF); });
    case kRelu:
      return each_one(row, [](float a) { return a < 0 ? 0.0F : a; });
    case kClip:
      return each_one(row, [=](float a) { return smaller_of(larger_of(a, row.imm0), row.imm1); });
    case kLeakyRelu:
      return each_one(row, [=](float a) { return a >= 0 ? a : a * row.imm0; });
    case kThreshold:
      return each_one(row, [=](float a) { return a > row.imm0 ? a : 0.0F; });
    case kHardSigmoid:
      return each_one(
          row, [=](float a) { return larger_of(0.0F, smaller_of(1.0F, row.imm0 * a + row.imm1)); });
    case kHardSwish:
      return each_one(row, [](float a) {
        const auto v = static_cast<float>((double{a} + 3.0) / 6.0);
        return a * larger_of(0.0F, smaller_of(1.0F, v));
      });
    case kSqrt:
      return each_one(row, [](float a) { return std::sqrt(a); });
    case kReciprocal:
      return each_one(row, [](float a) { return 1.0F / a; });
    default:
      NPU_CHECK(false, "not a function of one float");
  }
}

}  // namespace

void map_floats(MapFunction function, const MapOperands<float>& row) {
  using enum MapFunction;
  if (function == kMod) return each_pair(row, floor_mod);
  if (function == kRemainder) {
    return each_pair(row, [](float a, float b) { return std::fmod(a, b); });
  }
  if (function == kPow || (function >= kReciprocalSqrt && function <= kGeluTanh)) {
    return map_real(function, row);
  }
  info_of(function).operands == 2 ? map_pairs(function, row) : map_ones(function, row);
}

}  // namespace npu::compute
