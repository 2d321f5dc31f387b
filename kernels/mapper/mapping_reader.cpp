#include "kernels/mapper/mapping_reader.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

#include "kernels/mapper/mapping.h"

namespace npu::mapper {
namespace {

using std::int64_t;

constexpr int64_t kMaxValue = int64_t{1} << 40;  ///< Of extents, addresses and bytes.
constexpr int64_t kMaxSlots = 65535;

constexpr auto kOrders = std::to_array<std::pair<std::string_view, LoopOrder>>({
    {"channels_outer", LoopOrder::kChannelsOuter},
    {"space_outer", LoopOrder::kSpaceOuter},
});
constexpr auto kMemories = std::to_array<std::pair<std::string_view, bool>>({
    {"scratchpad", true},
    {"dram", false},
});
constexpr auto kVariants = std::to_array<std::pair<std::string_view, bool>>({
    {"fused", true},
    {"unfused", false},
});
constexpr auto kRoles = std::to_array<std::pair<std::string_view, int>>({
    {"input", 0},
    {"output", 1},
    {"intermediate", 2},
    {"variable", 3},
    {"constant", 4},
});

/// A size, absent: free.
std::optional<int64_t> size_in(const YamlMap& in, std::string_view key) {
  if (!in.has(key)) return std::nullopt;
  return in.require_int(key, 1, kMaxValue);
}
std::optional<int> slots_in(const YamlMap& in, std::string_view key, int64_t least) {
  if (!in.has(key)) return std::nullopt;
  return static_cast<int>(in.require_int(key, least, kMaxSlots));
}
std::optional<int64_t> address_in(const YamlMap& in) {
  if (!in.has("address")) return std::nullopt;
  return in.require_int("address", 0, kMaxValue);
}
/// A key that only informs.
void inform(const YamlMap& in, std::string_view key) {
  if (in.has(key)) static_cast<void>(in.require_int(key, -1, std::numeric_limits<int64_t>::max()));
}

graph::TensorId tensor_in(const YamlMap& in, std::string_view key, const std::string& text) {
  graph::TensorId id = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, id);
  if (error != std::errc() || at != end || id < 0)
    in.fail(key, fmt::format("must be tensor numbers, got {}", text));
  return id;
}

std::vector<int64_t> box_in(const YamlMap& in) {
  std::vector<int64_t> box;
  for (const std::string& text : in.require_texts("box")) {
    int64_t n = 0;
    const auto* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, n);
    if (error != std::errc() || at != end || n < 1 || n > kMaxValue)
      in.fail("box", fmt::format("must be sizes from 1 on, got {}", text));
    box.push_back(n);
  }
  return box;
}

void read_buffers(const YamlMap& in, LayerDecision& d) {
  if (!in.has("scratchpad")) return;
  for (const YamlMap& b : in.require_maps("scratchpad")) {
    BufferDecision buffer{.name = b.require<std::string>("buffer"),
                          .address = address_in(b),
                          .slot_bytes = size_in(b, "slot_bytes"),
                          .slots = slots_in(b, "slots", 1)};
    if (find_decision(d.buffers, buffer.name) != nullptr)
      b.fail("buffer", fmt::format("must occur once in a layer, got {} again", buffer.name));
    b.finish();
    d.buffers.push_back(std::move(buffer));
  }
}

/// Where a key like "tile.out_h" stands: in a mapping inside of the layer's.
[[noreturn]] void fail_in(const YamlMap& in, const std::string& key, const std::string& message) {
  const std::size_t dot = key.find('.');
  const std::string first = key.substr(0, dot);
  if (dot == std::string::npos) in.fail(first, message);
  const std::string rest = key.substr(dot + 1);
  if (first == "scratchpad" && in.has(first)) {
    const std::size_t second = rest.rfind('.');
    for (const YamlMap& b : in.require_maps(first)) {
      if (b.require<std::string>("buffer") != rest.substr(0, second)) continue;
      b.fail(second == std::string::npos ? "buffer" : rest.substr(second + 1), message);
    }
  } else if (in.has(first)) {
    if (const std::optional<YamlMap> inner = in.get_map(first)) inner->fail(rest, message);
  }
  in.fail(first, message);
}

}  // namespace

MappingFile MappingFile::load(const std::string& path) {
  MappingFile file(YamlMap::from_file(path));
  file.read();
  return file;
}

MappingFile MappingFile::parse(std::string_view text, const std::string& name) {
  MappingFile file(YamlMap::from_text(text, name));
  file.read();
  return file;
}

void MappingFile::read() {
  if (root_.has("network")) static_cast<void>(root_.require<std::string>("network"));
  if (const std::optional<YamlMap> npu = root_.get_map("npu")) {
    for (const char* key : {"name", "fingerprint"}) {
      if (npu->has(key)) static_cast<void>(npu->require<std::string>(key));
    }
    npu->finish();
  }
  if (root_.has("layers")) {
    for (const YamlMap& in : root_.require_maps("layers")) read_layer(in);
  }
  if (root_.has("tensors")) {
    for (const YamlMap& in : root_.require_maps("tensors")) read_tensor(in);
  }
  if (root_.has("attention")) {
    for (const YamlMap& in : root_.require_maps("attention")) read_attention(in);
  }
  root_.finish();
}

