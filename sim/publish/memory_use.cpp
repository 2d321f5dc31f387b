#include "sim/publish/memory_use.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/yaml_map.h"

namespace npu::publish {
namespace {

constexpr std::size_t kMaxAllocations = 10'000;
constexpr std::size_t kMaxAtATime = 200;
constexpr std::size_t kMaxKinds = 12;
constexpr std::size_t kMaxTimes = 2000;
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 40;
constexpr std::int64_t kMaxSlots = 1 << 16;
constexpr std::int64_t kMaxLayer = 1'000'000;

/// When a layer's instructions were at work.
struct LayerTime {
  std::uint64_t begin = std::numeric_limits<std::uint64_t>::max(), end = 0;
  std::uint64_t compute = std::numeric_limits<std::uint64_t>::max();  ///< First on array, vector.

  [[nodiscard]] bool ran() const { return begin < end; }
  [[nodiscard]] std::uint64_t produces() const { return compute < end ? compute : begin; }
};

/// By index of the trace's layers.
std::vector<LayerTime> times_of(const Trace& trace) {
  std::vector<LayerTime> out(trace.layers.size());
  for (const TraceTrack& track : trace.tracks) {
    const bool computes = track.name == "mac_array" || track.name == "vector_unit";
    for (const TraceSpan& span : track.spans) {
      if (span.layer == 0) continue;
      LayerTime& layer = out[span.layer];
      layer.begin = std::min(layer.begin, span.begin);
      layer.end = std::max(layer.end, span.end);
      if (computes) layer.compute = std::min(layer.compute, span.begin);
    }
  }
  return out;
}

/// Reads mapping.yaml. Keys that say nothing about memory are left alone.
class MappingReader {
 public:
  MappingReader(const YamlMap& in, const Trace& trace) : in_(in), trace_(trace) {
    times_ = times_of(trace);
    use_.resize(2);
    use_[0].memory = "scratchpad";
    use_[1].memory = "accumulator";
  }

  std::vector<MemoryUse> read() {
    for (const YamlMap& layer : in_.require_maps("layers")) read_layer(layer);
    if (in_.has("tensors")) {
      for (const YamlMap& tensor : in_.require_maps("tensors")) read_tensor(tensor);
    }
    return std::move(use_);
  }

 private:
  void add(MemoryUse& to, const YamlMap& at, Allocation allocation) {
    if (allocation.bytes == 0 || allocation.begin >= allocation.end) return;
    if (++count_ > kMaxAllocations) {
      fail("{}: more than {} buffers and tensors", at.file(), kMaxAllocations);
    }
    to.allocations.push_back(std::move(allocation));
  }

  void read_layer(const YamlMap& in) {
    const auto name = in.require<std::string>("layer");
    const std::uint32_t index = trace_.layer(name);
    layers_.push_back(index);
    const LayerTime& time = times_[index];
    if (index == 0 || !time.ran()) return;
    if (in.has("scratchpad")) {
      for (const YamlMap& buffer : in.require_maps("scratchpad")) {
        const auto kind = buffer.require<std::string>("buffer");
        add(use_[0], buffer,
            {.kind = kind,
             .label = fmt::format("{} of {}", kind, name),
             .begin = time.begin,
             .end = time.end,
             .address = static_cast<std::uint64_t>(buffer.require_int("address", 0, kMaxBytes)),
             .bytes = slots(buffer)});
      }
    }
    if (const std::optional<YamlMap> sums = in.get_map("accumulator")) {
      add(use_[1], *sums,
          {.kind = "sums",
           .label = fmt::format("sums of {}", name),
           .begin = time.produces(),
           .end = time.end,
           .address = 0,
           .bytes = slots(*sums)});
    }
  }

  static std::uint64_t slots(const YamlMap& in) {
    return static_cast<std::uint64_t>(in.require_int("slots", 0, kMaxSlots) *
                                      in.require_int("slot_bytes", 0, kMaxBytes));
  }

  void read_tensor(const YamlMap& in) {
    if (in.require<std::string>("memory") != "scratchpad") return;
    const std::int64_t first = in.require_int("first_layer", -1, kMaxLayer);
    const std::int64_t last = in.require_int("last_layer", -1, kMaxLayer);
    std::string label;
    for (const std::string& id : in.require_texts("tensors")) {
      label += (label.empty() ? "" : ", ") + id;
    }
    Allocation allocation{
        .kind = "tensors",
        .label = (label.find(',') == std::string::npos ? "tensor " : "tensors ") + label,
        .begin = 0,
        .end = 0,
        .address = static_cast<std::uint64_t>(in.require_int("address", 0, kMaxBytes)),
        .bytes = static_cast<std::uint64_t>(in.require_int("bytes", 0, kMaxBytes))};
    bool has_begin = first < 0;
    if (has_begin) allocation.begin = trace_.begin;
    const std::int64_t layers = static_cast<std::int64_t>(layers_.size());
    for (std::int64_t l = std::max<std::int64_t>(first, 0); l <= last && l < layers; ++l) {
      const LayerTime& time = times_[layers_[static_cast<std::size_t>(l)]];
      if (layers_[static_cast<std::size_t>(l)] == 0 || !time.ran()) continue;
      if (!has_begin) allocation.begin = time.produces();
      has_begin = true;
      allocation.end = std::max(allocation.end, time.end);
    }
    if (has_begin) add(use_[0], in, std::move(allocation));
  }

