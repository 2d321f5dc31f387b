#include "sim/interchange/scalesim_reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/math.h"
#include "sim/compute/mac_operation.h"
#include "sim/memory/dma_descriptor.h"
#include "sim/timing/mac_timing.h"
#include "sim/timing/stripe_timing.h"

namespace npu::interchange {
namespace {

/// Words that an operand moved, and when.
struct Traffic {
  std::uint64_t begin = std::numeric_limits<std::uint64_t>::max(), end = 0;
  std::int64_t words = 0;

  void add(const Span& span, std::int64_t count) {
    if (count == 0) return;
    begin = std::min(begin, span.begin_cycle);
    end = std::max(end, span.end_cycle);
    words += count;
  }
};

struct Operands {
  Traffic ifmap, filter, ofmap;
};

/// Cycles [begin, end) of the array.
struct Work {
  std::uint64_t begin, end;
};

/// Places of the array that folds of weights, inputs or outputs take, of those there are.
struct Places {
  std::int64_t used = 0, all = 0;
};

struct Layer {
  std::int64_t macs = 0;
  std::uint64_t repeats = 1;
  Operands sram, dram;
  std::vector<Work> tiles;
  Places places;
  std::int64_t input_bytes = 1, weight_bytes = 1;  ///< Of a word.
};

/// Which places the stationary operand takes; of a tile that is depth-wise on a systolic array, the
/// block's diagonal.
Places places_of(const MacArrayConfig& c, const timing::MacTile& t) {
  const bool is_dot = c.kind == ArrayKind::kDotProduct;
  const std::int64_t rows = c.rows, cols = c.cols, pixels = c.pixels;
  if (t.depthwise && is_dot) {
    const std::int64_t group = std::min(rows, cols);
    return {t.n * t.k, ceil_div(t.n, group) * t.k * group};
  }
  const std::int64_t k_folds =
      is_dot ? t.taps * ceil_div(ceil_div(t.k, t.taps), rows) : ceil_div(t.k, rows);
  switch (c.dataflow) {
    case Dataflow::kWeightStationary: {
      const std::int64_t group =
          t.depthwise ? std::max<std::int64_t>(1, std::min(cols, rows / t.k)) : cols;
      return {t.n * t.k, k_folds * ceil_div(t.n, group) * rows * cols};
    }
    case Dataflow::kOutputStationary: {
      const std::int64_t m_places = is_dot ? pixels : rows;
      return {t.m * t.n, ceil_div(t.m, m_places) * m_places * ceil_div(t.n, cols) * cols};
    }
    case Dataflow::kInputStationary: {
      const std::int64_t m_places = is_dot ? pixels : cols;
      const std::int64_t channels = t.depthwise ? t.n : 1;
      return {channels * t.m * t.k, channels * k_folds * ceil_div(t.m, m_places) * rows * m_places};
    }
  }
  return {};
}

class Collector {
 public:
  Collector(const report::Report& report, const isa::Program& program, const NpuConfig& config)
      : report_(report), program_(program), config_(config), layers_(program.layers.size()) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      layers_[i].macs = report.layers[i].macs;
      layers_[i].repeats = report.layers[i].stats.repeats;
    }
    find_word_sizes();
    for (const Span& span : report.stats.spans) {
      if (span.instruction >= 0 && span.begin_cycle >= report.stats.last_run_begin_cycle) add(span);
    }
  }

  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }

 private:
  [[nodiscard]] static bool is_tile(isa::Opcode opcode) {
    return opcode == isa::Opcode::kConv || opcode == isa::Opcode::kDepthwise ||
           opcode == isa::Opcode::kGemm;
  }

  Layer* layer_of(std::size_t instruction) {
    const std::int32_t layer = program_.layer_of.at(instruction);
    return layer < 0 ? nullptr : &layers_.at(static_cast<std::size_t>(layer));
  }

  void find_word_sizes() {
    for (std::size_t i = 0; i < program_.code.size(); ++i) {
      Layer* layer = layer_of(i);
      if (layer == nullptr || !is_tile(program_.code[i].opcode)) continue;
      const auto op = compute::decode_mac(program_.code[i], static_cast<std::int32_t>(i));
      layer->input_bytes = compute::size_of(op.x_type);
      layer->weight_bytes = compute::size_of(op.w_type);
    }
  }

  void add(const Span& span) {
    const auto index = static_cast<std::size_t>(span.instruction);
    const isa::Instruction& instruction = program_.code.at(index);
    Layer* layer = layer_of(index);
    if (layer == nullptr) return;
    if (is_tile(instruction.opcode)) return add_tile(span, instruction, *layer);
    if (instruction.opcode == isa::Opcode::kLoadWeights) {
      layer->sram.filter.add(span, instruction[isa::Opd::kN] * instruction[isa::Opd::kK]);
      layer->tiles.push_back({span.begin_cycle, span.end_cycle});
    } else if (instruction.opcode == isa::Opcode::kDmaLoad) {
      const DmaDescriptor d(instruction);
      if (is_constant(d.src)) {
        layer->dram.filter.add(span, d.bytes() / layer->weight_bytes);
      } else {
        layer->dram.ifmap.add(span, d.bytes() / layer->input_bytes);
      }
    } else if (instruction.opcode == isa::Opcode::kDmaStore) {
      layer->dram.ofmap.add(span, DmaDescriptor(instruction).bytes() / layer->input_bytes);
    }
  }

  void add_tile(const Span& span, const isa::Instruction& instruction, Layer& layer) {
    const compute::MacOperation op = compute::decode_mac(instruction, span.instruction);
    const timing::MacTile tile = op.tile();
    const timing::MacTiming t = timing::mac_tile(config_.mac_array, tile);
    const std::int64_t pairs = compute::operands_of(op).input_pairs;
    const std::int64_t positions = op.positions() * op.taps();
    std::int64_t inputs = t.input_read_bytes / positions * pairs / tile.x_bytes();
    std::int64_t weights = t.weight_read_bytes / tile.w_bytes();
    std::int64_t sums = t.accumulator_write_bytes / tile.sum_bytes();
    if (op.stream) {
      const timing::StripedTile striped = timing::striped_tile(config_.mac_array, tile);
      const timing::Fold first =
          op.weights_loaded ? timing::first_fold(config_.mac_array, tile) : timing::Fold{};
      inputs = pairs * op.in_c;
      weights = op.depth() * op.out_c * striped.stripes.count() - first.k * first.n;
      sums = op.positions() * op.out_c * striped.passes;
    }
    layer.sram.ifmap.add(span, inputs);
    layer.sram.filter.add(span, weights);
    layer.sram.ofmap.add(span, sums);
    layer.tiles.push_back({span.begin_cycle, span.end_cycle});
    const Places places = places_of(config_.mac_array, tile);
    layer.places.used += places.used;
    layer.places.all += places.all;
  }

  [[nodiscard]] bool is_constant(std::int64_t address) const {
    return std::ranges::any_of(program_.image, [&](const isa::ImageSegment& s) {
      return address >= s.address && address < s.address + s.size;
    });
  }

  const report::Report& report_;
  const isa::Program& program_;
  const NpuConfig& config_;
  std::vector<Layer> layers_;
};

