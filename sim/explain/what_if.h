#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "isa/program.h"
#include "kernels/lowering/compile.h"
#include "sim/config/npu_config.h"
#include "workloads/graph/graph.h"

namespace npu::explain {

/// A changed NPU: what would a run gain if one thing were better?
struct WhatIf {
  std::string name;    ///< "no_refresh"
  std::string change;  ///< What is changed, for readers.
  NpuConfig config;
  /// The program of the unchanged NPU would not use the change, or would not run: only the network
  /// mapped anew shows it.
  bool needs_mapping = false;
};

/// DRAM without limits (each burst a thousandth of a core cycle, every timing at its least, a queue
/// that never fills), no refresh, no bank conflicts (65,536 times the banks, word-interleaved),
/// double scratchpad, accumulators, array rows, array columns (with the weight port as wide),
/// vector lanes, DMA and interconnect width, requests in flight, queues of the engines; no DMA
/// set-up. Those that change nothing of this NPU (refresh of a DRAM that has none) are left out.
[[nodiscard]] std::vector<WhatIf> what_ifs(const NpuConfig& base);

/// Cycles of one inference on the changed NPU, timing only.
struct Outcome {
  std::string name, change;
  std::optional<std::uint64_t> same_program_cycles = {};  ///< The unchanged NPU's program.
  std::optional<std::uint64_t> remapped_cycles = {};  ///< The network mapped anew, if that differs.
  bool is_same_program = false;                       ///< Mapped anew it is the same program.
  std::string failure = {};                           ///< Why there are no cycles.

  /// The better of the two.
  [[nodiscard]] std::optional<std::uint64_t> cycles() const;
  [[nodiscard]] bool is_remapped() const;
};

struct Study {
  std::uint64_t base_cycles = 0;   ///< The unchanged NPU, one inference from a cold start.
  std::vector<Outcome> outcomes;   ///< Fewest cycles first; those without cycles last.
  std::vector<std::string> notes;  ///< Anomalies, one line each.
};

/// A better part can make a run slower (timing anomalies: another order of requests at the banks);
/// what is slower than the unchanged NPU by more than this share gets a note.
inline constexpr double kTolerance = 0.01;

/// Simulates every what-if in processes of their own.
/// @param program  what the unchanged NPU ran.  @param network  what it was mapped from (passes
/// applied), or nullptr: only the what-ifs that need no mapping.  @param attention  its variant.
/// @param on_done  called with the number of simulations that are done and of all.
/// @throws Error if the unchanged NPU cannot be simulated.
[[nodiscard]] Study study(const NpuConfig& base, const isa::Program& program,
                          const graph::Graph* network, kernels::AttentionVariant attention,
                          const std::function<void(std::size_t, std::size_t)>& on_done);

}  // namespace npu::explain
