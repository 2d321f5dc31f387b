#pragma once

#include <numeric>
#include <systemc>
#include <utility>
#include <vector>

#include "sim/core/machine.h"
#include "tests/unit/core/program_builder.h"

namespace npu::machine_test {

struct Outcome {
  RunStats stats;
  std::vector<std::byte> output;  ///< `output_bytes` from kOutputAddress.
  std::vector<std::vector<std::byte>> captured;
};

/// Builds a machine, runs it `runs` times and takes it down again, so that a test can compare
/// several.
inline Outcome simulate(const isa::Program& program, const NpuConfig& config,
                        const MachineOptions& options = {}, int runs = 1,
                        std::size_t output_bytes = 0) {
  Outcome outcome;
  outcome.output.resize(output_bytes);
  {
    Machine machine(config, program, options);
    for (int i = 0; i < runs; ++i) machine.run();
    outcome.stats = machine.stats();
    if (!options.timing_only) machine.read_dram(kOutputAddress, outcome.output);
    outcome.captured = machine.captured();
  }
  sc_core::sc_get_curr_simcontext()->reset();
  return outcome;
}

inline const Timeline& unit(const RunStats& stats, std::string_view name) {
  for (const UnitStats& u : stats.units) {
    if (u.name == name) return u.timeline;
  }
  throw std::logic_error("no such unit");
}

inline std::uint64_t count(const RunStats& stats, Event event) {
  return stats.events[static_cast<std::size_t>(event)];
}

/// Tiles of x[m,k]·w[n,k]ᵀ through `buffers` buffers in the scratchpad: dma0 loads x and w of tile
/// i as soon as the array has left the buffer, the array multiplies when they are there.
inline isa::Program tiled_gemm(int tiles, int buffers) {
  constexpr std::int64_t kM = 128, kN = 32, kK = 32, kTileBytes = (kM + kN) * kK;
  std::vector<isa::Instruction> code;
  for (int i = 0; i < tiles; ++i) {
    const std::int64_t at = i % buffers * kTileBytes;
    const std::uint8_t free = i >= buffers ? kMac : 0;
    const std::uint8_t left = i + buffers < tiles ? kDma0 : 0;
    code.push_back(load(0, i % 4 * kTileBytes, at, kTileBytes, free, kMac));
    code.push_back(gemm(at, at + kM * kK, i % 2 * kM * kN * 4, kM, kN, kK, kDma0, left));
  }
  return program_of(std::move(code));
}

}  // namespace npu::machine_test
