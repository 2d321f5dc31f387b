#include "sim/memory/dram.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>

#include "sim/base/error.h"
#include "sim/base/math.h"
#include "sim/memory/address_mapping.h"
#include "sim/memory/dram_activity.h"
#include "sim/memory/dram_rates.h"
#include "sim/memory/dram_scheduler.h"
#include "sim/memory/fixed_latency_channel.h"
#include "sim/memory/interconnect.h"
#include "sim/memory/open_request.h"
#include "sim/memory/paged_bytes.h"
#include "sim/memory/read_window.h"
#include "sim/timing/dram_timing.h"

namespace npu {
namespace {

constexpr std::int64_t kBoundaryBytes = 4096;

}  // namespace

struct Dram::Impl {
  /// Controller and devices of one channel.
  class Channel : public sc_core::sc_module {
   public:
    SC_HAS_PROCESS(Channel);
    Channel(const sc_core::sc_module_name& name, Impl& owner, const DramConfig& config,
            std::uint32_t track)
        : sc_module(name),
          owner_(owner),
          scheduler_(config),
          activity_(config, owner.to_core, owner.recorder, track) {
      SC_METHOD(step);
      sensitive << wake_;
      dont_initialize();
    }

    [[nodiscard]] bool has_room(bool is_write) const { return scheduler_.has_room(is_write); }
    /// @return whether a place in the queue was free.
    bool push(const DramBurst& burst) {
      activity_.arrives(burst);
      const bool has_place = scheduler_.push(burst);
      wake_at(scheduler_.wake_for(burst.arrival));
      return has_place;
    }
    void close(std::uint64_t cycle) {
      scheduler_.banks().refresh_until(owner_.to_clock.floor(static_cast<std::int64_t>(cycle)));
      activity_.count_refreshes(scheduler_.banks(), cycle);
      activity_.close(cycle);
    }
    [[nodiscard]] DramActivity& activity() { return activity_; }

   private:
    void wake_at(DramClock clock);
    void step();

    Impl& owner_;
    DramScheduler scheduler_;
    DramActivity activity_;
    sc_core::sc_event wake_;
    DramClock pending_ = kNever;  ///< When wake_ will fire.
    DramClock now_ = 0;           ///< Of the last step.
    std::vector<DramScheduler::Issue> issues_;
  };

  Impl(const DramConfig& dram, const InterconnectConfig& link, const CoreClock& core,
       Recorder& counters, bool keeps_data);

  [[nodiscard]] bool can_take(const DramRequest& request) const;
  [[nodiscard]] bool has_room(const DramRequest& request) const;
  void accept(const DramRequest& request);
  void finish(const DramRequest& request, std::uint64_t cycle);
  /// Sees to it that the requesters are told when a request like this one may be accepted.
  void arm(const DramRequest& request);
  void tell_of_space_at(std::uint64_t cycle) {
    const sc_core::sc_time time = clock.at(cycle);
    const sc_core::sc_time& now = sc_core::sc_time_stamp();
    space.notify(time > now ? time - now : sc_core::SC_ZERO_TIME);
  }
  void booked(const DramScheduler::Issue& issue);
  void placed(std::uint32_t slot);
  void answer_read(const OpenRequest& open);
  void answer_write(const OpenRequest& open);
  std::uint32_t open_slot();
  /// Tells the requesters that were refused, if one could be served.
  void tell_of_space() {
    if (anyone_waits()) space.notify(sc_core::SC_ZERO_TIME);
  }
  [[nodiscard]] bool anyone_waits() const { return !refused[0].empty() || !refused[1].empty(); }

