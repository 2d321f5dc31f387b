#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <systemc>
#include <utility>

#include "sim/compute/mac_array.h"
#include "sim/compute/vector_unit.h"
#include "sim/memory/core_clock.h"
#include "sim/memory/sram.h"
#include "sim/stats/recorder.h"

namespace npu::test {

/// Runs a function as a thread of the simulation.
class Script : public sc_core::sc_module {
 public:
  Script(const sc_core::sc_module_name& name, std::function<void()> body)
      : sc_module(name), body_(std::move(body)) {
    SC_HAS_PROCESS(Script);
    SC_THREAD(run);
  }
  std::exception_ptr failure;

 private:
  void run() {
    try {
      body_();
    } catch (const std::exception&) {
      failure = std::current_exception();
    }
  }
  std::function<void()> body_;
};

/// A core's memories, recorder and clock of 1 ns.
class UnitTest : public testing::Test {
 public:
  ~UnitTest() override { sc_core::sc_get_curr_simcontext()->reset(); }

 protected:
  /// Memories with `bytes_per_cycle` in one bank; call first.
  void make_memories(int bytes_per_cycle, bool with_data) {
    const SramConfig config{
        .capacity_bytes = 1 << 18, .banks = 1, .port_width_bytes = bytes_per_cycle, .ports = 2};
    scratchpad = std::make_unique<Sram>("scratchpad", config, with_data);
    accumulator = std::make_unique<Sram>("accumulator", config, with_data);
  }
  void run(std::function<void()> body) {
    Script script("script", std::move(body));
    sc_core::sc_start();
    if (script.failure) std::rethrow_exception(script.failure);
  }
  [[nodiscard]] std::uint64_t total(Event e) const {
    return recorder.totals()[static_cast<std::size_t>(e)];
  }

  CoreClock clock{1000};
  Recorder recorder{1};
  std::unique_ptr<Sram> scratchpad, accumulator;
};

/// Sum of the buckets.
inline std::uint64_t sum_of(const Timeline& t) {
  std::uint64_t sum = 0;
  for (const std::uint64_t c : t.all()) sum += c;
  return sum;
}

}  // namespace npu::test
