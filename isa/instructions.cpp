#include "isa/instructions.h"

#include <initializer_list>

#include "sim/base/error.h"

namespace npu::isa {
namespace {

constexpr std::size_t kHeaderBits = 32;
constexpr std::size_t kWordBits = 512;

constexpr InstrSpec row(Opcode op, std::string_view mnemonic, Unit unit, std::string_view semantics,
                        std::initializer_list<Field> fields) {
  InstrSpec spec{op, mnemonic, unit, semantics, {}, fields.size()};
  std::size_t i = 0;
  for (const Field& f : fields) spec.fields[i++] = f;
  return spec;
}

// clang-format off
using enum Opd;
constexpr std::array<InstrSpec, kOpcodeCount> kInstructions = {
    row(Opcode::kHalt, "halt", Unit::kControl,
        "stop fetching; the program ends when every engine has drained", {}),
    row(Opcode::kLoop, "loop", Unit::kControl,
        "run the next `length` instructions `count` times; in iteration i operand opd of body instruction slot grows by i*step for each patch with step != 0 (loops nest; steps add)",
        {{kCount, 24}, {kLength, 8},
         {kPatch0Slot, 8}, {kPatch0Opd, 8}, {kPatch0Step, 40, true}, {kPatch1Slot, 8}, {kPatch1Opd, 8}, {kPatch1Step, 40, true},
         {kPatch2Slot, 8}, {kPatch2Opd, 8}, {kPatch2Step, 40, true}, {kPatch3Slot, 8}, {kPatch3Opd, 8}, {kPatch3Step, 40, true},
         {kPatch4Slot, 8}, {kPatch4Opd, 8}, {kPatch4Step, 40, true}, {kPatch5Slot, 8}, {kPatch5Opd, 8}, {kPatch5Step, 40, true},
         {kPatch6Slot, 8}, {kPatch6Opd, 8}, {kPatch6Step, 40, true}}),
    row(Opcode::kSync, "sync", Unit::kAny,
        "no work: only waits for and gives tokens on `engine`", {{kEngine, 4}}),

    row(Opcode::kDmaLoad, "dma.load", Unit::kDma,
        "for i3<n3, i2<n2, i1<n1: spm[dst + i.dst_stride +: n0] = dram[src + i.src_stride +: n0]; bytes",
        {{kChannel, 3}, {kSrc, 40}, {kDst, 32}, {kN0, 32}, {kN1, 20}, {kN2, 20}, {kN3, 20},
         {kSrcStride1, 40, true}, {kSrcStride2, 40, true}, {kSrcStride3, 40, true},
         {kDstStride1, 32, true}, {kDstStride2, 32, true}, {kDstStride3, 32, true}}),
    row(Opcode::kDmaStore, "dma.store", Unit::kDma,
        "as dma.load, from spm[src] to dram[dst]",
        {{kChannel, 3}, {kSrc, 32}, {kDst, 40}, {kN0, 32}, {kN1, 20}, {kN2, 20}, {kN3, 20},
         {kSrcStride1, 32, true}, {kSrcStride2, 32, true}, {kSrcStride3, 32, true},
         {kDstStride1, 40, true}, {kDstStride2, 40, true}, {kDstStride3, 40, true}}),
    row(Opcode::kDmaCopy, "dma.copy", Unit::kDma,
        "as dma.load, from spm[src] to spm[dst]",
        {{kChannel, 3}, {kSrc, 32}, {kDst, 32}, {kN0, 32}, {kN1, 20}, {kN2, 20}, {kN3, 20},
         {kSrcStride1, 32, true}, {kSrcStride2, 32, true}, {kSrcStride3, 32, true},
         {kDstStride1, 32, true}, {kDstStride2, 32, true}, {kDstStride3, 32, true}}),
    row(Opcode::kDmaFill, "dma.fill", Unit::kDma,
        "padding: for i3<n3, i2<n2, i1<n1, i0<n0: spm[dst + i.dst_stride + i0*element_bytes] = value (element_bytes little-endian bytes of it)",
        {{kChannel, 3}, {kDst, 32}, {kValue, 32, true}, {kElementBytes, 4}, {kN0, 32}, {kN1, 20}, {kN2, 20}, {kN3, 20},
         {kDstStride1, 32, true}, {kDstStride2, 32, true}, {kDstStride3, 32, true}}),

    row(Opcode::kLoadWeights, "mac.load_weights", Unit::kMacArray,
        "shadow weight registers = first fold of the next tile: w[o][k], o<n, k<k at spm[w + o*w_stride + k*sizeof(w_type)], w_transposed: at spm[w + k*w_stride + o*sizeof(w_type)]; runs beside the previous tile",
        {{kW, 32}, {kWStride, 24}, {kN, 16}, {kK, 16}, {kWType, 4}, {kWTransposed, 1}}),
    row(Opcode::kConv, "mac.conv", Unit::kMacArray,
        "acc[(y*out_w+x)*acc_pitch + o] (+)= sum over ky<kernel_h, kx<kernel_w, c<in_c of (X(iy,ix,c) - x_zero) * (W[o][(ky*kernel_w+kx)*in_c + c] - w_zero); "
        "iy = y0 + y*stride_h + ky*dilation_h, ix likewise; a position contributes 0 unless it is a multiple of up_h (up_w), in range [0, in_h*up_h) and then reads row iy/up_h; "
        "X at spm[x + iy*row_stride + ix*pixel_stride + c*sizeof]; W[o] at spm[w + o*w_stride]; acc counts elements of 4 bytes (8 when wide) from byte acc; weights_loaded: the first fold comes from the shadow registers; "
        "stream: the sums go to the result stream in the order of positions, acc and acc_pitch unused",
        {{kX, 32}, {kW, 32}, {kAcc, 32}, {kRowStride, 24}, {kPixelStride, 20}, {kWStride, 24}, {kAccPitch, 16},
         {kInH, 16}, {kInW, 16}, {kY0, 16, true}, {kX0, 16, true}, {kKernelH, 8}, {kKernelW, 8}, {kStrideH, 8}, {kStrideW, 8},
         {kDilationH, 8}, {kDilationW, 8}, {kUpH, 4}, {kUpW, 4}, {kOutH, 16}, {kOutW, 16}, {kInC, 16}, {kOutC, 16},
         {kXZero, 16, true}, {kWZero, 16, true}, {kXType, 4}, {kWType, 4}, {kAccumulate, 1}, {kWide, 1}, {kWeightsLoaded, 1}, {kStream, 1}}),
    row(Opcode::kDepthwise, "mac.depthwise", Unit::kMacArray,
        "acc[(y*out_w+x)*acc_pitch + o] (+)= sum over taps of (X(iy,ix,o/multiplier) - x_zero) * (W[tap][o] - w_zero), o<out_c; W[tap][o] at spm[w + tap*w_tap_stride + o*sizeof]",
        {{kX, 32}, {kW, 32}, {kAcc, 32}, {kRowStride, 24}, {kPixelStride, 20}, {kWTapStride, 24}, {kAccPitch, 16},
         {kInH, 16}, {kInW, 16}, {kY0, 16, true}, {kX0, 16, true}, {kKernelH, 8}, {kKernelW, 8}, {kStrideH, 8}, {kStrideW, 8},
         {kDilationH, 8}, {kDilationW, 8}, {kOutH, 16}, {kOutW, 16}, {kOutC, 16}, {kMultiplier, 16},
         {kXZero, 16, true}, {kWZero, 16, true}, {kXType, 4}, {kWType, 4}, {kAccumulate, 1}, {kWide, 1}}),
    row(Opcode::kGemm, "mac.gemm", Unit::kMacArray,
        "acc[i*acc_pitch + j] (+)= sum over k of (A[i][k] - x_zero) * (W[j][k] - w_zero); A[i] at spm[x + i*row_stride], W[j] at spm[w + j*w_stride]; w_transposed: W[j][k] at spm[w + k*w_stride + j*sizeof(w_type)]",
        {{kX, 32}, {kW, 32}, {kAcc, 32}, {kRowStride, 32}, {kWStride, 24}, {kAccPitch, 16}, {kM, 24}, {kN, 16}, {kK, 24},
         {kXZero, 16, true}, {kWZero, 16, true}, {kXType, 4}, {kWType, 4}, {kAccumulate, 1}, {kWide, 1}, {kWeightsLoaded, 1}, {kStream, 1}, {kWTransposed, 1}}),

    row(Opcode::kRequantize, "vec.requantize", Unit::kVector,
        "v = acc[(y*out_w+x)*acc_pitch + c] + bias[c]; dst = clamp(rescale(v, multiplier[c], shift[c]) + out_zero, clamp_min, clamp_max) at spm[dst + y*dst_row_stride + x*dst_pixel_stride + c*sizeof]; "
        "record c (record 0 when not per_channel) at spm[params]: int32 bias, multiplier, shift (12 bytes), or int64 bias, int32 multiplier, shift (16 bytes) when wide; reduced: the 16-bit-multiplier path of 16x8; "
        "stream: the sums are the next out_h*out_w positions of the result stream, acc and acc_pitch unused",
        {{kAcc, 32}, {kDst, 32}, {kParams, 32}, {kAccPitch, 16}, {kOutH, 16}, {kOutW, 16}, {kOutC, 16},
         {kDstRowStride, 32, true}, {kDstPixelStride, 24, true}, {kOutType, 4}, {kPerChannel, 1}, {kWide, 1}, {kReduced, 1},
         {kOutZero, 16, true}, {kClampMin, 32, true}, {kClampMax, 32, true}, {kStream, 1}}),
    row(Opcode::kRescale, "vec.rescale", Unit::kVector,
        "d = src - in_zero; dst = clamp(rescale(d, d >= 0 ? positive : negative) + out_zero); int32 words at spm[params]: in_zero, positive multiplier, shift, negative multiplier, shift, out_zero, clamp_min, clamp_max; "
        "for d < 0 a multiplier below 0 means: rescale by its magnitude, then negate",
        {{kSrc, 32}, {kDst, 32}, {kParams, 32}, {kN0, 24}, {kN1, 20}, {kN2, 20},
         {kSrcStride1, 32, true}, {kSrcStride2, 32, true}, {kDstStride1, 32, true}, {kDstStride2, 32, true}, {kInType, 4}, {kOutType, 4}}),
    row(Opcode::kLut, "vec.lut", Unit::kVector,
        "dst = table[byte of src]; 256 entries of the output type at spm[table], indexed by the raw byte",
        {{kSrc, 32}, {kDst, 32}, {kTable, 32}, {kN0, 24}, {kN1, 20}, {kN2, 20},
         {kSrcStride1, 32, true}, {kSrcStride2, 32, true}, {kDstStride1, 32, true}, {kDstStride2, 32, true}, {kOutType, 4}}),
#define NPU_BINARY_FIELDS                                                                                        \
  {{kA, 32}, {kB, 32}, {kDst, 32}, {kParams, 32}, {kN0, 24}, {kN1, 20}, {kN2, 20}, {kAStride1, 32, true},       \
   {kAStride2, 32, true}, {kBStride1, 32, true}, {kBStride2, 32, true}, {kDstStride1, 32, true},                \
   {kDstStride2, 32, true}, {kABroadcast, 1}, {kBBroadcast, 1}, {kInType, 4}}
    row(Opcode::kAdd, "vec.add", Unit::kVector,
        "t = rescale((a - a_zero) << left_shift, A) + rescale((b - b_zero) << left_shift, B); dst = clamp(rescale(t, OUT) + out_zero); "
        "int32 words at spm[params]: a_zero, b_zero, left_shift, A multiplier, shift, B multiplier, shift, OUT multiplier, shift, out_zero, clamp_min, clamp_max; a_broadcast: a has no n0 step",
        NPU_BINARY_FIELDS),
    row(Opcode::kSub, "vec.sub", Unit::kVector, "as vec.add with minus", NPU_BINARY_FIELDS),
    row(Opcode::kMul, "vec.mul", Unit::kVector,
        "dst = clamp(rescale((a - a_zero) * (b - b_zero), OUT) + out_zero); the words of vec.add, A, B and left_shift unused", NPU_BINARY_FIELDS),
    row(Opcode::kMax, "vec.max", Unit::kVector, "dst = max(a, b), raw; params unused (0)", NPU_BINARY_FIELDS),
    row(Opcode::kMin, "vec.min", Unit::kVector, "dst = min(a, b), raw; params unused (0)", NPU_BINARY_FIELDS),
#undef NPU_BINARY_FIELDS
#define NPU_POOL_FIELDS                                                                                          \
  {{kX, 32}, {kDst, 32}, {kRowStride, 24}, {kPixelStride, 20}, {kInH, 16}, {kInW, 16}, {kY0, 16, true},          \
   {kX0, 16, true}, {kKernelH, 16}, {kKernelW, 16}, {kStrideH, 16}, {kStrideW, 16}, {kOutH, 16}, {kOutW, 16},    \
   {kOutC, 16}, {kDstRowStride, 32, true}, {kDstPixelStride, 24, true}, {kInType, 4}, {kClampMin, 32, true},     \
   {kClampMax, 32, true}}
    row(Opcode::kMaxPool, "vec.max_pool", Unit::kVector,
        "dst(y,x,c) = clamp(max over valid taps of X(iy,ix,c)); positions as mac.conv with dilation 1; floats: clamp_min, clamp_max are fp32 bits", NPU_POOL_FIELDS),
    row(Opcode::kAvgPool, "vec.avg_pool", Unit::kVector,
        "s = sum over the n valid taps; dst(y,x,c) = clamp((s > 0 ? s + n/2 : s - n/2) / n), division truncating; floats: s in fp32, clamp(s / n), limits fp32 bits as in vec.max_pool", NPU_POOL_FIELDS),
#undef NPU_POOL_FIELDS
    row(Opcode::kReduceSum, "vec.reduce_sum", Unit::kVector,
        "acc[i*acc_pitch + c] (+)= sum over j2<r2, j1<r1 of src[i*src_stride1 + c*src_step0 + j1*r_stride1 + j2*r_stride2], i<rows, c<n0; int32 elements from byte acc",
        {{kSrc, 32}, {kAcc, 32}, {kAccPitch, 16}, {kN0, 16}, {kSrcStep0, 24, true}, {kRows, 16}, {kSrcStride1, 32, true}, {kR1, 20}, {kRStride1, 32, true},
         {kR2, 20}, {kRStride2, 32, true}, {kInType, 4}, {kAccumulate, 1}}),
    row(Opcode::kDot, "vec.dot", Unit::kVector,
        "acc[i] (+)= sum over k<n0 of (a[i*a_stride1 + k] - a_zero) * (b[i*b_stride1 + k] - b_zero), i<rows; int32",
        {{kA, 32}, {kB, 32}, {kAcc, 32}, {kRows, 16}, {kN0, 20}, {kAStride1, 32, true}, {kBStride1, 32, true}, {kAZero, 16, true}, {kBZero, 16, true},
         {kAType, 4}, {kBType, 4}, {kAccumulate, 1}}),
    row(Opcode::kSoftmax, "vec.softmax", Unit::kVector,
        "each row of n0: fixed-point softmax (exp of beta*(src - max), reciprocal of the sum); int32 words at spm[params]: multiplier, left shift, diff_min; out_type int8 (1/256, -128), uint8 (1/256, 0) or int16 (1/65536, -32768)",
        {{kSrc, 32}, {kDst, 32}, {kParams, 32}, {kRows, 24}, {kN0, 20}, {kSrcStride1, 32, true}, {kDstStride1, 32, true}, {kInType, 4}, {kOutType, 4}}),
    row(Opcode::kInterpolate, "vec.interpolate", Unit::kVector,
        "int16: p = (src * multiplier + round) >> shift, round = shift > 0 ? 2^(shift-1) : 0; u = |p|; i = u >> fraction; "
        "r = i >= 255 ? limit << fraction : (table[i] << fraction) + (u mod 2^fraction) * (table[i+1] - table[i]); "
        "dst = clamp16((p >= 0 ? positive + r : negative - r) >> out_shift); 256 uint16 entries at spm[table]; "
        "int32 words at spm[params]: multiplier, shift, fraction, limit, positive, negative, out_shift",
        {{kSrc, 32}, {kDst, 32}, {kParams, 32}, {kTable, 32}, {kN0, 24}, {kN1, 20}, {kN2, 20},
         {kSrcStride1, 32, true}, {kSrcStride2, 32, true}, {kDstStride1, 32, true}, {kDstStride2, 32, true}}),
    row(Opcode::kSoftmaxTable, "vec.softmax_table", Unit::kVector,
        "each row of n0, int16 to int16: e = lookup(exponentials, clamp16(rescale(src - max) + 32767)), Q0.15; s = sum of e, saturated to [1, 2^31-1]; z = leading zeros of s; "
        "q = lookup(reciprocals, min((((s << (z-1)) + 2^13) >> 14) - 98304, 32767)); dst = clamp((e*q + round) >> (31-z), 0, 32767), round = half of the last place; "
        "lookup(t, v) = t[i] + (((t[i+1] - t[i]) * (v mod 128) + 64) >> 7), i = 256 + (v >> 7); int32 words at spm[params]: multiplier, shift; "
        "513 int16 exponentials and 513 int16 reciprocals at spm[table]",
        {{kSrc, 32}, {kDst, 32}, {kParams, 32}, {kTable, 32}, {kRows, 24}, {kN0, 20}, {kSrcStride1, 32, true}, {kDstStride1, 32, true}}),
    row(Opcode::kMap, "vec.map", Unit::kVector,
        "dst = f(a, b), i2<n2, i1<n1, i0<n0: a at spm[a + i2*a_stride2 + i1*a_stride1 + i0*a_step0], b and dst alike; f: `function` of sim/base/function.h in the order given there; "
        "b_immediate: b is imm0, not read; a function of one operand reads no b; imm0, imm1: int32 where a is an integer and f is not a real function (imm1 of quantize and dequantize always), else fp32 bits; select keeps dst where a is 0",
        {{kA, 32}, {kB, 32}, {kDst, 32}, {kN0, 24}, {kN1, 20}, {kN2, 20}, {kAStep0, 20, true}, {kBStep0, 20, true}, {kDstStep0, 20, true},
         {kAStride1, 28, true}, {kAStride2, 28, true}, {kBStride1, 28, true}, {kBStride2, 28, true}, {kDstStride1, 28, true}, {kDstStride2, 28, true},
         {kAType, 4}, {kBType, 4}, {kOutType, 4}, {kFunction, 7}, {kBImmediate, 1}, {kImm0, 32}, {kImm1, 32}}),
    row(Opcode::kReduce, "vec.reduce", Unit::kVector,
        "dst(i2,i1) = fold of src over j1<r1 (outside), j0<n0: src at spm[src + i2*src_stride2 + i1*src_stride1 + j1*r_stride1 + j0*src_step0], dst at spm[dst + i2*dst_stride2 + i1*dst_stride1]; "
        "function: 0 sum, 1 max, 2 min, 3 product, 4 sum of squares, 5 arg_max, 6 arg_min (sim/base/function.h); accumulate: the fold starts with what dst holds (not the arg functions)",
        {{kSrc, 32}, {kDst, 32}, {kN0, 24}, {kR1, 20}, {kN1, 20}, {kN2, 20}, {kSrcStep0, 24, true}, {kRStride1, 28, true}, {kSrcStride1, 28, true},
         {kSrcStride2, 28, true}, {kDstStride1, 28, true}, {kDstStride2, 28, true}, {kInType, 4}, {kOutType, 4}, {kFunction, 7}, {kAccumulate, 1}}),
    row(Opcode::kOutput, "vec.output", Unit::kVector,
        "v = acc[(y*out_w+x)*acc_pitch + c] (in_type int32 or float32) as fp32 * scale[c] (* row[y*out_w+x] with rows) + bias[c] (+ dst with accumulate), each step rounded; v = clamp(v, clamp_min, clamp_max), fp32 bits; "
        "dst = v in out_type, integers: saturate(round half even(v) + out_zero); raw: dst = the accumulator's 4 bytes; at spm[dst + y*dst_row_stride + x*dst_pixel_stride + c*sizeof]; "
        "record c (record 0 when not per_channel) at spm[params]: fp32 scale, bias; row: fp32 at spm[rows_at + 4*position]",
        {{kAcc, 32}, {kDst, 32}, {kParams, 32}, {kRowsAt, 32}, {kAccPitch, 16}, {kOutH, 16}, {kOutW, 16}, {kOutC, 16}, {kDstRowStride, 32, true}, {kDstPixelStride, 24, true},
         {kInType, 4}, {kOutType, 4}, {kPerChannel, 1}, {kScaleRows, 1}, {kAccumulate, 1}, {kRaw, 1}, {kOutZero, 16, true}, {kClampMin, 32, true}, {kClampMax, 32, true}}),
};
// clang-format on

constexpr bool table_is_sound() {
  for (std::size_t i = 0; i < kInstructions.size(); ++i) {
    if (static_cast<std::size_t>(kInstructions[i].opcode) != i) return false;
    std::size_t bits = kHeaderBits;
    for (std::size_t f = 0; f < kInstructions[i].field_count; ++f) {
      bits += kInstructions[i].fields[f].width;
      for (std::size_t g = 0; g < f; ++g) {
        if (kInstructions[i].fields[f].opd == kInstructions[i].fields[g].opd) return false;
      }
    }
    if (bits > kWordBits) return false;
  }
  return true;
}
static_assert(table_is_sound(),
              "isa/instructions.cpp: opcode order, duplicate operand or overfull word");

constexpr std::uint8_t kNoSlot = 0xff;
/// slot_of[opcode][operand]: position among the row's fields.
constexpr auto make_slots() {
  std::array<std::array<std::uint8_t, kOpdCount>, kOpcodeCount> slots{};
  for (std::size_t i = 0; i < kInstructions.size(); ++i) {
    slots[i].fill(kNoSlot);
    for (std::size_t f = 0; f < kInstructions[i].field_count; ++f) {
      slots[i][static_cast<std::size_t>(kInstructions[i].fields[f].opd)] =
          static_cast<std::uint8_t>(f);
    }
  }
  return slots;
}
constexpr auto kSlots = make_slots();

std::uint8_t slot(Opcode op, Opd opd) {
  const std::uint8_t s = kSlots[static_cast<std::size_t>(op)][static_cast<std::size_t>(opd)];
  NPU_CHECK(s != kNoSlot, "operand not in this instruction");
  return s;
}

}  // namespace

const std::array<InstrSpec, kOpcodeCount>& instruction_table() { return kInstructions; }

std::int64_t Instruction::operator[](Opd opd) const { return values[slot(opcode, opd)]; }

void Instruction::set(Opd opd, std::int64_t value) { values[slot(opcode, opd)] = value; }

Engine Instruction::engine() const {
  switch (spec_of(opcode).unit) {
    case Unit::kMacArray:
      return Engine::kMacArray;
    case Unit::kVector:
      return Engine::kVector;
    case Unit::kDma:
      return static_cast<Engine>(static_cast<int>(Engine::kDma0) + (*this)[Opd::kChannel]);
    case Unit::kAny:
      return static_cast<Engine>((*this)[Opd::kEngine]);
    case Unit::kControl:
      break;
  }
  NPU_CHECK(false, "control instructions run on no engine");
  return Engine::kMacArray;
}

}  // namespace npu::isa
