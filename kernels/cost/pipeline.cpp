#include "kernels/cost/pipeline.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/base/math.h"
#include "sim/timing/dma_timing.h"
#include "sim/timing/dram_timing.h"

namespace npu::cost {
namespace {

using std::int64_t;

constexpr double kWordBytes = 64;
constexpr std::size_t kMostPorts = 64;  ///< Of a memory's contiguous banks; others never wait.
constexpr double kFetchedWords = 8;     ///< Per request of the sequencer.

double core_cycles(const NpuConfig& config, double clocks) {
  return clocks * config.clock.frequency_mhz / config.dram.clock_mhz;
}

/// Blocks of `size` bytes that a run touches on average: all offsets that its address can have.
double blocks_touched(int64_t run, int64_t pitch, int64_t rows, int64_t size) {
  const int64_t step = rows > 1 ? std::gcd(pitch, size) : size;
  return static_cast<double>(run + size - std::gcd(std::gcd(run, size), step)) /
         static_cast<double>(size);
}

std::vector<Bookings> ports_of(const SramConfig& config) {
  const int groups = config.interleave == Interleave::kWord ? 1 : config.banks;
  return std::vector<Bookings>(std::min(
      kMostPorts, static_cast<std::size_t>(groups) * static_cast<std::size_t>(config.ports)));
}

}  // namespace

Pipeline::Pipeline(const NpuConfig& config)
    : config_(config),
      dram_rate_(timing::dram_bytes_per_core_cycle(config)),
      first_latency_(static_cast<double>(timing::request_latency_cycles(config, false))),
      next_latency_(first_latency_),
      write_latency_(2.0 * config.interconnect.latency_cycles + 1),
      write_queue_cycles_(0),
      fetch_cycles_(0),
      scratchpad_{&config.scratchpad, ports_of(config.scratchpad)},
      accumulator_{&config.accumulator, ports_of(config.accumulator)} {
  const DramConfig& dram = config.dram;
  if (dram.kind == DramKind::kFixedLatency) {
    write_latency_ = static_cast<double>(timing::request_latency_cycles(config, true));
  } else {
    next_latency_ -= core_cycles(config, dram.tRCD);
    write_latency_ += dram.controller_latency_ns * config.clock.frequency_mhz / 1000.0;
    // A drain of queued writes ends with the bus turning to reads.
    const double drained = std::max(1, dram.write_drain_high - dram.write_drain_low);
    const double turn = dram.tWTR_L + dram.tCL + dram.tRTRS;
    turnaround_ += turn / (drained * static_cast<double>(timing::burst_clocks(dram)));
    write_queue_cycles_ = static_cast<double>(dram.write_queue_depth * dram.channels) *
                          static_cast<double>(dram.burst_bytes()) / dram_rate_;
  }
  if (config.sequencer.program_memory == ProgramMemory::kDram) {
    fetch_cycles_ = first_latency_ + kFetchedWords * kWordBytes / dram_rate_;
    sequencer_ = fetch_cycles_;
  }
}

void Pipeline::dispatch(int64_t words) {
  traffic_.instructions += static_cast<double>(words);
  sequencer_ += static_cast<double>(words * config_.sequencer.dispatch_cycles);
}

/// The share of the bandwidth that runs of `run` bytes, `pitch` apart, get at most: of the channels
/// those that they touch, and of a bank group's commands one per tCCD_L where they stay in it.
double Pipeline::dram_share(int64_t run, int64_t pitch, bool is_one) const {
  const DramConfig& dram = config_.dram;
  const int64_t burst = dram.burst_bytes();
  if (is_one || dram.kind == DramKind::kFixedLatency || pitch % burst != 0) return 1;
  const int64_t bursts = ceil_div(run, burst);
  const auto touched = [&](int64_t units) {  // of `units` that bursts go round
    const int64_t gap = std::gcd(pitch / burst, units);
    return std::min(units, std::min(gap, bursts) * (units / gap));
  };
  double share = 1;
  const std::string& mapping = dram.address_mapping;
  if (dram.channels > 1 && mapping.ends_with("-ch")) {
    share = static_cast<double>(touched(dram.channels)) / dram.channels;
  }
  const int64_t clocks = timing::stream_clocks_per_burst(dram);
  if (dram.bank_groups > 1 && mapping.ends_with("-bg-ch") && dram.tCCD_L > clocks) {
    const int64_t both = int64_t{dram.channels} * dram.bank_groups;
    const double groups = static_cast<double>(touched(both)) /
                          static_cast<double>(touched(dram.channels));  // of a channel
    share *= std::min(1.0, groups * static_cast<double>(clocks) / dram.tCCD_L);
  }
  return share;
}

Pipeline::DataTime Pipeline::data_time(const Transfer& t, bool is_write) const {
  const bool is_one = t.rows <= 1 || t.pitch == t.run;
  const int64_t rows = is_one ? 1 : t.rows;
  const int64_t run = is_one ? t.bytes() : t.run;
  const DmaConfig& dma = config_.dma;
  const int64_t request = timing::request_bytes(config_);
  const int64_t burst = config_.dram.burst_bytes();
  const auto count = static_cast<double>(rows);
  const auto span = static_cast<double>(rows == 1 ? run : rows * t.pitch);
  // Runs that share bursts with the next ones share requests, too.
  const bool touch = rows > 1 && t.pitch - run < burst;
  const double bursts = std::min(count * blocks_touched(run, t.pitch, rows, burst),
                                 std::max(1.0, span / static_cast<double>(burst)));
  double requests = count * blocks_touched(run, t.pitch, rows, request);
  if (touch) requests = std::min(requests, std::max(1.0, span / static_cast<double>(request)));
  const double piece = static_cast<double>(t.bytes()) / requests;
  double beats = requests * std::ceil(piece / dma.bus_width_bytes - 1e-6);
  if (!touch) {
    const int64_t run_beats = run / request * ceil_div(request, dma.bus_width_bytes) +
                              ceil_div(run % request, dma.bus_width_bytes);
    beats = count * static_cast<double>(run_beats);
  }
  const int64_t kept = t.kept_run > 0 ? t.kept_run : run;
  if (!is_write && dma.full_rate_run_bytes > 0 && kept > dma.full_rate_run_bytes &&
      kept < t.bytes()) {
    beats *= dma.long_run_beat_cycles;
  }
  DataTime d;
  d.bursts = bursts;
  d.dram = bursts * static_cast<double>(burst) / (dram_rate_ * dram_share(run, t.pitch, is_one));
  const double link = static_cast<double>(rows * run) / config_.interconnect.bytes_per_cycle;
  const double latency = is_write ? write_latency_ : next_latency_;
  const double slots = std::max(0.0, requests / dma.max_outstanding - 1) * latency;
  d.own = std::max({beats, link, slots});
  return d;
}

double Pipeline::load(Channel channel, const Transfer& t, Range to, double after) {
  Engine& engine = channels_[static_cast<std::size_t>(channel)];
  engine.used = ++uses_;
  const DmaConfig& dma = config_.dma;
  double begin = std::max({engine.free, after, sequencer_});
  const DataTime d = data_time(t, false);
  const bool follows = dma.pipelined_descriptors && engine.data > begin;
  if (!follows) begin += dma.setup_cycles;
  const double data =
      std::max(begin + first_latency_, dma.pipelined_descriptors ? engine.data : 0.0);
  double end = std::max(data + d.own, dram_.book(d.dram, data, d.own));
  end = std::max(end, book_transfer({to, static_cast<double>(t.bytes()), true}, data, end - data));
  traffic_.dma_bytes += static_cast<double>(t.bytes());
  traffic_.scratchpad_write_bytes += static_cast<double>(t.bytes());
  traffic_.dram_read_bursts += d.bursts;
  engine.data = last_read_ = end;
  engine.free = dma.pipelined_descriptors ? std::max(begin, end - first_latency_) : end;
  end += dma.load_completion_cycles;
  if (!dma.pipelined_descriptors) engine.free = end;
  note(end);
  return end;
}

double Pipeline::store(const Transfer& t, Range from, double after) {
  Engine& engine = channels_[static_cast<std::size_t>(Channel::kStore)];
  engine.used = ++uses_;
  const DmaConfig& dma = config_.dma;
  double begin = std::max({engine.free, after, sequencer_});
  DataTime d = data_time(t, true);
  const bool follows = dma.pipelined_descriptors && engine.data > begin;
  if (!follows) begin += dma.setup_cycles;
  const double data = begin + config_.scratchpad.latency_cycles;
  traffic_.dma_bytes += static_cast<double>(t.bytes());
  traffic_.scratchpad_read_bytes += static_cast<double>(t.bytes());
  traffic_.dram_write_bursts += d.bursts;
  if (last_read_ > data) d.dram *= turnaround_;
  double end = data + d.own;
  end = std::max(end, book_transfer({from, static_cast<double>(t.bytes()), false}, data, d.own));
  end = std::max(end, dram_.book(d.dram, data, end - data) - write_queue_cycles_);
  engine.free = dma.pipelined_descriptors ? end : end + write_latency_;
  end += write_latency_;
  engine.data = end;
  note(end);
  return end;
}

double Pipeline::book(Memory& memory, std::span<const Stream> streams, double start,
                      double duration) {
  const SramConfig& config = *memory.config;
  const bool by_block = config.interleave == Interleave::kBlock;
  const int64_t bank_bytes = ceil_div(config.capacity_bytes, int64_t{config.banks});
  std::array<double, kMostPorts> work{};
  for (const Stream& s : streams) {
    if (s.bytes <= 0) continue;
    const bool is_somewhere = s.range.high > s.range.low;
    if (by_block && !is_somewhere) continue;
    const int64_t first = by_block ? s.range.low / bank_bytes : 0;
    const int64_t last = by_block ? (s.range.high - 1) / bank_bytes : 0;
    const int64_t touched = by_block ? last - first + 1 : config.banks;
    const double each = s.bytes / static_cast<double>(touched * config.port_width_bytes);
    const int64_t port = config.ports == 2 && s.is_write ? 1 : 0;
    for (int64_t bank = first; bank <= last; ++bank) {
      const auto at = static_cast<std::size_t>(bank * config.ports + port);
      if (at < memory.ports.size()) work[at] += each;
    }
  }
  double end = start + duration;
  for (std::size_t i = 0; i < memory.ports.size(); ++i) {
    if (work[i] <= 0) continue;
    end = std::max(end, memory.ports[i].book(work[i], start, duration));
  }
  return end;
}

/// A transfer goes through its range from the low end to the high one.
double Pipeline::book_transfer(const Stream& stream, double start, double duration) {
  const SramConfig& config = config_.scratchpad;
  const Range& all = stream.range;
  if (config.interleave == Interleave::kWord || all.high <= all.low) {
    return book(scratchpad_, {&stream, 1}, start, duration);
  }
  const int64_t bank_bytes = ceil_div(config.capacity_bytes, int64_t{config.banks});
  for (int64_t low = all.low; low < all.high;) {
    const int64_t high = std::min(all.high, (low / bank_bytes + 1) * bank_bytes);
    const double part = static_cast<double>(high - low) / static_cast<double>(all.high - all.low);
    const Stream piece{{low, high}, stream.bytes * part, stream.is_write};
    start = book(scratchpad_, {&piece, 1}, start, duration * part);
    low = high;
  }
  return start;
}

double Pipeline::preload(double cycles, const Stream& weights, double after) {
  array_used_ = ++uses_;
  const double asked = std::max({array_issue_, after, sequencer_});
  const double start = std::max({asked, shadow_free_, weights_ready_});
  weights_ready_ = book(scratchpad_, {&weights, 1}, start, cycles);
  array_issue_ = start;
  note(weights_ready_);
  return weights_ready_;
}

double Pipeline::tile(const ArrayWork& work, std::span<const Stream> scratchpad,
                      std::span<const Stream> accumulator, double after) {
  array_used_ = ++uses_;
  const double asked = std::max({array_issue_, after, sequencer_});
  const double start = std::max({asked, array_free_, weights_ready_});
  const double end = std::max(book(scratchpad_, scratchpad, start, work.total),
                              book(accumulator_, accumulator, start, work.total));
  const double stretch = work.total > 0 ? (end - start) / work.total : 1;
  array_free_ = end;
  shadow_free_ = start + work.shadow_free * stretch;
  array_issue_ = shadow_free_;
  note(end);
  return end;
}

double Pipeline::vector(double busy, std::span<const Stream> scratchpad,
                        std::span<const Stream> accumulator, double after) {
  vector_used_ = ++uses_;
  const double start = std::max({vector_free_, after, sequencer_});
  const double total = busy + config_.vector_unit.latency_cycles;
  double end = std::max(book(scratchpad_, scratchpad, start, total),
                        book(accumulator_, accumulator, start, total));
  end = std::max(end, vector_end_);
  vector_free_ = config_.vector_unit.pipelined ? start + busy : end;
  vector_end_ = end;
  note(end);
  return end;
}

double Pipeline::streamed(const timing::StripedTile& tile, double entry_cycles, double after) {
  const MacArrayConfig& array = config_.mac_array;
  array_used_ = vector_used_ = ++uses_;
  const double begin = std::max({array_issue_, after, sequencer_, array_free_, weights_ready_});
  double at = begin;
  for (std::int64_t i = 0; i < tile.stripes.count(); ++i) {
    const std::int64_t positions = tile.stripes.length(i);
    const auto fold = static_cast<double>(tile.fold_cycles(positions));
    const auto streamed = static_cast<double>(positions * tile.cycles_per_position);
    // Places: of the entries before, all but those that fit beside this stripe must be taken.
    std::int64_t beside = array.result_stream_entries - positions;
    double place = 0;
    for (const Taken& t : taken_) {
      if (beside < t.entries) {
        place = t.start +
                static_cast<double>(t.entries - std::max<std::int64_t>(beside, 0)) * entry_cycles +
                array.result_credit_latency_cycles;
        break;
      }
      beside -= t.entries;
    }
    shadow_free_ = std::max(at + static_cast<double>(tile.passes - 1) * fold, place);
    array_free_ = shadow_free_ + streamed;
    const double ready = array_free_ - 1 + array.result_stream_latency_cycles;
    taken_[1] = taken_[0];
    taken_[0] = {positions, std::max(vector_free_, ready)};
    vector_free_ = taken_[0].start + static_cast<double>(positions) * entry_cycles;
    at = shadow_free_ + fold;
  }
  array_issue_ = shadow_free_;
  vector_end_ = vector_free_ + config_.vector_unit.latency_cycles;
  note(vector_end_);
  return vector_end_;
}

std::size_t Pipeline::add_slots(int count) {
  slots_.emplace_back(static_cast<std::size_t>(std::max(count, 0)));
  periods_ = std::max(periods_, std::min(count, 8) + 1);
  return slots_.size() - 1;
}

Pipeline::Claim Pipeline::claim(std::size_t slots, int64_t key) {
  std::vector<Slot>& all = slots_[slots];
  std::size_t oldest = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].key == key) {
      all[i].used = ++uses_;
      return {&all[i], true, static_cast<int>(i)};
    }
    if (all[i].used < all[oldest].used) oldest = i;
  }
  all[oldest].key = key;
  all[oldest].used = ++uses_;
  return {&all[oldest], false, static_cast<int>(oldest)};
}

