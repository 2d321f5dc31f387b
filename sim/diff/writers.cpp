#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "sim/base/csv.h"
#include "sim/diff/difference.h"

namespace npu::diff {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostRows = 15;  ///< Of a table of the text.
constexpr double kPicosecondsPerNanosecond = 1e3;
constexpr double kPicojoulesPerNanojoule = 1e3;

double ns(double ps) { return ps / kPicosecondsPerNanosecond; }
double nj(double pj) { return pj / kPicojoulesPerNanojoule; }

std::string percent(double delta, double whole) {
  return whole != 0 ? fmt::format("{:+.2f} %", 100 * delta / whole) : "-";
}

std::string shown(const std::string& value) { return value.empty() ? "-" : value; }

/// A text that is cut, for columns of fixed width.
std::string cut(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 2) + "..";
}

void add_totals(const Difference& d, std::string& out) {
  const auto at = std::back_inserter(out);
  const auto line = [&](const char* name, double a, double b) {
    fmt::format_to(at, "{:<22} {:>16.6g} {:>16.6g} {:>+16.6g} {:>10}\n", name, a, b, b - a,
                   percent(b - a, a));
  };
  fmt::format_to(at, "{:<22} {:>16} {:>16} {:>16} {:>10}\n", "one inference", "A", "B", "B - A",
                 "of A");
  line("cycles", static_cast<double>(d.a.cycles()), static_cast<double>(d.b.cycles()));
  line("latency_ns", ns(static_cast<double>(d.a.cycles() * d.a.period_ps)),
       ns(static_cast<double>(d.b.cycles() * d.b.period_ps)));
  line("energy_nj", nj(d.a.energy_pj()), nj(d.b.energy_pj()));
}

void add_changes(const Difference& d, std::string& out) {
  if (d.changes.empty()) return;
  out += "\nchanged\n";
  for (const Change& c : d.changes) {
    fmt::format_to(std::back_inserter(out), "  {:<36} {} -> {}\n", c.key, shown(c.a), shown(c.b));
  }
}

void add_parameters(const Difference& d, std::string& out) {
  if (!d.simulated) return;
  const Simulated& s = *d.simulated;
  const auto at = std::back_inserter(out);
  fmt::format_to(at, "\nparameters: one inference from a cold start, {} mixtures simulated\n",
                 s.simulations);
  fmt::format_to(at, "  {:<44} {:>14} {:>10} {:>14} {:>10}\n", "parameter", "latency_ns", "of A",
                 "energy_nj", "of A");
  double time = 0, energy = 0;
  for (const Parameter& p : s.parameters) {
    fmt::format_to(at, "  {:<44} {:>+14.6g} {:>10} {:>+14.6g} {:>10}\n", p.key, ns(p.time_ps),
                   percent(p.time_ps, s.a_time_ps), nj(p.energy_pj),
                   percent(p.energy_pj, s.a_energy_pj));
    time += p.time_ps;
    energy += p.energy_pj;
  }
  fmt::format_to(at, "  {:<44} {:>+14.6g} {:>10} {:>+14.6g} {:>10}\n", "sum", ns(time),
                 percent(time, s.a_time_ps), nj(energy), percent(energy, s.a_energy_pj));
}

/// Rows up to kMostRows, then the sum of the rest, then that of all.
template <typename T, typename Row, typename Value>
void add_table(const std::vector<T>& items, std::string& out, const Row& row, const Value& value,
               std::size_t indent) {
  double rest = 0, sum = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i < kMostRows) row(items[i]);
    if (i >= kMostRows) rest += value(items[i]);
    sum += value(items[i]);
  }
  const auto at = std::back_inserter(out);
  if (items.size() > kMostRows) {
    fmt::format_to(at, "  {:<{}} {:>+14.6g}\n", fmt::format("{} more", items.size() - kMostRows),
                   indent, rest);
  }
  fmt::format_to(at, "  {:<{}} {:>+14.6g}\n", "sum", indent, sum);
}

