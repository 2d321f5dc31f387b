#include "kernels/lowering/compile.h"

#include <algorithm>
#include <optional>

#include "isa/encoding.h"
#include "kernels/lowering/attention_expand.h"
#include "kernels/lowering/layer_keys.h"
#include "kernels/lowering/loops.h"
#include "kernels/lowering/op_table.h"
#include "kernels/lowering/partition.h"
#include "kernels/lowering/roundings.h"
#include "kernels/lowering/schedule.h"
#include "kernels/lowering/step_checks.h"
#include "kernels/lowering/step_repeats.h"
#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/repair.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::Graph;
using graph::Node;
using mapper::Mapping;
using mapper::Storage;
using mapper::StorageRole;

/// The address that the caller chose for a storage.
std::optional<std::int64_t> chosen_address(const Storage& s, const CompileOptions& options) {
  for (const graph::TensorId id : s.tensors) {
    const auto at = options.dram_addresses.find(id);
    if (at == options.dram_addresses.end()) continue;
    NPU_CHECK(s.role != StorageRole::kConstant && s.role != StorageRole::kIntermediate,
              "only inputs, outputs and variables have an address of their own");
    NPU_CHECK(at->second >= 0 && at->second + s.bytes <= options.dram_begin,
              "chosen addresses lie below all others");
    return at->second;
  }
  return std::nullopt;
}

/// Gives every storage outside the scratchpad its place in DRAM; constants bring their bytes.
void place_in_dram(const Graph& graph, const CompileOptions& options, Mapping& mapping,
                   Emitter& out) {
  out.begin_dram(options.dram_begin);
  for (Storage& s : mapping.storages.all) {
    if (s.resident) continue;
    if (const auto address = chosen_address(s, options)) {
      s.address = *address;
      continue;
    }
    if (s.role != StorageRole::kConstant) {
      s.address = out.allocate(s.bytes);
      continue;
    }
    const graph::Tensor& t = graph.tensor(s.tensors.front());
    s.address = out.constant(fmt::format("constant {}", t.name), s.bytes,
                             [&](std::vector<std::byte>& bytes) { bytes = t.data; });
  }
}

/// Cycles that steady periods take at least.
double steady_cycles(const NpuConfig& config, const CompileOptions& options) {
  const double refresh_cycles =
      config.dram.kind == DramKind::kFixedLatency
          ? 0
          : config.dram.tRFC * config.clock.frequency_mhz / config.dram.clock_mhz;
  return std::max(kLeastSteadyCycles, refresh_cycles / kRefreshShare) * options.repeat_effort;
}

/// What a layer that is left out would have written lies where the one in its place writes.
void place_left_out(const Graph& graph, const RepeatPlan& repeats, Mapping& mapping) {
  for (std::size_t i = 0; i < mapping.layers.size(); ++i) {
    const auto stand_in = static_cast<std::size_t>(repeats.stands_in[i]);
    if (stand_in == i) continue;
    const auto outputs = [&](std::size_t layer) -> const std::vector<graph::TensorId>& {
      return graph.nodes[static_cast<std::size_t>(mapping.layers[layer].node)].outputs;
    };
    for (std::size_t o = 0; o < outputs(i).size(); ++o) {
      const auto id = static_cast<std::size_t>(outputs(i)[o]);
      Storage& s = mapping.storages.all[static_cast<std::size_t>(mapping.storages.of_tensor[id])];
      s.address = mapping.storages.of(outputs(stand_in)[o]).address;
    }
  }
}

void lower_layer(const Graph& graph, const NpuConfig& config, const Mapping& mapping,
                 const mapper::LayerPlan& plan, Emitter& out) {
  const Node& node = graph.nodes[static_cast<std::size_t>(plan.node)];
  LayerContext context{graph, config, node, plan, mapping.storages, out};
  (mapper::is_rescale(graph, node) ? lower_unary : find_op(node.kind)->lower)(context);
}

void lower_layers(const Graph& graph, const NpuConfig& config, const Mapping& mapping,
                  const RepeatPlan& repeats, Emitter& out) {
  std::vector<std::int64_t> constant_bytes(mapping.layers.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < mapping.layers.size(); ++i) {
    const auto stand_in = static_cast<std::size_t>(repeats.stands_in[i]);
    if (stand_in != i) {
      (void)out.allocate(constant_bytes[stand_in]);
      continue;
    }
    const mapper::LayerPlan& plan = mapping.layers[i];
    const Node& node = graph.nodes[static_cast<std::size_t>(plan.node)];
    const std::int64_t before = out.dram_end();
    out.begin_layer(
        {plan.name, node.source_index, mac_count(graph, node), repeats.kept[next++].repeats});
    lower_layer(graph, config, mapping, plan, out);
    constant_bytes[i] = out.dram_end() - before;
  }
}