  const YamlMap& in_;
  const Trace& trace_;
  std::vector<LayerTime> times_;
  std::vector<std::uint32_t> layers_;  ///< Of the mapping, as indices of the trace's.
  std::vector<MemoryUse> use_;
  std::size_t count_ = 0;
};

struct Range {
  std::uint64_t begin = 0, end = 0;
};

/// Adds a range to disjoint ones in order. @return bytes that were not there before.
std::uint64_t cover(std::vector<Range>& covered, Range added) {
  std::uint64_t fresh = added.end - added.begin;
  std::vector<Range> out;
  for (const Range& r : covered) {
    if (r.end < added.begin || r.begin > added.end) {
      out.push_back(r);
      continue;
    }
    fresh -= std::min(r.end, added.end) - std::max(r.begin, added.begin);
    added = {std::min(r.begin, added.begin), std::max(r.end, added.end)};
  }
  out.push_back(added);
  covered = std::move(out);
  return fresh;
}

std::size_t kind_of(MemoryUse& use, const std::string& kind) {
  const auto at = std::ranges::find(use.kinds, kind);
  if (at != use.kinds.end()) return static_cast<std::size_t>(at - use.kinds.begin());
  if (use.kinds.size() + 1 < kMaxKinds) {
    use.kinds.push_back(kind);
  } else if (use.kinds.back() != "other") {
    use.kinds.emplace_back("other");
  }
  return use.kinds.size() - 1;
}

/// Fills times and bytes from the allocations.
void sweep(MemoryUse& use, const std::string& file, std::uint64_t end) {
  std::ranges::stable_sort(use.allocations, {}, &Allocation::begin);
  std::vector<std::size_t> kinds;
  for (const Allocation& a : use.allocations) {
    kinds.push_back(kind_of(use, a.kind));
    use.times.push_back(a.begin);
    use.times.push_back(a.end);
  }
  use.times.push_back(end);
  std::ranges::sort(use.times);
  use.times.erase(std::unique(use.times.begin(), use.times.end()), use.times.end());
  use.bytes.resize(use.kinds.size());
  std::vector<std::size_t> active;  // In the order of their begins.
  std::size_t next = 0;
  for (std::size_t t = 0; t + 1 < use.times.size(); ++t) {
    const std::uint64_t now = use.times[t];
    std::erase_if(active, [&](std::size_t a) { return use.allocations[a].end <= now; });
    while (next < use.allocations.size() && use.allocations[next].begin == now) {
      active.push_back(next++);
    }
    if (active.size() > kMaxAtATime) {
      fail("{}: more than {} buffers and tensors at a time", file, kMaxAtATime);
    }
    for (std::vector<std::uint64_t>& of_kind : use.bytes) of_kind.push_back(0);
    std::vector<Range> covered;
    std::uint64_t total = 0;
    const std::vector<std::size_t> latest_first(active.rbegin(), active.rend());
    for (const std::size_t a : latest_first) {
      const Allocation& allocation = use.allocations[a];
      const std::uint64_t fresh =
          cover(covered, {allocation.address, allocation.address + allocation.bytes});
      use.bytes[kinds[a]].back() += fresh;
      total += fresh;
    }
    use.peak_bytes = std::max(use.peak_bytes, total);
  }
}

/// Keeps at most kMaxTimes windows: of neighbours the one with the highest total.
void thin_out(MemoryUse& use) {
  const std::size_t windows = use.times.size() - 1;
  if (windows <= kMaxTimes) return;
  const std::size_t each = (windows + kMaxTimes - 1) / kMaxTimes;
  std::vector<std::uint64_t> times;
  std::vector<std::vector<std::uint64_t>> bytes(use.kinds.size());
  for (std::size_t first = 0; first < windows; first += each) {
    std::size_t best = first;
    std::uint64_t highest = 0;
    for (std::size_t w = first; w < std::min(first + each, windows); ++w) {
      std::uint64_t total = 0;
      for (const std::vector<std::uint64_t>& of_kind : use.bytes) total += of_kind[w];
      if (total > highest) {
        highest = total;
        best = w;
      }
    }
    times.push_back(use.times[first]);
    for (std::size_t k = 0; k < bytes.size(); ++k) bytes[k].push_back(use.bytes[k][best]);
  }
  times.push_back(use.times.back());
  use.times = std::move(times);
  use.bytes = std::move(bytes);
}

}  // namespace

std::vector<MemoryUse> read_memory_use(std::string_view mapping_yaml, const std::string& file,
                                       const Trace& trace) {
  const YamlMap in = YamlMap::from_text(mapping_yaml, file);
  std::vector<MemoryUse> out = MappingReader(in, trace).read();
  std::erase_if(out, [](const MemoryUse& use) { return use.allocations.empty(); });
  for (MemoryUse& use : out) {
    sweep(use, file, trace.end);
    thin_out(use);
  }
  return out;
}

}  // namespace npu::publish
