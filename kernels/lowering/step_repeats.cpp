#include "kernels/lowering/step_repeats.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

#include "isa/encoding.h"
#include "isa/instructions.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using isa::Opcode;
using isa::Opd;
using std::int64_t;
using std::size_t;

/// A layer shorter than so many times the steady cycles is simulated whole.
constexpr double kLeastSteady = 1.5;

bool is_scratchpad_address(Opd opd) {
  constexpr std::array kAddresses = {Opd::kSrc, Opd::kDst, Opd::kA,      Opd::kB,
                                     Opd::kX,   Opd::kW,   Opd::kParams, Opd::kTable};
  return std::ranges::find(kAddresses, opd) != kAddresses.end();
}

bool is_dram_address(Opcode opcode, Opd opd) {
  const bool reads = opcode == Opcode::kDmaLoad || opcode == Opcode::kDmaCopy;
  const bool writes = opcode == Opcode::kDmaStore || opcode == Opcode::kDmaCopy;
  return (opd == Opd::kSrc && reads) || (opd == Opd::kDst && writes);
}

/// What of a step its timing depends on.
class StepKey {
 public:
  StepKey(const mapper::LayerPlan& plan, int64_t burst_bytes)
      : plan_(plan), burst_bytes_(burst_bytes) {}

  [[nodiscard]] std::vector<int64_t> of(const Step& step) const {
    std::vector<int64_t> key;
    for (const std::vector<Item>* items : {&step.loads, &step.work}) {
      key.push_back(std::ssize(*items));
      for (const Item& item : *items) add(item, key);
    }
    return key;
  }

 private:
  void add(const Item& item, std::vector<int64_t>& key) const {
    const isa::InstrSpec& spec = isa::spec_of(item.instruction.opcode);
    key.push_back(static_cast<int64_t>(item.instruction.opcode));
    for (size_t i = 0; i < spec.field_count; ++i) {
      const int64_t value = item.instruction.values[i];
      if (is_dram_address(spec.opcode, spec.fields[i].opd)) {
        key.push_back(value % burst_bytes_);
      } else {
        key.push_back(is_scratchpad_address(spec.fields[i].opd) ? address(value) : value);
      }
    }
  }

  [[nodiscard]] int64_t address(int64_t value) const {
    const bool is_own = std::ranges::any_of(plan_.buffers, [&](const mapper::Buffer& b) {
      return value >= b.address && value < b.address + b.bytes();
    });
    return is_own ? value : -1;
  }

  const mapper::LayerPlan& plan_;
  int64_t burst_bytes_;
};

/// A number per step, equal for equal steps.
std::vector<std::uint32_t> keys_of(const mapper::LayerPlan& plan, int64_t burst_bytes,
                                   std::span<const Step> steps) {
  const StepKey key(plan, burst_bytes);
  std::map<std::vector<int64_t>, std::uint32_t> known;
  std::vector<std::uint32_t> keys;
  for (const Step& step : steps) {
    keys.push_back(
        known.emplace(key.of(step), static_cast<std::uint32_t>(known.size())).first->second);
  }
  return keys;
}

/// Takes the steps of one layer after another over into parts.
class Folder {
 public:
  explicit Folder(const RepeatPlan& plan) : plan_(plan), parts_(plan.kept.size()) {}

  /// All steps of a layer.
  void keep(size_t layer, std::span<Step> steps, const isa::LayerRecord& record) {
    begin_part(layer, record, 1);
    for (Step& step : steps) take(step);
  }

  void fold(size_t layer, std::span<Step> steps, const isa::LayerRecord& record,
            const RepeatPlan& inner) {
    NPU_CHECK(inner.kept.front().layer == 0 && inner.kept.front().repeats == 1,
              "the first step stands for itself");
    const size_t first = records_.size();
    std::vector<size_t> part_of;
    for (const KeptLayer& kept : inner.kept) {
      const bool continues =
          !part_of.empty() && kept.repeats == factor_.back() && !begins_half(inner, part_of.size());
      if (!continues) begin_part(layer, record, kept.repeats);
      part_of.push_back(records_.size() - 1);
      take(steps[static_cast<size_t>(kept.layer)]);
    }
    for (size_t part = first + 1; part < records_.size(); ++part) {
      records_[part].macs = 0;
      records_[part].continues = true;
    }
    for (const SteadyPeriods& p : inner.periods) {
      periods_.push_back({.early = parts_of(p.early, part_of),
                          .late = parts_of(p.late, part_of),
                          .early_periods = p.early_periods,
                          .late_periods = p.late_periods,
                          .stands_for = p.stands_for * record.repeats});
    }
  }

  void finish(std::vector<Step>& steps, std::vector<isa::LayerRecord>& layers, RepeatPlan& plan) {
    for (const SteadyPeriods& p : plan.periods) {
      SteadyPeriods whole = p;
      whole.early = layers_to_parts(p.early);
      whole.late = layers_to_parts(p.late);
      periods_.push_back(std::move(whole));
    }
    plan.periods = std::move(periods_);
    plan.kept = std::move(kept_);
    layers = std::move(records_);
    steps = std::move(steps_);
  }

