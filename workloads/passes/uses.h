#pragma once

#include <cstddef>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::passes {

/// Who makes and who reads the tensors of a network, as it was when this was made.
class Uses {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  explicit Uses(const graph::Graph& graph)
      : producer_(graph.tensors.size(), kNone),
        reader_(graph.tensors.size(), kNone),
        reads_(graph.tensors.size(), 0) {
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      for (const graph::TensorId id : graph.nodes[n].outputs) producer_[at(id)] = n;
      for (const graph::TensorId id : graph.nodes[n].inputs) {
        if (id == graph::kAbsent) continue;
        reader_[at(id)] = n;
        ++reads_[at(id)];
      }
    }
    for (const graph::TensorId id : graph.outputs) reads_[at(id)] += 2;
  }

  [[nodiscard]] std::size_t size() const { return producer_.size(); }  ///< Tensors.
  /// Index of the node that makes the tensor, or kNone.
  [[nodiscard]] std::size_t producer(graph::TensorId id) const { return producer_[at(id)]; }
  /// Index of the node that alone reads the tensor, once, or kNone. Outputs have no such node.
  [[nodiscard]] std::size_t only_reader(graph::TensorId id) const {
    return reads_[at(id)] == 1 ? reader_[at(id)] : kNone;
  }

 private:
  static std::size_t at(graph::TensorId id) { return static_cast<std::size_t>(id); }

  std::vector<std::size_t> producer_, reader_;
  std::vector<int> reads_;  ///< By nodes; an output counts as two.
};

}  // namespace npu::passes
