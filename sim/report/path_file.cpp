#include "sim/report/path_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>

#include "sim/base/csv.h"
#include "sim/base/error.h"

namespace npu::report {
namespace {

constexpr std::int64_t kMaxCycle = std::numeric_limits<std::int64_t>::max();

std::uint64_t cycle(const CsvTable& table, std::size_t row, std::string_view column) {
  return static_cast<std::uint64_t>(table.integer(row, column, 0, kMaxCycle));
}

template <typename E>
E named(const CsvTable& table, std::size_t row, std::string_view column, std::size_t count) {
  const std::string& text = table.text(row, column);
  for (std::size_t i = 0; i < count; ++i) {
    if (name_of(static_cast<E>(i)) == text) return static_cast<E>(i);
  }
  fail("{}: {}: unknown name \"{}\"", table.place(row), column, text);
}

std::uint32_t unit_index(CriticalPath& path, const std::string& unit) {
  const auto at = std::ranges::find(path.units, unit);
  if (at != path.units.end()) return static_cast<std::uint32_t>(at - path.units.begin());
  path.units.push_back(unit);
  return static_cast<std::uint32_t>(path.units.size() - 1);
}

std::int32_t layer_index(const CsvTable& table, std::size_t row,
                         const std::vector<std::string>& layers) {
  const std::string& name = table.text(row, "layer");
  if (name.empty()) return -1;
  const auto at = std::ranges::find(layers, name);
  if (at == layers.end()) fail("{}: layer: the program has no \"{}\"", table.place(row), name);
  return static_cast<std::int32_t>(at - layers.begin());
}

void sort_by_cycles(std::vector<PathShare>& shares) {
  std::ranges::stable_sort(shares, std::ranges::greater{}, &PathShare::cycles);
}

void add_share(std::vector<PathShare>& shares, std::string_view unit, Cause cause,
               std::uint64_t cycles) {
  for (PathShare& share : shares) {
    if (share.unit == unit && share.cause == cause) {
      share.cycles += cycles;
      return;
    }
  }
  shares.push_back({std::string(unit), cause, cycles});
}

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::string critical_path_csv(const NamedPath& named) {
  std::string out = "begin_cycle,end_cycle,unit,layer,instruction,mnemonic,handover";
  for (std::size_t c = 0; c < kCauseCount; ++c) {
    fmt::format_to(std::back_inserter(out), ",{}_cycles", name_of(static_cast<Cause>(c)));
  }
  out += '\n';
  for (const PathStep& s : named.path.steps) {
    const std::string layer =
        s.layer < 0 ? "" : csv_field(named.layers.at(static_cast<std::size_t>(s.layer)));
    const std::string mnemonic =
        s.instruction < 0 ? "" : named.mnemonics.at(static_cast<std::size_t>(s.instruction));
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{}", s.begin_cycle, s.end_cycle,
                   named.path.units.at(s.unit), layer, s.instruction, mnemonic,
                   name_of(s.handover));
    for (const std::uint64_t cycles : s.cycles) {
      fmt::format_to(std::back_inserter(out), ",{}", cycles);
    }
    out += '\n';
  }
  return out;
}

NamedPath read_critical_path(const std::string& content, const std::string& file,
                             const std::vector<std::string>& layers) {
  const CsvTable table = CsvTable::parse(content, file);
  NamedPath out;
  out.layers = layers;
  if (table.rows() == 0) fail("{}: no step", file);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    PathStep s;
    s.begin_cycle = cycle(table, row, "begin_cycle");
    s.end_cycle = cycle(table, row, "end_cycle");
    s.unit = unit_index(out.path, table.text(row, "unit"));
    s.layer = layer_index(table, row, layers);
    s.instruction = static_cast<std::int32_t>(
        table.integer(row, "instruction", -1, std::numeric_limits<std::int32_t>::max()));
    s.handover = named<Handover>(table, row, "handover", kHandoverCount);
    std::uint64_t sum = 0;
    for (std::size_t c = 0; c < kCauseCount; ++c) {
      s.cycles[c] = cycle(table, row, fmt::format("{}_cycles", name_of(static_cast<Cause>(c))));
      sum += s.cycles[c];
    }
    if (row > 0 && s.begin_cycle != out.path.steps.back().end_cycle) {
      fail("{}: begin_cycle: the step before ends at {}, got {}", table.place(row),
           out.path.steps.back().end_cycle, s.begin_cycle);
    }
    if (s.end_cycle <= s.begin_cycle || sum != s.end_cycle - s.begin_cycle) {
      fail("{}: the causes sum to {} cycles, the step is from {} to {}", table.place(row), sum,
           s.begin_cycle, s.end_cycle);
    }
    out.path.steps.push_back(s);
  }
  out.path.begin_cycle = out.path.steps.front().begin_cycle;
  out.path.end_cycle = out.path.steps.back().end_cycle;
  return out;
}

