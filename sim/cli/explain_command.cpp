// npusim explain: where the time of a run went, and what it would gain from a better part.
#include <cstdio>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/cli/commands.h"
#include "sim/cli/progress.h"
#include "sim/explain/what_if.h"
#include "sim/session/network.h"
#include "sim/session/rerun_files.h"

namespace npu::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ExplainOptions {
  std::string folder, model, json;
};

/// The network that the run mapped, if it can still be had; else a note says why not.
std::optional<session::Network> find_network(const session::Rerun& rerun, const std::string& model,
                                             std::vector<std::string>& notes) {
  const auto without = [&](const std::string& why) {
    notes.push_back(why + ": only what needs no mapping is simulated");
    return std::nullopt;
  };
  if (!rerun.fixed_mapping().empty()) return without(std::string(rerun.fixed_mapping()));
  session::ModelOptions options = rerun.model_options;
  if (!model.empty()) options.path = model;
  const std::string path = options.path;
  session::Network network;
  try {
    network = session::load_network(options, true);
  } catch (const Error& error) {
    if (!model.empty()) throw;
    return without(fmt::format("the model is not in this folder ({}); --model says where it is",
                               error.what()));
  }
  if (network.sha256 != rerun.model_sha256) {
    if (!model.empty()) fail("--model: {} is not the model that ran (SHA-256 differs)", path);
    return without(fmt::format("{} in this folder is not the model that ran", path));
  }
  if (session::compile_network(network, rerun.config, {.timing_only = true}).program.code !=
      rerun.program.code) {
    return without("this npusim maps the model otherwise than the run did");
  }
  return network;
}

double speedup(const explain::Study& study, const explain::Outcome& o) {
  return static_cast<double>(study.base_cycles) / static_cast<double>(*o.cycles());
}

std::int64_t saved(const explain::Study& study, const explain::Outcome& o) {
  return static_cast<std::int64_t>(study.base_cycles) - static_cast<std::int64_t>(*o.cycles());
}

std::string study_text(const explain::Study& study) {
  std::string out;
  const auto at = std::back_inserter(out);
  fmt::format_to(at, "what if, simulated again: {} cycles for one inference from a cold start\n",
                 study.base_cycles);
  fmt::format_to(at, "  {:<20} {:>10} {:>10} {:>8}  {:<9} {}\n", "what if", "cycles", "saved",
                 "speedup", "program", "change");
  for (const explain::Outcome& o : study.outcomes) {
    if (o.cycles()) {
      fmt::format_to(at, "  {:<20} {:>10} {:>10} {:>8.3f}  {:<9} {}\n", o.name, *o.cycles(),
                     saved(study, o), speedup(study, o), o.is_remapped() ? "re-mapped" : "same",
                     o.change);
    } else {
      fmt::format_to(at, "  {:<20} {:>10} {:>10} {:>8}  {:<9} {}: {}\n", o.name, "-", "-", "-", "-",
                     o.change, o.failure);
    }
  }
  return out;
}

Json path_json(const report::PathSummary& summary) {
  const auto shares = [](const std::vector<report::PathShare>& list, std::uint64_t whole) {
    Json out = Json::array();
    for (const report::PathShare& s : list) {
      out.push_back({{"unit", s.unit},
                     {"cause", name_of(s.cause)},
                     {"cycles", s.cycles},
                     {"share", static_cast<double>(s.cycles) / static_cast<double>(whole)}});
    }
    return out;
  };
  Json layers = Json::array();
  for (const report::LayerPathShare& l : summary.layers) {
    layers.push_back(
        {{"layer", l.layer}, {"cycles", l.cycles}, {"shares", shares(l.shares, l.cycles)}});
  }
  Json handovers = Json::object();
  for (std::size_t h = 0; h < kHandoverCount; ++h) {
    handovers[std::string(name_of(static_cast<Handover>(h)))] = summary.handovers[h];
  }
  return {{"total_cycles", summary.total_cycles},
          {"shares", shares(summary.shares, summary.total_cycles)},
          {"layers", std::move(layers)},
          {"steps_by_handover", std::move(handovers)}};
}

Json study_json(const explain::Study& study) {
  const auto optional = [](const std::optional<std::uint64_t>& value) {
    return value ? Json(*value) : Json(nullptr);
  };
  Json rows = Json::array();
  for (const explain::Outcome& o : study.outcomes) {
    Json row = {{"what_if", o.name},
                {"change", o.change},
                {"cycles", optional(o.cycles())},
                {"same_program_cycles", optional(o.same_program_cycles)},
                {"remapped_cycles", optional(o.remapped_cycles)}};
    if (o.cycles()) {
      row["saved_cycles"] = saved(study, o);
      row["speedup"] = speedup(study, o);
      row["program"] = o.is_remapped() ? "re-mapped" : "same";
    } else {
      row["failure"] = o.failure;
    }
    rows.push_back(std::move(row));
  }
  return {{"base_cycles", study.base_cycles}, {"rows", std::move(rows)}};
}

int explain_run(const ExplainOptions& options) {
  const session::Rerun rerun = session::read_rerun(options.folder);
  std::vector<std::string> notes;
  const std::optional<session::Network> network = find_network(rerun, options.model, notes);
  Progress progress;
  const explain::Study study =
      explain::study(rerun.config, rerun.program, network ? &network->mapped : nullptr,
                     rerun.model_options.attention, [&](std::size_t done, std::size_t all) {
                       progress.show(fmt::format("simulation {} of {}", done, all));
                     });
  progress.clear();
  if (study.base_cycles != rerun.first_run_cycles) {
    fail("{}: the run took {} cycles, simulated again it takes {}: another npusim wrote it",
         options.folder, rerun.first_run_cycles, study.base_cycles);
  }
  if (rerun.samples > 1) {
    notes.push_back(
        fmt::format("the critical path is that of inference {}, in a warm machine", rerun.samples));
  }
  notes.insert(notes.end(), study.notes.begin(), study.notes.end());

  const report::PathSummary summary = report::summarize(rerun.path);
  std::string text = report::path_text(summary) + "\n" + study_text(study);
  for (const std::string& note : notes) text += "note: " + note + "\n";
  if (!options.json.empty()) {
    const Json out = {
        {"critical_path", path_json(summary)}, {"what_ifs", study_json(study)}, {"notes", notes}};
    const std::string dump = out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    write_file(options.json, dump);
  }
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    fail("stdout: cannot write");
  }
  return kSuccess;
}

}  // namespace

void add_explain(CLI::App& app, Action& action) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* command = app.add_subcommand(
      "explain", "where the time of a run went, and what a better part would gain");
  command->add_option("folder", options->folder, "folder that `npusim run --out` wrote")
      ->required();
  command->add_option("--model", options->model,
                      "the model that ran; if left out, the file of its name in this folder");
  command->add_option("--json", options->json, "also write everything to this file");
  command->callback([options, &action] { action = [options] { return explain_run(*options); }; });
}

}  // namespace npu::cli
