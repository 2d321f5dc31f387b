#include "sim/memory/dma_descriptor.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu {
namespace {

using isa::Opcode;
using isa::Opd;

constexpr std::int64_t kBoundaryBytes = 4096;

DmaDescriptor::Kind kind_of(Opcode opcode) {
  switch (opcode) {
    case Opcode::kDmaLoad:
      return DmaDescriptor::Kind::kLoad;
    case Opcode::kDmaStore:
      return DmaDescriptor::Kind::kStore;
    case Opcode::kDmaCopy:
      return DmaDescriptor::Kind::kCopy;
    case Opcode::kDmaFill:
      return DmaDescriptor::Kind::kFill;
    default:
      NPU_CHECK(false, "not a DMA instruction");
  }
  return DmaDescriptor::Kind::kLoad;
}

/// Merges dimensions from the innermost out as long as both sides go on where the run ends.
void merge(DmaDescriptor& d) {
  std::array<std::int64_t, 3> count{1, 1, 1};
  std::array<std::int64_t, 3> src{};
  std::array<std::int64_t, 3> dst{};
  std::size_t kept = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    if (d.count[k] == 1) continue;
    const bool has_src = d.kind != DmaDescriptor::Kind::kFill;
    if (kept == 0 && (!has_src || d.src_stride[k] == d.run) && d.dst_stride[k] == d.run) {
      d.run *= d.count[k];
      continue;
    }
    count[kept] = d.count[k];
    src[kept] = d.src_stride[k];
    dst[kept] = d.dst_stride[k];
    ++kept;
  }
  d.count = count;
  d.src_stride = src;
  d.dst_stride = dst;
}

void fill_row(const DmaDescriptor& d, std::span<std::byte> row) {
  std::array<std::byte, 16> element{};
  const auto size = static_cast<std::size_t>(d.element_bytes);
  for (std::size_t i = 0; i < size; ++i) {
    element[i] = static_cast<std::byte>(d.value >> std::min<std::size_t>(8 * i, 63) & 0xff);
  }
  for (std::size_t i = 0; i < row.size(); i += size) {
    std::memcpy(row.data() + i, element.data(), std::min(size, row.size() - i));
  }
}

}  // namespace

DmaDescriptor::DmaDescriptor(const isa::Instruction& i)
    : kind(kind_of(i.opcode)),
      run(i[Opd::kN0]),
      count{i[Opd::kN1], i[Opd::kN2], i[Opd::kN3]},
      dst(i[Opd::kDst]),
      dst_stride{i[Opd::kDstStride1], i[Opd::kDstStride2], i[Opd::kDstStride3]} {
  if (kind == Kind::kFill) {
    value = i[Opd::kValue];
    element_bytes = i[Opd::kElementBytes];
    NPU_CHECK(element_bytes > 0 && element_bytes < 16, "a fill has elements of 1 to 15 bytes");
    run *= element_bytes;
  } else {
    src = i[Opd::kSrc];
    src_stride = {i[Opd::kSrcStride1], i[Opd::kSrcStride2], i[Opd::kSrcStride3]};
  }
  NPU_CHECK(run >= 0 && run <= kMaxRunBytes, "a descriptor's run is out of range");
  NPU_CHECK(std::min({count[0], count[1], count[2]}) >= 0, "a descriptor has a negative count");
  if (run == 0 || rows() == 0) {
    run = 0;
    count = {0, 0, 0};
    return;
  }
  merge(*this);
  NPU_CHECK(rows() <= kMaxRows, "a descriptor has too many rows");
}

ByteRange hull(std::int64_t base, const std::array<std::int64_t, 3>& stride,
               const std::array<std::int64_t, 3>& count, std::int64_t run) {
  ByteRange range{base, base + run};
  for (std::size_t k = 0; k < count.size(); ++k) {
    const std::int64_t reach = stride[k] * (count[k] - 1);
    (reach < 0 ? range.low : range.high) += reach;
  }
  return range;
}

void move_bytes(const DmaDescriptor& d, Dram& dram, std::span<std::byte> scratchpad) {
  const auto row = [&](std::int64_t address) {
    return scratchpad.subspan(static_cast<std::size_t>(address), static_cast<std::size_t>(d.run));
  };
  for (RowWalk walk(d); !walk.done(); walk.next()) {
    switch (d.kind) {
      case DmaDescriptor::Kind::kLoad:
        dram.read(walk.src(), row(walk.dst()));
        break;
      case DmaDescriptor::Kind::kStore:
        dram.write(walk.dst(), row(walk.src()));
        break;
      case DmaDescriptor::Kind::kCopy:
        std::memmove(row(walk.dst()).data(), row(walk.src()).data(),
                     static_cast<std::size_t>(d.run));
        break;
      case DmaDescriptor::Kind::kFill:
        fill_row(d, row(walk.dst()));
        break;
    }
  }
}

void Packing::add(std::int64_t address, std::int64_t bytes) {
  if (address != end_) end_run();
  run_ += bytes;
  end_ = address + bytes;
}

void Packing::end_run() {
  beats_ += ceil_div(run_, bus_width_);
  port_bytes_ += round_up(run_, port_width_);
  run_ = 0;
  end_ = -1;
}

std::int64_t Packing::beats() {
  end_run();
  return beats_;
}

std::int64_t Packing::port_bytes() {
  end_run();
  return port_bytes_;
}

RequestCutter::RequestCutter(const DmaDescriptor& d, const Widths& widths)
    : d_(d), widths_(widths), walk_(d) {}

std::int64_t RequestCutter::window_end(std::int64_t address) const {
  const std::int64_t page = address / kBoundaryBytes * kBoundaryBytes;
  const std::int64_t window = (address - page) / widths_.request_bytes + 1;
  return page + std::min(kBoundaryBytes, window * widths_.request_bytes);
}

bool RequestCutter::next(DmaPiece& piece) {
  if (walk_.done()) return false;
  const bool is_load = d_.kind == DmaDescriptor::Kind::kLoad;
  const auto dram_row = [&] { return is_load ? walk_.src() : walk_.dst(); };
  const std::int64_t low = dram_row() + offset_;
  const std::int64_t stop = window_end(low);
  std::int64_t high = low;
  Packing packing(widths_.bus_bytes, widths_.port_bytes);
  piece.scratchpad = {std::numeric_limits<std::int64_t>::max(), 0};
  while (!walk_.done()) {
    const std::int64_t from = dram_row() + offset_;
    const bool touches =
        from <= high || from / widths_.burst_bytes == (high - 1) / widths_.burst_bytes;
    if (from < low || from >= stop || !touches) break;
    const std::int64_t size = std::min(d_.run - offset_, stop - from);
    const std::int64_t local = (is_load ? walk_.dst() : walk_.src()) + offset_;
    packing.add(local, size);
    piece.scratchpad.low = std::min(piece.scratchpad.low, local);
    piece.scratchpad.high = std::max(piece.scratchpad.high, local + size);
    high = std::max(high, from + size);
    offset_ += size;
    if (offset_ < d_.run) break;
    offset_ = 0;
    walk_.next();
  }
  piece.address = low;
  piece.bytes = high - low;
  piece.beats = packing.beats();
  piece.port_bytes = packing.port_bytes();
  return true;
}

}  // namespace npu
