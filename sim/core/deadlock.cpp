#include "sim/core/deadlock.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "isa/instructions.h"

namespace npu {
namespace {

/// Nodes of the wait-for graph: position in `engines`, or engines.size() for the sequencer.
class WaitGraph {
 public:
  WaitGraph(const isa::Program& program, const std::vector<EngineState>& engines,
            const SequencerState& sequencer)
      : program_(program), engines_(engines), sequencer_(sequencer) {}

  /// A path from `from` that ends at a node for the second time (a cycle), or at a node that waits
  /// for nobody.
  [[nodiscard]] std::vector<std::size_t> path_from(std::size_t from) const {
    std::vector<std::size_t> path, dead;
    extend(from, path, dead);
    return path;
  }

  [[nodiscard]] bool waits(std::size_t node) const {
    return node < engines_.size() ? engines_[node].missing != 0 || engines_[node].executing
                                  : sequencer_.stalled_on.has_value();
  }

  [[nodiscard]] std::string name(std::size_t node) const {
    return node < engines_.size() ? std::string(isa::name_of(engines_[node].engine)) : "sequencer";
  }

  [[nodiscard]] std::string describe(std::size_t node) const {
    if (node == engines_.size()) {
      if (sequencer_.stalled_on) {
        return fmt::format("sequencer cannot dispatch {}: the queue of {} is full",
                           instruction(sequencer_.index), isa::name_of(*sequencer_.stalled_on));
      }
      return sequencer_.halted ? "sequencer has halted" : "sequencer never reached the halt";
    }
    const EngineState& e = engines_[node];
    if (e.missing != 0) {
      std::vector<std::string_view> from;
      for (int i = 0; i < isa::kEngineCount; ++i) {
        if ((e.missing >> i & 1) != 0) from.push_back(isa::name_of(static_cast<isa::Engine>(i)));
      }
      return fmt::format("{} waits at {} for a token from {}", name(node), instruction(e.index),
                         fmt::join(from, " and "));
    }
    if (e.executing) return fmt::format("{} never completed its instruction", name(node));
    return sequencer_.halted
               ? fmt::format("{} is idle, its queue empty, and has no instruction to come",
                             name(node))
               : fmt::format("{} is idle, its queue empty", name(node));
  }

 private:
  [[nodiscard]] std::vector<std::size_t> waits_for(std::size_t node) const {
    std::vector<std::size_t> result;
    if (node == engines_.size()) {
      if (sequencer_.stalled_on) result.push_back(position(*sequencer_.stalled_on));
      return result;
    }
    const EngineState& e = engines_[node];
    for (int i = 0; i < isa::kEngineCount; ++i) {
      if ((e.missing >> i & 1) != 0) result.push_back(position(static_cast<isa::Engine>(i)));
    }
    if (e.missing == 0 && !e.executing && !sequencer_.halted) result.push_back(engines_.size());
    return result;
  }

  [[nodiscard]] std::size_t position(isa::Engine engine) const {
    const auto at = std::find_if(engines_.begin(), engines_.end(),
                                 [&](const EngineState& e) { return e.engine == engine; });
    return static_cast<std::size_t>(at - engines_.begin());
  }

  /// Depth first; prefers a cycle. @return whether `path` now ends in one.
  bool extend(std::size_t node, std::vector<std::size_t>& path,
              std::vector<std::size_t>& dead) const {
    const bool again = std::find(path.begin(), path.end(), node) != path.end();
    path.push_back(node);
    if (again) return true;
    std::vector<std::size_t> longest = path;
    for (const std::size_t next : waits_for(node)) {
      if (std::find(dead.begin(), dead.end(), next) != dead.end()) continue;
      std::vector<std::size_t> attempt = path;
      if (extend(next, attempt, dead)) {
        path = std::move(attempt);
        return true;
      }
      if (attempt.size() > longest.size()) longest = std::move(attempt);
    }
    dead.push_back(node);
    path = std::move(longest);
    return false;
  }

  [[nodiscard]] std::string instruction(std::int32_t index) const {
    if (index < 0) return "no instruction";
    const auto i = static_cast<std::size_t>(index);
    std::string text =
        fmt::format("instruction {} {}", index, isa::spec_of(program_.code[i].opcode).mnemonic);
    const std::int32_t layer = program_.layer_of[i];
    if (layer >= 0) {
      text += fmt::format(" of {}", program_.layers[static_cast<std::size_t>(layer)].name);
    }
    return text;
  }

  const isa::Program& program_;
  const std::vector<EngineState>& engines_;
  const SequencerState& sequencer_;
};

}  // namespace

std::string describe_deadlock(std::uint64_t cycle, const isa::Program& program,
                              const std::vector<EngineState>& engines,
                              const SequencerState& sequencer) {
  const WaitGraph graph(program, engines, sequencer);
  std::vector<std::size_t> path;
  bool is_cycle = false;
  for (std::size_t node = 0; node <= engines.size() && !is_cycle; ++node) {
    if (!graph.waits(node)) continue;
    std::vector<std::size_t> candidate = graph.path_from(node);
    const auto first = std::find(candidate.begin(), candidate.end() - 1, candidate.back());
    is_cycle = first != candidate.end() - 1;
    if (is_cycle) candidate.erase(candidate.begin(), first);
    if (is_cycle || path.empty()) path = std::move(candidate);
  }

  std::vector<std::string> names, clauses;
  for (const std::size_t node : path) names.push_back(graph.name(node));
  if (is_cycle) path.pop_back();
  for (const std::size_t node : path) clauses.push_back(graph.describe(node));
  for (std::size_t node = 0; node <= engines.size(); ++node) {
    if (std::find(path.begin(), path.end(), node) == path.end() && graph.waits(node)) {
      clauses.push_back(graph.describe(node));
    }
  }
  return fmt::format("deadlock at cycle {}: {} {}: {}", cycle,
                     is_cycle ? "wait-for cycle" : "wait for a token that never comes",
                     fmt::join(names, " -> "), fmt::join(clauses, "; "));
}

}  // namespace npu
