#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/sweep/metrics.h"
#include "sim/sweep/resolver.h"
#include "sim/sweep/space.h"
#include "sim/sweep/store.h"

namespace npu::sweep {

/// What a run of a point measured.
struct Measured {
  Metrics metrics;
  std::string bound_by;
};
/// Runs a point, in a process of its own. @throws Error, RunFault.
using Evaluate = std::function<Measured(const Job& job)>;

/// A point that is to run.
struct Pending {
  std::uint64_t candidate = 0;
  std::string hash;
};

/// What engines share: how a candidate becomes a job.
struct Planner {
  const SweepFile& sweep;
  const Space& space;
  Resolver& resolver;

  /// @throws Error if a condition excludes it.
  [[nodiscard]] Job job(std::uint64_t candidate) const;
};

/// Where points run.
class Engine {
 public:
  virtual ~Engine() = default;
  /// Runs all of them and puts their results into the store, each as soon as it is there.
  /// @param done  called after each.
  /// @throws Error if that cannot be; what was stored stays.
  virtual void run(const Planner& planner, const std::vector<Pending>& pending, Store& store,
                   const std::function<void(const Result&)>& done) = 0;
};

/// What of a result's provenance is the same for all points of a process.
struct Origin {
  std::string version, program_sha256, host, engine;
};

struct LocalOptions {
  unsigned workers = 0;  ///< Processes at a time; 0: as many as the machine has cores.
  Origin origin;
};

/// Processes of this machine, one per point.
class LocalEngine final : public Engine {
 public:
  LocalEngine(Evaluate evaluate, LocalOptions options)
      : evaluate_(std::move(evaluate)), options_(std::move(options)) {}
  void run(const Planner& planner, const std::vector<Pending>& pending, Store& store,
           const std::function<void(const Result&)>& done) override;

 private:
  Evaluate evaluate_;
  LocalOptions options_;
};

}  // namespace npu::sweep
