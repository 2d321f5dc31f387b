#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

#include "kernels/lowering/compile.h"
#include "sim/base/error.h"
#include "sim/base/process_pool.h"
#include "sim/core/machine.h"
#include "sim/explain/what_if.h"

namespace npu::explain {
namespace {

/// One simulation: a what-if (or the unchanged NPU) with the same program or mapped anew.
struct Job {
  static constexpr std::size_t kBase = std::numeric_limits<std::size_t>::max();
  std::size_t what_if = kBase;
  bool remap = false;
};

/// Stands before the cycles, if any, where the network maps to the same program.
constexpr std::string_view kSameProgram = "same program ";

std::string simulate(const NpuConfig& config, const isa::Program& program) {
  // Hazards do not depend on timing; the program was checked when it ran.
  Machine machine(config, program,
                  {.timing_only = true, .check_hazards = false, .allow_other_config = true});
  machine.run();
  return fmt::format("{}", machine.stats().total_cycles);
}

std::string simulate_remapped(const WhatIf& changed, const isa::Program& program,
                              const graph::Graph& network, kernels::AttentionVariant attention) {
  const kernels::Compiled compiled =
      kernels::compile(network, changed.config, {.timing_only = true, .attention = attention});
  if (compiled.program.code != program.code) return simulate(changed.config, compiled.program);
  // Without needs_mapping another job simulates just that.
  return std::string(kSameProgram) +
         (changed.needs_mapping ? simulate(changed.config, program) : "");
}

std::optional<std::uint64_t> cycles_in(const std::string& text) {
  std::uint64_t value = 0;
  const auto [at, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || at != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string percent(std::uint64_t more, std::uint64_t than) {
  return fmt::format("{:.2f} %",
                     100.0 * (static_cast<double>(more) / static_cast<double>(than) - 1));
}

void add_notes(const Outcome& o, Study& study) {
  if (o.same_program_cycles && o.remapped_cycles && *o.remapped_cycles > *o.same_program_cycles) {
    study.notes.push_back(
        fmt::format("{}: mapped anew it is {} slower than with the program as it was ({} against "
                    "{} cycles): the mapper's estimate misled it; the old program counts",
                    o.name, percent(*o.remapped_cycles, *o.same_program_cycles), *o.remapped_cycles,
                    *o.same_program_cycles));
  }
  const auto limit =
      static_cast<std::uint64_t>(static_cast<double>(study.base_cycles) * (1 + kTolerance));
  if (o.cycles() && *o.cycles() > limit) {
    study.notes.push_back(fmt::format(
        "{}: {} slower than unchanged ({}): a timing anomaly, beyond the tolerance of {:g} %",
        o.name, percent(*o.cycles(), study.base_cycles),
        o.is_remapped() ? "mapped anew; a larger part fills and drains longer, or the mapper's "
                          "estimate misled it"
                        : "same program; requests meet in another order at DRAM and banks",
        100 * kTolerance));
  }
}

}  // namespace

Study study(const NpuConfig& base, const isa::Program& program, const graph::Graph* network,
            kernels::AttentionVariant attention,
            const std::function<void(std::size_t, std::size_t)>& on_done) {
  const std::vector<WhatIf> changed = what_ifs(base);
  Study result;
  std::vector<Job> jobs = {{}};
  for (std::size_t i = 0; i < changed.size(); ++i) {
    result.outcomes.push_back({.name = changed[i].name, .change = changed[i].change});
    if (!changed[i].needs_mapping) jobs.push_back({i, false});
    if (network != nullptr) jobs.push_back({i, true});
    if (changed[i].needs_mapping && network == nullptr) {
      result.outcomes.back().failure = "needs the model, to map it anew";
    }
  }
  const auto task = [&](std::size_t n) {
    const Job& job = jobs[n];
    if (job.what_if == Job::kBase) return simulate(base, program);
    return job.remap ? simulate_remapped(changed[job.what_if], program, *network, attention)
                     : simulate(changed[job.what_if].config, program);
  };
  std::size_t finished = 0;
  const auto done = [&](std::size_t n, const TaskResult& task_result) {
    const Job& job = jobs[n];
    const bool is_done = task_result.status == TaskStatus::kDone;
    const bool is_same = is_done && task_result.text.starts_with(kSameProgram);
    const std::optional<std::uint64_t> cycles =
        is_done ? cycles_in(task_result.text.substr(is_same ? kSameProgram.size() : 0))
                : std::nullopt;
    on_done(++finished, jobs.size());
    if (job.what_if == Job::kBase) {
      if (!cycles) fail("the run cannot be simulated again: {}", task_result.text);
      result.base_cycles = *cycles;
      return;
    }
    Outcome& o = result.outcomes[job.what_if];
    if (!is_done) {
      o.failure = task_result.text;
    } else if (is_same) {
      o.is_same_program = true;
      if (cycles) o.same_program_cycles = cycles;
    } else {
      (job.remap ? o.remapped_cycles : o.same_program_cycles) = cycles;
    }
  };
  run_in_processes(jobs.size(), {.workers = 0}, task, done);

  for (const Outcome& o : result.outcomes) add_notes(o, result);
  std::ranges::stable_sort(result.outcomes, {}, [](const Outcome& o) {
    return o.cycles().value_or(std::numeric_limits<std::uint64_t>::max());
  });
  return result;
}

}  // namespace npu::explain
