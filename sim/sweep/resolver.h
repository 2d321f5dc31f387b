#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/sweep/configurations.h"
#include "sim/sweep/settings.h"
#include "sim/sweep/space.h"
#include "sim/sweep/sweep_file.h"

namespace npu::sweep {

/// A point with everything that decides its result.
struct Job {
  /// SHA-256 of `request`: equal jobs have equal results.
  std::string hash;
  /// Canonical JSON: version of npusim, SHA-256 of the resolved configuration, of the files that it
  /// names, of the model's files and inputs, options.
  std::string request;
  std::string config_text, config_path;
  RunSettings settings;
  std::vector<std::shared_ptr<const SourceFile>> sources;
  /// Why the point cannot run at all, if it cannot.
  std::optional<std::string> error;
};

/// A model's file and those beside it that hold parts of it.
struct ModelFiles {
  std::string path;
  std::vector<std::string> external;
};

/// Makes jobs of the points of a sweep; reads every file once.
class Resolver {
 public:
  using FindModel = std::function<ModelFiles(const std::string& name)>;
  /// @param version  of the simulator; part of every hash.
  Resolver(const SweepFile& sweep, Configurations& configurations, FindModel find_model,
           std::string version);

  /// @throws Error naming the sweep file for a key that none of the points' configurations can have
  /// and a model that is not there: what is wrong for every point is no point's failure.
  void check();
  [[nodiscard]] Job resolve(const Point& point);

 private:
  void check_key(const Parameter& parameter, const std::vector<std::string>& npus);
  /// SHA-256 of a file, or "unreadable".
  [[nodiscard]] const std::string& sum(const std::string& path);

  const SweepFile& sweep_;
  Configurations& configurations_;
  FindModel find_model_;
  std::string version_;
  std::map<std::string, std::string> sums_;
  std::map<std::string, ModelFiles> models_;  ///< By name.
};

}  // namespace npu::sweep
