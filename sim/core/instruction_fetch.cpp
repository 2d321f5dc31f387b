#include "sim/core/instruction_fetch.h"

#include <algorithm>
#include <span>
#include <utility>

#include "sim/base/error.h"

namespace npu {

InstructionFetch::InstructionFetch(const sc_core::sc_module_name& name,
                                   const SequencerConfig& config, const CoreClock& clock,
                                   Dram& dram, std::int64_t code_address,
                                   std::vector<isa::Word> words, std::vector<std::int32_t> layer_of,
                                   bool with_data, FaultSlot& fault)
    : sc_module(name),
      capacity_(static_cast<std::size_t>(config.fetch_buffer_instructions)),
      is_local_(config.program_memory == ProgramMemory::kLocal),
      port_(dram, clock),
      dram_(dram),
      code_address_(code_address),
      words_(std::move(words)),
      layer_of_(std::move(layer_of)),
      with_data_(with_data),
      fault_(fault) {
  NPU_CHECK(capacity_ > 0, "fetch buffer");
  SC_HAS_PROCESS(InstructionFetch);
  SC_THREAD(run);
}

void InstructionFetch::load(std::int64_t code_address, std::vector<isa::Word> words,
                            std::vector<std::int32_t> layer_of) {
  NPU_CHECK(!running_ || is_local_, "the run before has not ended");
  code_address_ = code_address;
  words_ = std::move(words);
  layer_of_ = std::move(layer_of);
}

void InstructionFetch::start() {
  low_ = high_ = 0;
  ++flushes_;
  running_ = !is_local_;
  starving_ = false;
  wanted_.notify(sc_core::SC_ZERO_TIME);
}

void InstructionFetch::require(std::size_t index, std::size_t keep_from) {
  if (is_local_) return;
  if (index < low_ || index > high_) {
    low_ = high_ = index;
    ++flushes_;
  }
  if (keep_from > low_) {
    low_ = keep_from;
    wanted_.notify();
  }
  while (index >= high_) {
    starving_ = true;
    wanted_.notify();
    wait(arrived_);
  }
  starving_ = false;
}

std::size_t InstructionFetch::chunk_words() const {
  if (!running_ || high_ >= words_.size()) return 0;
  constexpr std::int64_t kBoundaryBytes = 4096;
  const std::int64_t address = code_address_ + static_cast<std::int64_t>(high_) * isa::kWordBytes;
  const std::int64_t to_boundary = kBoundaryBytes - address % kBoundaryBytes;
  const std::size_t chunk =
      std::min({kChunkWords, words_.size() - high_, std::max<std::size_t>(capacity_ / 2, 1),
                static_cast<std::size_t>(to_boundary / isa::kWordBytes)});
  const std::size_t free = capacity_ - (high_ - low_);
  if (free >= chunk) return chunk;
  return starving_ ? free : 0;
}

void InstructionFetch::run() {
  while (fault_.empty()) {
    if (chunk_words() == 0) {
      wait(wanted_);
    } else {
      fault_.guard([this] { fetch_chunk(); });
    }
  }
}

void InstructionFetch::fetch_chunk() {
  const std::size_t first = high_;
  const std::size_t count = chunk_words();
  const std::uint64_t flushes = flushes_;
  const std::int64_t address = code_address_ + static_cast<std::int64_t>(first) * isa::kWordBytes;
  port_.read(address, static_cast<std::int32_t>(static_cast<std::int64_t>(count) * isa::kWordBytes),
             layer_of_[first]);
  if (flushes != flushes_) return;
  check_words(first, count);
  high_ += count;
  arrived_.notify();
}

void InstructionFetch::check_words(std::size_t first, std::size_t count) const {
  if (!with_data_) return;
  for (std::size_t i = first; i < first + count; ++i) {
    isa::Word fetched;
    dram_.read(code_address_ + static_cast<std::int64_t>(i) * isa::kWordBytes,
               std::as_writable_bytes(std::span(fetched)));
    if (fetched != words_[i]) {
      throw RunFault(
          fmt::format("instruction {}: its word in DRAM at {:#x} was overwritten during the run", i,
                      code_address_ + static_cast<std::int64_t>(i) * isa::kWordBytes));
    }
  }
}

}  // namespace npu
