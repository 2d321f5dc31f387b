// npusim map: searches mappings of a network.
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>

#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/mapping_reader.h"
#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/cli/commands.h"
#include "sim/cli/model_arguments.h"
#include "sim/cli/progress.h"
#include "sim/config/sections.h"
#include "sim/search/search.h"
#include "sim/session/config_path.h"
#include "sim/session/network.h"

namespace npu::cli {
namespace {

using search::Cost;
using search::LayerOutcome;
using search::Objective;
using search::Outcome;

struct MapOptions {
  std::string npu = session::kDefaultConfig, mapping, out, csv;
  session::ModelOptions model;
  std::int64_t budget = 4000, refine = 4, moves = 8, jobs = 0;
  bool dataflows = false;
  search::Options search;
};

constexpr std::int64_t kMostBudget = 10'000'000;
constexpr std::int64_t kMostRefined = 1000;
constexpr std::int64_t kMostJobs = 1024;

void check_range(const char* option, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high) fail("{}: must be {} to {}, got {}", option, low, high, value);
}

std::string gain(double before, double after) {
  return fmt::format("{:+.2f}", 100.0 * (after - before) / before);
}

std::string text_of(const LayerOutcome& o) {
  const std::string predicted = o.predicted < 0 ? "-" : fmt::format("{:.0f}", o.predicted);
  const std::string gap = o.predicted < 0 ? "-" : fmt::format("{:+.2f}", o.gap_percent());
  const std::string state = !o.same_as.empty() ? "as " + o.same_as
                            : !o.searched      ? "-"
                            : o.complete       ? "all"
                                               : "budget";
  return fmt::format("{:<24} {:>11.0f} {:>11.0f} {:>8} {:>11} {:>7} {:>8}  {:<8} {}\n", o.name,
                     o.heuristic.cycles, o.found.cycles, gain(o.heuristic.cycles, o.found.cycles),
                     predicted, gap, o.evaluated, state, o.choice.empty() ? "heuristic" : o.choice);
}

std::string text_of(const Outcome& r, Objective objective) {
  std::string out =
      fmt::format("{:<24} {:>11} {:>11} {:>8} {:>11} {:>7} {:>8}  {:<8} {}\n", "layer", "heuristic",
                  "found", "change_%", "predicted", "gap_%", "tried", "searched", "choice");
  const auto at = std::back_inserter(out);
  Cost heuristic;
  Cost found;
  std::int64_t tried = 0;
  std::int64_t complete = 0;
  std::int64_t searched = 0;
  for (const LayerOutcome& o : r.layers) {
    if (o.heuristic.cycles <= 0) continue;
    out += text_of(o);
    heuristic.cycles += o.heuristic.cycles;
    heuristic.picojoules += o.heuristic.picojoules;
    found.cycles += o.found.cycles;
    found.picojoules += o.found.picojoules;
    tried += o.evaluated;
    if (!o.searched || !o.same_as.empty()) continue;
    ++searched;
    if (o.complete) ++complete;
  }
  fmt::format_to(at,
                 "\nlayers as programs of their own, simulated\n"
                 "  cycles {:.0f}, were {:.0f} ({} %)\n  energy_uj {:.6g}, were {:.6g} ({} %)\n",
                 found.cycles, heuristic.cycles, gain(heuristic.cycles, found.cycles),
                 found.picojoules / 1e6, heuristic.picojoules / 1e6,
                 gain(heuristic.picojoules, found.picojoules));
  fmt::format_to(at,
                 "the network, simulated\n"
                 "  cycles {:.0f}, were {:.0f} ({} %)\n  energy_uj {:.6g}, were {:.6g} ({} %)\n",
                 r.found.cycles, r.heuristic.cycles, gain(r.heuristic.cycles, r.found.cycles),
                 r.found.picojoules / 1e6, r.heuristic.picojoules / 1e6,
                 gain(r.heuristic.picojoules, r.found.picojoules));
  for (const std::string& note : r.notes) fmt::format_to(at, "  {}\n", note);
  fmt::format_to(at,
                 "objective {}; {} mappings tried; {} of {} layers searched to the end of their "
                 "space\nmean_gap_% {:.2f} between predicted and simulated cycles of a layer\n",
                 search::name_of(objective), tried, complete, searched, r.mean_gap_percent());
  return out;
}

std::string csv_of(const Outcome& r) {
  std::string out =
      "layer,same_as,heuristic_cycles,found_cycles,heuristic_energy_pj,found_energy_pj,"
      "heuristic_predicted_cycles,predicted_cycles,gap_percent,tried,space,complete,choice\n";
  for (const LayerOutcome& o : r.layers) {
    if (o.heuristic.cycles <= 0) continue;
    const bool predicted = o.predicted >= 0;
    fmt::format_to(std::back_inserter(out),
                   "{},{},{:.0f},{:.0f},{:.6g},{:.6g},{},{},{},{},{:.0f},{},{}\n", o.name,
                   o.same_as, o.heuristic.cycles, o.found.cycles, o.heuristic.picojoules,
                   o.found.picojoules,
                   o.heuristic_predicted < 0 ? "" : fmt::format("{:.0f}", o.heuristic_predicted),
                   predicted ? fmt::format("{:.0f}", o.predicted) : "",
                   predicted ? fmt::format("{:.4f}", o.gap_percent()) : "", o.evaluated, o.space,
                   o.complete ? "true" : "false", o.choice);
  }
  return out;
}

void write_text(const std::string& path, const std::string& text) {
  if (!path.empty()) write_file(path, text);
}

/// What the file decides stays.
Outcome search_around(MapOptions& o, const session::Network& network, const NpuConfig& config,
                      const std::function<void(const std::string&)>& show) {
  const mapper::MappingFile file = mapper::MappingFile::load(o.mapping);
  file.require_network(network.mapped.name);
  o.search.fixed = &file.decisions();
  try {
    return search::search_mapping(network.mapped, config, o.search, show);
  } catch (const mapper::MappingError& error) {
    file.fail_at(error);
  }
}

/// The same search on the machine with each of the other dataflows, layers only.
std::string other_dataflows(const MapOptions& o, const session::Network& network,
                            const NpuConfig& config, const Outcome& own,
                            const std::function<void(const std::string&)>& show) {
  std::string out = "\ndataflow of the machine: cycles of the network, found\n";
  const auto line = [&](Dataflow dataflow, const std::string& text) {
    out += fmt::format("  {:<18} {:>11}\n", name_of(dataflow), text);
  };
  search::Options options = o.search;
  options.moves = 0;
  options.fixed = nullptr;
  for (const Dataflow dataflow :
       {Dataflow::kWeightStationary, Dataflow::kOutputStationary, Dataflow::kInputStationary}) {
    if (dataflow == config.mac_array.dataflow) {
      line(dataflow, fmt::format("{:.0f}  (its own)", own.found.cycles));
      continue;
    }
    if (config.mac_array.stripe_positions > 0) {
      line(dataflow, "not with mac_array.stripe_positions");
      continue;
    }
    NpuConfig variant = config;
    variant.mac_array.dataflow = dataflow;
    const Outcome r = search::search_mapping(network.mapped, variant, options, show);
    line(dataflow, fmt::format("{:.0f}", r.found.cycles));
  }
  return out;
}

int map_network(MapOptions& o) {
  check_range("--budget", o.budget, 1, kMostBudget);
  check_range("--refine", o.refine, 1, kMostRefined);
  check_range("--moves", o.moves, 0, kMostRefined);
  check_range("--jobs", o.jobs, 0, kMostJobs);
  o.search.budget = o.budget;
  o.search.refine = static_cast<std::size_t>(o.refine);
  o.search.moves = static_cast<std::size_t>(o.moves);
  o.search.workers = static_cast<unsigned>(o.jobs);
  o.search.attention = o.model.attention;
  const NpuConfig config = load_npu_config(session::find_config(o.npu));
  if (o.model.path.ends_with(".onnx")) {
    fail(
        "--model: {}: ONNX models run in stages; npusim map takes TFLite models, descriptions and "
        "topologies",
        o.model.path);
  }
  const session::Network network = session::load_network(o.model, true);
  Progress progress;
  const auto show = [&](const std::string& text) { progress.show(text); };
  const Outcome result = o.mapping.empty()
                             ? search::search_mapping(network.mapped, config, o.search, show)
                             : search_around(o, network, config, show);
  std::string text = text_of(result, o.search.objective);
  if (o.dataflows) text += other_dataflows(o, network, config, result, show);
  progress.clear();
  write_text(o.out, result.mapping_yaml);
  write_text(o.csv, csv_of(result));
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    fail("stdout: cannot write");
  }
  return kSuccess;
}

}  // namespace

