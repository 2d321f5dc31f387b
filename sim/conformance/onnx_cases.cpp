#include "sim/conformance/onnx_cases.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>

#include "kernels/onnx_reference/run.h"
#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/process_pool.h"
#include "workloads/onnx/reader.h"

namespace npu::conformance {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxFileBytes = std::int64_t{64} << 20;
constexpr std::int64_t kMaxTotalBytes = std::int64_t{2} << 30;
constexpr std::string_view kModel = "model.onnx";
constexpr double kAbsolute = 1e-7;
constexpr double kRelative = 1e-3;

using FilesByPath = std::map<std::string, std::string>;

FilesByPath read_folder(const std::string& path) {
  FilesByPath files;
  std::int64_t total = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    if (!entry.is_regular_file()) continue;
    const std::string extension = entry.path().extension().string();
    if (extension != ".onnx" && extension != ".pb") continue;
    std::string content = read_file(entry.path().string(), kMaxFileBytes);
    total += static_cast<std::int64_t>(content.size());
    if (total > kMaxTotalBytes) fail("{}: more than {} bytes", path, kMaxTotalBytes);
    files.emplace(fs::relative(entry.path(), path).string(), std::move(content));
  }
  return files;
}

FilesByPath read_archive(const std::string& path) {
  const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_all(reader.get());
  constexpr std::size_t kBlock = 65536;
  const auto refuse = [&]() { fail("{}: {}", path, archive_error_string(reader.get())); };
  if (archive_read_open_filename(reader.get(), path.c_str(), kBlock) != ARCHIVE_OK) refuse();
  FilesByPath files;
  std::int64_t total = 0;
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK) refuse();
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    const std::string name = archive_entry_pathname(entry);
    if (!name.ends_with(".onnx") && !name.ends_with(".pb")) continue;
    std::string content;
    char buffer[kBlock];
    la_ssize_t got = 0;
    while ((got = archive_read_data(reader.get(), buffer, sizeof buffer)) > 0) {
      content.append(buffer, static_cast<std::size_t>(got));
      total += got;
      if (static_cast<std::int64_t>(content.size()) > kMaxFileBytes || total > kMaxTotalBytes) {
        fail("{}: {}: too large", path, name);
      }
    }
    if (got < 0) refuse();
    files.insert_or_assign(name, std::move(content));
  }
  return files;
}

struct Comparison {
  bool is_equal = true;
  std::string difference;
};

Comparison differ(std::string text) { return {false, std::move(text)}; }

Comparison compare(const onnx::Value& got, const onnx::Value& expected) {
  if (got.type != expected.type) {
    return differ(fmt::format("{} instead of {}", name_of(got.type), name_of(expected.type)));
  }
  if (got.shape != expected.shape) {
    return differ(
        fmt::format("shape {} instead of {}", to_string(got.shape), to_string(expected.shape)));
  }
  if (!onnx::is_float(got.type)) {
    return got.bytes == expected.bytes ? Comparison() : differ("integers differ");
  }
  const std::vector<double> a = to_doubles(got);
  const std::vector<double> b = to_doubles(expected);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])) ||
                      std::fabs(a[i] - b[i]) <= kAbsolute + kRelative * std::fabs(b[i]);
    if (!same) return differ(fmt::format("element {}: {} instead of {}", i, a[i], b[i]));
  }
  return {};
}

/// "input_3.pb" beside "output_0.pb": the numbered tensors of one set.
std::vector<onnx::Value> numbered(const OnnxCase& c, const std::string& set,
                                  std::string_view kind) {
  std::vector<onnx::Value> values;
  for (;;) {
    const std::string file = fmt::format("{}/{}_{}.pb", set, kind, values.size());
    const auto it = c.files.find(file);
    if (it == c.files.end()) return values;
    values.push_back(onnx::parse_tensor(it->second, c.name + "/" + file));
  }
}

/// Cases whose data contradict the operator's definition: QLinearMatMul saturates ("y =
/// saturate(x / y_scale + y_zero_point)", QLinearMatMul-21), these outputs wrap around.
constexpr std::array<std::string_view, 4> kContradictions = {
    "test_qlinearmatmul_2D_int8_float16", "test_qlinearmatmul_2D_int8_float32",
    "test_qlinearmatmul_3D_int8_float16", "test_qlinearmatmul_3D_int8_float32"};