 private:
  /// Whether the kept step is the first of a half of steady periods: those are parts of their own.
  static bool begins_half(const RepeatPlan& plan, size_t kept) {
    return std::ranges::any_of(plan.periods, [&](const SteadyPeriods& p) {
      return p.early.front().kept == kept || p.late.front().kept == kept ||
             p.late.back().kept + 1 == kept;
    });
  }

  void begin_part(size_t layer, const isa::LayerRecord& record, int64_t factor) {
    isa::LayerRecord part = record;
    part.repeats *= factor;
    parts_[layer].push_back(records_.size());
    kept_.push_back({plan_.kept[layer].layer, part.repeats});
    factor_.push_back(factor);
    records_.push_back(std::move(part));
  }

  void take(Step& step) {
    for (std::vector<Item>* items : {&step.loads, &step.work}) {
      for (Item& item : *items) item.layer = static_cast<std::int32_t>(records_.size() - 1);
    }
    steps_.push_back(std::move(step));
  }

  /// Steps to the parts that hold them, each once.
  static std::vector<SteadyPeriods::Part> parts_of(const std::vector<SteadyPeriods::Part>& steps,
                                                   const std::vector<size_t>& part_of) {
    std::vector<SteadyPeriods::Part> parts;
    for (const SteadyPeriods::Part& p : steps) {
      const size_t part = part_of[p.kept];
      if (parts.empty() || parts.back().kept != part) parts.push_back({part, p.times});
    }
    return parts;
  }

  [[nodiscard]] std::vector<SteadyPeriods::Part> layers_to_parts(
      const std::vector<SteadyPeriods::Part>& layers) const {
    std::vector<SteadyPeriods::Part> out;
    for (const SteadyPeriods::Part& p : layers) {
      for (const size_t part : parts_[p.kept]) out.push_back({part, p.times * factor_[part]});
    }
    return out;
  }

  const RepeatPlan& plan_;
  std::vector<std::vector<size_t>> parts_;  ///< Per layer.
  std::vector<int64_t> factor_;             ///< Per part: how often its layer holds it.
  std::vector<KeptLayer> kept_;
  std::vector<isa::LayerRecord> records_;
  std::vector<Step> steps_;
  std::vector<SteadyPeriods> periods_;
};

/// Whether the layer's data outweigh its code by far. The whole layer is rolled into loops, which
/// are fetched once; of one in parts each part is fetched as often as it repeats.
bool is_code_small(std::span<const Step> steps) {
  constexpr double kCodeShare = 0.004;
  double data = 0;
  double code = 0;
  for (const Step& step : steps) {
    for (const std::vector<Item>* items : {&step.loads, &step.work}) {
      for (const Item& item : *items) {
        const isa::Instruction& i = item.instruction;
        code += isa::kWordBytes;
        if (isa::spec_of(i.opcode).unit != isa::Unit::kDma || i.opcode == Opcode::kDmaFill)
          continue;
        data += static_cast<double>(i[Opd::kN0] * i[Opd::kN1]) *
                static_cast<double>(i[Opd::kN2] * i[Opd::kN3]);
      }
    }
  }
  return code <= kCodeShare * data;
}

/// −1: an empty step, of the layer before.
std::int32_t layer_of(const Step& step) {
  for (const std::vector<Item>* items : {&step.loads, &step.work}) {
    if (!items->empty()) return items->front().layer;
  }
  return -1;
}

}  // namespace

void fold_steps(const mapper::Mapping& mapping, const std::vector<double>& cycles,
                double steady_cycles, int64_t burst_bytes, std::vector<Step>& steps,
                std::vector<isa::LayerRecord>& layers, RepeatPlan& plan) {
  Folder folder(plan);
  size_t begin = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    size_t end = begin;
    while (end < steps.size() && layer_of(steps[end]) <= static_cast<std::int32_t>(i)) ++end;
    const auto own = std::span(steps).subspan(begin, end - begin);
    begin = end;
    const auto layer = static_cast<size_t>(plan.kept[i].layer);
    if (own.empty() || cycles[layer] < kLeastSteady * steady_cycles || !is_code_small(own)) {
      folder.keep(i, own, layers[i]);
      continue;
    }
    const std::vector<double> each(own.size(), cycles[layer] / static_cast<double>(own.size()));
    const RepeatPlan inner =
        find_repeats(keys_of(mapping.layers[layer], burst_bytes, own), each, steady_cycles);
    if (inner.periods.empty()) {
      folder.keep(i, own, layers[i]);
    } else {
      folder.fold(i, own, layers[i], inner);
    }
  }
  NPU_CHECK(begin == steps.size(), "every step belongs to a layer");
  folder.finish(steps, layers, plan);
}

}  // namespace npu::kernels