/// Cycles in which at least one of them runs.
std::uint64_t covered(std::vector<Work> work) {
  std::ranges::sort(work, {}, &Work::begin);
  std::uint64_t until = 0, sum = 0;
  for (const Work& w : work) {
    const std::uint64_t from = std::max(w.begin, until);
    if (w.end > from) sum += w.end - from;
    until = std::max(until, w.end);
  }
  return sum;
}

/// A number as Python's str() writes a float.
std::string real(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

/// One layer's fields in the three files, each followed by ", ".
class Line {
 public:
  Line(const Layer& layer, const NpuConfig& config)
      : layer_(layer), peak_(static_cast<double>(config.mac_array.macs_per_cycle())) {
    origin_ = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t end = 0;
    for (const Work& w : layer.tiles) {
      origin_ = std::min(origin_, w.begin);
      end = std::max(end, w.end);
    }
    if (layer.tiles.empty()) origin_ = 0;
    window_ = end - origin_;
    busy_ = covered(layer.tiles);
  }

  [[nodiscard]] std::string compute() const {
    const Operands& d = layer_.dram;
    const std::uint64_t first = std::min({origin_, d.ifmap.begin, d.filter.begin});
    const std::uint64_t last = std::max({origin_ + window_, d.ofmap.end});
    const auto repeats = static_cast<double>(layer_.repeats);
    const double macs = static_cast<double>(layer_.macs) / repeats;
    return fmt::format("{}, {}, {}, {}, {}, {},", (last - first) * layer_.repeats,
                       window_ * layer_.repeats, (window_ - busy_) * layer_.repeats,
                       real(100 * ratio(macs, static_cast<double>(window_) * peak_)),
                       real(100 * ratio(static_cast<double>(layer_.places.used),
                                        static_cast<double>(layer_.places.all))),
                       real(100 * ratio(macs, static_cast<double>(busy_) * peak_)));
  }

  [[nodiscard]] std::string bandwidth() const {
    const auto per_window = [&](const Traffic& t) {
      return real(ratio(static_cast<double>(t.words), static_cast<double>(window_)));
    };
    const auto per_span = [](const Traffic& t) {
      const double span = t.words > 0 ? static_cast<double>(t.end - t.begin) : 0;
      return real(ratio(static_cast<double>(t.words), span));
    };
    const Operands& s = layer_.sram;
    const Operands& d = layer_.dram;
    return fmt::format("{}, {}, {}, {}, {}, {},", per_window(s.ifmap), per_window(s.filter),
                       per_window(s.ofmap), per_span(d.ifmap), per_span(d.filter),
                       per_span(d.ofmap));
  }

  [[nodiscard]] std::string accesses() const {
    std::string out;
    for (const Operands* operands : {&layer_.sram, &layer_.dram}) {
      for (const Traffic* t : {&operands->ifmap, &operands->filter, &operands->ofmap}) {
        if (!out.empty()) out += ' ';
        out += t->words == 0 ? "0, 0, 0,"
                             : fmt::format("{}, {}, {},", relative(t->begin), relative(t->end) - 1,
                                           t->words * static_cast<std::int64_t>(layer_.repeats));
      }
    }
    return out;
  }

 private:
  [[nodiscard]] std::int64_t relative(std::uint64_t cycle) const {
    return static_cast<std::int64_t>(cycle) - static_cast<std::int64_t>(origin_);
  }

  const Layer& layer_;
  double peak_;
  std::uint64_t origin_ = 0, window_ = 0, busy_ = 0;
};

}  // namespace

