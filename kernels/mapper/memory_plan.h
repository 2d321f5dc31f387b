#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/config/npu_config.h"
#include "workloads/graph/graph.h"

namespace npu::mapper {

/// Why a storage must lie in DRAM, or that it need not.
enum class StorageRole : std::uint8_t { kInput, kOutput, kIntermediate, kVariable, kConstant };

/// The bytes behind one tensor or several that only differ in shape (RESHAPE).
struct Storage {
  std::vector<graph::TensorId> tensors;
  StorageRole role = StorageRole::kIntermediate;
  std::int64_t bytes = 0;
  int first_layer = -1, last_layer = -1;  ///< Indices into the layer list; first is the producer's.
  bool decided_address = false;           ///< Resident where a mapping says so.
  bool resident = false;      ///< Kept in the scratchpad from producer to last consumer.
  std::int64_t address = -1;  ///< In the scratchpad if resident, else in DRAM.
};

/// All storages of the part of the network that runs on the NPU.
struct Storages {
  std::vector<Storage> all;
  std::vector<int> of_tensor;  ///< By TensorId; −1 for tensors the NPU does not see (weights,
                               ///< biases, host tensors).

  [[nodiscard]] const Storage& of(graph::TensorId id) const {
    return all.at(static_cast<std::size_t>(of_tensor.at(static_cast<std::size_t>(id))));
  }
};

/// Liveness over `layers` (node indices that run on the NPU, in order); `aliases` are RESHAPE-like
/// nodes. `npu_inputs` and `npu_outputs` are the tensors that cross between host and NPU.
[[nodiscard]] Storages find_storages(const graph::Graph& graph, const std::vector<int>& layers,
                                     const std::vector<int>& aliases,
                                     const std::vector<graph::TensorId>& npu_inputs,
                                     const std::vector<graph::TensorId>& npu_outputs);

/// What a mapping decides of storages, and of buffers that residents must leave free.
struct ResidentDecisions {
  struct Choice {
    std::size_t storage = 0;
    bool resident = false;
    std::optional<std::int64_t> address;
  };
  struct Buffer {
    int layer = 0;
    std::int64_t low = 0, high = 0;
  };
  std::vector<Choice> choices;
  std::vector<Buffer> buffers;

  [[nodiscard]] const Choice* of(std::size_t storage) const;
};
struct Decisions;
/// @throws MappingError for a tensor that is not there, decided twice, or that cannot be resident.
[[nodiscard]] ResidentDecisions resident_decisions(const Storages& storages,
                                                   const Decisions& decisions,
                                                   const std::vector<std::string>& layers);

/// Keeps intermediates in the scratchpad, in order of production, first fit over their lifetimes
/// from address 0, as long as every layer they live through keeps `reserve_bytes[layer]` free above
/// the highest of them. What is decided comes first.
/// @throws MappingError if a decided one does not fit.
void place_residents(Storages& storages, const std::vector<std::int64_t>& reserve_bytes,
                     std::int64_t capacity_bytes, const ResidentDecisions& decided = {});

/// First byte above the storages that are resident during `layer`.
[[nodiscard]] std::int64_t work_area_begin(const Storages& storages, int layer);

/// Bytes of the scratchpad that are given out: whole multiples of kAlignment.
[[nodiscard]] std::int64_t scratchpad_capacity(const NpuConfig& config);

/// A free piece of the scratchpad, in which buffers lie one behind the other.
struct FreeArea {
  std::int64_t low = 0, high = 0;

  [[nodiscard]] std::int64_t bytes() const { return high - low; }
  /// Takes the bytes of a buffer from the low or the high end. @return its address.
  std::int64_t take(std::int64_t buffer_bytes, bool from_the_top);
};
/// The piece for the buffers of `layer` if none of them has a decided address: above the residents,
/// or where addresses of residents are decided the largest.
[[nodiscard]] FreeArea work_area(const Storages& storages, int layer, std::int64_t capacity_bytes);

}  // namespace npu::mapper
