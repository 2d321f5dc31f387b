#include "sim/sweep/sweep_file.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/suggest.h"
#include "sim/base/yaml_document.h"
#include "sim/base/yaml_map.h"
#include "sim/sweep/parameter_reader.h"

namespace npu::sweep {
namespace {

constexpr std::size_t kMaxModels = 100;
constexpr std::size_t kMaxConditions = 100;
constexpr std::size_t kMaxNameBytes = 100;

yaml::Node wrapped(yaml::Node value, std::string_view key) {
  yaml::Node map;
  map.kind = yaml::Kind::kMap;
  map.line = value.line;
  map.column = value.column;
  map.entries.push_back({std::string(key), value.line, value.column, std::move(value)});
  return map;
}

/// The short forms written out: a model's name is `{model: NAME}`, a value or a list of values
/// `{values: …}`.
std::shared_ptr<const yaml::Document> written_out(const yaml::Document& document) {
  auto edited = std::make_shared<yaml::Document>(document);
  for (yaml::Node::Entry& entry : edited->root.entries) {
    if (entry.key == "models") {
      if (entry.value.kind == yaml::Kind::kScalar) {
        yaml::Node list;
        list.kind = yaml::Kind::kSequence;
        list.line = entry.value.line;
        list.column = entry.value.column;
        list.elements.push_back(std::move(entry.value));
        entry.value = std::move(list);
      }
      for (yaml::Node& element : entry.value.elements) {
        if (element.kind == yaml::Kind::kScalar) element = wrapped(std::move(element), "model");
      }
    } else if (entry.key == "parameters") {
      for (yaml::Node::Entry& parameter : entry.value.entries) {
        if (parameter.value.kind == yaml::Kind::kSequence ||
            parameter.value.kind == yaml::Kind::kScalar) {
          parameter.value = wrapped(std::move(parameter.value), "values");
        }
      }
    }
  }
  return edited;
}

/// A file is relative to the sweep's folder; a plain word is a name.
std::string located(const std::string& name, const std::string& sweep_path) {
  namespace fs = std::filesystem;
  const fs::path path(name);
  if (path.is_absolute() || (name.find('/') == std::string::npos && !path.has_extension())) {
    return name;
  }
  return (fs::path(sweep_path).parent_path() / path).lexically_normal().string();
}

std::string located_file(const YamlMap& in, const std::string& name) {
  return (std::filesystem::path(in.file()).parent_path() / name).lexically_normal().string();
}

std::vector<std::string> located_files(const YamlMap& in, std::string_view key) {
  std::vector<std::string> files;
  if (!in.has(key)) return files;
  for (const std::string& name : in.require_texts(key)) files.push_back(located_file(in, name));
  return files;
}

/// Sets every key of the mapping that is an option; the keys become known.
void read_options(const YamlMap& in, std::string_view prefix,
                  const std::vector<std::string_view>& keys, RunSettings& settings) {
  for (const std::string_view key : keys) {
    if (!in.has(key)) continue;
    set_option(settings, fmt::format("{}.{}", prefix, key), in.require<std::string>(key),
               fmt::format("{}: {}{}{}", in.file(), in.path(), in.path().empty() ? "" : ".", key));
  }
}

RunSettings read_run(const YamlMap& root) {
  RunSettings settings;
  const std::optional<YamlMap> in = root.get_map("run");
  if (!in) return settings;
  read_options(*in, "run",
               {"timing_only", "simulate_all", "attention", "references", "samples", "calibration"},
               settings);
  settings.inputs = located_files(*in, "input");
  settings.calibrate = located_files(*in, "calibrate");
  if (in->has("labels")) settings.labels = located_file(*in, in->require<std::string>("labels"));
  in->finish();
  return settings;
}

Model read_model(const YamlMap& in, RunSettings settings) {
  Model model;
  const auto name = in.require<std::string>("model");
  settings.model = located(name, in.file());
  read_options(in, "model", {"precision", "weights", "fuse"}, settings);
  model.label = std::filesystem::path(name).stem().string();
  if (const std::optional<YamlMap> dims = in.get_map("dim")) {
    for (const std::string& dim : dims->keys()) {
      set_option(settings, "model.dim." + dim, dims->require<std::string>(dim),
                 fmt::format("{}: {}.{}", dims->file(), dims->path(), dim));
      model.label += fmt::format(" {}={}", dim, settings.dims.back().second);
    }
    dims->finish();
  }
  for (const std::string* extra : {&settings.precision, &settings.weights}) {
    if (!extra->empty()) model.label += " " + *extra;
  }
  if (!settings.fuse) model.label += " unfused";
  if (in.has("label")) model.label = in.require<std::string>("label");
  in.finish();
  model.settings = std::move(settings);
  return model;
}

std::vector<Model> read_models(const YamlMap& root, const RunSettings& run) {
  std::vector<Model> models;
  std::set<std::string> labels;
  for (const YamlMap& in : root.require_maps("models")) {
    if (models.size() == kMaxModels) {
      root.fail("models", fmt::format("at most {} models, got more", kMaxModels));
    }
    models.push_back(read_model(in, run));
    if (!labels.insert(models.back().label).second) {
      in.fail("model", fmt::format("{} is there twice: give one a `label`", models.back().label));
    }
  }
  return models;
}

std::size_t index_of(const std::vector<Parameter>& parameters, const std::string& key,
                     const std::string& place) {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].key == key) return i;
    known.push_back(parameters[i].key);
  }
  fail("{}: {} is no parameter of this sweep{}", place, yaml::shown(std::string_view(key)),
       did_you_mean(key, known));
}

