#include "kernels/llm/tile_code.h"

#include <bit>

#include "kernels/lowering/layer_context.h"

namespace npu::llm_kernels {
namespace {

using isa::Opcode;
using isa::Opd;
using kernels::Build;

constexpr std::int32_t kNegativeInfinity = std::bit_cast<std::int32_t>(0xff800000U);
constexpr std::int32_t kPositiveInfinity = std::bit_cast<std::int32_t>(0x7f800000U);

std::int64_t number(Code code) { return static_cast<std::int64_t>(code); }

}  // namespace

void TileCode::emit_map(MapFunction function, const Walk& a, const Walk* b, std::uint32_t immediate,
                        const Walk& dst, const Extent& extent) {
  Build i(Opcode::kMap);
  i(Opd::kFunction, static_cast<std::int64_t>(function));
  i(Opd::kN0, extent.n0)(Opd::kN1, extent.n1)(Opd::kN2, extent.n2);
  i(Opd::kA, a.address)(Opd::kAType, number(a.code));
  i(Opd::kAStep0, a.step0)(Opd::kAStride1, a.stride1)(Opd::kAStride2, a.stride2);
  if (b != nullptr) {
    i(Opd::kB, b->address)(Opd::kBType, number(b->code));
    i(Opd::kBStep0, b->step0)(Opd::kBStride1, b->stride1)(Opd::kBStride2, b->stride2);
  } else {
    i(Opd::kBType, number(a.code))(Opd::kBImmediate, info_of(function).operands == 2 ? 1 : 0);
    i(Opd::kImm0, immediate);
  }
  i(Opd::kDst, dst.address)(Opd::kOutType, number(dst.code));
  i(Opd::kDstStep0, dst.step0)(Opd::kDstStride1, dst.stride1)(Opd::kDstStride2, dst.stride2);
  out_.work(i, name_of(function));
}

void TileCode::map(MapFunction function, const Walk& a, const Walk& b, const Walk& dst,
                   const Extent& extent) {
  emit_map(function, a, &b, 0, dst, extent);
}

void TileCode::map(MapFunction function, const Walk& a, const Walk& dst, const Extent& extent) {
  emit_map(function, a, nullptr, 0, dst, extent);
}

void TileCode::map(MapFunction function, const Walk& a, double immediate, const Walk& dst,
                   const Extent& extent) {
  const bool is_integer = a.code == Code::kInt8 || a.code == Code::kInt32;
  emit_map(function, a, nullptr,
           is_integer ? static_cast<std::uint32_t>(static_cast<std::int32_t>(immediate))
                      : std::bit_cast<std::uint32_t>(static_cast<float>(immediate)),
           dst, extent);
}

void TileCode::reduce(ReduceFunction function, const Walk& a, const Walk& dst,
                      const Extent& extent) {
  Build i(Opcode::kReduce);
  i(Opd::kFunction, static_cast<std::int64_t>(function));
  i(Opd::kN0, extent.n0)(Opd::kN1, extent.n1)(Opd::kN2, extent.n2)(Opd::kR1, 1);
  i(Opd::kSrc, a.address)(Opd::kInType, number(a.code));
  i(Opd::kSrcStep0, a.step0)(Opd::kSrcStride1, a.stride1)(Opd::kSrcStride2, a.stride2);
  i(Opd::kDst, dst.address)(Opd::kOutType, number(dst.code));
  i(Opd::kDstStride1, dst.stride1)(Opd::kDstStride2, dst.stride2);
  out_.work(i, name_of(function));
}

void TileCode::product(const Product& p, const Sums& to) {
  Build i(Opcode::kGemm);
  i(Opd::kX, p.x)(Opd::kRowStride, p.x_stride)(Opd::kW, p.w)(Opd::kWStride, p.w_stride);
  i(Opd::kWTransposed, p.w_transposed ? 1 : 0);
  i(Opd::kM, to.rows)(Opd::kN, to.columns)(Opd::kK, p.k);
  i(Opd::kXType, number(p.code))(Opd::kWType, number(p.code));
  i(Opd::kAcc, to.address)(Opd::kAccPitch, to.columns)(Opd::kAccumulate, p.accumulate ? 1 : 0);
  out_.work(i, "product");
}

void TileCode::convert(const Sums& from, const Conversion& how, std::int64_t dst,
                       std::int64_t row_stride, Code code) {
  Build i(Opcode::kOutput);
  i(Opd::kAcc, from.address)(Opd::kAccPitch, from.columns)(Opd::kInType, number(from.code));
  i(Opd::kOutH, from.rows)(Opd::kOutW, 1)(Opd::kOutC, from.columns);
  i(Opd::kDst, dst)(Opd::kDstRowStride, row_stride)(Opd::kOutType, number(code));
  i(Opd::kRaw, how.raw ? 1 : 0)(Opd::kAccumulate, how.accumulate ? 1 : 0);
  i(Opd::kParams, how.record)(Opd::kPerChannel, how.per_channel ? 1 : 0);
  if (how.row_scales >= 0) i(Opd::kScaleRows, 1)(Opd::kRowsAt, how.row_scales);
  i(Opd::kClampMin, kNegativeInfinity)(Opd::kClampMax, kPositiveInfinity);
  out_.work(i, "convert");
}

}  // namespace npu::llm_kernels
