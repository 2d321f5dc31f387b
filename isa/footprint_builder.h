#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "isa/footprint.h"
#include "isa/window.h"

namespace npu::isa {

/// One dimension of a box, before merging.
struct Dim {
  std::int64_t count, stride;
};

/// Adds {base + sum of i_k·stride_k +: run} to `out` in as few regions as it takes.
///
/// The set is a sum of arithmetic progressions, so dimensions may be reordered and merged freely:
/// one whose stride is at most the run lengthens the run; one whose stride is m times the stride of
/// a smaller dimension of at least m steps lengthens that one.
void add_box(std::vector<Region>& out, Memory memory, std::int64_t base, std::int64_t run,
             std::span<const Dim> dims);

/// Reads operands by name and adds boxes.
class FootprintBuilder {
 public:
  FootprintBuilder(const Instruction& instruction, Footprint& out) : in_(instruction), out_(out) {}

  [[nodiscard]] std::int64_t get(Opd opd) const { return in_[opd]; }
  [[nodiscard]] std::int64_t element(Opd type) const { return element_bytes(in_[type]); }

  void read(Opd base, std::int64_t run, std::initializer_list<Dim> dims = {},
            Memory memory = Memory::kScratchpad) {
    add_box(out_.reads, memory, in_[base], run, {dims.begin(), dims.size()});
  }
  void write(Opd base, std::int64_t run, std::initializer_list<Dim> dims = {},
             Memory memory = Memory::kScratchpad) {
    add_box(out_.writes, memory, in_[base], run, {dims.begin(), dims.size()});
  }

  void dma_read(Memory memory) {
    read(Opd::kSrc, get(Opd::kN0),
         {{get(Opd::kN1), get(Opd::kSrcStride1)},
          {get(Opd::kN2), get(Opd::kSrcStride2)},
          {get(Opd::kN3), get(Opd::kSrcStride3)}},
         memory);
  }
  void dma_write(Memory memory, std::int64_t run) {
    write(Opd::kDst, run,
          {{get(Opd::kN1), get(Opd::kDstStride1)},
           {get(Opd::kN2), get(Opd::kDstStride2)},
           {get(Opd::kN3), get(Opd::kDstStride3)}},
          memory);
  }

  /// The rows and pixels of X that some tap touches, `run` bytes of each pixel.
  void read_window(const Window& window, std::int64_t run) {
    touched_positions(window.h, rows_);
    touched_positions(window.w, pixels_);
    const std::int64_t row_stride = get(Opd::kRowStride);
    const std::int64_t pixel_stride = get(Opd::kPixelStride);
    for (const Strip& r : rows_) {
      for (const Strip& p : pixels_) {
        const std::array<Dim, 4> dims = {{{p.width, pixel_stride},
                                          {p.count, p.stride * pixel_stride},
                                          {r.width, row_stride},
                                          {r.count, r.stride * row_stride}}};
        add_box(out_.reads, Memory::kScratchpad,
                get(Opd::kX) + r.first * row_stride + p.first * pixel_stride, run, dims);
      }
    }
  }

  /// `rows` rows of `columns` accumulators; read first when they are accumulated into.
  void accumulate(std::int64_t rows, std::int64_t columns, std::int64_t pitch,
                  std::int64_t element_bytes) {
    const std::initializer_list<Dim> dims = {{rows, pitch * element_bytes}};
    if (get(Opd::kAccumulate) != 0) {
      read(Opd::kAcc, columns * element_bytes, dims, Memory::kAccumulator);
    }
    write(Opd::kAcc, columns * element_bytes, dims, Memory::kAccumulator);
  }

  [[nodiscard]] Axis axis(Opd origin, Opd out, Opd stride, Opd kernel, Opd in) const {
    return {get(origin), get(out), get(stride), get(kernel), 1, 1, get(in)};
  }
  [[nodiscard]] Window window() const {
    return {axis(Opd::kY0, Opd::kOutH, Opd::kStrideH, Opd::kKernelH, Opd::kInH),
            axis(Opd::kX0, Opd::kOutW, Opd::kStrideW, Opd::kKernelW, Opd::kInW)};
  }

 private:
  const Instruction& in_;
  Footprint& out_;
  std::vector<Strip> rows_, pixels_;
};

}  // namespace npu::isa
