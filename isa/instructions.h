#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace npu::isa {

/// Execution engines; each has an in-order queue. DMA channel c is kDma0 + c.
enum class Engine : std::uint8_t { kMacArray, kVector, kDma0, kDma1, kDma2, kDma3, kDma4, kDma5 };
inline constexpr int kEngineCount = 8;
inline constexpr int kMaxDmaChannels = 6;
[[nodiscard]] std::string_view name_of(Engine engine);  ///< "mac", "vec", "dma0", …

/// What a mnemonic runs on; kDma picks its channel from the `channel` operand, kAny from `engine`.
enum class Unit : std::uint8_t { kControl, kDma, kMacArray, kVector, kAny };

/// The memories an operand can address.
enum class Memory : std::uint8_t { kDram, kScratchpad, kAccumulator };

// clang-format off
enum class Opcode : std::uint8_t {
  kHalt, kLoop, kSync,
  kDmaLoad, kDmaStore, kDmaCopy, kDmaFill,
  kLoadWeights, kConv, kDepthwise, kGemm,
  kRequantize, kRescale, kLut, kAdd, kSub, kMul, kMax, kMin, kMaxPool, kAvgPool, kReduceSum, kDot, kSoftmax,
  kInterpolate, kSoftmaxTable, kMap, kReduce, kOutput,
};
inline constexpr std::size_t kOpcodeCount = 29;

/// Operand names. One name means the same thing in every instruction.
enum class Opd : std::uint8_t {
  // addresses
  kSrc, kDst, kA, kB, kX, kW, kAcc, kParams, kTable,
  // control
  kEngine, kChannel, kCount, kLength,
  kPatch0Slot, kPatch0Opd, kPatch0Step, kPatch1Slot, kPatch1Opd, kPatch1Step,
  kPatch2Slot, kPatch2Opd, kPatch2Step, kPatch3Slot, kPatch3Opd, kPatch3Step,
  kPatch4Slot, kPatch4Opd, kPatch4Step, kPatch5Slot, kPatch5Opd, kPatch5Step,
  kPatch6Slot, kPatch6Opd, kPatch6Step,
  // iteration space: n0 innermost
  kN0, kN1, kN2, kN3,
  kSrcStride1, kSrcStride2, kSrcStride3, kDstStride1, kDstStride2, kDstStride3,
  kAStride1, kAStride2, kBStride1, kBStride2, kABroadcast, kBBroadcast,
  kSrcStep0, kValue, kElementBytes,
  // matrix and window geometry
  kM, kN, kK, kAccPitch, kRowStride, kPixelStride, kWStride, kWTapStride,
  kInH, kInW, kY0, kX0, kKernelH, kKernelW, kStrideH, kStrideW, kDilationH, kDilationW, kUpH, kUpW,
  kOutH, kOutW, kInC, kOutC, kMultiplier, kDstRowStride, kDstPixelStride,
  kXZero, kWZero, kXType, kWType, kAccumulate, kWide, kWeightsLoaded, kStream,
  // element arithmetic
  kInType, kOutType, kPerChannel, kReduced, kOutZero, kClampMin, kClampMax,
  kR1, kR2, kRStride1, kRStride2, kRows, kAZero, kBZero, kAType, kBType,
  // float arithmetic
  kAStep0, kBStep0, kDstStep0, kFunction, kBImmediate, kImm0, kImm1, kRowsAt, kScaleRows, kRaw, kWTransposed,
  kCountOpds,
};
// clang-format on
inline constexpr std::size_t kOpdCount = static_cast<std::size_t>(Opd::kCountOpds);
[[nodiscard]] std::string_view name_of(Opd opd);  ///< snake_case, used by the assembler.

struct Field {
  Opd opd;
  std::uint8_t width;      ///< Bits.
  bool is_signed = false;  ///< Two's complement.
};
inline constexpr std::size_t kMaxFields = 31;

/// One row of the instruction table. A word has 512 bits: [7:0] opcode, [15:8] wait mask, [23:16]
/// signal mask (one bit per Engine), [31:24] zero, then the fields in the order given, from bit 32
/// up, without gaps.
struct InstrSpec {
  Opcode opcode;
  std::string_view mnemonic;
  Unit unit;
  std::string_view semantics;  ///< Reader's pseudo-code, printed into ISA.md.
  std::array<Field, kMaxFields> fields;
  std::size_t field_count;
};
/// The instruction table, indexed by Opcode. Element types are encoded 0 int8, 1 uint8, 2 int16, 3
/// int32, 4 float16, 5 bfloat16, 6 float32 (element_bytes()).
[[nodiscard]] const std::array<InstrSpec, kOpcodeCount>& instruction_table();
[[nodiscard]] inline const InstrSpec& spec_of(Opcode op) {
  return instruction_table()[static_cast<std::size_t>(op)];
}

inline constexpr std::size_t kElementTypes = 7;
/// Bytes of an element type code; 0 for a code that is none.
[[nodiscard]] constexpr std::int64_t element_bytes(std::int64_t code) {
  constexpr std::array<std::int64_t, kElementTypes> kBytes = {1, 1, 2, 4, 2, 2, 4};
  return code >= 0 && code < std::int64_t{kElementTypes} ? kBytes[static_cast<std::size_t>(code)]
                                                         : 0;
}

/// A decoded instruction: operand values by name.
struct Instruction {
  Opcode opcode = Opcode::kHalt;
  std::uint8_t wait = 0;    ///< Mask of engines: takes one token of each before it starts.
  std::uint8_t signal = 0;  ///< Mask of engines: gives one token to each when it has completed.
  std::array<std::int64_t, kMaxFields> values{};  ///< In the order of the row's fields.

  /// Value of an operand that the row has. @throws std::logic_error otherwise.
  [[nodiscard]] std::int64_t operator[](Opd opd) const;
  void set(Opd opd, std::int64_t value);
  /// The engine it runs on; control instructions have none (std::logic_error).
  [[nodiscard]] Engine engine() const;

  friend bool operator==(const Instruction&, const Instruction&) = default;
};

}  // namespace npu::isa
