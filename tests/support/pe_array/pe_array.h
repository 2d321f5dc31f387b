#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <systemc>
#include <vector>

#include "sim/config/npu_config.h"
#include "tests/support/pe_array/datapath.h"
#include "tests/support/pe_array/fold_schedule.h"

namespace npu::test {

/// A MAC array down to the registers of its PEs: the golden model of sim/timing/mac_timing.h and of
/// MacArray. It multiplies real operands cycle by cycle and contains no formula for cycles: a tile
/// takes as long as its operands take to get through the registers.
///
/// The sequencer works commands off in order and acts on what it sees at the beginning of a cycle:
/// - A tile starts when the results of the tile before are in the accumulators and no
///   mac.load_weights is under way.
/// - The first operands of a fold enter when its stationary block is complete; the others follow
///   each cycle, each int16 operand in int16_cycles digits.
/// - The port brings weight_load_bytes_per_cycle bytes of one block per cycle. Systolic: into a
///   staging register for a row, from which a complete row enters the array, one per cycle.
///   With whole_block_loads (weight stationary, not depthwise) a block has all rows and columns.
/// - Double-buffered: the next block may come from the cycle on in which the one before is swapped
///   in. Single: when no PE has work left.
/// - Output stationary: the last operands of a fold wait until the first PE's result register is
///   free. Single: a fold waits until the array holds no operand and no result.
/// One clocked process per array; every register of every PE is in its Datapath.
class PeArray : public sc_core::sc_module {
 public:
  /// A sequencer that does not wait for something, for the proof that the wait is needed.
  enum class Haste : std::uint8_t {
    kNone,
    kStream,  ///< The first operands enter together with the last piece of their block.
    kLoad,    ///< The next block comes before the one in the shadow registers is swapped in.
    kFinish,  ///< The last operands do not wait for the result register.
  };

  explicit PeArray(const sc_core::sc_module_name& name);

  /// Another array, all registers empty. Only while idle.
  void configure(const MacArrayConfig& config, Haste haste = Haste::kNone);
  /// Appends a command; the tiles must outlive it.
  void load_weights(PeTile& tile);
  void run_tile(PeTile& tile);
  /// Waits until all commands are done. Call from an SC_THREAD.
  void finish();

  /// Of one command, in cycles since configure().
  struct Record {
    std::uint64_t start = 0, end = 0;
    std::uint64_t registers_free = 0;  ///< A mac.load_weights could start.
    std::int64_t busy_cycles = 0;      ///< With operands that enter.
    std::int64_t input_read_bytes = 0, weight_read_bytes = 0, register_write_bytes = 0;
    std::int64_t sums_read = 0, sums_written = 0;
  };
  [[nodiscard]] const std::vector<Record>& records() const { return records_; }

 private:
  struct Command {
    PeTile* tile;
    bool is_load;
    std::size_t record;
  };
  /// What a result that leaves the array belongs to.
  struct Tag {
    std::size_t fold;
    int step, row, shift;
    bool first, last;
  };
  /// The tile that runs.
  struct Running {
    PeTile* tile;
    std::unique_ptr<FoldSchedule> schedule;
    std::size_t record;
    std::size_t fold = 0;                            ///< That streams, or will next.
    int step = 0, pass = 0;                          ///< Of that fold.
    std::size_t begun = 0, loading = 0, loaded = 0;  ///< Folds.
  };

  void add(PeTile& tile, bool is_load);
  void tick();
  void start_tile();
  void feed();
  [[nodiscard]] bool is_last_piece() const;
  [[nodiscard]] bool may_enter(const PeFold& fold, bool last) const;
  void fetch(const PeFold& fold);
  void feed_digits(int pass);
  void load();
  void begin_load();
  void begin_block(const FoldSchedule& schedule, const PeFold& fold);
  [[nodiscard]] bool registers_are_free(std::size_t fold) const;
  void deliver();
  void collect(const PeResults& results);
  [[nodiscard]] bool keeps_operand() const {
    return config_.dataflow != Dataflow::kOutputStationary;
  }
  [[nodiscard]] bool is_dot() const { return config_.kind == ArrayKind::kDotProduct; }
  [[nodiscard]] Digit digit(bool wide, int index) const;

  MacArrayConfig config_;
  Haste haste_ = Haste::kNone;
  std::unique_ptr<Datapath> datapath_;
  std::deque<Command> commands_;
  std::vector<Record> records_;
  std::unique_ptr<Running> running_;
  std::deque<Tag> tags_;  ///< Of the results inside the array, in order.
  std::uint64_t now_ = 0;

  // The block on its way into the registers.
  bool loading_ = false;
  bool load_is_command_ = false;
  std::size_t load_record_ = 0;
  Grid block_{};  ///< Systolic [row][col], dot product [col][lane].
  int block_rows_ = 0, block_bytes_ = 0, arrived_bytes_ = 0, staged_bytes_ = 0, rows_pushed_ = 0;
  int element_bytes_ = 1;
  bool block_is_diagonal_ = false;

  PeOperands operands_;
  PeLoad load_;
  Grid held_{}, held_weights_{};  ///< Operands of the step, all passes.
  Grid combined_{};               ///< Sums of digits, or of steps.
  sc_core::sc_event start_, finished_;
  bool ticking_ = false;
};

}  // namespace npu::test
