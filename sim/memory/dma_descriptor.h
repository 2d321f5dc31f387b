#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "isa/instructions.h"
#include "sim/memory/dram.h"

namespace npu {

/// The rows of a dma.load, dma.store, dma.copy or dma.fill: run bytes each, at src + i·src_stride
/// and dst + i·dst_stride for i3, i2, i1 (innermost). Dimensions that are contiguous on both sides
/// are merged into the run.
struct DmaDescriptor {
  enum class Kind : std::uint8_t { kLoad, kStore, kCopy, kFill };

  Kind kind = Kind::kLoad;
  std::int64_t run = 0;                 ///< Bytes.
  std::array<std::int64_t, 3> count{};  ///< Innermost first.
  std::int64_t src = 0, dst = 0;        ///< kFill has no src.
  std::array<std::int64_t, 3> src_stride{}, dst_stride{};
  std::int64_t value = 0, element_bytes = 1;  ///< kFill: the pattern.

  /// More than any tensor needs; a program that asks for more must be refused before it runs.
  static constexpr std::int64_t kMaxRows = std::int64_t{1} << 28;
  static constexpr std::int64_t kMaxRunBytes = std::int64_t{1} << 34;

  explicit DmaDescriptor(const isa::Instruction& instruction);

  /// After merging.
  [[nodiscard]] std::int64_t rows() const { return count[0] * count[1] * count[2]; }
  [[nodiscard]] std::int64_t bytes() const { return run * rows(); }
};

/// The bytes that rows starting at `base` span: [low, high).
struct ByteRange {
  std::int64_t low = 0, high = 0;
};
[[nodiscard]] ByteRange hull(std::int64_t base, const std::array<std::int64_t, 3>& stride,
                             const std::array<std::int64_t, 3>& count, std::int64_t run);

/// Steps through the rows of a descriptor.
class RowWalk {
 public:
  explicit RowWalk(const DmaDescriptor& d) : d_(d), src_(d.src), dst_(d.dst), left_(d.rows()) {}
  [[nodiscard]] bool done() const { return left_ == 0; }
  [[nodiscard]] std::int64_t src() const { return src_; }
  [[nodiscard]] std::int64_t dst() const { return dst_; }
  void next() {
    --left_;
    for (std::size_t k = 0; k < index_.size(); ++k) {
      src_ += d_.src_stride[k];
      dst_ += d_.dst_stride[k];
      if (++index_[k] < d_.count[k]) return;
      src_ -= d_.src_stride[k] * d_.count[k];
      dst_ -= d_.dst_stride[k] * d_.count[k];
      index_[k] = 0;
    }
  }

 private:
  const DmaDescriptor& d_;
  std::int64_t src_, dst_, left_;
  std::array<std::int64_t, 3> index_{};
};

/// Moves the bytes of a descriptor, row by row in order. No time passes.
void move_bytes(const DmaDescriptor& d, Dram& dram, std::span<std::byte> scratchpad);

/// Bus beats and port bytes of pieces that follow each other: contiguous pieces are packed, a piece
/// that is not starts a beat and a port word of its own.
class Packing {
 public:
  Packing(std::int64_t bus_width, std::int64_t port_width)
      : bus_width_(bus_width), port_width_(port_width) {}
  void add(std::int64_t address, std::int64_t bytes);
  /// Ends the last run. @{
  [[nodiscard]] std::int64_t beats();
  [[nodiscard]] std::int64_t port_bytes();  ///< @}

 private:
  void end_run();
  std::int64_t bus_width_, port_width_;
  std::int64_t end_ = -1, run_ = 0, beats_ = 0, port_bytes_ = 0;
};

/// One DRAM request of a descriptor and what it means at the scratchpad.
struct DmaPiece {
  std::int64_t address = 0, bytes = 0;  ///< In DRAM, gaps between coalesced rows included.
  ByteRange scratchpad;                 ///< Hull of its bytes there.
  std::int64_t beats = 0, port_bytes = 0;
};

/// Cuts a load or store into DRAM requests of at most `request_bytes` (and never over 4 KiB),
/// aligned to multiples of it so that an unaligned head costs one short request. Consecutive rows
/// are coalesced into one request where the next starts where the one before ended, or inside the
/// DRAM bursts that the request touches already.
class RequestCutter {
 public:
  struct Widths {
    std::int64_t request_bytes, burst_bytes, bus_bytes, port_bytes;
  };
  RequestCutter(const DmaDescriptor& d, const Widths& widths);

  /// The next request; false after the last.
  [[nodiscard]] bool next(DmaPiece& piece);

 private:
  [[nodiscard]] std::int64_t window_end(std::int64_t address) const;

  const DmaDescriptor& d_;
  const Widths widths_;
  RowWalk walk_;
  std::int64_t offset_ = 0;  ///< Into the row.
};

}  // namespace npu