void add_map(CLI::App& app, Action& action) {
  auto options = std::make_shared<MapOptions>();
  CLI::App* command = app.add_subcommand("map", "search mappings of a network's layers");
  command->add_option("--npu", options->npu, "configuration: a YAML file or the name of a preset")
      ->capture_default_str();
  command
      ->add_option("--model", options->model.path,
                   "network: a .tflite file, a description (.yaml) or its name, or a SCALE-Sim "
                   "topology (.csv)")
      ->required();
  add_model_options(*command, options->model);
  command
      ->add_option("--layer", options->search.layers,
                   "layer to search, may be given several times; all if left out")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command->add_option("--objective", options->search.objective, "latency, energy or edp")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, Objective>{{"latency", Objective::kLatency},
                                                                   {"energy", Objective::kEnergy},
                                                                   {"edp", Objective::kEdp}}))
      ->default_str("latency");
  command->add_option("--budget", options->budget, "mappings per layer that the cost model judges")
      ->capture_default_str();
  command->add_option("--refine", options->refine, "best of them per layer that are simulated")
      ->capture_default_str();
  command
      ->add_option("--moves", options->moves,
                   "changes of residency per round that are simulated on the whole network")
      ->capture_default_str();
  command
      ->add_option("--seed", options->search.seed, "of the random steps beyond the budget's tree")
      ->capture_default_str();
  command->add_option("--jobs", options->jobs, "simulations at a time; 0: one per core")
      ->capture_default_str();
  command->add_flag("--dataflows", options->dataflows,
                    "search on the machine with the other dataflows, too");
  command->add_option("--mapping", options->mapping,
                      "mapping of which only the rest is searched: a part of a mapping.yaml");
  command->add_option("--out", options->out, "mapping to write (.yaml)");
  command->add_option("--csv", options->csv, "table of the layers to write (.csv)");
  command->callback([options, &action] { action = [options] { return map_network(*options); }; });
}

}  // namespace npu::cli
