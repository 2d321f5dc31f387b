#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kernels/mapper/attention_plan.h"
#include "kernels/mapper/box_plan.h"
#include "kernels/mapper/chunking.h"
#include "kernels/mapper/iteration.h"
#include "kernels/mapper/matmul_plan.h"
#include "kernels/mapper/memory_plan.h"
#include "kernels/mapper/softmax_plan.h"
#include "kernels/mapper/window_tiling.h"
#include "sim/config/npu_config.h"
#include "workloads/graph/graph.h"

namespace npu::mapper {

struct Decisions;

/// Which nodes run where; made by the operator table.
struct Partition {
  std::vector<int> layers;   ///< On the NPU, in order.
  std::vector<int> aliases;  ///< Pure changes of shape between them.
  std::vector<int> host_before, host_after;
  std::vector<graph::TensorId> npu_inputs, npu_outputs;
};

/// How one layer is placed: its tile and its buffers in the scratchpad.
struct LayerPlan {
  int node = -1;
  std::string name;  ///< "CONV_2D #3"
  std::optional<WindowProblem> window;
  WindowTile tile;          ///< With `window`.
  std::size_t level = 0;    ///< Chunked layers: dimension that is cut …
  std::int64_t chunk = 0;   ///< … and units per chunk.
  SoftmaxPasses softmax;    ///< SOFTMAX over floats.
  BoxPlan box;              ///< Reductions.
  Products products;        ///< MATMUL of activations.
  AttentionTile attention;  ///< Fused ATTENTION.
  std::vector<Buffer> buffers;
  std::int64_t predicted_cycles = -1;  ///< −1: the cost model has no figure for this family.

  /// The buffer of that name, or nullptr (the tensor is resident or absent).
  [[nodiscard]] const Buffer* buffer(std::string_view buffer_name) const;
};

/// A network on an NPU.
struct Mapping {
  Partition partition;
  Storages storages;
  std::vector<LayerPlan> layers;
};

/// Maps the partition's layers: keeps intermediates in the scratchpad where they fit, chooses tiles
/// by predicted cycles, and places each layer's buffers alternately at the low and the high end of
/// its free area, so that the next layer's weights can arrive while this one runs.
/// What `decisions` says (nullptr: nothing) is taken as it is, the rest chosen around it.
/// @throws MappingError if a minimal tile cannot fit, or a decision is not legal: layer, buffer,
/// bytes needed and there.
[[nodiscard]] Mapping map_network(const graph::Graph& graph, const NpuConfig& config,
                                  Partition partition, const Decisions* decisions = nullptr);

/// Names of the partition's layers, each once: "CONV_2D #3"; further layers of the same node are
/// "MATMUL #3 (2)".
[[nodiscard]] std::vector<std::string> layer_names(const graph::Graph& graph,
                                                   const Partition& partition);

/// The mapping as YAML, everything that MappingFile reads back: per layer tile sizes, loop order,
/// buffers; per tensor its placement. Names are printable().
[[nodiscard]] std::string to_yaml(const Mapping& mapping, const graph::Graph& graph,
                                  const NpuConfig& config);
/// A name as mappings write it: what is not printable ASCII becomes `?`.
[[nodiscard]] std::string printable(std::string_view text);

// --- what a node looks like to the mapper (layer_shape.cpp) ---

/// Node families by how they are cut.
[[nodiscard]] bool is_window(
    const graph::Graph& graph,
    const graph::Node& node);  ///< Convolutions, fully connected, pooling, MATMUL by constants.
[[nodiscard]] bool is_move(graph::OpKind kind);  ///< DMA only.
[[nodiscard]] bool is_reduction(graph::OpKind kind);
/// An int16 function that is interpolated from a table: LOGISTIC, TANH.
[[nodiscard]] bool is_curve(const graph::Graph& graph, const graph::Node& node);
/// A CONCATENATION of one operand that changes its quantization: an elementwise layer, no move.
[[nodiscard]] bool is_rescale(const graph::Graph& graph, const graph::Node& node);

[[nodiscard]] WindowProblem window_problem(const graph::Graph& graph, const graph::Node& node,
                                           const Storages& storages);
/// Kind of output and bytes per channel of an array layer's parameters.
void set_output(WindowProblem& problem, const graph::Graph& graph, const graph::Node& node);
/// Elementwise, softmax, SVDF and general layers; `softmax_block` as in SoftmaxPasses.
[[nodiscard]] ChunkProblem chunk_problem(const graph::Graph& graph, const graph::Node& node,
                                         const Storages& storages, std::int64_t softmax_block = 0);

/// Bytes of one requantization record in the parameter block.
[[nodiscard]] constexpr std::int64_t record_bytes(bool wide) { return wide ? 16 : 12; }
inline constexpr std::int64_t kScaleRecordBytes = 8;   ///< Record of vec.output.
inline constexpr std::int64_t kBiasBytes = 4;          ///< int32 bias of vec.output's sums.
inline constexpr std::int64_t kRescaleBytes = 32;      ///< Parameter block of vec.rescale.
inline constexpr std::int64_t kBinaryBytes = 48;       ///< … of vec.add, vec.sub, vec.mul.
inline constexpr std::int64_t kSoftmaxBytes = 12;      ///< … of vec.softmax.
inline constexpr std::int64_t kCurveTableBytes = 512;  ///< Table of vec.interpolate …
inline constexpr std::int64_t kCurveBytes = kCurveTableBytes + 28;  ///< … and its words.
inline constexpr std::int64_t kSoftmaxTableBytes = 2 * 513 * 2;  ///< Tables of vec.softmax_table,
inline constexpr std::int64_t kSoftmaxTableBlock = kSoftmaxTableBytes + 8;  ///< … and its words.

}  // namespace npu::mapper
