#include "sim/diff/terms.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <tuple>

namespace npu::diff {
namespace {

using Key = std::tuple<std::string, std::string, std::string>;

struct Cycles {
  std::int64_t a = 0, b = 0;
};

void add_cycles(const RunFolder& run, bool has_paths, std::int64_t Cycles::*side,
                std::map<Key, Cycles>& sums) {
  if (!has_paths) {
    for (const RunFolder::Layer& layer : run.layers) {
      sums[{layer.name, "", ""}].*side += layer.cycles;
    }
    return;
  }
  for (const report::LayerPathShare& layer : report::summarize(run.rerun->path).layers) {
    for (const report::PathShare& share : layer.shares) {
      sums[{layer.layer, share.unit, std::string(name_of(share.cause))}].*side +=
          static_cast<std::int64_t>(share.cycles);
    }
  }
}

void sort_terms(std::vector<LatencyTerm>& terms) {
  std::erase_if(terms, [](const LatencyTerm& t) { return t.delta_ps == 0; });
  std::ranges::stable_sort(terms, [](const LatencyTerm& x, const LatencyTerm& y) {
    return std::abs(x.delta_ps) > std::abs(y.delta_ps);
  });
}

/// Union of names, in the order of A with those of B behind the one they follow there.
template <typename T>
std::vector<std::string> merged_names(const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<std::string> names;
  for (const T& item : a) names.push_back(item.name);
  std::size_t at = 0;
  for (const T& item : b) {
    const auto found = std::ranges::find(names, item.name);
    if (found != names.end()) {
      at = static_cast<std::size_t>(found - names.begin()) + 1;
    } else {
      names.insert(names.begin() + static_cast<std::ptrdiff_t>(at++), item.name);
    }
  }
  return names;
}

template <typename T>
const T* find_named(const std::vector<T>& items, const std::string& name) {
  const auto at = std::ranges::find(items, name, &T::name);
  return at == items.end() ? nullptr : &*at;
}

}  // namespace

std::vector<LatencyTerm> latency_terms(const RunFolder& a, const RunFolder& b) {
  const bool has_paths = a.rerun && b.rerun;
  std::map<Key, Cycles> sums;
  add_cycles(a, has_paths, &Cycles::a, sums);
  add_cycles(b, has_paths, &Cycles::b, sums);
  std::vector<LatencyTerm> terms;
  std::int64_t b_cycles = 0;
  for (const auto& [key, cycles] : sums) {
    const auto& [layer, unit, cause] = key;
    terms.push_back({layer, unit, cause, cycles.a, cycles.b, (cycles.b - cycles.a) * a.period_ps});
    b_cycles += cycles.b;
  }
  terms.push_back(
      {"", "clock", "period", b_cycles, b_cycles, b_cycles * (b.period_ps - a.period_ps)});
  sort_terms(terms);
  return terms;
}

std::vector<LatencyTerm> latency_by_cause(const std::vector<LatencyTerm>& terms) {
  std::vector<LatencyTerm> out;
  for (const LatencyTerm& term : terms) {
    const auto at = std::ranges::find_if(
        out, [&](const LatencyTerm& t) { return t.unit == term.unit && t.cause == term.cause; });
    LatencyTerm& sum = at == out.end() ? out.emplace_back() : *at;
    sum.unit = term.unit;
    sum.cause = term.cause;
    sum.a_cycles += term.a_cycles;
    sum.b_cycles += term.b_cycles;
    sum.delta_ps += term.delta_ps;
  }
  sort_terms(out);
  return out;
}

std::vector<EnergyTerm> energy_terms(const RunFolder& a, const RunFolder& b) {
  struct Pair {
    const RunFolder::EnergyRow* a = nullptr;
    const RunFolder::EnergyRow* b = nullptr;
  };
  std::map<std::pair<std::string, std::string>, Pair> rows;
  for (const RunFolder::EnergyRow& row : a.energy) rows[{row.component, row.event}].a = &row;
  for (const RunFolder::EnergyRow& row : b.energy) rows[{row.component, row.event}].b = &row;
  std::vector<EnergyTerm> terms;
  for (const auto& [key, pair] : rows) {
    // A row that is missing on one side has no events there, at the energy of the other.
    const double a_count = pair.a == nullptr ? 0 : pair.a->count;
    const double b_count = pair.b == nullptr ? 0 : pair.b->count;
    const double a_each = (pair.a == nullptr ? pair.b : pair.a)->per_event_pj;
    const double b_each = (pair.b == nullptr ? pair.a : pair.b)->per_event_pj;
    terms.push_back({.component = key.first,
                     .event = key.second,
                     .a_pj = a_count * a_each,
                     .b_pj = b_count * b_each,
                     .by_count_pj = (b_count - a_count) * (a_each + b_each) / 2,
                     .by_energy_per_event_pj = (b_each - a_each) * (a_count + b_count) / 2});
  }
  std::erase_if(terms, [](const EnergyTerm& t) {
    return t.by_count_pj == 0 && t.by_energy_per_event_pj == 0;
  });
  std::ranges::stable_sort(terms, [](const EnergyTerm& x, const EnergyTerm& y) {
    return std::abs(x.delta_pj()) > std::abs(y.delta_pj());
  });
  return terms;
}

std::vector<LayerDelta> layer_deltas(const RunFolder& a, const RunFolder& b) {
  std::vector<LayerDelta> out;
  for (const std::string& name : merged_names(a.layers, b.layers)) {
    LayerDelta delta{.name = name, .a = {}, .b = {}};
    if (const auto* layer = find_named(a.layers, name)) delta.a = *layer;
    if (const auto* layer = find_named(b.layers, name)) delta.b = *layer;
    const bool is_equal =
        delta.a && delta.b && delta.delta_cycles() == 0 && delta.delta_energy_pj() == 0;
    if (!is_equal) out.push_back(std::move(delta));
  }
  return out;
}

std::vector<MetricDelta> accuracy_deltas(const RunFolder& a, const RunFolder& b) {
  std::vector<MetricDelta> out;
  for (const std::string& name : merged_names(a.accuracy, b.accuracy)) {
    const RunFolder::Metric* const in_a = find_named(a.accuracy, name);
    const RunFolder::Metric* const in_b = find_named(b.accuracy, name);
    if (in_a != nullptr && in_b != nullptr && in_a->value == in_b->value) continue;
    out.push_back({.name = name,
                   .in_a = in_a != nullptr,
                   .in_b = in_b != nullptr,
                   .a = in_a == nullptr ? std::nullopt : in_a->value,
                   .b = in_b == nullptr ? std::nullopt : in_b->value});
  }
  return out;
}

}  // namespace npu::diff