void add_latency(const Difference& d, std::string& out) {
  if (d.latency.empty()) return;
  const auto at = std::back_inserter(out);
  constexpr std::size_t kIndent = 77;
  const auto row = [&](const LatencyTerm& t) {
    fmt::format_to(at, "  {:<24} {:<13} {:<15} {:>11} {:>11} {:>+14.6g}\n", cut(t.layer, 24),
                   t.unit, t.cause, t.a_cycles, t.b_cycles, ns(static_cast<double>(t.delta_ps)));
  };
  const auto value = [](const LatencyTerm& t) { return ns(static_cast<double>(t.delta_ps)); };
  fmt::format_to(at, "\nlatency by cause\n  {:<24} {:<13} {:<15} {:>11} {:>11} {:>14}\n", "",
                 "unit", "cause", "A cycles", "B cycles", "B - A, ns");
  add_table(latency_by_cause(d.latency), out, row, value, kIndent);
  fmt::format_to(at, "\nlatency by layer and cause\n  {:<24} {:<13} {:<15} {:>11} {:>11} {:>14}\n",
                 "layer", "unit", "cause", "A cycles", "B cycles", "B - A, ns");
  add_table(d.latency, out, row, value, kIndent);
}

void add_energy(const Difference& d, std::string& out) {
  if (d.energy.empty()) return;
  const auto at = std::back_inserter(out);
  fmt::format_to(at, "\nenergy\n  {:<13} {:<22} {:>14} {:>14} {:>14}\n", "component", "event",
                 "by count, nJ", "by rate, nJ", "B - A, nJ");
  add_table(
      d.energy, out,
      [&](const EnergyTerm& t) {
        fmt::format_to(at, "  {:<13} {:<22} {:>+14.6g} {:>+14.6g} {:>+14.6g}\n", t.component,
                       t.event, nj(t.by_count_pj), nj(t.by_energy_per_event_pj), nj(t.delta_pj()));
      },
      [](const EnergyTerm& t) { return nj(t.delta_pj()); }, 66);
}

void add_layers(const Difference& d, std::string& out) {
  if (d.layers.empty()) return;
  const auto at = std::back_inserter(out);
  fmt::format_to(at, "\nlayers that differ\n  {:<32} {:>12} {:>12} {:>12} {:>14}\n", "layer",
                 "A cycles", "B cycles", "B - A", "B - A, nJ");
  for (const LayerDelta& l : d.layers) {
    const std::string a = l.a ? fmt::format("{}", l.a->cycles) : "added";
    const std::string b = l.b ? fmt::format("{}", l.b->cycles) : "removed";
    fmt::format_to(at, "  {:<32} {:>12} {:>12} {:>+12} {:>+14.6g}\n", cut(l.name, 32), a, b,
                   l.delta_cycles(), nj(l.delta_energy_pj()));
  }
}

std::string metric(bool is_there, const std::optional<double>& value) {
  if (!is_there) return "-";
  return value ? fmt::format("{:.6g}", *value) : "inf";
}

void add_accuracy(const Difference& d, std::string& out) {
  if (d.accuracy.empty()) return;
  const auto at = std::back_inserter(out);
  fmt::format_to(at, "\naccuracy\n  {:<60} {:>14} {:>14} {:>14}\n", "", "A", "B", "B - A");
  for (const MetricDelta& m : d.accuracy) {
    const std::string delta = m.a && m.b ? fmt::format("{:+.6g}", *m.b - *m.a) : "-";
    fmt::format_to(at, "  {:<60} {:>14} {:>14} {:>14}\n", m.name, metric(m.in_a, m.a),
                   metric(m.in_b, m.b), delta);
  }
}

Json run_json(const RunFolder& run) {
  Json provenance = Json::object();
  for (const auto& [key, value] : run.provenance) provenance[key] = value;
  return {{"folder", run.path},
          {"model", run.model},
          {"config", run.config},
          {"provenance", std::move(provenance)},
          {"samples", run.samples},
          {"cycles", run.cycles()},
          {"latency_ps", run.cycles() * run.period_ps},
          {"energy_pj", run.energy_pj()}};
}

Json simulated_json(const Simulated& s) {
  Json parameters = Json::array();
  for (const Parameter& p : s.parameters) {
    parameters.push_back({{"parameter", p.key},
                          {"a", p.a},
                          {"b", p.b},
                          {"latency_ps", p.time_ps},
                          {"energy_pj", p.energy_pj}});
  }
  return {{"simulations", s.simulations}, {"a_latency_ps", s.a_time_ps},
          {"b_latency_ps", s.b_time_ps},  {"a_energy_pj", s.a_energy_pj},
          {"b_energy_pj", s.b_energy_pj}, {"parameters", std::move(parameters)}};
}

Json latency_json(const std::vector<LatencyTerm>& terms) {
  Json out = Json::array();
  for (const LatencyTerm& t : terms) {
    out.push_back({{"layer", t.layer},
                   {"unit", t.unit},
                   {"cause", t.cause},
                   {"a_cycles", t.a_cycles},
                   {"b_cycles", t.b_cycles},
                   {"delta_ps", t.delta_ps}});
  }
  return out;
}