  const DramConfig config;
  const CoreClock& clock;
  Recorder& recorder;
  const DramRates rates;
  const ClockRatio to_core, to_clock, clock_to_ps;
  const AddressMapping mapping;  ///< Of the channels.
  const std::int64_t capacity_bytes;
  const std::int64_t burst_bytes;
  const DramClock burst_clocks;
  Interconnect link;
  Interconnect::Lane there{link}, back{link};
  std::uint64_t cycles_there, cycles_back;
  bool with_data;
  PagedBytes bytes;
  sc_core::sc_event space;
  std::array<std::deque<DramClient*>, 2> refused;  ///< To serve first: of reads, of writes.
  std::vector<OpenRequest> open;
  std::vector<std::uint32_t> free_slots;
  std::vector<std::unique_ptr<Channel>> channels;
  std::unique_ptr<FixedLatencyChannel> fixed;  ///< Instead of channels.
  ReadWindow reads;
};

void Dram::Impl::Channel::wake_at(DramClock clock) {
  if (clock >= pending_) return;
  pending_ = clock;
  const auto at = static_cast<std::uint64_t>(owner_.clock_to_ps.ceil(clock));
  const std::uint64_t now = sc_core::sc_time_stamp().value();
  wake_.notify(sc_core::sc_time::from_value(at > now ? at - now : 0));
}

void Dram::Impl::Channel::step() {
  now_ = std::max(now_, pending_);
  pending_ = kNever;
  issues_.clear();
  const DramClock next = scheduler_.run(now_, issues_);
  for (const std::uint32_t slot : scheduler_.placed()) owner_.placed(slot);
  for (const DramScheduler::Issue& issue : issues_) {
    activity_.add(issue, owner_.open[issue.burst.request].request.layer, scheduler_.banks());
    owner_.booked(issue);
  }
  const std::uint64_t cycle = owner_.clock.now();
  activity_.count_refreshes(scheduler_.banks(), cycle);
  activity_.settle(cycle);
  if (next != kNever) {
    wake_at(next);
  } else {
    activity_.flush_counters();
    // The run lasts until the last burst is through, though its requester was answered before.
    if (scheduler_.banks().data_free() > now_) wake_at(scheduler_.banks().data_free());
  }
  if (!issues_.empty()) owner_.tell_of_space();
}

Dram::Impl::Impl(const DramConfig& dram, const InterconnectConfig& interconnect,
                 const CoreClock& core, Recorder& counters, bool keeps_data)
    : config(dram),
      clock(core),
      recorder(counters),
      rates(dram, core),
      to_core(rates.clock_to_core()),
      to_clock(rates.core_to_clock()),
      clock_to_ps(rates.clock_to_ps()),
      mapping(dram),
      capacity_bytes(dram.capacity_bytes()),
      burst_bytes(dram.burst_bytes()),
      burst_clocks(dram.kind == DramKind::kFixedLatency ? 1 : timing::burst_clocks(dram)),
      link(interconnect),
      with_data(keeps_data),
      reads(interconnect.max_outstanding_reads) {
  const auto controller =
      static_cast<std::uint64_t>(ceil_div(std::int64_t{dram.controller_latency_ns} * 1000,
                                          static_cast<std::int64_t>(core.period_ps())));
  cycles_there = link.latency_cycles() + controller / 2;
  cycles_back = link.latency_cycles() + controller - controller / 2;
}

bool Dram::Impl::can_take(const DramRequest& request) const {
  const std::deque<DramClient*>& before = refused[request.is_write ? 1 : 0];
  if (!before.empty() && before.front() != request.client) return false;
  if (!request.is_write && reads.full()) return false;
  return has_room(request);
}

void Dram::Impl::arm(const DramRequest& request) {
  std::uint64_t at = 0;
  if (fixed != nullptr) {
    at = fixed->room_at(request);
  }
  if (!request.is_write && reads.full()) {
    if (!reads.next_free()) return;  // finish() will tell.
    at = std::max(at, *reads.next_free());
  } else if (fixed == nullptr) {
    return;  // The channel will tell.
  }
  tell_of_space_at(at);
}

void Dram::Impl::finish(const DramRequest& request, std::uint64_t cycle) {
  if (!request.is_write) {
    const bool was_full = reads.full() && !reads.next_free();
    reads.answer(cycle);
    if (was_full && anyone_waits()) tell_of_space_at(cycle);
  }
  request.client->on_dram_done(request.tag, cycle);
}

bool Dram::Impl::has_room(const DramRequest& request) const {
  if (fixed != nullptr) return fixed->has_room(request);
  const bool is_write = request.is_write;
  if (channels.size() == 1) return channels.front()->has_room(is_write);
  const std::int64_t last = (request.address + request.bytes - 1) / burst_bytes;
  std::uint64_t seen = 0;  // At most 64 channels.
  for (std::int64_t burst = request.address / burst_bytes; burst <= last; ++burst) {
    const std::uint32_t channel = mapping.decode(burst * burst_bytes).channel;
    if ((seen >> channel & 1U) != 0) continue;
    seen |= std::uint64_t{1} << channel;
    if (!channels[channel]->has_room(is_write)) return false;
  }
  return true;
}

std::uint32_t Dram::Impl::open_slot() {
  if (free_slots.empty()) {
    open.emplace_back();
    return static_cast<std::uint32_t>(open.size() - 1);
  }
  const std::uint32_t slot = free_slots.back();
  free_slots.pop_back();
  return slot;
}

void Dram::Impl::accept(const DramRequest& request) {
  const std::int64_t end = request.address + request.bytes;
  const std::int64_t first = request.address / burst_bytes;
  const std::int64_t last = (end - 1) / burst_bytes;
  const std::uint32_t slot = open_slot();
  const std::uint64_t now = clock.now();
  const auto bursts = static_cast<std::int32_t>(last - first + 1);
  open[slot] = {.request = request, .bursts_left = bursts, .offered = now, .bursts = bursts};
  std::uint64_t arrival = now + cycles_there;
  DramBurst burst{.is_write = request.is_write,
                  .arrival = to_clock.ceil(static_cast<std::int64_t>(arrival)),
                  .request = slot};
  std::int32_t without_place = 0;
  for (std::int64_t number = first; number <= last; ++number) {
    const DramLocation at = mapping.decode(number * burst_bytes);
    if (request.is_write) {
      const std::int64_t size = std::min(end, (number + 1) * burst_bytes) -
                                std::max(request.address, number * burst_bytes);
      arrival = there.pass(now, static_cast<std::uint64_t>(size)) + cycles_there;
      burst.arrival = to_clock.ceil(static_cast<std::int64_t>(arrival));
    }
    burst.bank = (at.rank * static_cast<std::uint32_t>(config.bank_groups) + at.bank_group) *
                     static_cast<std::uint32_t>(config.banks_per_group) +
                 at.bank;
    burst.row = at.row;
    burst.column = at.column;
    if (!channels[at.channel]->push(burst)) ++without_place;
  }
  if (!request.is_write) return;
  open[slot].places_left = without_place;
  open[slot].last_arrival = arrival;
  if (without_place == 0) answer_write(open[slot]);
}

void Dram::Impl::placed(std::uint32_t slot) {
  OpenRequest& request = open[slot];
  if (request.request.is_write && --request.places_left == 0) answer_write(request);
}

void Dram::Impl::booked(const DramScheduler::Issue& issue) {
  OpenRequest& request = open[issue.burst.request];
  request.first_data = std::min(request.first_data, issue.times.data_start);
  request.last_data = std::max(request.last_data, issue.times.data_end);
  if (--request.bursts_left > 0) return;
  const OpenRequest done = request;
  free_slots.push_back(issue.burst.request);
  if (!done.request.is_write) answer_read(done);
}

void Dram::Impl::answer_read(const OpenRequest& done) {
  const auto first = static_cast<std::uint64_t>(to_core.ceil(done.first_data));
  const auto last = static_cast<std::uint64_t>(to_core.ceil(done.last_data));
  done.request.client->on_dram_data(done.request.tag, back.begins(first) + cycles_back);
  const std::uint64_t passed = back.pass(first, static_cast<std::uint64_t>(done.request.bytes));
  const std::uint64_t delivered = std::max(last, passed);
  const DramClock idle_clocks = config.tRCD + config.tCL + done.bursts * burst_clocks;
  const std::uint64_t idle = cycles_there + static_cast<std::uint64_t>(to_core.ceil(idle_clocks));
  done.tell_delays({.interconnect = 2 * link.latency_cycles() + delivered - last,
                    .queued = done.late(last, idle)});
  finish(done.request, delivered + cycles_back);
}

void Dram::Impl::answer_write(const OpenRequest& done) {
  // A cycle of the way there is the data's own.
  done.tell_delays(
      {.interconnect = 2 * link.latency_cycles() + done.late(done.last_arrival, cycles_there + 1)});
  finish(done.request, std::max(done.last_arrival, clock.now()) + cycles_back);
}

Dram::Dram(const sc_core::sc_module_name& name, const DramConfig& config,
           const InterconnectConfig& interconnect, const CoreClock& clock, Recorder& recorder,
           bool with_data)
    : sc_module(name),
      impl_(std::make_unique<Impl>(config, interconnect, clock, recorder, with_data)) {
  if (config.kind == DramKind::kFixedLatency) {
    impl_->fixed = std::make_unique<FixedLatencyChannel>(
        "fixed_latency",
        FixedLatencyMemory(config, impl_->to_core, impl_->to_clock, recorder,
                           recorder.add_track("dram0")),
        clock, interconnect, [impl = impl_.get()](const DramRequest& request, std::uint64_t cycle) {
          impl->finish(request, cycle);
        });
    return;
  }
  for (int i = 0; i < config.channels; ++i) {
    const std::string channel = fmt::format("dram{}", i);
    impl_->channels.push_back(std::make_unique<Impl::Channel>(channel.c_str(), *impl_, config,
                                                              recorder.add_track(channel)));
  }
}

Dram::~Dram() = default;

bool Dram::offer(const DramRequest& request) {
  NPU_CHECK(request.bytes > 0 && request.address >= 0 &&
                request.address <= impl_->capacity_bytes - request.bytes,
            "a request leaves the DRAM");
  NPU_CHECK(
      request.address / kBoundaryBytes == (request.address + request.bytes - 1) / kBoundaryBytes,
      "a request crosses 4 KiB");
  NPU_CHECK(request.client != nullptr, "a request has no client");
  std::deque<DramClient*>& refused = impl_->refused[request.is_write ? 1 : 0];
  impl_->reads.release_until(impl_->clock.now());
  if (!impl_->can_take(request)) {
    if (std::find(refused.begin(), refused.end(), request.client) == refused.end()) {
      refused.push_back(request.client);
    }
    if (refused.front() == request.client) impl_->arm(request);
    return false;
  }
  if (!refused.empty()) refused.pop_front();
  if (!request.is_write) impl_->reads.take();
  if (impl_->fixed != nullptr) {
    const std::int64_t last = (request.address + request.bytes - 1) / impl_->burst_bytes;
    impl_->fixed->accept(request, last - request.address / impl_->burst_bytes + 1);
  } else {
    impl_->accept(request);
  }
  impl_->tell_of_space();
  return true;
}

bool Dram::reads_are_full() const { return impl_->reads.full(); }

const sc_core::sc_event& Dram::space_event() const { return impl_->space; }

std::int64_t Dram::burst_bytes() const { return impl_->burst_bytes; }

std::int64_t Dram::capacity_bytes() const { return impl_->capacity_bytes; }

void Dram::write(std::int64_t address, std::span<const std::byte> bytes) {
  NPU_CHECK(address >= 0 && address <= capacity_bytes() - static_cast<std::int64_t>(bytes.size()),
            "a write leaves the DRAM");
  if (impl_->with_data) impl_->bytes.write(address, bytes);
}

void Dram::read(std::int64_t address, std::span<std::byte> bytes) const {
  NPU_CHECK(address >= 0 && address <= capacity_bytes() - static_cast<std::int64_t>(bytes.size()),
            "a read leaves the DRAM");
  if (impl_->with_data) impl_->bytes.read(address, bytes);
}

void Dram::forget_layers() {
  for (OpenRequest& open : impl_->open) open.request.layer = -1;
}

void Dram::close(std::uint64_t cycle) {
  if (impl_->fixed != nullptr) impl_->fixed->memory().close(cycle);
  for (const auto& channel : impl_->channels) channel->close(cycle);
}

std::vector<Timeline*> Dram::live_timelines() const {
  if (impl_->fixed != nullptr) return {&impl_->fixed->memory().timeline()};
  std::vector<Timeline*> all;
  for (const auto& channel : impl_->channels) all.push_back(&channel->activity().timeline());
  return all;
}

void Dram::watch_queues(const std::vector<QueueWatch>& watches) {
  if (impl_->fixed != nullptr) return impl_->fixed->memory().watch(watches.at(0));
  for (std::size_t i = 0; i < watches.size(); ++i) {
    impl_->channels.at(i)->activity().watch(watches[i]);
  }
}

}  // namespace npu