PathSummary summarize(const NamedPath& named) {
  PathSummary out;
  const CriticalPath& path = named.path;
  out.total_cycles = path.end_cycle - path.begin_cycle;
  out.layers.resize(named.layers.size() + 1);
  for (std::size_t i = 0; i < named.layers.size(); ++i) out.layers[i].layer = named.layers[i];
  for (const PathStep& step : path.steps) {
    LayerPathShare& layer =
        step.layer < 0 ? out.layers.back() : out.layers[static_cast<std::size_t>(step.layer)];
    ++out.handovers[static_cast<std::size_t>(step.handover)];
    for (std::size_t c = 0; c < kCauseCount; ++c) {
      if (step.cycles[c] == 0) continue;
      const auto cause = static_cast<Cause>(c);
      const std::string_view unit = unit_of(path, step, cause);
      add_share(out.shares, unit, cause, step.cycles[c]);
      add_share(layer.shares, unit, cause, step.cycles[c]);
      layer.cycles += step.cycles[c];
    }
  }
  sort_by_cycles(out.shares);
  for (LayerPathShare& layer : out.layers) sort_by_cycles(layer.shares);
  std::erase_if(out.layers, [](const LayerPathShare& layer) { return layer.cycles == 0; });
  return out;
}

std::string path_text(const PathSummary& summary) {
  std::string out;
  const auto at = std::back_inserter(out);
  fmt::format_to(at, "where the time went: critical path of {} cycles\n", summary.total_cycles);
  fmt::format_to(at, "  {:>6} {:>10}  {:<12} {}\n", "%", "cycles", "unit", "cause");
  for (const PathShare& share : summary.shares) {
    fmt::format_to(at, "  {:>6.2f} {:>10}  {:<12} {}\n",
                   percent(share.cycles, summary.total_cycles), share.cycles, share.unit,
                   name_of(share.cause));
  }
  std::size_t width = 12;
  for (const LayerPathShare& l : summary.layers) width = std::max(width, l.layer.size());
  fmt::format_to(at, "  {:<{}} {:>10} {:>6}  {}\n", "layer", width, "cycles", "%",
                 "largest causes, % of the layer");
  for (const LayerPathShare& layer : summary.layers) {
    constexpr std::size_t kShown = 3;
    std::string causes;
    for (std::size_t i = 0; i < std::min(kShown, layer.shares.size()); ++i) {
      const PathShare& share = layer.shares[i];
      fmt::format_to(std::back_inserter(causes), "{}{} {} {:.1f}", i == 0 ? "" : ", ", share.unit,
                     name_of(share.cause), percent(share.cycles, layer.cycles));
    }
    fmt::format_to(at, "  {:<{}} {:>10} {:>6.2f}  {}\n", layer.layer.empty() ? "-" : layer.layer,
                   width, layer.cycles, percent(layer.cycles, summary.total_cycles), causes);
  }
  fmt::format_to(at, "  steps by what let them begin:");
  for (std::size_t h = 0; h < kHandoverCount; ++h) {
    fmt::format_to(at, "{} {} {}", h == 0 ? "" : ",", name_of(static_cast<Handover>(h)),
                   summary.handovers[h]);
  }
  out += '\n';
  return out;
}

}  // namespace npu::report
