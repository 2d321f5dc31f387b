#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

#include "kernels/mapper/mapping.h"

namespace npu::mapper {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char ch : text) {
    if (ch == '"' || ch == '\\') out += '\\';
    if (static_cast<unsigned char>(ch) < 0x20) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(ch)));
    } else {
      out += ch;
    }
  }
  return out + "\"";
}

std::string_view name_of(StorageRole role) {
  switch (role) {
    case StorageRole::kInput:
      return "input";
    case StorageRole::kOutput:
      return "output";
    case StorageRole::kIntermediate:
      return "intermediate";
    case StorageRole::kVariable:
      return "variable";
    case StorageRole::kConstant:
      return "constant";
  }
  return "?";
}

}  // namespace

std::string to_yaml(const Mapping& mapping, const graph::Graph& graph) {
  std::string text = fmt::format("network: {}\nlayers:\n", quoted(graph.name));
  auto out = std::back_inserter(text);
  for (const LayerPlan& l : mapping.layers) {
    fmt::format_to(out, "  - layer: {}\n", quoted(l.name));
    if (l.window) {
      const WindowTile& t = l.tile;
      fmt::format_to(
          out, "    tile: {{out_h: {}, out_w: {}, out_c: {}, in_c: {}}}\n    loop_order: {}\n",
          t.out_h, t.out_w, t.out_c, t.in_c, mapper::name_of(t.order));
      fmt::format_to(out, "    accumulator: {{slots: {}, slot_bytes: {}}}\n", t.acc_slots,
                     t.acc_bytes);
    } else if (l.attention.score_bytes > 0) {
      const AttentionTile& t = l.attention;
      fmt::format_to(out, "    attention: {{heads: {}, rows: {}, keys: {}, dram_bytes: {}}}\n",
                     t.heads, t.rows, t.keys, t.work.load_bytes + t.work.store_bytes);
    } else if (!l.box.chunk.empty()) {
      fmt::format_to(out, "    box: [{}]\n", fmt::join(l.box.chunk, ", "));
    } else if (l.chunk > 0) {
      fmt::format_to(out, "    cut: {{level: {}, units: {}}}\n", l.level, l.chunk);
    }
    if (l.predicted_cycles >= 0)
      fmt::format_to(out, "    predicted_cycles: {}\n", l.predicted_cycles);
    if (!l.buffers.empty()) fmt::format_to(out, "    scratchpad:\n");
    for (const Buffer& b : l.buffers) {
      fmt::format_to(out, "      - {{buffer: {}, address: {}, slot_bytes: {}, slots: {}}}\n",
                     b.name, b.address, b.slot_bytes, b.slots);
    }
  }
  text += "tensors:\n";
  for (const Storage& s : mapping.storages.all) {
    fmt::format_to(out,
                   "  - {{tensors: [{}], role: {}, memory: {}, address: {}, bytes: {}, "
                   "first_layer: {}, last_layer: {}}}\n",
                   fmt::join(s.tensors, ", "), name_of(s.role), s.resident ? "scratchpad" : "dram",
                   s.address, s.bytes, s.first_layer, s.last_layer);
  }
  return text;
}

}  // namespace npu::mapper
