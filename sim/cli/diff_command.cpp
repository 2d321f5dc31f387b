// npusim diff: two runs compared, the difference attributed to parameters, layers and causes.
#include <cstdio>
#include <memory>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/cli/commands.h"
#include "sim/cli/progress.h"
#include "sim/diff/difference.h"

namespace npu::cli {
namespace {

struct DiffArguments {
  std::string a, b, model, json, csv;
  diff::DiffOptions options;
  bool no_rerun = false;
};

int compare(const DiffArguments& arguments) {
  diff::DiffOptions options = arguments.options;
  options.simulate = !arguments.no_rerun;
  if (options.a_model.empty()) options.a_model = arguments.model;
  if (options.b_model.empty()) options.b_model = arguments.model;
  Progress progress;
  const diff::Difference difference =
      diff::compare(arguments.a, arguments.b, options, [&](std::size_t done, std::size_t all) {
        progress.show(fmt::format("simulation {} of {}", done, all));
      });
  progress.clear();
  const auto write = [](const std::string& path, const std::string& text) {
    if (!path.empty()) write_file(path, text);
  };
  write(arguments.json, diff::json_of(difference));
  write(arguments.csv, diff::csv_of(difference));
  const std::string text = diff::text_of(difference);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    fail("stdout: cannot write");
  }
  return kSuccess;
}

}  // namespace

void add_diff(CLI::App& app, Action& action) {
  auto options = std::make_shared<DiffArguments>();
  CLI::App* command = app.add_subcommand(
      "diff", "what makes one run differ from another: parameters, layers, causes");
  command->add_option("A", options->a, "folder that `npusim run --out` wrote")->required();
  command->add_option("B", options->b, "the other one")->required();
  command->add_option("--model", options->model,
                      "the model of both; if left out, the files of their names in this folder");
  command->add_option("--model-a", options->options.a_model, "the model of A alone");
  command->add_option("--model-b", options->options.b_model, "the model of B alone");
  command->add_flag("--no-rerun", options->no_rerun, "simulate nothing: results only");
  command->add_option("--json", options->json, "also write everything to this file");
  command->add_option("--csv", options->csv, "also write the terms to this file");
  command->callback([options, &action] { action = [options] { return compare(*options); }; });
}

}  // namespace npu::cli
