#pragma once

#include <map>
#include <optional>
#include <vector>

#include "isa/program.h"
#include "sim/core/machine.h"
#include "sim/report/report.h"
#include "sim/session/input_set.h"
#include "workloads/graph/graph.h"

namespace npu::session {

/// Tensors by their index in the network.
using TensorMap = std::map<graph::TensorId, TensorData>;

/// A host that feeds the simulated NPU: runs the float operators at the network's edges with the
/// CPU reference, writes the program's inputs into the DRAM and fetches its outputs.
class Host {
 public:
  /// @param network  the graph that the program was made from, or nullptr: the program alone, with
  /// its input and output tensors as the network's.
  Host(Machine& machine, const graph::Graph* network);

  [[nodiscard]] const std::vector<InputSpec>& inputs() const { return inputs_; }
  /// Tensor indices of the network's outputs.
  [[nodiscard]] const std::vector<graph::TensorId>& outputs() const { return outputs_; }

  /// One inference. @return the tensors that the host holds afterwards: network inputs and outputs
  /// and all that crossed.
  TensorMap infer(const std::vector<TensorData>& inputs);

  /// Tensors captured in the last inference, if it captured: aliases (pure changes of shape)
  /// included, variables as the inference left them.
  [[nodiscard]] TensorMap captured() const;

  /// The operators that run on the host, with the bytes that cross for them and their time.
  [[nodiscard]] std::vector<report::HostOp> host_ops(const std::optional<HostConfig>& host) const;

 private:
  /// Runs the host operators whose operands are in `values` and that have not run yet.
  void run_host_nodes(TensorMap& values) const;

  Machine& machine_;
  const graph::Graph* network_;
  std::vector<InputSpec> inputs_;
  std::vector<graph::TensorId> input_ids_, outputs_;
};

}  // namespace npu::session
