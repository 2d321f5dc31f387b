#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "isa/program.h"
#include "kernels/lowering/repeats.h"
#include "kernels/mapper/mapping.h"
#include "sim/config/npu_config.h"
#include "workloads/graph/graph.h"

namespace npu::mapper {
struct Decisions;
}  // namespace npu::mapper

namespace npu::kernels {

/// How ATTENTION runs: fused, its scores never leave the chip (online softmax over blocks of keys);
/// unfused, as matrix products and a softmax of their own; auto, whichever has fewer predicted
/// cycles.
enum class AttentionVariant : std::uint8_t { kAuto, kFused, kUnfused };
inline constexpr std::array<std::pair<std::string_view, AttentionVariant>, 3> kAttentionVariants = {
    {{"auto", AttentionVariant::kAuto},
     {"fused", AttentionVariant::kFused},
     {"unfused", AttentionVariant::kUnfused}}};
[[nodiscard]] std::string_view name_of(AttentionVariant variant);

struct CompileOptions {
  bool timing_only = false;  ///< No image bytes.
  AttentionVariant attention = AttentionVariant::kAuto;
  /// A whole or partial mapping that is taken as it is; must outlive compile().
  const mapper::Decisions* decisions = nullptr;
  /// The error of a decision names the smallest change that makes it legal; finding it takes many
  /// times the time of mapping.
  bool suggests = false;
  /// Inputs, outputs and variables that lie at an address of the caller's choice, below
  /// `dram_begin`: what one program leaves there, another one finds. They may overlap: nodes run in
  /// their order in the graph as far as their bytes say so.
  std::map<graph::TensorId, std::int64_t> dram_addresses = {};
  std::int64_t dram_begin = 0;  ///< Everything else in DRAM lies from here on.
  /// Timing-only: equal layers that repeat are lowered once, for the machine to count them as often
  /// as they occur. 0: every layer is lowered; from 1 on, how many times more than the least is
  /// kept of the steady periods (find_repeats).
  int repeat_effort = 0;
};

/// Where an operator runs.
enum class Place : std::uint8_t { kNpu, kHost, kAlias, kUnsupported };
/// kHost: float conversion at the network's edge. kAlias: pure change of shape, no bytes move.
[[nodiscard]] Place place_of(const graph::Graph& graph, const graph::Node& node);

/// What became of one ATTENTION, with the predictions for both variants.
struct AttentionChoice {
  graph::TensorId output = -1;  ///< The node's.
  bool fused = false;
  std::int64_t key_block = 0;  ///< Keys per block of the online softmax; 0: unfused.
  std::int64_t fused_cycles = 0, unfused_cycles = 0;
  std::int64_t fused_dram_bytes = 0, unfused_dram_bytes = 0;
};
/// Gives the ATTENTION and SOFTMAX nodes of a graph the order of roundings that the program has:
/// its provenance `attention` lists "output:key_block", `softmax` "output:block". @throws Error if
/// a list is none.
void apply_roundings(graph::Graph& graph, const isa::Program& program);

/// A compiled network.
struct Compiled {
  isa::Program program;
  std::string mapping_yaml;  ///< Readable mapping: per layer tiles, loop order, placement,
                             ///< predicted cycles.
  std::vector<AttentionChoice> attention;
  std::vector<int>
      host_before;  ///< Node indices the host runs before the NPU program (float to integer).
  std::vector<int> host_after;  ///< … and after it.
  RepeatPlan repeats;           ///< One kept entry per layer record of the program.
};

/// Maps `graph` (verified, passes applied) onto `config` and lowers it.
///
/// Where repeated layers are left out the others keep their addresses, and what they read of a
/// layer left out is read where the layer that stands in for it wrote. The least length of the
/// steady periods bounds what a refresh more or less among them makes: kRefreshShare of their time,
/// and kLeastSteadyCycles.
/// @throws Error for constants without their values unless timing-only, an operator without
/// lowering (name, index, attributes), or if a minimal tile cannot fit: the buffer, bytes needed
/// and bytes there.
[[nodiscard]] Compiled compile(const graph::Graph& graph, const NpuConfig& config,
                               const CompileOptions& options);

/// A network as it is lowered: attention in its variants, and the mapping of that graph.
struct MappedNetwork {
  graph::Graph graph;
  mapper::Mapping mapping;
  std::vector<AttentionChoice> attention;
};
/// The first half of compile().
[[nodiscard]] MappedNetwork map(const graph::Graph& graph, const NpuConfig& config,
                                const CompileOptions& options);

/// One layer of a mapped network as a timing-only program of its own: tensors, buffers and
/// residents where the network has them. What it reads in the scratchpad nobody has written: run it
/// without the check for hazards.
[[nodiscard]] isa::Program compile_layer(const MappedNetwork& network, const NpuConfig& config,
                                         std::size_t layer);

inline constexpr double kRefreshShare = 0.001;
inline constexpr double kLeastSteadyCycles = 20000;

/// One row of `npusim ops`.
struct OpSupport {
  std::string_view op;
  std::string_view types;  ///< "int8, uint8, int16×int8"
  std::string_view place;  ///< "NPU: MAC array", "NPU: vector unit", "NPU: DMA", "host", "alias"
};
[[nodiscard]] const std::vector<OpSupport>& supported_ops();

}  // namespace npu::kernels