/// Static index of the last instruction of each layer: the one after which its output is whole.
std::vector<std::int32_t> last_of_layer(const std::vector<CodeLine>& code, std::size_t layers) {
  std::vector<std::int32_t> last(layers, -1);
  for (std::size_t i = 0; i < code.size(); ++i)
    last[static_cast<std::size_t>(code[i].layer)] = static_cast<std::int32_t>(i);
  return last;
}

isa::TensorRole role_of(const Mapping& mapping, graph::TensorId id, const Storage& s) {
  const auto in = [&](const std::vector<graph::TensorId>& ids) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  if (in(mapping.partition.npu_inputs)) return isa::TensorRole::kInput;
  if (s.role == StorageRole::kVariable) return isa::TensorRole::kVariable;
  return in(mapping.partition.npu_outputs) ? isa::TensorRole::kOutput
                                           : isa::TensorRole::kIntermediate;
}

/// Without the tensors of layers that are left out.
std::vector<isa::TensorRecord> tensor_records(const Graph& graph, const Mapping& mapping,
                                              const RepeatPlan& repeats,
                                              const std::vector<std::int32_t>& last) {
  std::vector<isa::TensorRecord> records;
  std::vector<std::size_t> kept_of(mapping.layers.size());
  for (std::size_t k = 0; k < repeats.kept.size(); ++k) {
    kept_of[static_cast<std::size_t>(repeats.kept[k].layer)] = k;
  }
  for (std::size_t t = 0; t < graph.tensors.size(); ++t) {
    if (mapping.storages.of_tensor[t] < 0) continue;
    const auto id = static_cast<graph::TensorId>(t);
    const Storage& s = mapping.storages.of(id);
    if (s.role == StorageRole::kConstant) continue;
    const auto producer = static_cast<std::size_t>(s.first_layer);
    if (s.first_layer >= 0 && repeats.stands_in[producer] != s.first_layer) continue;
    const graph::Tensor& tensor = graph.tensor(id);
    isa::TensorRecord r{.id = id,
                        .name = tensor.name,
                        .type = tensor.type,
                        .shape = tensor.shape,
                        .role = role_of(mapping, id, s),
                        .memory = s.resident ? isa::Memory::kScratchpad : isa::Memory::kDram,
                        .address = s.address};
    if (s.first_layer >= 0) r.ready_after = last[kept_of[producer]];
    if (r.role == isa::TensorRole::kVariable && tensor.type == DType::kInt8) {
      r.reset_byte = static_cast<std::uint8_t>(per_tensor(tensor).zero_point);
    }
    records.push_back(std::move(r));
  }
  return records;
}

/// map_network(); an error of a decision ends in what would make it legal.
Mapping map_decided(const Graph& graph, const NpuConfig& config, const CompileOptions& options) {
  const mapper::Partition parts = partition(graph);
  try {
    return map_network(graph, config, parts, options.decisions);
  } catch (const mapper::MappingError& error) {
    if (options.decisions == nullptr || !options.suggests) throw;
    const std::optional<mapper::Repair> repair =
        smallest_repair(graph, config, parts, *options.decisions, error.fault());
    if (!repair) throw;
    throw mapper::MappingError(
        error.fault(),
        fmt::format("{}; {}: {}", error.what(),
                    repair->legal ? "legal with" : "to the next error with", repair->text));
  }
}

/// Fused layers as they were planned beside their neighbours.
void take_planned(const Graph& graph, const Mapping& mapping,
                  std::vector<AttentionChoice>& choices) {
  for (const mapper::LayerPlan& plan : mapping.layers) {
    const Node& node = graph.nodes[static_cast<std::size_t>(plan.node)];
    for (AttentionChoice& c : choices) {
      if (node.kind != graph::OpKind::kAttention || c.output != node.outputs[0]) continue;
      c.key_block = plan.attention.keys;
      c.fused_cycles = plan.predicted_cycles;
      c.fused_dram_bytes = plan.attention.work.load_bytes + plan.attention.work.store_bytes;
    }
  }
}