std::map<std::string, std::string> scalesim_reports(const report::Report& report,
                                                    const isa::Program& program,
                                                    const NpuConfig& config) {
  NPU_CHECK(report.layers.size() == program.layers.size(), "a report of this program");
  std::string compute =
      "LayerID, Total Cycles (incl. prefetch), Total Cycles, Stall Cycles, Overall Util %, Mapping "
      "Efficiency %, Compute Util %,\n";
  std::string bandwidth =
      "LayerID, Avg IFMAP SRAM BW, Avg FILTER SRAM BW, Avg OFMAP SRAM BW, Avg IFMAP DRAM BW, Avg "
      "FILTER DRAM BW, Avg OFMAP DRAM BW,\n";
  std::string accesses = "LayerID, ";
  for (const char* const memory : {"SRAM", "DRAM"}) {
    for (const char* const operand : {"IFMAP", "Filter", "OFMAP"}) {
      const bool is_last = std::string_view(memory) == "DRAM" && operand[0] == 'O';
      accesses +=
          fmt::format("{0} {1} Start Cycle, {0} {1} Stop Cycle, {0} {1} {2},{3}", memory, operand,
                      operand[0] == 'O' ? "Writes" : "Reads", is_last ? "\n" : " ");
    }
  }
  const Collector collector(report, program, config);
  std::size_t id = 0;
  for (const Layer& layer : collector.layers()) {
    if (layer.macs == 0) continue;
    const Line line(layer, config);
    compute += fmt::format("{}, {}\n", id, line.compute());
    bandwidth += fmt::format("{}, {}\n", id, line.bandwidth());
    accesses += fmt::format("{}, {}\n", id, line.accesses());
    ++id;
  }
  return {{"COMPUTE_REPORT.csv", std::move(compute)},
          {"BANDWIDTH_REPORT.csv", std::move(bandwidth)},
          {"DETAILED_ACCESS_REPORT.csv", std::move(accesses)}};
}

}  // namespace npu::interchange
