#include "sim/core/repeat_accounting.h"

#include <algorithm>

#include "sim/base/error.h"

namespace npu {
namespace {

void multiply(EventCounts& events, std::uint64_t factor) {
  for (std::uint64_t& count : events) count *= factor;
}

bool has_repeats(const isa::Program& program) {
  return std::ranges::any_of(program.layers,
                             [](const isa::LayerRecord& layer) { return layer.repeats > 1; });
}

}  // namespace

void check_repeats(const isa::Program& program, bool timing_only, bool record_schedule) {
  if (!has_repeats(program) || (timing_only && !record_schedule)) return;
  fail("layers of the program stand for several equal ones: it can only be timed ({})",
       timing_only ? "without a schedule" : "timing-only");
}

RepeatAccounting::RepeatAccounting(const isa::Program& program) : is_needed_(has_repeats(program)) {
  for (const isa::LayerRecord& layer : program.layers) {
    repeats_.push_back(static_cast<std::uint64_t>(layer.repeats));
  }
}

void RepeatAccounting::expect_alone(const isa::Program& next) const {
  if (!is_needed_ && !has_repeats(next)) return;
  fail("a program in which layers stand for several equal ones is alone in its machine");
}

void RepeatAccounting::begin_run(const std::vector<Timeline*>& units, Dram& dram) {
  unit_logs_.resize(units.size());
  for (std::size_t i = 0; i < units.size(); ++i) units[i]->log_into(&unit_logs_[i]);
  dram.log_into(dram_logs_);
  buckets_.resize(unit_logs_.size() + dram_logs_.size());
}

void RepeatAccounting::end_run(std::uint64_t begin_cycle, std::uint64_t end_cycle,
                               const std::vector<LayerStats>& layers) {
  std::vector<Stretch> run;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].end_cycle > layers[i].begin_cycle) {
      run.push_back({layers[i].begin_cycle, layers[i].end_cycle, repeats_[i]});
    }
  }
  std::ranges::sort(run, {}, &Stretch::begin_cycle);
  std::uint64_t at = begin_cycle;
  for (const Stretch& s : run) {
    NPU_CHECK(s.begin_cycle == at, "layers' spans without gap or overlap");
    at = s.end_cycle;
  }
  NPU_CHECK(at == end_cycle, "layers' spans reach to the end of the run");
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const PhaseLog& log = i < unit_logs_.size() ? unit_logs_[i] : dram_logs_[i - unit_logs_.size()];
    const Buckets cycles = repeated_buckets(log, run);
    for (std::size_t b = 0; b < kBucketCount; ++b) buckets_[i][b] += cycles[b];
  }
  run_cycles_.push_back(repeated_cycles(run));
  stretches_.insert(stretches_.end(), run.begin(), run.end());
}

void RepeatAccounting::apply(RunStats& stats, const Recorder& recorder,
                             const PowerUnit& power) const {
  if (stretches_.empty()) return;
  stats.total_cycles = repeated_cycles(stretches_);
  stats.run_cycles = run_cycles_;
  NPU_CHECK(stats.units.size() == buckets_.size(), "buckets of every unit");
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    stats.units[i].timeline = Timeline(buckets_[i]);
    NPU_CHECK(stats.units[i].timeline.accounted() == stats.total_cycles, "buckets do not close");
  }
  for (std::size_t i = 0; i < repeats_.size(); ++i) {
    LayerStats& layer = stats.layers[i];
    layer.repeats = repeats_[i];
    for (std::uint64_t* figure :
         {&layer.mac_busy_cycles, &layer.vector_busy_cycles, &layer.dma_busy_cycles,
          &layer.dram_read_bytes, &layer.dram_write_bytes}) {
      *figure *= repeats_[i];
    }
    multiply(layer.events, repeats_[i]);
    multiply(stats.events_per_layer[i], repeats_[i]);
  }
  EventCounts& no_layer = stats.events_per_layer.back();
  no_layer = {};
  for (const Recorder::Activity& a : recorder.without_layer()) {
    no_layer[static_cast<std::size_t>(a.event)] +=
        repeated_count(a.count, a.begin_cycle, a.end_cycle, stretches_);
  }
  stats.events = {};
  for (const EventCounts& of : stats.events_per_layer) {
    for (std::size_t e = 0; e < kEventCount; ++e) stats.events[e] += of[e];
  }
  stats.power = power.repeated_samples(stretches_, stats.events);
}

}  // namespace npu
