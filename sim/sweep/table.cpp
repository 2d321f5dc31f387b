#include "sim/sweep/table.h"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "sim/base/error.h"
#include "sim/sweep/analysis.h"

namespace npu::sweep {
namespace {

using nlohmann::json;

/// The header as Store has it; damage is the caller's to report.
void read_header(const json& header, Table& table) {
  table.models = header.at("models").get<std::vector<std::string>>();
  for (const json& p : header.at("parameters")) {
    table.parameters.push_back({p.at("key").get<std::string>(), p.at("derived").get<bool>()});
  }
  for (const json& name : header.at("objectives")) {
    const std::optional<Metric> metric = find_metric(name.get<std::string>());
    if (!metric) throw std::out_of_range("objectives");
    table.objectives.push_back(*metric);
  }
  for (const auto& [name, method] : kMethodNames) {
    if (header.at("method") == name) table.method = method;
  }
}

}  // namespace

SweepHeader header_of(const SweepFile& sweep) {
  json header = {{"models", json::array()},
                 {"parameters", json::array()},
                 {"objectives", json::array()},
                 {"method", name_of(sweep.search.method)}};
  for (const Model& model : sweep.models) header["models"].push_back(model.label);
  for (const Parameter& p : sweep.parameters) {
    header["parameters"].push_back({{"key", p.key}, {"derived", p.expression.has_value()}});
  }
  for (const Metric m : sweep.objectives) {
    header["objectives"].push_back(kMetricTable[static_cast<std::size_t>(m)].name);
  }
  return {.name = sweep.name, .file_text = sweep.text, .json = header.dump()};
}

Table read_table(Store& store, const std::string& name) {
  std::string chosen = name;
  if (name.empty()) {
    const std::vector<std::string> names = store.sweeps();
    if (names.size() > 1) {
      fail("{}: has several sweeps, give the name of one: {}", store.path(),
           fmt::join(names, ", "));
    }
    if (!names.empty()) chosen = names.front();
  }
  const SweepHeader header = store.header(chosen);
  Table table;
  table.name = header.name;
  try {
    read_header(json::parse(header.json), table);
  } catch (const std::exception&) {
    fail("{}: damaged: the description of the sweep {}", store.path(), header.name);
  }
  for (Listed& line : store.lines(chosen)) {
    if (line.values.size() != table.parameters.size()) {
      fail("{}: damaged: a point of the sweep {}", store.path(), header.name);
    }
    Row row;
    row.hash = std::move(line.hash);
    row.model = std::move(line.model);
    row.values = std::move(line.values);
    row.result = store.find(row.hash);
    table.rows.push_back(std::move(row));
  }
  mark_pareto(table);
  table.sensitivity = sensitivity_of(table);
  return table;
}

Table open_table(const std::string& path, const std::string& name) {
  Store store(path, Database::Mode::kRead);
  return read_table(store, name);
}

}  // namespace npu::sweep