/// The lists of `zip`, by parameter: the axis's first parameter.
std::map<std::size_t, std::size_t> read_zips(const yaml::Document& document, const SweepFile& s) {
  std::map<std::size_t, std::size_t> leaders;
  const yaml::Node::Entry* zip = document.root.find("zip");
  if (zip == nullptr) return leaders;
  const auto place = [&](const yaml::Node& node) {
    return fmt::format("{}:{}:{}: zip", document.file, node.line, node.column);
  };
  const bool is_list = zip->value.kind == yaml::Kind::kSequence && !zip->value.elements.empty();
  if (!is_list) {
    fail("{}: must be a list of lists of parameters, got {}", place(zip->value),
         yaml::shown(zip->value));
  }
  for (const yaml::Node& group : zip->value.elements) {
    if (group.kind != yaml::Kind::kSequence || group.elements.size() < 2) {
      fail("{}: must be lists of at least two parameters, got {}", place(group),
           yaml::shown(group));
    }
    std::vector<std::size_t> members;
    for (const yaml::Node& element : group.elements) {
      const std::size_t i = index_of(s.parameters, element.text, place(element));
      if (s.parameters[i].expression) {
        fail("{}: {} is derived by an expression", place(element), element.text);
      }
      const bool is_repeated = std::ranges::find(members, i) != members.end();
      if (leaders.contains(i) || is_repeated) {
        fail("{}: {} is there twice", place(element), element.text);
      }
      const std::size_t size = s.parameters[i].values.size();
      if (!members.empty() && size != s.parameters[members.front()].values.size()) {
        fail("{}: lists that advance together are equally long: {} has {} values, {} has {}",
             place(element), s.parameters[members.front()].key,
             s.parameters[members.front()].values.size(), element.text, size);
      }
      members.push_back(i);
    }
    const std::size_t leader = *std::ranges::min_element(members);
    for (const std::size_t member : members) leaders[member] = leader;
  }
  return leaders;
}

void make_axes(SweepFile& s, const std::map<std::size_t, std::size_t>& leaders) {
  std::map<std::size_t, std::size_t> axis_of_leader;
  for (std::size_t i = 0; i < s.parameters.size(); ++i) {
    if (s.parameters[i].expression) continue;
    const auto at = leaders.find(i);
    const std::size_t leader = at == leaders.end() ? i : at->second;
    const auto [axis, is_new] = axis_of_leader.emplace(leader, s.axes.size());
    if (is_new) s.axes.emplace_back();
    s.axes[axis->second].push_back(i);
  }
}

