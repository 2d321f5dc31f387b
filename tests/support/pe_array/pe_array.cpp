#include "tests/support/pe_array/pe_array.h"

#include <algorithm>

#include "sim/base/error.h"
#include "tests/support/pe_array/dot_product_array.h"
#include "tests/support/pe_array/output_mesh.h"
#include "tests/support/pe_array/stationary_mesh.h"

namespace npu::test {
namespace {

const sc_core::sc_time kPeriod(1, sc_core::SC_NS);

}  // namespace

PeArray::PeArray(const sc_core::sc_module_name& name) : sc_module(name) {
  SC_HAS_PROCESS(PeArray);
  SC_METHOD(tick);
  sensitive << start_;
  dont_initialize();
}

void PeArray::configure(const MacArrayConfig& config, Haste haste) {
  NPU_CHECK(!ticking_ && commands_.empty() && running_ == nullptr, "an array at work");
  NPU_CHECK(config.rows <= kMaxPes && config.cols <= kMaxPes && config.pixels <= kMaxPes &&
                config.pipeline_latency_cycles < kMaxPes,
            "larger than the PE-level model");
  config_ = config;
  haste_ = haste;
  records_.clear();
  now_ = 0;
  if (is_dot()) {
    datapath_ = std::make_unique<DotProductArray>(config);
  } else if (keeps_operand()) {
    datapath_ = std::make_unique<StationaryMesh>(config);
  } else {
    datapath_ = std::make_unique<OutputMesh>(config);
  }
}

void PeArray::add(PeTile& tile, bool is_load) {
  commands_.push_back({&tile, is_load, records_.size()});
  records_.emplace_back();
  if (ticking_) return;
  ticking_ = true;
  start_.notify();
}
void PeArray::load_weights(PeTile& tile) { add(tile, true); }
void PeArray::run_tile(PeTile& tile) { add(tile, false); }

void PeArray::finish() {
  while (ticking_) sc_core::wait(finished_);
}

void PeArray::tick() {
  start_tile();
  feed();
  load();
  const PeResults results = datapath_->step(operands_, load_);
  collect(results);
  ++now_;
  if (running_ == nullptr && commands_.empty() && !loading_) {
    ticking_ = false;
    finished_.notify();
    return;
  }
  next_trigger(kPeriod);
}

void PeArray::start_tile() {
  if (running_ != nullptr || loading_ || commands_.empty() || commands_.front().is_load) return;
  const Command command = commands_.front();
  commands_.pop_front();
  running_ = std::make_unique<Running>(Running{
      command.tile, std::make_unique<FoldSchedule>(config_, *command.tile), command.record});
  if (command.tile->shape.weights_loaded) running_->loading = running_->loaded = 1;
  records_[command.record].start = now_;
}

Digit PeArray::digit(bool wide, int index) const {
  if (!wide || config_.int16_cycles == 1) return {};
  const int width = (16 + config_.int16_cycles - 1) / config_.int16_cycles;
  // The highest digit keeps the sign.
  const bool top = index == config_.int16_cycles - 1;
  return {index * width, top ? -1 : (1 << width) - 1};
}

bool PeArray::is_last_piece() const {
  if (!loading_ || load_is_command_ || running_->loading != running_->fold + 1) return false;
  const int after = arrived_bytes_ + config_.weight_load_bytes_per_cycle;
  return after >= block_bytes_ && (is_dot() || rows_pushed_ + 1 == block_rows_);
}

bool PeArray::may_enter(const PeFold& fold, bool last) const {
  const Running& run = *running_;
  const bool begins = run.step == 0 && run.pass == 0;
  if (keeps_operand()) {
    if (begins && haste_ == Haste::kStream && is_last_piece()) return true;
    return !begins || run.loaded > run.fold;
  }
  if (begins && !config_.double_buffered_weights && !datapath_->is_idle()) return false;
  return !last || run.step + 1 < fold.steps || haste_ == Haste::kFinish || datapath_->can_finish();
}

void PeArray::fetch(const PeFold& fold) {
  const FoldSchedule& schedule = *running_->schedule;
  const int step = running_->step;
  const FoldSchedule::Reads reads = schedule.reads_of_step(fold, step);
  Record& record = records_[running_->record];
  record.input_read_bytes += reads.inputs * running_->tile->x_bytes();
  record.weight_read_bytes += reads.weights * running_->tile->w_bytes();
  const bool is_output = !keeps_operand();
  if (!is_dot()) {
    held_[0] = {};
    for (int r = 0; r < fold.rows; ++r) held_[0][r] = schedule.streamed(fold, step, r, 0);
    if (!is_output) return;
    held_weights_[0] = {};
    for (int c = 0; c < fold.cols; ++c) {
      held_weights_[0][c] = schedule.streamed_weight(fold, step, 0, c);
    }
    return;
  }
  const bool is_input = config_.dataflow == Dataflow::kInputStationary;
  const int lanes = is_output ? config_.rows : fold.rows;
  const int vectors = is_output ? fold.rows : is_input ? config_.cols : config_.pixels;
  for (int v = 0; v < vectors; ++v) {
    held_[v] = {};
    for (int lane = 0; lane < lanes; ++lane) {
      held_[v][lane] = schedule.streamed(fold, step, lane, v);
    }
  }
  for (int c = 0; is_output && c < fold.cols; ++c) {
    held_weights_[c] = {};
    for (int lane = 0; lane < lanes; ++lane) {
      held_weights_[c][lane] = schedule.streamed_weight(fold, step, lane, c);
    }
  }
}

void PeArray::feed_digits(int pass) {
  const PeTile& tile = *running_->tile;
  const bool is_input = config_.dataflow == Dataflow::kInputStationary;
  const bool streamed_wide = is_input ? tile.shape.wide_weights : tile.shape.wide;
  const bool other_wide = is_input ? tile.shape.wide : tile.shape.wide_weights;
  const int streamed_digits = streamed_wide ? config_.int16_cycles : 1;
  const Digit streamed = digit(streamed_wide, pass % streamed_digits);
  const Digit other = digit(other_wide, pass / streamed_digits);
  const int vectors = is_dot() ? std::max(config_.pixels, config_.cols) : 1;
  for (int v = 0; v < vectors; ++v) {
    for (int i = 0; i < kMaxPes; ++i) operands_.streamed[v][i] = streamed.of(held_[v][i]);
  }
  if (!keeps_operand()) {
    for (int v = 0; v < (is_dot() ? config_.cols : 1); ++v) {
      for (int i = 0; i < kMaxPes; ++i) operands_.weights[v][i] = other.of(held_weights_[v][i]);
    }
  }
  operands_.stationary_digit = other;
  operands_.shift = streamed.shift + other.shift;
}

void PeArray::feed() {
  operands_.valid = operands_.swap = false;
  if (running_ == nullptr) return;
  Running& run = *running_;
  const std::vector<PeFold>& folds = run.schedule->folds();
  if (run.fold == folds.size()) return;
  const PeFold& fold = folds[run.fold];
  const PeTile& tile = *run.tile;
  const int passes = (tile.shape.wide ? config_.int16_cycles : 1) *
                     (tile.shape.wide_weights ? config_.int16_cycles : 1);
  const bool last_pass = run.pass + 1 == passes;
  if (!may_enter(fold, last_pass)) return;

  const bool begins = run.step == 0 && run.pass == 0;
  const bool ends = last_pass && run.step + 1 == fold.steps;
  if (run.pass == 0) fetch(fold);
  feed_digits(run.pass);
  operands_.valid = true;
  operands_.swap = begins && keeps_operand() && config_.double_buffered_weights;
  operands_.first = begins;
  operands_.last = ends;
  if (begins) ++run.begun;
  ++records_[run.record].busy_cycles;

  if (keeps_operand()) {
    tags_.push_back({run.fold, run.step, 0, operands_.shift, run.pass == 0, last_pass});
  } else if (is_dot()) {
    tags_.push_back({run.fold, run.step, 0, operands_.shift, begins, ends});
  } else if (ends) {
    for (int r = config_.rows - 1; r >= 0; --r) {
      tags_.push_back({run.fold, run.step, r, 0, true, true});
    }
  }
  if (!last_pass) {
    ++run.pass;
    return;
  }
  run.pass = 0;
  if (++run.step < fold.steps) return;
  run.step = 0;
  ++run.fold;
}

bool PeArray::registers_are_free(std::size_t fold) const {
  const Running& run = *running_;
  if (config_.double_buffered_weights) return run.begun >= fold || haste_ == Haste::kLoad;
  return run.fold >= fold && !operands_.valid && datapath_->is_idle();
}

void PeArray::begin_block(const FoldSchedule& schedule, const PeFold& fold) {
  loading_ = true;
  arrived_bytes_ = staged_bytes_ = rows_pushed_ = 0;
  // Where only whole blocks are loaded, zeros come for what the fold does not have.
  block_rows_ = config_.whole_block_loads ? config_.rows : fold.rows;
  block_bytes_ =
      config_.whole_block_loads ? config_.rows * config_.cols * element_bytes_ : fold.block_bytes;
  if (!load_is_command_) {
    Record& record = records_[load_record_];
    record.register_write_bytes += fold.block_bytes;
    (config_.dataflow == Dataflow::kWeightStationary ? record.weight_read_bytes
                                                     : record.input_read_bytes) += fold.block_bytes;
  }
  block_ = {};
  for (int r = 0; r < fold.rows; ++r) {
    for (int c = 0; c < fold.cols; ++c) {
      (is_dot() ? block_[c][r] : block_[r][c]) = schedule.stationary(fold, r, c);
    }
  }
}

void PeArray::begin_load() {
  if (running_ != nullptr && keeps_operand()) {
    Running& run = *running_;
    const std::vector<PeFold>& folds = run.schedule->folds();
    const bool is_weight = config_.dataflow == Dataflow::kWeightStationary;
    if (run.loading < folds.size()) {
      if (!registers_are_free(run.loading)) return;
      const PeFold& fold = folds[run.loading];
      load_is_command_ = false;
      load_record_ = run.record;
      element_bytes_ = is_weight ? run.tile->w_bytes() : run.tile->x_bytes();
      block_is_diagonal_ = is_dot() && is_weight && run.tile->shape.depthwise;
      begin_block(*run.schedule, fold);
      ++run.loading;
      return;
    }
    if (run.loaded < folds.size() || !registers_are_free(folds.size())) return;
    if (records_[run.record].registers_free == 0) {
      records_[run.record].registers_free = now_;
    }
  }
  if (commands_.empty() || !commands_.front().is_load) return;
  NPU_CHECK(config_.dataflow == Dataflow::kWeightStationary, "the array keeps no weights");
  const Command command = commands_.front();
  commands_.pop_front();
  const FoldSchedule schedule(config_, *command.tile);
  load_is_command_ = true;
  load_record_ = command.record;
  element_bytes_ = command.tile->w_bytes();
  block_is_diagonal_ = false;
  begin_block(schedule, schedule.folds().front());
  records_[command.record].start = now_;
}

void PeArray::deliver() {
  const int arriving = [&] {
    const int bytes = std::min(config_.weight_load_bytes_per_cycle, block_bytes_ - arrived_bytes_);
    // The staging register holds a row beside the one that enters.
    return is_dot() ? bytes : std::min(bytes, 2 * (block_bytes_ / block_rows_) - staged_bytes_);
  }();
  const int elements_before = arrived_bytes_ / element_bytes_;
  arrived_bytes_ += arriving;
  staged_bytes_ += arriving;
  bool is_complete = false;
  if (is_dot()) {
    load_.valid = true;
    load_.block = &block_;
    load_.lanes = block_is_diagonal_ ? 0 : block_rows_;
    load_.first = elements_before;
    load_.count = arrived_bytes_ / element_bytes_ - elements_before;
    is_complete = arrived_bytes_ == block_bytes_;
  } else if (staged_bytes_ >= block_bytes_ / block_rows_) {
    staged_bytes_ -= block_bytes_ / block_rows_;
    load_.valid = true;
    load_.row = block_[block_rows_ - 1 - rows_pushed_];
    is_complete = ++rows_pushed_ == block_rows_;
  }
  if (!is_complete) return;
  loading_ = false;
  if (load_is_command_) {
    records_[load_record_].end = now_ + 1;
  } else {
    ++running_->loaded;
  }
}

void PeArray::load() {
  load_.valid = false;
  if (!loading_) begin_load();
  if (loading_) deliver();
}

void PeArray::collect(const PeResults& results) {
  if (results.valid) {
    NPU_CHECK(!tags_.empty() && running_ != nullptr, "a result of nothing");
    const Tag tag = tags_.front();
    tags_.pop_front();
    const PeFold& fold = running_->schedule->folds()[tag.fold];
    Record& record = records_[running_->record];
    for (int p = 0; p < (is_dot() ? config_.pixels : 1); ++p) {
      for (int c = 0; c < config_.cols; ++c) {
        std::int32_t& sum = combined_[p][c];
        const auto digits = static_cast<std::uint32_t>(results.sums[p][c]) << tag.shift;
        sum =
            static_cast<std::int32_t>((tag.first ? 0U : static_cast<std::uint32_t>(sum)) + digits);
        if (!tag.last) continue;
        std::int32_t* place = running_->schedule->result(fold, tag.step, is_dot() ? p : tag.row, c);
        if (place == nullptr) continue;
        *place = fold.reads_sums ? *place + sum : sum;
        record.sums_read += fold.reads_sums ? 1 : 0;
        ++record.sums_written;
      }
    }
  }
  if (running_ == nullptr || !tags_.empty() ||
      running_->fold < running_->schedule->folds().size()) {
    return;
  }
  Record& record = records_[running_->record];
  record.end = now_ + 1;
  if (record.registers_free == 0) record.registers_free = record.end;
  running_.reset();
}

}  // namespace npu::test
