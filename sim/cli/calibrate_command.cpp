// npusim calibrate: fits parameters of a configuration to measured cycles.
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/calibration/calibrate.h"
#include "sim/cli/commands.h"
#include "sim/cli/progress.h"
#include "sim/session/config_path.h"

namespace npu::cli {
namespace {

struct CalibrateOptions {
  std::string npu = session::kDefaultConfig, measured, parameters, out;
  calibration::Options fit;
};

void check_options(const CalibrateOptions& o) {
  if (!(o.fit.held_out_share > 0 && o.fit.held_out_share < 1)) {
    fail("--holdout: must be above 0 and below 1, got {}", o.fit.held_out_share);
  }
  if (!(o.fit.level_percent > 0 && o.fit.level_percent < 100)) {
    fail("--level: must be above 0 and below 100, got {}", o.fit.level_percent);
  }
  if (o.fit.max_evaluations < 1) fail("--evaluations: must be at least 1, got 0");
}

void append_errors(std::string& out, std::string_view name, const calibration::Errors& before,
                   const calibration::Errors& after) {
  fmt::format_to(std::back_inserter(out),
                 "  {:<10} {:>6} {:>13.3f} {:>12.3f} {:>13.3f} {:>12.3f}  {}\n", name, after.rows,
                 before.mean_percent, before.max_percent, after.mean_percent, after.max_percent,
                 after.worst);
}

std::string text_of(const calibration::Calibration& c) {
  std::string out;
  const auto at = std::back_inserter(out);
  fmt::format_to(at, "{:<36} {:>12} {:>12}  {}\n", "parameter", "before", "fitted", "range");
  for (const calibration::FittedParameter& p : c.parameters) {
    fmt::format_to(at, "{:<36} {:>12} {:>12}  {} to {} by {:g}\n", p.parameter.key, p.before,
                   p.after, p.parameter.value(0), p.parameter.value(p.parameter.points - 1),
                   p.parameter.step);
  }
  fmt::format_to(at, "\n  {:<10} {:>6} {:>13} {:>12} {:>13} {:>12}  {}\n", "rows", "",
                 "before_mean_%", "before_max_%", "fitted_mean_%", "fitted_max_%", "worst");
  append_errors(out, "fitted", c.fitted_before, c.fitted);
  append_errors(out, "held out", c.held_out_before, c.held_out);
  fmt::format_to(
      at,
      "\nmeasured cycles lie {:+.3f} % to {:+.3f} % from the predicted ones at a level of "
      "{:.1f} %\n(split conformal, {} held-out rows); {} configurations simulated\n",
      c.interval.low_percent, c.interval.high_percent, c.interval.level_percent, c.held_out.rows,
      c.evaluations);
  for (const std::string& warning : c.warnings) fmt::format_to(at, "warning: {}\n", warning);
  return out;
}

int calibrate(const CalibrateOptions& options) {
  check_options(options);
  const ConfigDocument base = ConfigDocument::load(session::find_config(options.npu));
  (void)base.parse();
  const auto parameters = calibration::read_parameters(options.parameters);
  const auto measurements =
      calibration::read_measurements(CsvTable::load(options.measured), options.measured);
  Progress progress;
  calibration::Calibration result = calibration::calibrate(
      base, parameters, measurements, std::filesystem::path(options.measured).filename().string(),
      options.fit,
      [&](std::size_t points) { progress.show(fmt::format("{} configurations", points)); });
  progress.clear();
  result.document.move_to(options.out);
  write_file(options.out, result.document.text());
  (void)load_npu_config(options.out);
  const std::string text = text_of(result);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    fail("stdout: cannot write");
  }
  return kSuccess;
}

}  // namespace

void add_calibrate(CLI::App& app, Action& action) {
  auto options = std::make_shared<CalibrateOptions>();
  CLI::App* command =
      app.add_subcommand("calibrate", "fit parameters of a configuration to measured cycles");
  command->add_option("--npu", options->npu, "configuration to start from: a YAML file or a preset")
      ->capture_default_str();
  command->add_option("--measured", options->measured, "measured layers (.csv)")->required();
  command->add_option("--parameters", options->parameters, "keys to fit and their ranges (.yaml)")
      ->required();
  command->add_option("--out", options->out, "configuration to write (.yaml)")->required();
  command
      ->add_option("--holdout", options->fit.held_out_share,
                   "share of rows that the fit does not see")
      ->capture_default_str();
  command->add_option("--seed", options->fit.seed, "chooses the rows that are held out")
      ->capture_default_str();
  command->add_option("--level", options->fit.level_percent, "level of the interval [%]")
      ->capture_default_str();
  command
      ->add_option("--evaluations", options->fit.max_evaluations,
                   "configurations that the search may simulate")
      ->capture_default_str();
  command->callback([options, &action] { action = [options] { return calibrate(*options); }; });
}

}  // namespace npu::cli
