#include "kernels/lowering/step_checks.h"

#include <algorithm>
#include <array>
#include <map>

#include "isa/footprint.h"
#include "kernels/mapper/mapping_error.h"

namespace npu::kernels {
namespace {

using isa::Memory;
using isa::Opcode;
using isa::Opd;
using mapper::FaultKind;
using mapper::MemoryLevel;
using mapper::Storage;
using std::int64_t;

/// Where bytes of the scratchpad come from: a load's source and the distance from its first byte.
using Source = std::array<int64_t, 3>;

/// The last load into each byte of the scratchpad.
class Loads {
 public:
  void note(const isa::Instruction& i, const Access& to) {
    auto at = by_low_.lower_bound(to.low);
    if (at != by_low_.begin() && std::prev(at)->second.high > to.low) --at;
    while (at != by_low_.end() && at->first < to.high) at = by_low_.erase(at);
    by_low_[to.low] = {to.high, i[Opd::kSrc]};
  }
  [[nodiscard]] Source source(int64_t address) const {
    auto at = by_low_.upper_bound(address);
    if (at == by_low_.begin()) return {0, address, 0};
    --at;
    if (at->second.high <= address) return {0, address, 0};
    return {1, at->second.source, address - at->first};
  }

 private:
  struct Load {
    int64_t high = 0, source = 0;
  };
  std::map<int64_t, Load> by_low_;
};

/// Sums in the accumulators and what they were made of.
class Sums {
 public:
  Sums(const mapper::LayerPlan& plan, const Loads& loads) : plan_(plan), loads_(loads) {
    const mapper::WindowProblem& p = *plan.window;
    depth_ = p.taps() * (p.kind == mapper::WindowKind::kDepthwise ? 1 : p.in_c);
  }

  void multiply(const isa::Instruction& i) {
    const bool gemm = i.opcode == Opcode::kGemm;
    const int64_t positions = gemm ? i[Opd::kM] : i[Opd::kOutH] * i[Opd::kOutW];
    const int64_t channels = gemm ? i[Opd::kN] : i[Opd::kOutC];
    const int64_t taps = gemm ? 1 : i[Opd::kKernelH] * i[Opd::kKernelW];
    const int64_t inputs = gemm ? i[Opd::kK] : i.opcode == Opcode::kDepthwise ? 1 : i[Opd::kInC];
    const int64_t depth = taps * inputs;
    if (i.opcode != Opcode::kDepthwise && i[Opd::kStream] != 0) {
      if (depth != depth_) refuse(depth);
      return;
    }
    const int64_t low = i[Opd::kAcc];
    const int64_t high = low + positions * channels * plan_.window->acc_size();
    if (i[Opd::kAccumulate] == 0) {
      begin(low, high);
    } else if (!by_low_.contains(low) || by_low_[low].high != high) {
      refuse(0);
    }
    Sum& sum = by_low_[low];
    sum.depth += depth;
    sum.parts.push_back({loads_.source(i[Opd::kX]), loads_.source(i[Opd::kW])});
  }

  /// The sums of [low, high) become outputs.
  void read(int64_t low, int64_t high) {
    int64_t at = low;
    while (at < high) {
      const auto sum = by_low_.find(at);
      if (sum == by_low_.end()) refuse(0);
      if (sum->second.depth != depth_) refuse(sum->second.depth);
      auto& parts = sum->second.parts;
      std::sort(parts.begin(), parts.end());
      if (std::adjacent_find(parts.begin(), parts.end()) != parts.end()) refuse(depth_);
      at = sum->second.high;
    }
  }

 private:
  using Part = std::array<Source, 2>;
  struct Sum {
    int64_t high = 0, depth = 0;
    std::vector<Part> parts;
  };

  void begin(int64_t low, int64_t high) {
    auto at = by_low_.lower_bound(low);
    if (at != by_low_.begin() && std::prev(at)->second.high > low) --at;
    while (at != by_low_.end() && at->first < high) at = by_low_.erase(at);
    by_low_[low].high = high;
  }
  [[noreturn]] void refuse(int64_t depth) const {
    mapper::fail_mapping({.kind = FaultKind::kCoverage,
                          .layer = plan_.name,
                          .key = "tile",
                          .level = MemoryLevel::kAccumulator,
                          .object = "sums"},
                         "{}: accumulator: a sum takes {} products, each once, got {}", plan_.name,
                         depth_, depth);
  }

  const mapper::LayerPlan& plan_;
  const Loads& loads_;
  int64_t depth_ = 0;
  std::map<int64_t, Sum> by_low_;
};

/// How often each byte of a storage is written.
class Coverage {
 public:
  explicit Coverage(const Storage& storage)
      : storage_(storage), times_(static_cast<std::size_t>(storage.bytes)) {}

  void write(const isa::Region& r) {
    const Memory memory = storage_.resident ? Memory::kScratchpad : Memory::kDram;
    const int64_t end = storage_.address + storage_.bytes;
    if (r.memory != memory || r.low() >= end || r.high() <= storage_.address) return;
    for (int64_t a = 0; a < r.count[2]; ++a) {
      for (int64_t b = 0; b < r.count[1]; ++b) {
        for (int64_t c = 0; c < r.count[0]; ++c)
          run(r.base + a * r.stride[2] + b * r.stride[1] + c * r.stride[0], r.run);
      }
    }
  }
  [[nodiscard]] int64_t missing() const { return std::count(times_.begin(), times_.end(), 0); }
  [[nodiscard]] int64_t twice() const { return std::count(times_.begin(), times_.end(), 2); }