Search read_search(const YamlMap& root) {
  Search search;
  const std::optional<YamlMap> in = root.get_map("search");
  if (!in) return search;
  search.method = in->require_choice<Method>("method", kMethodNames);
  if (search.method == Method::kRandom) {
    search.points = in->require_int("points", 1, kMaxPoints);
  } else if (search.method == Method::kNsga2) {
    search.population = in->get_int("population", search.population, 8, 10'000);
    search.generations = in->get_int("generations", search.generations, 1, 10'000);
    if (search.population % 4 != 0) {
      in->fail("population", fmt::format("must be a multiple of 4, got {}", search.population));
    }
  }
  if (search.method != Method::kGrid) {
    search.seed = static_cast<std::uint32_t>(in->get_int("seed", 1, 0, UINT32_MAX));
  }
  in->finish();
  return search;
}

std::vector<Metric> read_objectives(const YamlMap& root) {
  std::vector<Metric> objectives = {Metric::kLatency, Metric::kEnergy};
  if (!root.has("objectives")) return objectives;
  objectives.clear();
  std::vector<std::string> known;
  for (const MetricInfo& info : kMetricTable) known.emplace_back(info.name);
  for (const std::string& name : root.require_texts("objectives")) {
    const std::optional<Metric> metric = find_metric(name);
    if (!metric) {
      root.fail("objectives",
                fmt::format("must be metrics, got {}{}", yaml::shown(std::string_view(name)),
                            did_you_mean(name, known)));
    }
    if (std::ranges::find(objectives, *metric) != objectives.end()) {
      root.fail("objectives", fmt::format("{} is there twice", name));
    }
    objectives.push_back(*metric);
  }
  return objectives;
}

/// pagmo refuses both only when a first population has run.
void check_search(const YamlMap& root, const SweepFile& s) {
  if (s.search.method != Method::kNsga2) return;
  if (s.objectives.size() < 2) {
    root.fail("objectives", "must be at least two for nsga2, got one");
  }
  bool has_choice = false;
  for (std::size_t axis = 0; axis < s.axes.size(); ++axis) {
    has_choice = has_choice || s.axis_size(axis) > 1;
  }
  if (!has_choice) {
    root.fail("search", "nsga2 needs a parameter of at least two values, got none");
  }
}

Limits read_limits(const YamlMap& root) {
  constexpr std::int64_t kWeekSeconds = 604'800;
  constexpr std::int64_t kMaxMib = 1 << 24;
  Limits limits;
  const std::optional<YamlMap> in = root.get_map("limits");
  if (!in) return limits;
  limits.seconds_per_point = static_cast<unsigned>(
      in->get_int("seconds_per_point", limits.seconds_per_point, 1, kWeekSeconds));
  limits.memory_mib_per_point =
      static_cast<unsigned>(in->get_int("memory_mib_per_point", 0, 1, kMaxMib));
  limits.points = in->get_int("points", limits.points, 1, kMaxPoints);
  in->finish();
  return limits;
}

/// Derived values see the parameters above them; the rest is the configuration's.
void check_order(const SweepFile& s) {
  for (std::size_t i = 0; i < s.parameters.size(); ++i) {
    if (!s.parameters[i].expression) continue;
    for (const std::string& name : s.parameters[i].expression->names()) {
      for (std::size_t j = i; j < s.parameters.size(); ++j) {
        if (s.parameters[j].expression && s.parameters[j].key == name) {
          fail("{}: {} is derived by an expression itself and must stand above",
               s.parameters[i].place, name);
        }
      }
    }
  }
}

}  // namespace

std::string_view name_of(Method method) {
  for (const auto& [name, value] : kMethodNames) {
    if (value == method) return name;
  }
  NPU_CHECK(false, "a method");
}

std::vector<std::string> SweepFile::npus() const {
  for (const Parameter& p : parameters) {
    if (p.key == "npu") return p.values;
  }
  return {npu};
}

SweepFile parse_sweep(std::string_view text, const std::string& path) {
  const std::shared_ptr<const yaml::Document> document = written_out(*yaml::parse(text, path));
  const YamlMap root = YamlMap::from_document(document);
  SweepFile s;
  s.path = path;
  s.text = text;
  s.name = root.require<std::string>("sweep");
  if (s.name.size() > kMaxNameBytes) root.fail("sweep", "must be a name of at most 100 bytes");
  s.npu = located(root.get<std::string>("npu", "edge"), path);
  s.models = read_models(root, read_run(root));
  if (root.has("parameters")) {
    s.parameters =
        read_parameters(root.require_map("parameters"), document->root.find("parameters")->value);
  }
  for (Parameter& p : s.parameters) {
    if (p.key != "npu") continue;
    for (std::string& value : p.values) value = located(value, path);
  }
  (void)root.has("zip");
  make_axes(s, read_zips(*document, s));
  check_order(s);
  if (const yaml::Node::Entry* when = document->root.find("when"); root.has("when")) {
    const std::string place = fmt::format("{}:{}:{}: when", path, when->line, when->column);
    for (const std::string& condition : root.require_texts("when")) {
      s.conditions.push_back(Expression::parse(condition, place));
    }
    if (s.conditions.size() > kMaxConditions) {
      root.fail("when", fmt::format("at most {} conditions, got more", kMaxConditions));
    }
  }
  s.objectives = read_objectives(root);
  s.search = read_search(root);
  check_search(root, s);
  s.limits = read_limits(root);
  root.finish();
  return s;
}

SweepFile load_sweep(const std::string& path) {
  return parse_sweep(read_file(path, YamlMap::kMaxFileBytes), path);
}

}  // namespace npu::sweep