Json layer_json(const LayerDelta& l) {
  const auto side = [](const std::optional<RunFolder::Layer>& layer) {
    return layer ? Json{{"cycles", layer->cycles}, {"energy_pj", layer->energy_pj}} : Json(nullptr);
  };
  return {{"layer", l.name}, {"a", side(l.a)}, {"b", side(l.b)}};
}

}  // namespace

std::string text_of(const Difference& d) {
  std::string out = fmt::format("A: {} ({} on {})\nB: {} ({} on {})\n", d.a.path, d.a.model,
                                d.a.config, d.b.path, d.b.model, d.b.config);
  if (d.is_empty()) return out + "no difference\n";
  out += '\n';
  add_totals(d, out);
  add_changes(d, out);
  add_parameters(d, out);
  add_latency(d, out);
  add_layers(d, out);
  add_energy(d, out);
  add_accuracy(d, out);
  for (const std::string& note : d.notes) out += "note: " + note + "\n";
  return out;
}

std::string json_of(const Difference& d) {
  Json changes = Json::array(), energy = Json::array(), layers = Json::array(),
       accuracy = Json::array();
  for (const Change& c : d.changes) changes.push_back({{"key", c.key}, {"a", c.a}, {"b", c.b}});
  for (const EnergyTerm& t : d.energy) {
    energy.push_back({{"component", t.component},
                      {"event", t.event},
                      {"a_pj", t.a_pj},
                      {"b_pj", t.b_pj},
                      {"by_count_pj", t.by_count_pj},
                      {"by_energy_per_event_pj", t.by_energy_per_event_pj},
                      {"delta_pj", t.delta_pj()}});
  }
  for (const LayerDelta& l : d.layers) layers.push_back(layer_json(l));
  for (const MetricDelta& m : d.accuracy) {
    const auto side = [](bool is_there, const std::optional<double>& value) {
      return !is_there ? Json("absent") : value ? Json(*value) : Json(nullptr);
    };
    accuracy.push_back({{"metric", m.name}, {"a", side(m.in_a, m.a)}, {"b", side(m.in_b, m.b)}});
  }
  const Json json = {{"a", run_json(d.a)},
                     {"b", run_json(d.b)},
                     {"is_empty", d.is_empty()},
                     {"delta_latency_ps", d.delta_ps()},
                     {"delta_energy_pj", d.delta_energy_pj()},
                     {"changes", std::move(changes)},
                     {"simulated", d.simulated ? simulated_json(*d.simulated) : Json(nullptr)},
                     {"latency_by_cause", latency_json(latency_by_cause(d.latency))},
                     {"latency", latency_json(d.latency)},
                     {"layers", std::move(layers)},
                     {"energy", std::move(energy)},
                     {"accuracy", std::move(accuracy)},
                     {"notes", d.notes}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string csv_of(const Difference& d) {
  std::string out = "kind,layer,unit,cause,a,b,delta\n";
  const auto at = std::back_inserter(out);
  if (d.simulated) {
    for (const Parameter& p : d.simulated->parameters) {
      fmt::format_to(at, "parameter_latency_ps,,,{},{},{},{}\n", csv_field(p.key), csv_field(p.a),
                     csv_field(p.b), p.time_ps);
      fmt::format_to(at, "parameter_energy_pj,,,{},{},{},{}\n", csv_field(p.key), csv_field(p.a),
                     csv_field(p.b), p.energy_pj);
    }
  }
  for (const LatencyTerm& t : d.latency) {
    fmt::format_to(at, "latency_ps,{},{},{},{},{},{}\n", csv_field(t.layer), t.unit, t.cause,
                   t.a_cycles * d.a.period_ps, t.a_cycles * d.a.period_ps + t.delta_ps, t.delta_ps);
  }
  for (const EnergyTerm& t : d.energy) {
    fmt::format_to(at, "energy_pj,,{},{},{},{},{}\n", t.component, csv_field(t.event), t.a_pj,
                   t.b_pj, t.delta_pj());
  }
  for (const MetricDelta& m : d.accuracy) {
    const std::string delta = m.a && m.b ? fmt::format("{}", *m.b - *m.a) : "";
    fmt::format_to(at, "accuracy,,,{},{},{},{}\n", csv_field(m.name), metric(m.in_a, m.a),
                   metric(m.in_b, m.b), delta);
  }
  return out;
}

}  // namespace npu::diff
