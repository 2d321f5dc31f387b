// npusim conformance onnx: the ONNX backend test suite, case by case.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "sim/base/csv.h"
#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/cli/commands.h"
#include "sim/cli/progress.h"
#include "sim/config/sections.h"
#include "sim/conformance/onnx_cases.h"
#include "sim/session/config_path.h"

namespace npu::cli {
namespace {

using conformance::CaseResult;
using conformance::CaseStatus;
using conformance::OnnxCase;

struct ConformanceOptions {
  std::string path, cases, csv;
  std::string npu = session::kDefaultConfig;
};

/// Keeps the cases that a JSON list names. @throws Error for a name that is not there.
std::vector<OnnxCase> choose(std::vector<OnnxCase> all, const std::string& path) {
  constexpr std::int64_t kMaxBytes = 1 << 24;
  std::set<std::string> names;
  try {
    const auto json = nlohmann::json::parse(read_file(path, kMaxBytes));
    for (const auto& name : json) names.insert(name.get<std::string>());
  } catch (const nlohmann::json::exception& error) {
    fail("{}: expected a list of case names: {}", path, error.what());
  }
  std::erase_if(all, [&](const OnnxCase& c) { return !names.contains(c.name); });
  for (const OnnxCase& c : all) names.erase(c.name);
  if (!names.empty()) fail("{}: no case \"{}\"", path, *names.begin());
  return all;
}

std::string to_csv(const std::vector<CaseResult>& results) {
  std::string out = "case,status,where,reason\n";
  for (const CaseResult& r : results) {
    out += fmt::format("{},{},{},{}\n", csv_field(r.name), name_of(r.status), r.where,
                       csv_field(r.reason));
  }
  return out;
}

int run_onnx(const ConformanceOptions& options) {
  std::vector<OnnxCase> cases = conformance::find_onnx_cases(options.path);
  if (!options.cases.empty()) cases = choose(std::move(cases), options.cases);
  const NpuConfig config = load_npu_config(session::find_config(options.npu));
  Progress progress;
  const std::vector<CaseResult> results =
      conformance::run_onnx_cases(cases, config, [&](std::size_t done, std::size_t all) {
        progress.show(fmt::format("case {} of {}", done, all));
      });
  progress.clear();
  if (!options.csv.empty()) write_file(options.csv, to_csv(results));
  std::size_t width = 4;
  for (const CaseResult& r : results) width = std::max(width, r.name.size());
  std::map<CaseStatus, std::size_t> counts;
  std::map<std::string, std::size_t> places;  // Of those that pass.
  fmt::print("{:<{}} {:<11} {:<8} {}\n", "case", width, "status", "where", "reason");
  for (const CaseResult& r : results) {
    ++counts[r.status];
    if (r.status == CaseStatus::kPass) ++places[r.where];
    fmt::print("{:<{}} {:<11} {:<8} {}\n", r.name, width, name_of(r.status),
               r.where.empty() ? "-" : r.where, r.reason);
  }
  fmt::print(
      "\n{} cases: {} pass ({} on the NPU, {} on NPU and host, {} on the host), {} fail, {} "
      "unsupported\n",
      results.size(), counts[CaseStatus::kPass], places["NPU"], places["NPU+host"], places["host"],
      counts[CaseStatus::kFail], counts[CaseStatus::kUnsupported]);
  return counts[CaseStatus::kFail] == 0 ? kSuccess : kRunFault;
}

}  // namespace

void add_conformance(CLI::App& app, Action& action) {
  auto options = std::make_shared<ConformanceOptions>();
  CLI::App* command = app.add_subcommand("conformance", "run public test suites of model formats");
  command->require_subcommand(1);
  CLI::App* onnx = command->add_subcommand(
      "onnx", "ONNX backend node tests on the CPU reference and the simulated NPU");
  onnx->add_option("path", options->path, "a folder or archive with model.onnx files")->required();
  onnx->add_option("--npu", options->npu, "configuration: a YAML file or the name of a preset")
      ->capture_default_str();
  onnx->add_option("--cases", options->cases, "only the cases that this JSON list names");
  onnx->add_option("--csv", options->csv, "write case, status, where, reason");
  onnx->callback([options, &action] { action = [options] { return run_onnx(*options); }; });
}

}  // namespace npu::cli