void MappingFile::read_layer(const YamlMap& in) {
  LayerDecision d;
  d.layer = in.require<std::string>("layer");
  if (!layers_.emplace(d.layer, in).second)
    in.fail("layer", fmt::format("must occur once, got \"{}\" again", d.layer));
  if (const std::optional<YamlMap> tile = in.get_map("tile")) {
    d.out_h = size_in(*tile, "out_h");
    d.out_w = size_in(*tile, "out_w");
    d.out_c = size_in(*tile, "out_c");
    d.in_c = size_in(*tile, "in_c");
    tile->finish();
  }
  d.images = size_in(in, "images");
  if (in.has("loop_order")) d.loop_order = in.require_choice<LoopOrder>("loop_order", kOrders);
  if (in.has("streamed")) d.streamed = in.require<bool>("streamed");
  if (const std::optional<YamlMap> sums = in.get_map("accumulator")) {
    d.acc_slots = slots_in(*sums, "slots", 0);
    inform(*sums, "slot_bytes");
    sums->finish();
  }
  if (const std::optional<YamlMap> cut = in.get_map("cut")) {
    if (cut->has("level"))
      d.cut_level = static_cast<std::size_t>(cut->require_int("level", 0, kMaxSlots));
    d.cut_units = size_in(*cut, "units");
    cut->finish();
  }
  if (const std::optional<YamlMap> softmax = in.get_map("softmax")) {
    if (softmax->has("passes")) d.passes = static_cast<int>(softmax->require_int("passes", 2, 3));
    d.block = size_in(*softmax, "block");
    softmax->finish();
  }
  if (in.has("box")) d.box = box_in(in);
  if (const std::optional<YamlMap> tile = in.get_map("attention")) {
    d.heads = size_in(*tile, "heads");
    d.rows = size_in(*tile, "rows");
    d.keys = size_in(*tile, "keys");
    inform(*tile, "dram_bytes");
    tile->finish();
  }
  inform(in, "predicted_cycles");
  read_buffers(in, d);
  in.finish();
  decisions_.layers.push_back(std::move(d));
}

void MappingFile::read_tensor(const YamlMap& in) {
  const std::vector<std::string> ids = in.require_texts("tensors");
  TensorDecision d;
  for (const std::string& text : ids) {
    const graph::TensorId id = tensor_in(in, "tensors", text);
    if (d.tensor < 0) d.tensor = id;
    d.same.push_back(id);
    if (!tensors_.emplace(id, in).second)
      in.fail("tensors", fmt::format("must each occur once, got {} again", id));
  }
  d.resident = in.require_choice<bool>("memory", kMemories);
  d.address = address_in(in);
  if (d.address && !d.resident)
    in.fail("address", "is for tensors in the scratchpad, the compiler places those in DRAM");
  if (in.has("name")) static_cast<void>(in.require<std::string>("name"));
  if (in.has("role")) static_cast<void>(in.require_choice<int>("role", kRoles));
  for (const char* key : {"dram_address", "bytes", "first_layer", "last_layer"}) inform(in, key);
  in.finish();
  decisions_.tensors.push_back(d);
}

void MappingFile::read_attention(const YamlMap& in) {
  AttentionDecision d;
  d.output = in.require<graph::TensorId>("tensor");
  if (!attention_.emplace(d.output, in).second)
    in.fail("tensor", fmt::format("must occur once, got {} again", d.output));
  d.fused = in.require_choice<bool>("variant", kVariants);
  if (in.has("name")) static_cast<void>(in.require<std::string>("name"));
  inform(in, "key_block");
  for (const char* key : {"fused", "unfused"}) {
    const std::optional<YamlMap> figures = in.get_map(key);
    if (!figures) continue;
    inform(*figures, "cycles");
    inform(*figures, "dram_bytes");
    figures->finish();
  }
  in.finish();
  decisions_.attention.push_back(d);
}

void MappingFile::require_network(const std::string& name) const {
  if (!root_.has("network")) return;
  const auto of = root_.require<std::string>("network");
  if (of == printable(name)) return;
  root_.fail("network", fmt::format("must be \"{}\", the network that is mapped, got \"{}\"",
                                    printable(name), of));
}

std::string MappingFile::npu_name() const {
  const std::optional<YamlMap> npu = root_.get_map("npu");
  return npu ? npu->get<std::string>("name", "") : "";
}

void MappingFile::fail_at(const MappingError& error) const {
  const Fault& fault = error.fault();
  const auto layer = layers_.find(fault.layer);
  if (layer != layers_.end()) fail_in(layer->second, fault.key, error.what());
  for (const auto& [section, entries] :
       {std::pair("tensors.", &tensors_), std::pair("attention.", &attention_)}) {
    if (!fault.key.starts_with(section)) continue;
    const std::string rest = fault.key.substr(std::string_view(section).size());
    const std::size_t dot = rest.find('.');
    graph::TensorId id = -1;
    std::from_chars(rest.data(), rest.data() + rest.size(), id);
    const auto entry = entries->find(id);
    if (entry == entries->end()) continue;
    entry->second.fail(dot == std::string::npos ? "memory" : rest.substr(dot + 1), error.what());
  }
  npu::fail("{}: {}", root_.file(), error.what());
}

}  // namespace npu::mapper