/// The steps scheduled, ordered by tokens and rolled into loops.
std::vector<CodeLine> code_of(Emitter& out) {
  std::vector<Item> items = schedule(std::move(out.steps()));
  insert_tokens(items);
  std::vector<CodeLine> lines;
  lines.reserve(items.size());
  for (const Item& item : items) {
    static_cast<void>(isa::encode(item.instruction));  // every operand fits its field, in loops too
    lines.push_back({item.instruction, item.layer, item.comment});
  }
  return roll_loops(lines);
}

void add_code(const std::vector<CodeLine>& lines, Emitter& out, isa::Program& program) {
  for (const CodeLine& line : lines) {
    program.code.push_back(line.instruction);
    program.layer_of.push_back(line.layer);
    program.comments.emplace_back(line.comment);
  }
  program.code.emplace_back();  // halt
  program.layer_of.push_back(-1);
  program.comments.emplace_back("end");
  program.code_address =
      out.allocate(static_cast<std::int64_t>(program.code.size()) * isa::kWordBytes);
  program.dram_bytes = out.dram_end();
  program.layers = std::move(out.layers());
  program.image = std::move(out.image());
}

void set_provenance(const NpuConfig& config, isa::Program& program) {
  program.provenance["config"] = config.name;
  program.provenance["config_fingerprint"] = config.fingerprint();
}

}  // namespace

std::string_view name_of(AttentionVariant variant) {
  return kAttentionVariants.at(static_cast<std::size_t>(variant)).first;
}

MappedNetwork map(const Graph& source, const NpuConfig& config, const CompileOptions& options) {
  MappedNetwork network;
  network.attention = choose_attention(source, config, options.attention, options.decisions);
  network.graph = expand_attention(split_rescaled_concatenations(source), network.attention);
  network.mapping = map_decided(network.graph, config, options);
  take_planned(network.graph, network.mapping, network.attention);
  return network;
}

isa::Program compile_layer(const MappedNetwork& network, const NpuConfig& config,
                           std::size_t layer) {
  Mapping mapping = network.mapping;
  Emitter out(config, true);
  place_in_dram(network.graph, {}, mapping, out);
  const mapper::LayerPlan& plan = mapping.layers.at(layer);
  const Node& node = network.graph.nodes[static_cast<std::size_t>(plan.node)];
  out.begin_layer({plan.name, node.source_index, mac_count(network.graph, node), 1});
  lower_layer(network.graph, config, mapping, plan, out);
  isa::Program program;
  add_code(code_of(out), out, program);
  set_provenance(config, program);
  return program;
}

Compiled compile(const Graph& source, const NpuConfig& config, const CompileOptions& options) {
  NPU_CHECK(options.timing_only || options.repeat_effort == 0,
            "layers are left out in timing-only runs");
  if (!options.timing_only) graph::require_payload(source);
  Compiled compiled;
  MappedNetwork network = map(source, config, options);
  const Graph& graph = network.graph;
  Mapping& mapping = network.mapping;
  Emitter out(config, options.timing_only);
  place_in_dram(graph, options, mapping, out);
  const bool folds = options.repeat_effort > 0;
  const double steady = steady_cycles(config, options);
  const std::vector<double> cycles = predicted_cycles(graph, config, mapping);
  RepeatPlan repeats = folds ? find_repeats(layer_keys(graph, mapping), cycles, steady)
                             : keep_all(mapping.layers.size());
  place_left_out(graph, repeats, mapping);
  lower_layers(graph, config, mapping, repeats, out);
  if (options.decisions != nullptr) check_steps(graph, mapping, repeats, out.steps());
  if (folds) {
    fold_steps(mapping, cycles, steady, config.dram.burst_bytes(), out.steps(), out.layers(),
               repeats);
  }

  isa::Program& program = compiled.program;
  const std::vector<CodeLine> lines = code_of(out);
  program.tensors =
      tensor_records(graph, mapping, repeats, last_of_layer(lines, out.layers().size()));
  add_code(lines, out, program);
  set_provenance(config, program);
  set_roundings(source, network, program);
  compiled.mapping_yaml =
      mapper::to_yaml(mapping, graph, config) + attention_yaml(graph, network.attention);
  compiled.attention = std::move(network.attention);
  compiled.host_before = mapping.partition.host_before;
  compiled.host_after = mapping.partition.host_after;
  compiled.repeats = std::move(repeats);
  return compiled;
}

}  // namespace npu::kernels
