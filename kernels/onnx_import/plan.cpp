#include "kernels/onnx_import/plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "kernels/onnx_import/converter.h"

namespace npu::onnx_import {
namespace {

/// Why a node has no NPU form on its own; empty if it has.
std::string reason_against(const Network& network, const ConvertOptions& options,
                           std::size_t index) {
  try {
    StageBuilder trial(network, options);
    trial.convert(index);
    std::vector<std::string> outputs;
    for (const std::string& name : network.model.graph.nodes[index].outputs) {
      if (!name.empty()) outputs.push_back(name);
    }
    const NpuStage stage = trial.finish(outputs);
    for (const graph::Node& node : stage.graph.nodes) {
      std::string refusal = options.refusal ? options.refusal(stage.graph, node) : "";
      if (!refusal.empty()) return refusal;
    }
    return "";
  } catch (const NotMapped& reason) {
    return reason.what();
  } catch (const Error& error) {
    return error.what();
  }
}

/// Nodes by stage, the sides alternating.
struct Schedule {
  std::vector<std::vector<std::size_t>> stages;
  bool starts_on_npu = true;
};

Schedule schedule(const onnx::Graph& graph, const std::vector<bool>& on_npu, bool starts_on_npu) {
  std::map<std::string_view, std::size_t> maker;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::string& name : graph.nodes[i].outputs) {
      if (!name.empty()) maker.emplace(name, i);
    }
  }
  Schedule s;
  s.starts_on_npu = starts_on_npu;
  std::vector<bool> is_done(graph.nodes.size(), false);
  const auto is_ready = [&](const onnx::Node& node) {
    return std::all_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& name) {
      const auto it = maker.find(name);
      return it == maker.end() || is_done[it->second];
    });
  };
  std::size_t left = graph.nodes.size();
  for (bool npu = starts_on_npu; left > 0; npu = !npu) {
    std::vector<std::size_t>& stage = s.stages.emplace_back();
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {  // In order: one pass is enough.
      if (is_done[i] || on_npu[i] != npu || !is_ready(graph.nodes[i])) continue;
      stage.push_back(i);
      is_done[i] = true;
    }
    left -= stage.size();
  }
  return s;
}

/// Of the values that the nodes make, those that others read or that the network gives out.
std::vector<std::string> outputs_of(const Network& network, const std::vector<std::size_t>& nodes) {
  const onnx::Graph& graph = network.model.graph;
  const std::set<std::size_t> inside(nodes.begin(), nodes.end());
  std::set<std::string_view> read;
  for (const NetworkOutput& output : network.outputs) read.insert(output.value);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!inside.contains(i))
      read.insert(graph.nodes[i].inputs.begin(), graph.nodes[i].inputs.end());
  }
  std::vector<std::string> outputs;
  for (const std::size_t i : nodes) {
    for (const std::string& name : graph.nodes[i].outputs) {
      if (!name.empty() && read.contains(name)) outputs.push_back(name);
    }
  }
  return outputs;
}

/// What a trial of one node did not show.
struct Refused {
  std::size_t node;
  std::string reason;
};

NpuStage build(const Network& network, const ConvertOptions& options,
               const std::vector<std::size_t>& nodes) {
  StageBuilder builder(network, options);
  for (const std::size_t i : nodes) {
    try {
      builder.convert(i);
    } catch (const NotMapped& reason) {
      throw Refused{i, reason.what()};
    }
  }
  try {
    return builder.finish(outputs_of(network, nodes));
  } catch (const NotMapped& reason) {
    throw Refused{nodes.back(), reason.what()};
  }
}

Plan build_all(const Network& network, const ConvertOptions& options, const Schedule& s,
               const std::vector<std::string>& reasons) {
  Plan plan;
  bool npu = s.starts_on_npu;
  for (const std::vector<std::size_t>& nodes : s.stages) {
    if (!nodes.empty() && npu) plan.stages.emplace_back(build(network, options, nodes));
    if (!nodes.empty() && !npu) {
      HostStage stage;
      for (const std::size_t i : nodes) stage.nodes.push_back({i, reasons[i]});
      plan.stages.emplace_back(std::move(stage));
    }
    npu = !npu;
  }
  return plan;
}

}  // namespace

void release_constants(Network& network, const Plan& plan) {
  std::set<std::string_view> kept;
  for (const NetworkOutput& output : network.outputs) kept.insert(output.value);
  for (const Stage& stage : plan.stages) {
    const auto* host = std::get_if<HostStage>(&stage);
    if (host == nullptr) continue;
    for (const HostNode& n : host->nodes) {
      const onnx::Node& node = network.model.graph.nodes[n.node];
      kept.insert(node.inputs.begin(), node.inputs.end());
    }
  }
  network.dequantized.clear();
  std::erase_if(network.model.graph.initializers,
                [&](const auto& entry) { return !kept.contains(entry.first); });
}

Plan make_plan(const Network& network, const ConvertOptions& options) {
  const onnx::Graph& graph = network.model.graph;
  std::vector<std::string> reasons;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    reasons.push_back(reason_against(network, options, i));
  }
  for (;;) {  // Each turn moves one more node to the host.
    std::vector<bool> on_npu;
    for (const std::string& reason : reasons) on_npu.push_back(reason.empty());
    const Schedule npu_first = schedule(graph, on_npu, true);
    const Schedule host_first = schedule(graph, on_npu, false);
    const auto count = [](const Schedule& s) {
      return std::count_if(s.stages.begin(), s.stages.end(),
                           [](const auto& n) { return !n.empty(); });
    };
    try {
      return build_all(network, options,
                       count(host_first) < count(npu_first) ? host_first : npu_first, reasons);
    } catch (const Refused& refused) {
      NPU_CHECK(!refused.reason.empty(), "a reason");
      reasons[refused.node] = refused.reason;
    }
  }
}

}  // namespace npu::onnx_import
