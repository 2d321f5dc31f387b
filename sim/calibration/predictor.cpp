#include "sim/calibration/predictor.h"

#include <fmt/format.h>

#include <string>

#include "kernels/lowering/compile.h"
#include "sim/base/error.h"
#include "sim/base/process_pool.h"
#include "sim/core/machine.h"

namespace npu::calibration {
namespace {

std::string simulate(const NpuConfig& config, const graph::Graph& network) {
  kernels::Compiled compiled = kernels::compile(network, config, {.timing_only = true});
  // The compiler's own programs are free of hazards whatever the timing.
  Machine machine(config, std::move(compiled.program),
                  {.timing_only = true, .check_hazards = false});
  machine.run();
  return fmt::format("{}", machine.stats().total_cycles);
}

}  // namespace

void Predictor::prepare(const std::vector<Point>& points, const std::vector<std::size_t>& rows) {
  std::vector<std::pair<Point, std::size_t>> jobs;
  for (const Point& point : points) {
    if (!configs_.contains(point)) {
      configs_.emplace(point, at_point(parameters_, point, base_).parse());
    }
    for (const std::size_t row : rows) {
      if (!cycles_.contains({point, row})) jobs.emplace_back(point, row);
    }
  }
  run_in_processes(
      jobs.size(), {.workers = workers_},
      [&](std::size_t n) {
        const auto& [point, row] = jobs[n];
        return simulate(configs_.at(point), measurements_[row].network);
      },
      [&](std::size_t n, const TaskResult& result) {
        if (result.status != TaskStatus::kDone) {
          fail("{}: cannot be simulated: {}", measurements_[jobs[n].second].place, result.text);
        }
        cycles_[jobs[n]] = std::stoull(result.text);
      });
  if (on_progress) on_progress(configs_.size());
}

}  // namespace npu::calibration
