#include "kernels/mapper/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/mapper/decision_knobs.h"
#include "sim/base/math.h"
#include "sim/base/suggest.h"

namespace npu::mapper {
namespace {

using std::int64_t;

/// What leaving out a key counts as a change, against the logarithm of a ratio of values.
constexpr double kLeftOutKey = 20, kOtherMemory = 30, kLeftOutEntry = 40;

class Repairer {
 public:
  Repairer(const graph::Graph& graph, const NpuConfig& config, const Partition& partition,
           const Decisions& decisions, const Fault& fault)
      : graph_(graph),
        config_(config),
        partition_(partition),
        decisions_(decisions),
        fault_(fault),
        names_(layer_names(graph, partition)),
        faulty_(index_of(fault.layer)) {}

  std::optional<Repair> run() {
    search();
    least_ = Result::kNext;
    if (!best_) search();
    return std::move(best_);
  }

 private:
  enum class Result : std::uint8_t { kSame, kNext, kLegal };

  void search() {
    if (fault_.layer.empty()) {
      tensor();
    } else if (const LayerDecision* d = decisions_.layer(fault_.layer)) {
      layer(static_cast<std::size_t>(d - decisions_.layers.data()));
    } else {
      residents();
    }
  }

  [[nodiscard]] std::ptrdiff_t index_of(const std::string& name) const {
    return std::find(names_.begin(), names_.end(), name) - names_.begin();
  }

  Result result_of(const Decisions& changed) const {
    try {
      static_cast<void>(map_network(graph_, config_, partition_, &changed));
      return Result::kLegal;
    } catch (const MappingError& error) {
      const Fault& f = error.fault();
      if (f.layer.empty()) {
        return fault_.layer.empty() && f.key != fault_.key ? Result::kNext : Result::kSame;
      }
      // Names are looked at before everything else, layers in their order.
      const bool is_name = f.kind == FaultKind::kName && f.key == "layer";
      if (is_name) {
        return fault_.key == "layer" && f.layer != fault_.layer ? Result::kNext : Result::kSame;
      }
      if (fault_.layer.empty() || fault_.key == "layer") return Result::kNext;
      return index_of(f.layer) > faulty_ ? Result::kNext : Result::kSame;
    }
  }

  bool helps(const Decisions& changed) const { return result_of(changed) >= least_; }

  void consider(Decisions changed, std::string text, double size) {
    if (best_ && size_ <= size) return;
    const Result result = result_of(changed);
    if (result < least_) return;
    best_ = Repair{std::move(text), std::move(changed), result == Result::kLegal};
    size_ = size;
  }

  static std::string shown(const Knob& knob, int64_t value) {
    if (knob.key == "streamed") return value != 0 ? "true" : "false";
    return std::to_string(value);
  }

  static double ratio(int64_t from, int64_t to) {
    return std::abs(std::log(static_cast<double>(std::max<int64_t>(from, 0)) + 1) -
                    std::log(static_cast<double>(std::max<int64_t>(to, 0)) + 1));
  }

  /// Other values of one key: the nearest below and above that help.
  void turn(std::size_t at, const Knob& knob) {
    const int64_t from = *knob.get(decisions_.layers[at]);
    const auto changed = [&](int64_t value) {
      Decisions d = decisions_;
      knob.set(d.layers[at], value);
      return d;
    };
    const auto propose = [&](int64_t value) {
      if (value == from) return;
      consider(changed(value),
               fmt::format("{} {} -> {}", knob.key, shown(knob, from), shown(knob, value)),
               ratio(from, value));
    };
    if (knob.key.ends_with("address")) {
      for (const int64_t address : addresses_near(at, knob, from)) propose(address);
    } else if (knob.key == "streamed") {
      propose(1 - from);
    } else {
      below(from, knob.unit, changed, propose);
      if (knob.key.ends_with("slot_bytes") && knob.key == fault_.key && fault_.needed > 0)
        propose(round_up(fault_.needed, knob.unit));
      for (const int64_t value : {int64_t{0}, int64_t{1}, round_up(from, knob.unit)})
        propose(value);
    }
    Decisions without = decisions_;
    knob.set(without.layers[at], std::nullopt);
    consider(std::move(without), fmt::format("{} {} left out", knob.key, shown(knob, from)),
             kLeftOutKey);
  }

