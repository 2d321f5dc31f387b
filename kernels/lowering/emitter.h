#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "isa/footprint.h"
#include "isa/program.h"
#include "kernels/mapper/iteration.h"
#include "sim/config/npu_config.h"

namespace npu::kernels {

/// A byte range that an instruction touches, as a bounding interval.
struct Access {
  isa::Memory memory = isa::Memory::kScratchpad;
  std::int64_t low = 0, high = 0;
  bool write = false;
};
[[nodiscard]] bool conflict(const Access& a, const Access& b);

/// An instruction on its way into the program.
struct Item {
  isa::Instruction instruction;
  std::int32_t layer = -1;
  std::string_view comment;  ///< A literal.
  std::vector<Access> accesses;
  std::size_t lookahead = 0;  ///< Loads: earlier steps it may be hoisted over; 0: the schedule's.
};

/// What one tile does. Loads may be moved ahead of earlier steps; the rest stays in order.
struct Step {
  std::vector<Item> loads, work;
};

/// A strided transfer: `run` contiguous bytes, then counts outermost first.
struct Transfer {
  std::int64_t src = 0, dst = 0, run = 0;
  std::vector<std::int64_t> count, src_stride, dst_stride;
  /// The run stays what it is where it could merge with dimensions outside it.
  bool keeps_run = false;
};

/// Collects the steps of a network and its DRAM image.
class Emitter {
 public:
  Emitter(const NpuConfig& config, bool timing_only) : config_(config), timing_only_(timing_only) {}

  void begin_layer(isa::LayerRecord record);
  void begin_step() { steps_.emplace_back(); }
  /// Of the loads from now on.
  void set_lookahead(std::size_t steps) { lookahead_ = steps; }

  /// Puts a block of constants into DRAM. `fill` writes its bytes; not called in timing-only mode.
  /// @return its address.
  template <typename Fill>
  std::int64_t constant(std::string name, std::int64_t size, Fill&& fill) {
    isa::ImageSegment segment{std::move(name), allocate(size), size, {}};
    if (!timing_only_) {
      segment.bytes.resize(static_cast<std::size_t>(size));
      fill(segment.bytes);
    }
    image_.push_back(std::move(segment));
    return image_.back().address;
  }
  /// Leaves DRAM below `address` free; before anything is allocated.
  void begin_dram(std::int64_t address);
  /// Reserves DRAM.
  std::int64_t allocate(std::int64_t size);

  void load(const Transfer& t, std::string_view comment) {
    transfer(isa::Opcode::kDmaLoad, load_channel(), t, comment);
  }
  void load_weights(const Transfer& t, std::string_view comment) {
    transfer(isa::Opcode::kDmaLoad, weight_channel(), t, comment);
  }
  /// A load that keeps its place among the stores and copies, on their channel.
  void load_in_order(const Transfer& t, std::string_view comment) {
    transfer(isa::Opcode::kDmaLoad, kStoreChannel, t, comment);
  }
  void store(const Transfer& t, std::string_view comment) {
    transfer(isa::Opcode::kDmaStore, kStoreChannel, t, comment);
  }
  void copy(const Transfer& t, std::string_view comment) {
    transfer(isa::Opcode::kDmaCopy, kStoreChannel, t, comment);
  }
  void fill(const mapper::Fill& f, std::int64_t base, std::int32_t value,
            std::int64_t element_bytes);
  /// Appends an instruction to the work of the current step.
  void work(const isa::Instruction& instruction, std::string_view comment);

  [[nodiscard]] std::vector<Step>& steps() { return steps_; }
  [[nodiscard]] std::vector<isa::LayerRecord>& layers() { return layers_; }
  [[nodiscard]] std::vector<isa::ImageSegment>& image() { return image_; }
  [[nodiscard]] std::int64_t dram_end() const { return dram_end_; }
  [[nodiscard]] std::int32_t layer() const { return static_cast<std::int32_t>(layers_.size()) - 1; }

 private:
  static constexpr int kStoreChannel = 1;
  [[nodiscard]] static int load_channel() { return 0; }
  /// Weights have a channel of their own where there are three.
  [[nodiscard]] int weight_channel() const { return config_.dma.channels >= 3 ? 2 : 0; }
  void transfer(isa::Opcode opcode, int channel, Transfer t, std::string_view comment);
  void push(const isa::Instruction& instruction, std::string_view comment, bool is_load);

  const NpuConfig& config_;
  bool timing_only_;
  std::size_t lookahead_ = 0;
  std::vector<Step> steps_;
  std::vector<isa::LayerRecord> layers_;
  std::vector<isa::ImageSegment> image_;
  std::int64_t dram_end_ = 0;
};

}  // namespace npu::kernels