void Pipeline::shift(double cycles, std::uint64_t since) {
  bool moved = false;
  for (Engine& e : channels_) {
    if (e.used <= since) continue;
    e.free += cycles;
    e.data += cycles;
    moved = true;
  }
  if (moved) dram_.shift(cycles);
  if (array_used_ > since) {
    for (double* t : {&array_free_, &array_issue_, &shadow_free_, &weights_ready_}) *t += cycles;
  }
  if (vector_used_ > since) {
    vector_free_ += cycles;
    vector_end_ += cycles;
    for (Taken& t : taken_) t.start += cycles;
  }
  sequencer_ += cycles;
  last_ += cycles;
  for (Memory* m : {&scratchpad_, &accumulator_}) {
    for (Bookings& b : m->ports) b.shift(cycles);
  }
  for (std::vector<Slot>& slots : slots_) {
    for (Slot& s : slots) {
      if (s.used <= since) continue;
      s.ready += cycles;
      s.free += cycles;
    }
  }
}

void Traffic::add_again(const Traffic& before, double times) {
  constexpr std::array kAll = {&Traffic::macs,
                               &Traffic::vector_ops,
                               &Traffic::register_bytes,
                               &Traffic::dma_bytes,
                               &Traffic::scratchpad_read_bytes,
                               &Traffic::scratchpad_write_bytes,
                               &Traffic::accumulator_read_bytes,
                               &Traffic::accumulator_write_bytes,
                               &Traffic::dram_read_bursts,
                               &Traffic::dram_write_bursts,
                               &Traffic::instructions};
  for (const auto field : kAll) this->*field += (this->*field - before.*field) * times;
}

double Pipeline::end() const { return last_ + dram_.left_after(last_); }

}  // namespace npu::cost