 private:
  void run(int64_t low, int64_t bytes) {
    const int64_t begin = std::max<int64_t>(0, low - storage_.address);
    const int64_t end = std::min(storage_.bytes, low + bytes - storage_.address);
    for (int64_t i = begin; i < end; ++i) {
      std::uint8_t& times = times_[static_cast<std::size_t>(i)];
      times = static_cast<std::uint8_t>(std::min(2, times + 1));
    }
  }

  const Storage& storage_;
  std::vector<std::uint8_t> times_;
};

class StepChecker {
 public:
  StepChecker(const graph::Graph& graph, const mapper::Mapping& mapping, const RepeatPlan& repeats)
      : graph_(graph), mapping_(mapping), repeats_(repeats) {}

  void run(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
      for (const Item& item : step.loads) look_at(item);
      for (const Item& item : step.work) look_at(item);
    }
    finish_layer();
  }

 private:
  void look_at(const Item& item) {
    if (item.layer != current_) begin_layer(item.layer);
    for (const Access& a : item.accesses) {
      if (a.memory == Memory::kScratchpad && a.low < a.high) in_one_slot(a);
    }
    const isa::Instruction& i = item.instruction;
    switch (i.opcode) {
      case Opcode::kDmaLoad:
        for (const Access& a : item.accesses) {
          if (a.write && a.memory == Memory::kScratchpad) loads_.note(i, a);
        }
        break;
      case Opcode::kConv:
      case Opcode::kGemm:
      case Opcode::kDepthwise:
        if (sums_) sums_->multiply(i);
        break;
      case Opcode::kRequantize:
      case Opcode::kOutput:
        for (const Access& a : item.accesses) {
          if (sums_ && !a.write && a.memory == Memory::kAccumulator) sums_->read(a.low, a.high);
        }
        break;
      default:
        break;
    }
    isa::footprint(i, footprint_);
    for (const isa::Region& r : footprint_.writes) {
      for (Coverage& c : outputs_) c.write(r);
    }
  }

  void begin_layer(std::int32_t kept) {
    finish_layer();
    current_ = kept;
    layer_ = repeats_.kept[static_cast<std::size_t>(kept)].layer;
    plan_ = &mapping_.layers[static_cast<std::size_t>(layer_)];
    const bool has_sums = plan_->window && mapper::uses_array(*plan_->window);
    sums_.reset();
    if (has_sums) sums_.emplace(*plan_, loads_);
    for (const graph::TensorId id : node().outputs) outputs_.emplace_back(mapping_.storages.of(id));
    alive_.clear();
    for (const Storage& s : mapping_.storages.all) {
      if (s.resident && s.first_layer <= layer_ && layer_ <= s.last_layer) alive_.push_back(&s);
    }
  }

  void finish_layer() {
    if (plan_ == nullptr) return;
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
      const int64_t missing = outputs_[o].missing();
      const int64_t twice = sums_ ? outputs_[o].twice() : 0;
      if (missing == 0 && twice == 0) continue;
      const Storage& s = mapping_.storages.of(node().outputs[o]);
      mapper::fail_mapping(
          {.kind = FaultKind::kCoverage,
           .layer = plan_->name,
           .key = "tile",
           .level = s.resident ? MemoryLevel::kScratchpad : MemoryLevel::kDram,
           .object = fmt::format("tensor {}", node().outputs[o])},
          "{}: {}: of the {} bytes of tensor {} {} are never written and {} more than once",
          plan_->name, mapper::name_of(s.resident ? MemoryLevel::kScratchpad : MemoryLevel::kDram),
          s.bytes, node().outputs[o], missing, twice);
    }
    outputs_.clear();
  }

  void in_one_slot(const Access& a) const {
    for (const mapper::Buffer& b : plan_->buffers) {
      if (a.low < b.address || a.low >= b.address + b.bytes()) continue;
      const int64_t slot = (a.low - b.address) / b.slot_bytes;
      const int64_t end = b.address + (slot + 1) * b.slot_bytes;
      if (a.high <= end) return;
      refuse(fmt::format("scratchpad.{}.slot_bytes", b.name), b.name, a, end - a.low);
    }
    for (const Storage* s : alive_) {
      if (a.low >= s->address && a.high <= s->address + s->bytes) return;
    }
    refuse("", "", a, 0);
  }
  [[noreturn]] void refuse(const std::string& key, const std::string& object, const Access& a,
                           int64_t there) const {
    mapper::fail_mapping(
        {.kind = FaultKind::kSlots,
         .layer = plan_->name,
         .key = key,
         .level = MemoryLevel::kScratchpad,
         .object = object,
         .needed = a.high - a.low,
         .there = there},
        "{}: scratchpad: an instruction touches {} to {}, {} of these {} bytes are "
        "in a slot of the layer",
        plan_->name, a.low, a.high, there, a.high - a.low);
  }

  [[nodiscard]] const graph::Node& node() const {
    return graph_.nodes[static_cast<std::size_t>(plan_->node)];
  }

  const graph::Graph& graph_;
  const mapper::Mapping& mapping_;
  const RepeatPlan& repeats_;
  std::int32_t current_ = -1;
  int layer_ = -1;
  const mapper::LayerPlan* plan_ = nullptr;
  std::vector<const Storage*> alive_;
  Loads loads_;
  std::optional<Sums> sums_;
  std::vector<Coverage> outputs_;
  isa::Footprint footprint_;
};

}  // namespace

void check_steps(const graph::Graph& graph, const mapper::Mapping& mapping,
                 const RepeatPlan& repeats, const std::vector<Step>& steps) {
  StepChecker(graph, mapping, repeats).run(steps);
}

}  // namespace npu::kernels
