// npusim validate: npusim's figures beside those of outside references.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/suggest.h"
#include "sim/cli/commands.h"
#include "sim/cli/progress.h"
#include "sim/report/page.h"
#include "sim/session/config_path.h"
#include "sim/validation/page_data.h"
#include "sim/validation/suite.h"
#include "sim/validation/writers.h"

namespace npu::cli {
namespace {

using validation::Suite;
using validation::SuiteResult;

struct ValidateOptions {
  std::vector<std::string> suites;
  std::string rows, csv, html;
  bool markdown = false;
  bool list = false;
};

std::vector<const Suite*> chosen_suites(const std::vector<std::string>& names) {
  std::vector<const Suite*> chosen;
  std::vector<std::string> known;
  for (const Suite& s : validation::suites()) {
    known.push_back(s.name);
    if (names.empty()) chosen.push_back(&s);
  }
  for (const std::string& name : names) {
    const Suite* found = nullptr;
    for (const Suite& s : validation::suites()) {
      if (s.name == name) found = &s;
    }
    if (found == nullptr) fail("--suite: no suite \"{}\"{}", name, did_you_mean(name, known));
    chosen.push_back(found);
  }
  return chosen;
}

int list_suites() {
  for (const Suite& s : validation::suites()) {
    fmt::print("{:<28} {}: {}\n", s.name, s.quantity, s.reference);
  }
  return kSuccess;
}

int validate(const ValidateOptions& options) {
  if (options.list) return list_suites();
  const std::vector<const Suite*> chosen = chosen_suites(options.suites);
  if (!options.rows.empty() && options.suites.size() != 1) {
    fail("--rows: needs exactly one --suite");
  }
  const validation::SuiteContext context{session::find_configs_folder()};
  std::vector<SuiteResult> results;
  bool holds = true;
  Progress progress;
  for (const Suite* suite : chosen) {
    const std::string file =
        !options.rows.empty() ? options.rows
                              : fmt::format("{}/validation/{}.csv", context.configs, suite->rows);
    progress.show(suite->name);
    results.push_back(validation::run_suite(
        *suite, CsvTable::load(file), file, context, [&](std::size_t done, std::size_t all) {
          progress.show(fmt::format("{}: row {} of {}", suite->name, done, all));
        }));
    if (results.back().rows.empty()) fail("{}: no row to compare", file);
    holds = holds && results.back().within_bound;
  }
  progress.clear();
  if (!options.csv.empty()) write_file(options.csv, validation::csv(results));
  if (!options.html.empty()) {
    write_file(options.html, report::page("npusim: validation", validation::page_data(results)));
  }
  fmt::print("{}", options.markdown ? validation::markdown_table(results)
                                    : validation::text_table(results));
  return holds ? kSuccess : kRunFault;
}

}  // namespace

void add_validate(CLI::App& app, Action& action) {
  auto options = std::make_shared<ValidateOptions>();
  CLI::App* command = app.add_subcommand(
      "validate", "Compare npusim with RTL, other simulators and published figures");
  command->add_option("--suite", options->suites, "Only this suite; may be given several times");
  command->add_option("--rows", options->rows,
                      "Other rows for the one suite, in the reference's own columns (.csv)");
  command->add_option("--csv", options->csv, "Write row, reference, predicted, error");
  command->add_option("--html", options->html, "Write a page with charts and all rows");
  command->add_flag("--markdown", options->markdown, "Print the table in Markdown");
  command->add_flag("--list", options->list, "List the suites");
  command->callback([options, &action] { action = [options] { return validate(*options); }; });
}

}  // namespace npu::cli
