#pragma once

#include <cstdint>
#include <systemc>
#include <vector>

#include "isa/encoding.h"
#include "sim/core/fault_slot.h"
#include "sim/memory/core_clock.h"
#include "sim/memory/dram.h"

namespace npu {

/// The sequencer's prefetch buffer: `fetch_buffer_instructions` consecutive words of the program.
///
/// Words are fetched in order, in chunks of up to kChunkWords that do not cross 4 KiB, one chunk in
/// flight. A chunk is fetched when it fits whole into the free words, or when the sequencer waits
/// for its first word. The words of the outermost open loop that fits the buffer stay until the
/// loop ends and are not fetched again; a jump back to a word that is no longer there flushes the
/// buffer (what is in flight still has to arrive). Not modelled: prediction of the jump back of a
/// loop that does not fit.
///
/// With the program in local memory (ProgramMemory::kLocal) every word is there at once and DRAM
/// sees no fetch.
///
/// The code is read-only: a word whose bytes in DRAM are not those that were put there is a
/// RunFault.
class InstructionFetch final : public sc_core::sc_module {
 public:
  static constexpr std::size_t kChunkWords = 8;

  /// @param layer_of  per word, for the DRAM counters.  @param with_data  compare the fetched
  /// bytes.
  InstructionFetch(const sc_core::sc_module_name& name, const SequencerConfig& config,
                   const CoreClock& clock, Dram& dram, std::int64_t code_address,
                   std::vector<isa::Word> words, std::vector<std::int32_t> layer_of, bool with_data,
                   FaultSlot& fault);

  /// Another program, between runs.
  void load(std::int64_t code_address, std::vector<isa::Word> words,
            std::vector<std::int32_t> layer_of);
  /// Empties the buffer and starts to prefetch from word 0.
  void start();
  void stop() { running_ = false; }
  /// Blocks the calling SC_THREAD until word `index` is in the buffer. Words before `keep_from` are
  /// dropped.
  void require(std::size_t index, std::size_t keep_from);

 private:
  void run();
  void fetch_chunk();
  [[nodiscard]] std::size_t chunk_words() const;
  void check_words(std::size_t first, std::size_t count) const;

  const std::size_t capacity_;
  const bool is_local_;
  DramPort port_;
  Dram& dram_;
  std::int64_t code_address_;
  std::vector<isa::Word> words_;
  std::vector<std::int32_t> layer_of_;
  const bool with_data_;
  FaultSlot& fault_;
  bool running_ = false;
  bool starving_ = false;           ///< The sequencer waits for word high_.
  std::size_t low_ = 0, high_ = 0;  ///< Words in the buffer: [low_, high_).
  std::uint64_t flushes_ = 0;
  sc_core::sc_event wanted_, arrived_;
};

}  // namespace npu