  /// The largest smaller value that helps: halving finds one, bisection the boundary.
  template <typename Changed, typename Propose>
  void below(int64_t from, int64_t unit, Changed&& changed, Propose&& propose) const {
    int64_t bad = ceil_div(from, unit);
    int64_t good = 0;
    for (int64_t n = bad - 1; n >= 1; n = n > 8 ? n / 2 : n - 1) {
      if (helps(changed(n * unit))) {
        good = n;
        break;
      }
      bad = n;
    }
    if (good == 0) return;
    while (bad - good > 1) {
      const int64_t middle = good + (bad - good) / 2;
      (helps(changed(middle * unit)) ? good : bad) = middle;
    }
    propose(good * unit);
  }

  /// Where the mapper places a buffer whose address is left out, and the multiples around it.
  std::vector<int64_t> addresses_near(std::size_t at, const Knob& knob, int64_t from) const {
    std::vector<int64_t> addresses = {from / kAlignment * kAlignment, round_up(from, kAlignment)};
    Decisions without = decisions_;
    knob.set(without.layers[at], std::nullopt);
    const std::string& layer = decisions_.layers[at].layer;
    try {
      const Mapping m = map_network(graph_, config_, partition_, &without);
      const LayerPlan& plan = m.layers[static_cast<std::size_t>(index_of(layer))];
      const std::string name = buffer_name(knob.key);
      const Buffer* own = plan.buffer(name);
      if (own == nullptr) return addresses;
      addresses.push_back(own->address);
      const auto beside = [&](int64_t low, int64_t high) {
        addresses.push_back(round_up(high, kAlignment));
        if (low >= own->bytes())
          addresses.push_back((low - own->bytes()) / kAlignment * kAlignment);
      };
      for (const Buffer& b : plan.buffers) {
        if (b.name != name) beside(b.address, b.address + b.bytes());
      }
      const auto index = static_cast<int>(index_of(layer));
      for (const Storage& s : m.storages.all) {
        const bool alive = s.resident && s.first_layer <= index && index <= s.last_layer;
        if (alive) beside(s.address, s.address + s.bytes);
      }
      beside(scratchpad_capacity(config_), 0);
    } catch (const Error&) {
    }
    return addresses;
  }

  static std::string buffer_name(const std::string& key) {
    const std::size_t first = key.find('.') + 1;
    return key.substr(first, key.rfind('.') - first);
  }

  void layer(std::size_t at) {
    if (fault_.key == "layer") return rename(at);
    const std::vector<Knob> knobs = knobs_of(decisions_.layers[at]);
    const auto named = [&](const Knob& k) {
      return k.key == fault_.key || k.key.starts_with(fault_.key + "[");
    };
    for (const Knob& k : knobs) {
      if (named(k)) turn(at, k);
    }
    if (best_ && size_ < kLeftOutKey) return;
    for (const Knob& k : knobs) {
      if (!named(k)) turn(at, k);
    }
    residents();
    buffers(at);
    if (best_) return;
    Decisions d = decisions_;
    d.layers.erase(d.layers.begin() + static_cast<std::ptrdiff_t>(at));
    consider(std::move(d), fmt::format("the layer {} left out", fault_.layer), kLeftOutEntry);
  }

  /// Entries of buffers that are left out.
  void buffers(std::size_t at) {
    for (std::size_t i = 0; i < decisions_.layers[at].buffers.size(); ++i) {
      const std::string& name = decisions_.layers[at].buffers[i].name;
      Decisions d = decisions_;
      d.layers[at].buffers.erase(d.layers[at].buffers.begin() + static_cast<std::ptrdiff_t>(i));
      const bool named = fault_.key == fmt::format("scratchpad.{}", name);
      consider(std::move(d), fmt::format("scratchpad.{} left out", name),
               named ? kLeftOutKey : kOtherMemory);
    }
  }

  void rename(std::size_t at) {
    std::vector<std::string> free;
    for (const std::string& name : names_) {
      if (decisions_.layer(name) == nullptr) free.push_back(name);
    }
    const std::string& from = decisions_.layers[at].layer;
    if (const std::optional<std::string> to = closest_name(from, free)) {
      Decisions d = decisions_;
      d.layers[at].layer = *to;
      consider(std::move(d), fmt::format("layer \"{}\" -> \"{}\"", from, *to), kLeftOutKey);
    }
    Decisions d = decisions_;
    d.layers.erase(d.layers.begin() + static_cast<std::ptrdiff_t>(at));
    consider(std::move(d), fmt::format("the layer {} left out", from), kLeftOutEntry);
  }

