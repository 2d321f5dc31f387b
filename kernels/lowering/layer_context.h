#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/lowering/emitter.h"
#include "kernels/lowering/quantize.h"
#include "kernels/mapper/mapping.h"

namespace npu::kernels {

/// What lowering a layer needs to know and to write to.
struct LayerContext {
  const graph::Graph& graph;
  const NpuConfig& config;
  const graph::Node& node;
  const mapper::LayerPlan& plan;
  const mapper::Storages& storages;
  Emitter& out;

  [[nodiscard]] const graph::Tensor& input(std::size_t i) const {
    return graph.tensor(node.inputs.at(i));
  }
  [[nodiscard]] const graph::Tensor& output() const { return graph.tensor(node.outputs.at(0)); }
  [[nodiscard]] const mapper::Storage& storage(graph::TensorId id) const { return storages.of(id); }
  [[nodiscard]] bool has_input(std::size_t i) const {
    return i < node.inputs.size() && node.inputs[i] != graph::kAbsent;
  }
};

/// The slots of a buffer, reused least recently used first; remembers what each holds.
class Slots {
 public:
  explicit Slots(const mapper::Buffer* buffer) : buffer_(buffer) {
    if (buffer_ != nullptr) keys_.assign(static_cast<std::size_t>(buffer_->slots), {});
  }
  /// Address of the slot that holds `key`; `hit` tells whether it did before.
  std::pair<std::int64_t, bool> get(const std::vector<std::int64_t>& key);
  /// Address of a slot for new contents.
  std::int64_t next() { return get({counter_++, -1}).first; }

 private:
  const mapper::Buffer* buffer_;
  std::vector<std::vector<std::int64_t>> keys_;
  std::vector<std::size_t> order_;  ///< Most recently used last.
  std::int64_t counter_ = 0;
};

/// Fluent writer of operands.
class Build {
 public:
  explicit Build(isa::Opcode opcode) { instruction_.opcode = opcode; }
  Build& operator()(isa::Opd opd, std::int64_t value) {
    instruction_.set(opd, value);
    return *this;
  }
  operator const isa::Instruction&() const {
    return instruction_;
  }  // NOLINT(google-explicit-constructor)

 private:
  isa::Instruction instruction_;
};

/// Loads `bytes` of a constant block into the layer's buffer `name` in a step's loads; returns its
/// scratchpad address.
std::int64_t load_constant(LayerContext& c, std::string_view buffer, std::int64_t dram_address,
                           std::int64_t bytes);

// One function per family; each emits the steps of one layer.
void lower_window(
    LayerContext& c);  ///< CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED, pooling.
void lower_matmul(LayerContext& c);
void lower_attention(LayerContext& c);  ///< Fused.
void lower_binary(LayerContext& c);     ///< ADD, SUB, MUL, MAXIMUM, MINIMUM.
void lower_unary(LayerContext& c);      ///< Tables and rescales.
void lower_softmax(LayerContext& c);
void lower_reduction(LayerContext& c);  ///< MEAN, SUM.
void lower_moves(LayerContext& c);  ///< PAD, CONCATENATION, TRANSPOSE, STRIDED_SLICE, PACK, GATHER.
void lower_general(LayerContext& c);  ///< MAP, REDUCE, LAYER_NORM, RMS_NORM, ROPE.
void lower_svdf(LayerContext& c);

}  // namespace npu::kernels
