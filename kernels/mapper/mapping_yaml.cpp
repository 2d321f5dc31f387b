#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

#include "kernels/mapper/mapping.h"

namespace npu::mapper {
namespace {

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

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string quoted(std::string_view text) { return '"' + escaped(printable(text)) + '"'; }

void add_layer(const LayerPlan& l, std::string& text) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "  - layer: {}\n", quoted(l.name));
  if (l.window) {
    const WindowTile& t = l.tile;
    fmt::format_to(out, "    tile: {{out_h: {}, out_w: {}, out_c: {}, in_c: {}}}\n", t.out_h,
                   t.out_w, t.out_c, t.in_c);
    if (l.window->w_per_image) fmt::format_to(out, "    images: {}\n", t.images);
    fmt::format_to(out, "    loop_order: {}\n    streamed: {}\n", mapper::name_of(t.order),
                   t.streamed);
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
    if (l.softmax.passes == 3) text += "    softmax: {passes: 3}\n";
    if (l.softmax.passes == 2)
      fmt::format_to(out, "    softmax: {{passes: 2, block: {}}}\n", l.softmax.block);
  }
  if (l.predicted_cycles >= 0)
    fmt::format_to(out, "    predicted_cycles: {}\n", l.predicted_cycles);
  if (!l.buffers.empty()) text += "    scratchpad:\n";
  for (const Buffer& b : l.buffers) {
    fmt::format_to(out, "      - {{buffer: {}, address: {}, slot_bytes: {}, slots: {}}}\n",
                   b.name.find(' ') == std::string::npos ? b.name : quoted(b.name), b.address,
                   b.slot_bytes, b.slots);
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out;
}

std::string to_yaml(const Mapping& mapping, const graph::Graph& graph, const NpuConfig& config) {
  std::string text;
  auto out = std::back_inserter(text);
  if (!graph.name.empty()) fmt::format_to(out, "network: {}\n", quoted(graph.name));
  fmt::format_to(out, "npu: {{name: {}, fingerprint: {}}}\n", quoted(config.name),
                 quoted(config.fingerprint()));
  if (!mapping.layers.empty()) text += "layers:\n";
  for (const LayerPlan& l : mapping.layers) add_layer(l, text);
  if (!mapping.storages.all.empty()) text += "tensors:\n";
  for (const Storage& s : mapping.storages.all) {
    if (s.tensors.empty()) continue;
    fmt::format_to(out, "  - {{tensors: [{}], role: {}, memory: {}, {}: {}, bytes: {}, ",
                   fmt::join(s.tensors, ", "), name_of(s.role), s.resident ? "scratchpad" : "dram",
                   s.resident ? "address" : "dram_address", s.address, s.bytes);
    fmt::format_to(out, "first_layer: {}, last_layer: {}}}\n", s.first_layer, s.last_layer);
  }
  return text;
}

}  // namespace npu::mapper