CaseResult run_case(const OnnxCase& c) {
  CaseResult result{c.name, CaseStatus::kFail, "", ""};
  const auto unsupported = [&](std::string reason) {
    result.status = CaseStatus::kUnsupported;
    result.reason = std::move(reason);
    return result;
  };
  if (std::find(kContradictions.begin(), kContradictions.end(), c.name) != kContradictions.end()) {
    return unsupported("the data wrap around where the operator's definition saturates");
  }
  std::optional<onnx::Model> model;
  try {
    model = onnx::parse_model(c.files.at(std::string(kModel)), c.name + "/model.onnx");
  } catch (const Error& error) {
    return unsupported(error.what());
  }
  if (const std::string reason = onnx::unsupported_reason(*model); !reason.empty())
    return unsupported(reason);
  result.where = "host";
  std::size_t sets = 0;
  for (;; ++sets) {
    const std::string set = fmt::format("test_data_set_{}", sets);
    if (!c.files.contains(set + "/output_0.pb")) break;
    const std::vector<onnx::Value> inputs = numbered(c, set, "input");
    const std::vector<onnx::Value> expected = numbered(c, set, "output");
    onnx::Values by_name;
    for (std::size_t i = 0; i < inputs.size() && i < model->graph.inputs.size(); ++i) {
      by_name.emplace(model->graph.inputs[i].name, inputs[i]);
    }
    std::vector<onnx::Value> got;
    try {
      got = onnx::run(*model, std::move(by_name));
    } catch (const Error& error) {  // A variant that the operator refuses.
      result.where.clear();
      return unsupported(error.what());
    }
    if (got.size() < expected.size()) {
      result.reason = fmt::format("{}: {} outputs instead of {}", set, got.size(), expected.size());
      return result;
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const Comparison comparison = compare(got[i], expected[i]);
      if (comparison.is_equal) continue;
      result.reason = fmt::format("{}: output {}: {}", set, i, comparison.difference);
      return result;
    }
  }
  if (sets == 0) return unsupported("no test data");
  result.status = CaseStatus::kPass;
  return result;
}

/// One line per field; none of them has line ends.
std::string pack(const CaseResult& r) {
  return fmt::format("{}\n{}\n{}", static_cast<int>(r.status), r.where, r.reason);
}

void unpack(const std::string& text, CaseResult& r) {
  const std::size_t first = text.find('\n');
  const std::size_t second = text.find('\n', first + 1);
  r.status = static_cast<CaseStatus>(text[0] - '0');
  r.where = text.substr(first + 1, second - first - 1);
  r.reason = text.substr(second + 1);
}

}  // namespace

std::string_view name_of(CaseStatus status) {
  constexpr std::string_view kNames[] = {"pass", "fail", "unsupported"};
  return kNames[static_cast<std::size_t>(status)];
}

std::vector<OnnxCase> find_onnx_cases(const std::string& path) {
  std::error_code code;
  if (!fs::exists(path, code)) fail("{}: no such file or folder", path);
  FilesByPath files = fs::is_directory(path, code) ? read_folder(path) : read_archive(path);
  std::map<std::string, OnnxCase> cases;  // by folder
  for (const auto& [file, content] : files) {
    const fs::path at(file);
    if (at.filename() == kModel) {
      const std::string folder = at.parent_path().string();
      std::string name = at.parent_path().filename().string();
      if (name.empty()) name = fs::path(path).lexically_normal().filename().string();
      cases[folder].name = std::move(name);
    }
  }
  if (cases.empty()) fail("{}: holds no {}", path, kModel);
  for (auto& [file, content] : files) {
    const fs::path at(file);
    // A case's files lie in its folder or one below.
    for (fs::path folder = at.parent_path();; folder = folder.parent_path()) {
      const auto it = cases.find(folder.string());
      if (it != cases.end()) {
        it->second.files.emplace(
            at.lexically_relative(folder.empty() ? fs::path(".") : folder).string(),
            std::move(content));
        break;
      }
      if (folder.empty()) break;
    }
  }
  std::vector<OnnxCase> sorted;
  for (auto& [folder, c] : cases) sorted.push_back(std::move(c));
  return sorted;
}

std::vector<CaseResult> run_onnx_cases(
    const std::vector<OnnxCase>& cases,
    const std::function<void(std::size_t, std::size_t)>& on_case) {
  std::vector<CaseResult> results(cases.size());
  std::size_t finished = 0;
  run_in_processes(
      cases.size(), {.workers = 0, .timeout_s = 60},
      [&](std::size_t i) { return pack(run_case(cases[i])); },
      [&](std::size_t i, const TaskResult& task) {
        results[i].name = cases[i].name;
        if (task.status == TaskStatus::kDone) {
          unpack(task.text, results[i]);
        } else {
          results[i].where = "host";
          results[i].reason = task.text;
        }
        on_case(++finished, cases.size());
      });
  return results;
}

}  // namespace npu::conformance
