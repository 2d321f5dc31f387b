#include "sim/session/model_options.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "sim/base/error.h"
#include "sim/base/suggest.h"

namespace npu::session {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSeed = "seed:";

template <typename T>
bool parse_all(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

/// Empty if there is none.
fs::path models_folder() {
  if (const char* set = std::getenv("NPUSIM_MODELS"); set != nullptr && *set != '\0') return set;
  std::error_code error;
  fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  while (!error && !folder.empty()) {
    if (fs::is_directory(folder / "workloads" / "models", error)) {
      return folder / "workloads" / "models";
    }
    if (folder == folder.parent_path()) break;
    folder = folder.parent_path();
    error.clear();
  }
  return {};
}

}  // namespace

importers::DescriptionOptions description_options(const ModelOptions& options, bool timing_only) {
  importers::DescriptionOptions result;
  result.whole_attention = options.attention != kernels::AttentionVariant::kAuto;
  for (const std::string& dim : options.dims) {
    const std::size_t at = dim.find('=');
    std::int64_t value = 0;
    if (at == std::string::npos || at == 0 ||
        !parse_all(std::string_view(dim).substr(at + 1), value)) {
      fail("--dim: expected NAME=N, got {}", dim);
    }
    if (!result.parameters.emplace(dim.substr(0, at), value).second) {
      fail("--dim: {} is there twice", dim.substr(0, at));
    }
  }
  if (!options.precision.empty()) {
    std::vector<std::string> known;
    for (const auto& [name, type] : importers::precision_names()) {
      known.emplace_back(name);
      if (name == options.precision) result.precision = type;
    }
    if (!result.precision) {
      fail("--precision: expected {}, got {}{}", fmt::join(known, ", "), options.precision,
           did_you_mean(options.precision, known));
    }
  }
  std::uint64_t seed = 1;
  if (options.weights.starts_with(kSeed) &&
      parse_all(std::string_view(options.weights).substr(kSeed.size()), seed)) {
    result.seed = seed;
  } else if (options.weights.empty()) {
    if (!timing_only) result.seed = seed;
  } else if (options.weights != "none") {
    fail("--weights: expected none or seed:N, got {}", options.weights);
  } else if (!timing_only) {
    fail("--weights: none is for --timing-only");
  }
  return result;
}

std::vector<std::string> shipped_models() {
  const fs::path folder = models_folder();
  if (folder.empty()) fail("no folder `workloads/models` above the program; set NPUSIM_MODELS");
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  if (error) fail("{}: {}", folder.string(), error.message());
  std::sort(files.begin(), files.end());
  return files;
}

std::string find_model(const std::string& name) {
  std::error_code error;
  if (fs::exists(name, error) || name.find('/') != std::string::npos ||
      fs::path(name).has_extension()) {
    return name;  // The reader says what is wrong with it.
  }
  const fs::path folder = models_folder();
  const fs::path shipped = folder / (name + ".yaml");
  if (!folder.empty() && fs::exists(shipped, error)) return shipped.string();
  std::vector<std::string> known;
  if (!folder.empty()) {
    for (const std::string& file : shipped_models())
      known.push_back(fs::path(file).stem().string());
  }
  fail("{}: no such file, and no network of that name{}", name, did_you_mean(name, known));
}

std::string options_text(const ModelOptions& options) {
  std::string text = options.fuse ? "" : "no-fusion";
  const auto add = [&](const std::string& option) { text += text.empty() ? option : " " + option; };
  for (const std::string& dim : options.dims) add(dim);
  if (!options.precision.empty()) add(options.precision);
  if (!options.weights.empty()) add(options.weights);
  if (options.attention != kernels::AttentionVariant::kAuto) {
    add(fmt::format("attention={}", name_of(options.attention)));
  }
  return text;
}

void require_no_attention_option(const ModelOptions& options, const std::string& path) {
  if (options.attention == kernels::AttentionVariant::kAuto) return;
  fail("--attention: {} has no attention, got {}", path, name_of(options.attention));
}

}  // namespace npu::session
