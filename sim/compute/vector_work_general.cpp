// The streams of vec.map, vec.reduce and vec.output.

#include "isa/functions.h"
#include "sim/compute/vector_describer.h"

namespace npu::compute {
namespace {

using isa::Memory;
using isa::Opd;

timing::VectorClass class_of(MapFunction function) {
  switch (info_of(function).cost) {
    case FunctionClass::kElementwise:
      break;
    case FunctionClass::kMultiply:
      return timing::VectorClass::kMultiply;
    case FunctionClass::kSpecial:
      return timing::VectorClass::kFunction;
  }
  return timing::VectorClass::kElementwise;
}

}  // namespace

void describe_map(Describer& d) {
  const std::int64_t n0 = d.positive(Opd::kN0);
  const std::int64_t n1 = d.positive(Opd::kN1);
  const std::int64_t n2 = d.positive(Opd::kN2);
  const MapFunction function = isa::map_function(d.get(Opd::kFunction));
  d.set_work(class_of(function), {n0, n1, n2}, {1});
  const bool reads_b = info_of(function).operands == 2 && d.get(Opd::kBImmediate) == 0;
  d.set_float(is_real_function(function) || d.is_float(Opd::kAType) ||
              (reads_b && d.is_float(Opd::kBType)));
  /// A value that a whole row shares is read once for it.
  const auto stream = [&](const char* name, bool is_write, Opd base, Opd type, Opd step,
                          Opd stride1, Opd stride2) {
    const std::int64_t size = d.size(type);
    const std::int64_t run = d.get(step) == 0 ? 1 : n0;
    d.stream(
        name, Memory::kScratchpad, is_write,
        box(d.get(base), size, {{n0, d.get(step)}, {n1, d.get(stride1)}, {n2, d.get(stride2)}}),
        run * n1 * n2 * size);
  };
  stream("a", false, Opd::kA, Opd::kAType, Opd::kAStep0, Opd::kAStride1, Opd::kAStride2);
  if (reads_b) {
    stream("b", false, Opd::kB, Opd::kBType, Opd::kBStep0, Opd::kBStride1, Opd::kBStride2);
  }
  const auto destination = [&](bool is_write) {
    stream("dst", is_write, Opd::kDst, Opd::kOutType, Opd::kDstStep0, Opd::kDstStride1,
           Opd::kDstStride2);
  };
  if (function == MapFunction::kSelect) destination(false);
  destination(true);
}

void describe_reduce(Describer& d) {
  const std::int64_t n0 = d.positive(Opd::kN0);
  const std::int64_t r1 = d.positive(Opd::kR1);
  const std::int64_t n1 = d.positive(Opd::kN1);
  const std::int64_t n2 = d.positive(Opd::kN2);
  (void)isa::reduce_function(d.get(Opd::kFunction));
  d.set_work(timing::VectorClass::kReduce, {n1, n2}, {n0, r1});
  d.set_float(d.is_float(Opd::kInType) ||
              (d.get(Opd::kAccumulate) != 0 && d.is_float(Opd::kOutType)));
  const std::int64_t in = d.size(Opd::kInType);
  const std::int64_t out = d.size(Opd::kOutType);
  d.stream("src", Memory::kScratchpad, false,
           box(d.get(Opd::kSrc), in,
               {{n0, d.get(Opd::kSrcStep0)},
                {r1, d.get(Opd::kRStride1)},
                {n1, d.get(Opd::kSrcStride1)},
                {n2, d.get(Opd::kSrcStride2)}}),
           d.work().elements * d.work().steps * in);
  const Extent dst =
      box(d.get(Opd::kDst), out, {{n1, d.get(Opd::kDstStride1)}, {n2, d.get(Opd::kDstStride2)}});
  if (d.get(Opd::kAccumulate) != 0) d.stream("dst", Memory::kScratchpad, false, dst, n1 * n2 * out);
  d.stream("dst", Memory::kScratchpad, true, dst, n1 * n2 * out);
}

void describe_output(Describer& d) {
  const std::int64_t h = d.positive(Opd::kOutH);
  const std::int64_t w = d.positive(Opd::kOutW);
  const std::int64_t c = d.positive(Opd::kOutC);
  const std::int64_t size = d.size(Opd::kOutType);
  const bool raw = d.get(Opd::kRaw) != 0;
  d.set_work(timing::VectorClass::kRequantize, {h, w, c}, {1});
  d.set_float(!raw);
  d.stream("acc", Memory::kAccumulator, false,
           box(d.get(Opd::kAcc), c * 4, {{h * w, d.get(Opd::kAccPitch) * 4}}), h * w * c * 4);
  if (!raw) {
    d.params((d.get(Opd::kPerChannel) != 0 ? c : 1) * 8);
    if (d.get(Opd::kScaleRows) != 0) {
      const std::int64_t at = d.get(Opd::kRowsAt);
      d.stream("rows_at", Memory::kScratchpad, false, {at, at + h * w * 4}, h * w * 4);
    }
  }
  const Extent dst = box(d.get(Opd::kDst), c * size,
                         {{h, d.get(Opd::kDstRowStride)}, {w, d.get(Opd::kDstPixelStride)}});
  if (!raw && d.get(Opd::kAccumulate) != 0) {
    d.stream("dst", Memory::kScratchpad, false, dst, h * w * c * size);
  }
  d.stream("dst", Memory::kScratchpad, true, dst, h * w * c * size);
}

}  // namespace npu::compute
