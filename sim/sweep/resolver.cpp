#include "sim/sweep/resolver.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/mapped_file.h"
#include "sim/base/sha256.h"

namespace npu::sweep {
namespace {

constexpr std::int64_t kMaxFileBytes = std::int64_t{1} << 34;
constexpr int kRequestFormat = 1;

nlohmann::json option_json(const RunSettings& s) {
  nlohmann::json dims = nlohmann::json::object();
  for (const auto& [name, value] : s.dims) dims[name] = value;
  return {{"dim", dims},
          {"precision", s.precision},
          {"weights", s.weights},
          {"fuse", s.fuse},
          {"timing_only", s.timing_only},
          {"simulate_all", s.simulate_all},
          {"attention", s.attention},
          {"references", s.references},
          {"samples", s.samples ? nlohmann::json(*s.samples) : nlohmann::json()},
          {"calibration", s.calibration}};
}

}  // namespace

Resolver::Resolver(const SweepFile& sweep, Configurations& configurations, FindModel find_model,
                   std::string version)
    : sweep_(sweep),
      configurations_(configurations),
      find_model_(std::move(find_model)),
      version_(std::move(version)) {}

void Resolver::check_key(const Parameter& parameter, const std::vector<std::string>& npus) {
  std::optional<std::string> first;
  for (const std::string& npu : npus) {
    std::optional<std::string> fault = configurations_.document(npu).fault_of_key(parameter.key);
    if (!fault) return;
    if (!first) first = std::move(fault);
  }
  if (first) fail("{}: {}", parameter.place, *first);
}

void Resolver::check() {
  const std::vector<std::string> npus = sweep_.npus();
  for (const std::string& npu : npus) (void)configurations_.document(npu);
  for (const Parameter& p : sweep_.parameters) {
    if (p.key != "npu" && !is_option(p.key)) check_key(p, npus);
  }
  for (const Model& model : sweep_.models) {
    const std::string& name = model.settings.model;
    if (!models_.contains(name)) models_.emplace(name, find_model_(name));
    const std::string& path = models_.at(name).path;
    if (!std::filesystem::exists(path)) fail("{}: models: {}: no such file", sweep_.path, path);
  }
}

const std::string& Resolver::sum(const std::string& path) {
  const auto known = sums_.find(path);
  if (known != sums_.end()) return known->second;
  std::string sum;
  try {
    sum = sha256_hex(MappedFile(path, kMaxFileBytes).bytes());
  } catch (const Error&) {
    sum = "unreadable";  // The run says why, and the hash is another once the file is there.
  }
  return sums_.emplace(path, std::move(sum)).first->second;
}

Job Resolver::resolve(const Point& point) {
  Job job;
  job.settings = sweep_.models[point.model].settings;
  std::string npu = sweep_.npu;
  for (std::size_t i = 0; i < point.values.size(); ++i) {
    if (sweep_.parameters[i].key == "npu") npu = point.values[i];
  }
  nlohmann::json request;
  try {
    ConfigDocument config = configurations_.document(npu);
    job.config_path = config.path();
    for (std::size_t i = 0; i < point.values.size(); ++i) {
      const Parameter& p = sweep_.parameters[i];
      if (is_option(p.key)) {
        set_option(job.settings, p.key, point.values[i], p.key);
      } else if (p.key != "npu") {
        config.set(p.key, point.values[i]);
      }
    }
    job.sources = configurations_.files(npu, config);
    job.config_text = config.text();
    request["config"] = sha256_hex(job.config_text);
    for (std::size_t i = 1; i < job.sources.size(); ++i) {
      request["config_files"].push_back(job.sources[i]->sha256);
    }
  } catch (const Error& error) {
    job.error = error.what();
    request["config_error"] = true;
    request["config_base"] =
        configurations_.files(npu, configurations_.document(npu)).front()->sha256;
    request["config_values"] = point.values;
  }
  const auto model = models_.find(job.settings.model);
  if (model != models_.end()) {
    job.settings.model = model->second.path;
    for (const std::string& path : model->second.external) {
      request["model_files"].push_back(sum(path));
    }
  }
  request["model"] = sum(job.settings.model);
  request["model_kind"] = std::filesystem::path(job.settings.model).extension().string();
  request["options"] = option_json(job.settings);
  for (const std::string& path : job.settings.inputs) request["inputs"].push_back(sum(path));
  for (const std::string& path : job.settings.calibrate) request["calibrate"].push_back(sum(path));
  if (!job.settings.labels.empty()) request["labels"] = sum(job.settings.labels);
  request["npusim"] = version_;
  request["format"] = kRequestFormat;
  job.request = request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  job.hash = sha256_hex(job.request);
  return job;
}

}  // namespace npu::sweep
