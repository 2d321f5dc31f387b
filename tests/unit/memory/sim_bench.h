#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <utility>
#include <vector>

#include "sim/memory/dma.h"
#include "tests/unit/memory/fixtures.h"

namespace npu::test {

/// A thread that runs one function at a time.
class Worker : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Worker);
  explicit Worker(const sc_core::sc_module_name& name) : sc_module(name) { SC_THREAD(loop); }
  void start(std::function<void()> body) {
    body_ = std::move(body);
    go_.notify(sc_core::SC_ZERO_TIME);
  }

 private:
  void loop() {
    for (;;) {
      wait(go_);
      body_();
    }
  }
  std::function<void()> body_;
  sc_core::sc_event go_;
};

/// A memory system: scratchpad, DRAM, DMA channels. One per process.
struct SimBench {
  struct Options {
    DramConfig dram = simple_dram();
    InterconnectConfig link{.bytes_per_cycle = 1024, .latency_cycles = 0};
    SramConfig scratchpad{.capacity_bytes = 64 * 1024,
                          .banks = 4,
                          .port_width_bytes = 16,
                          .ports = 2,
                          .latency_cycles = 1,
                          .interleave = Interleave::kWord};
    DmaConfig dma{.channels = 2,
                  .bus_width_bytes = 16,
                  .max_outstanding = 16,
                  .max_burst_bytes = 64,
                  .setup_cycles = 0};
    std::int64_t period_ps = 1000;
    bool with_data = true;
  };
  /// DDR4-2400 timings at a 1 GHz command clock, so that with a 1 GHz core both count the same
  /// cycles.
  static DramConfig simple_dram() {
    DramConfig c = ddr4_2400();
    c.clock_mhz = 1000;
    return c;
  }

  explicit SimBench(const Options& o)
      : options(o),
        clock(o.period_ps),
        scratchpad("scratchpad", o.scratchpad, o.with_data),
        dram("dram", o.dram, o.link, clock, recorder, o.with_data) {
    recorder.trace_enabled = true;
    for (int i = 0; i < 4; ++i) {
      workers.push_back(std::make_unique<Worker>(("worker" + std::to_string(i)).c_str()));
    }
    for (int i = 0; i < o.dma.channels; ++i) {
      const std::string name = "dma" + std::to_string(i);
      dma.push_back(
          std::make_unique<DmaChannel>(name.c_str(), o.dma, clock, scratchpad, dram, recorder));
    }
  }
  SimBench() : SimBench(Options{}) {}

  /// Runs up to four bodies side by side to their end. @return cycles that took.
  std::uint64_t run(const std::vector<std::function<void()>>& bodies) {
    const std::uint64_t begin = clock.now();
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    for (std::size_t i = 0; i < bodies.size(); ++i) workers.at(i)->start(bodies[i]);
    sc_core::sc_start();
    return clock.now() - begin;
  }
  [[nodiscard]] std::uint64_t total(Event e) const {
    return recorder.totals()[static_cast<std::size_t>(e)];
  }

  Options options;
  CoreClock clock;
  Recorder recorder{4};
  Sram scratchpad;
  Dram dram;
  std::vector<std::unique_ptr<DmaChannel>> dma;
  std::vector<std::unique_ptr<Worker>> workers;
};

inline std::uint64_t sum_of(const Timeline& timeline) {
  std::uint64_t sum = 0;
  for (const std::uint64_t cycles : timeline.all()) sum += cycles;
  return sum;
}

/// Keeps `outstanding` requests of `bytes` in flight until `count` are done.
class Streamer : public DramClient {
 public:
  Streamer(Dram& dram, const CoreClock& clock) : dram_(dram), clock_(clock) {}

  std::function<std::int64_t(int)> address = [](int i) { return std::int64_t{i} * 64; };
  std::function<bool(int)> is_write = [](int) { return false; };
  int count = 1, outstanding = 1000;
  std::int32_t bytes = 64, layer = -1;
  std::vector<std::uint64_t> done_at;  ///< By request.

  void run() {
    done_at.assign(static_cast<std::size_t>(count), 0);
    for (int i = 0; i < count; ++i) {
      while (in_flight_ >= outstanding) wait_for_one();
      const DramRequest request{.address = address(i),
                                .bytes = bytes,
                                .is_write = is_write(i),
                                .layer = layer,
                                .tag = static_cast<std::uint64_t>(i),
                                .client = this};
      while (!dram_.offer(request)) sc_core::wait(dram_.space_event());
      ++in_flight_;
    }
    while (in_flight_ > 0) wait_for_one();
  }

 private:
  void wait_for_one() {
    if (answered_.empty()) sc_core::wait(event_);
    const auto first = std::min_element(answered_.begin(), answered_.end());
    clock_.wait_until(*first);
    answered_.erase(first);
    --in_flight_;
  }
  void on_dram_done(std::uint64_t tag, std::uint64_t core_cycle) override {
    done_at[tag] = core_cycle;
    answered_.push_back(core_cycle);
    event_.notify();
  }
  Dram& dram_;
  const CoreClock& clock_;
  int in_flight_ = 0;
  std::vector<std::uint64_t> answered_;
  sc_core::sc_event event_;
};

}  // namespace npu::test
