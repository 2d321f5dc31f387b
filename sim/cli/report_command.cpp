// npusim report: the pages, tables and pictures of finished runs.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/suggest.h"
#include "sim/cli/commands.h"
#include "sim/cli/progress.h"
#include "sim/publish/page_data.h"
#include "sim/publish/picture.h"
#include "sim/publish/run_folder.h"
#include "sim/publish/sweep_report.h"
#include "sim/publish/tables.h"
#include "sim/report/page.h"
#include "sim/session/version.h"
#include "sim/sweep/page_data.h"
#include "sim/sweep/table.h"

namespace npu::cli {
namespace {

enum class Format : std::uint8_t { kHtml, kMarkdown, kCsv, kPng };

constexpr std::array<std::pair<std::string_view, Format>, 4> kFormats = {{{"html", Format::kHtml},
                                                                          {"md", Format::kMarkdown},
                                                                          {"csv", Format::kCsv},
                                                                          {"png", Format::kPng}}};

constexpr std::size_t kMaxDrawnPoints = 20'000;

struct ReportOptions {
  std::vector<std::string> folders;
  std::string out, format, name;
};

Format format_named(const std::string& name, std::string_view option) {
  std::vector<std::string> names;
  for (const auto& [known, format] : kFormats) {
    if (known == name) return format;
    names.emplace_back(known);
  }
  fail("{}: must be html, md, csv or png, got {}{}", option, name, did_you_mean(name, names));
}

/// The one of --format, else that of the file's name.
Format format_of(const ReportOptions& options) {
  if (!options.format.empty()) return format_named(options.format, "--format");
  if (options.out.empty()) {
    fail("report: needs -o FILE, or --format md or csv to write to stdout");
  }
  const std::string suffix = std::filesystem::path(options.out).extension().string();
  if (suffix.empty()) {
    fail("-o: {} has no suffix that names a format: .html, .md, .csv or .png", options.out);
  }
  return format_named(suffix.substr(1), "-o: suffix of the file");
}

std::string html_page(const std::string& title, nlohmann::json data) {
  data["generator"] = session::kVersion;
  return report::page(title, data);
}

std::string report_of_runs(const std::vector<std::string>& folders, Format format) {
  const std::vector<publish::RunFolder> runs = publish::read_run_folders(folders);
  if (format == Format::kMarkdown) return publish::markdown(runs);
  if (format == Format::kCsv) return publish::csv(runs);
  const std::string page = html_page(publish::page_title(runs), publish::page_data(runs));
  return format == Format::kHtml ? page : publish::picture(page);
}

std::string report_of_sweep(const ReportOptions& options, Format format) {
  const std::string& path = options.folders.front();
  const sweep::Table table = sweep::open_table(path, options.name);
  if (format == Format::kCsv) return sweep::table_csv(table);
  nlohmann::json data = sweep::page_data(table);
  if (format == Format::kMarkdown) return publish::sweep_markdown(data);
  publish::thin_out_points(data, kMaxDrawnPoints);
  data["subtitle"] = "npusim sweep, " + std::filesystem::path(path).filename().string();
  const std::string page = html_page("Sweep " + table.name, std::move(data));
  return format == Format::kHtml ? page : publish::picture(page);
}

/// Whether the path is a file of SQLite's, by its first bytes.
bool is_database(const std::string& path) {
  constexpr std::string_view kMagic = "SQLite format 3";
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream in(path, std::ios::binary);
  std::array<char, kMagic.size()> bytes{};
  in.read(bytes.data(), bytes.size());
  return in && std::string_view(bytes.data(), bytes.size()) == kMagic;
}

std::string content(const ReportOptions& options, Format format) {
  if (!std::ranges::any_of(options.folders, is_database)) {
    if (!options.name.empty()) fail("--name: only for the database of a sweep");
    return report_of_runs(options.folders, format);
  }
  if (options.folders.size() > 1) fail("report: the database of a sweep stands alone");
  return report_of_sweep(options, format);
}

int write_report(const ReportOptions& options) {
  const Format format = format_of(options);
  const bool is_text = format == Format::kMarkdown || format == Format::kCsv;
  if (options.out.empty() && !is_text) {
    fail("report: --format {} needs -o FILE", options.format);
  }
  Progress progress;
  progress.show("reading");
  const std::string text = content(options, format);
  progress.clear();
  if (!options.out.empty()) {
    write_file(options.out, text);
  } else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    fail("stdout: cannot write");
  }
  return kSuccess;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* command =
      app.add_subcommand("report", "Pages, tables and pictures of finished runs and sweeps");
  command
      ->add_option("folders", options->folders,
                   "Folders that `npusim run --out` wrote, or the database of one `npusim sweep`")
      ->required();
  command->add_option("-o,--out", options->out,
                      "File to write; its suffix names the format. Tables go to stdout without it");
  command->add_option("--name", options->name, "Which sweep of the database");
  command->add_option("--format", options->format,
                      "html: one page, works offline; md, csv: tables; png: the charts, by a "
                      "headless Chromium");
  command->callback([options, &action] { action = [options] { return write_report(*options); }; });
}

}  // namespace npu::cli
