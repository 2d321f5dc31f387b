#include "kernels/lowering/compile.h"

#include <algorithm>
#include <optional>

#include "isa/encoding.h"
#include "kernels/lowering/loops.h"
#include "kernels/lowering/op_table.h"
#include "kernels/lowering/partition.h"
#include "kernels/lowering/schedule.h"
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

void lower_layers(const Graph& graph, const NpuConfig& config, const Mapping& mapping,
                  Emitter& out) {
  for (const mapper::LayerPlan& plan : mapping.layers) {
    const Node& node = graph.nodes[static_cast<std::size_t>(plan.node)];
    out.begin_layer({plan.name, node.source_index, mac_count(graph, node)});
    LayerContext context{graph, config, node, plan, mapping.storages, out};
    (mapper::is_rescale(graph, node) ? lower_unary : find_op(node.kind)->lower)(context);
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

std::vector<isa::TensorRecord> tensor_records(const Graph& graph, const Mapping& mapping,
                                              const std::vector<std::int32_t>& last) {
  std::vector<isa::TensorRecord> records;
  for (std::size_t t = 0; t < graph.tensors.size(); ++t) {
    if (mapping.storages.of_tensor[t] < 0) continue;
    const auto id = static_cast<graph::TensorId>(t);
    const Storage& s = mapping.storages.of(id);
    if (s.role == StorageRole::kConstant) continue;
    const graph::Tensor& tensor = graph.tensor(id);
    isa::TensorRecord r{.id = id,
                        .name = tensor.name,
                        .type = tensor.type,
                        .shape = tensor.shape,
                        .role = role_of(mapping, id, s),
                        .memory = s.resident ? isa::Memory::kScratchpad : isa::Memory::kDram,
                        .address = s.address};
    if (s.first_layer >= 0) r.ready_after = last[static_cast<std::size_t>(s.first_layer)];
    if (r.role == isa::TensorRole::kVariable && tensor.type == DType::kInt8) {
      r.reset_byte = static_cast<std::uint8_t>(per_tensor(tensor).zero_point);
    }
    records.push_back(std::move(r));
  }
  return records;
}

}  // namespace

Compiled compile(const Graph& source, const NpuConfig& config, const CompileOptions& options) {
  if (!options.timing_only) graph::require_payload(source);
  const Graph graph = split_rescaled_concatenations(source);
  Mapping mapping = map_network(graph, config, partition(graph));
  Emitter out(config, options.timing_only);
  place_in_dram(graph, options, mapping, out);
  lower_layers(graph, config, mapping, out);

  std::vector<Item> items = schedule(std::move(out.steps()));
  insert_tokens(items);
  std::vector<CodeLine> lines;
  lines.reserve(items.size());
  for (const Item& item : items) {
    static_cast<void>(isa::encode(item.instruction));  // every operand fits its field, in loops too
    lines.push_back({item.instruction, item.layer, item.comment});
  }
  lines = roll_loops(lines);

  Compiled compiled;
  isa::Program& program = compiled.program;
  program.tensors = tensor_records(graph, mapping, last_of_layer(lines, out.layers().size()));
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
  program.provenance["config"] = config.name;
  program.provenance["config_fingerprint"] = config.fingerprint();
  compiled.mapping_yaml = mapper::to_yaml(mapping, graph);
  compiled.host_before = mapping.partition.host_before;
  compiled.host_after = mapping.partition.host_after;
  return compiled;
}

}  // namespace npu::kernels