  /// Tensors that are resident by decision: in DRAM instead.
  void residents() {
    for (std::size_t i = 0; i < decisions_.tensors.size(); ++i) {
      if (!decisions_.tensors[i].resident) continue;
      Decisions d = decisions_;
      d.tensors[i].resident = false;
      d.tensors[i].address = std::nullopt;
      consider(std::move(d),
               fmt::format("tensors {}: memory scratchpad -> dram", decisions_.tensors[i].tensor),
               kOtherMemory);
    }
  }

  void tensor() {
    for (std::size_t i = 0; i < decisions_.tensors.size(); ++i) {
      if (concerns(decisions_.tensors[i])) tensor(i);
    }
    if (fault_.kind != FaultKind::kOverlap || (best_ && size_ < kLeftOutKey)) return;
    for (std::size_t i = 0; i < decisions_.tensors.size(); ++i) {
      if (decisions_.tensors[i].address) tensor(i);
    }
  }

  void tensor(std::size_t i) {
    const TensorDecision& t = decisions_.tensors[i];
    if (t.address) {
      for (const int64_t address : tensor_addresses(i)) {
        if (address == *t.address || address < 0) continue;
        Decisions d = decisions_;
        d.tensors[i].address = address;
        consider(std::move(d),
                 fmt::format("tensors {}: address {} -> {}", t.tensor, *t.address, address),
                 ratio(*t.address, address));
      }
      Decisions d = decisions_;
      d.tensors[i].address = std::nullopt;
      consider(std::move(d), fmt::format("tensors {}: address left out", t.tensor), kLeftOutKey);
    }
    if (t.resident) {
      Decisions d = decisions_;
      d.tensors[i].resident = false;
      d.tensors[i].address = std::nullopt;
      consider(std::move(d), fmt::format("tensors {}: memory scratchpad -> dram", t.tensor),
               kOtherMemory);
    }
    Decisions d = decisions_;
    d.tensors.erase(d.tensors.begin() + static_cast<std::ptrdiff_t>(i));
    consider(std::move(d), fmt::format("tensors {} left out", t.tensor), kLeftOutEntry);
  }

  /// Whether the fault names this tensor or one of its storage.
  [[nodiscard]] bool concerns(const TensorDecision& t) const {
    const auto is = [&](graph::TensorId id) {
      return fault_.key == fmt::format("tensors.{}", id) ||
             fault_.key.starts_with(fmt::format("tensors.{}.", id));
    };
    return is(t.tensor) || std::any_of(t.same.begin(), t.same.end(), is);
  }

  [[nodiscard]] std::vector<int64_t> tensor_addresses(std::size_t i) const {
    const int64_t from = *decisions_.tensors[i].address;
    std::vector<int64_t> addresses = {from / kAlignment * kAlignment, round_up(from, kAlignment)};
    Decisions without = decisions_;
    without.tensors[i].address = std::nullopt;
    try {
      const Mapping m = map_network(graph_, config_, partition_, &without);
      const Storage& own = m.storages.of(decisions_.tensors[i].tensor);
      addresses.push_back(own.address);
      for (const Storage& s : m.storages.all) {
        if (!s.resident || s.first_layer > own.last_layer || own.first_layer > s.last_layer)
          continue;
        addresses.push_back(round_up(s.address + s.bytes, kAlignment));
        addresses.push_back((s.address - own.bytes) / kAlignment * kAlignment);
      }
      addresses.push_back((config_.scratchpad.capacity_bytes - own.bytes) / kAlignment *
                          kAlignment);
    } catch (const Error&) {
    }
    return addresses;
  }

  const graph::Graph& graph_;
  const NpuConfig& config_;
  const Partition& partition_;
  const Decisions& decisions_;
  const Fault& fault_;
  std::vector<std::string> names_;
  std::ptrdiff_t faulty_;
  std::optional<Repair> best_;
  double size_ = 0;
  Result least_ = Result::kLegal;  ///< What counts as help.
};

}  // namespace

std::optional<Repair> smallest_repair(const graph::Graph& graph, const NpuConfig& config,
                                      const Partition& partition, const Decisions& decisions,
                                      const Fault& fault) {
  return Repairer(graph, config, partition, decisions, fault).run();
}

}  // namespace npu::mapper
