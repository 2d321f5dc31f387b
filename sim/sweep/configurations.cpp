#include "sim/sweep/configurations.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <string_view>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/sha256.h"
#include "sim/base/suggest.h"
#include "sim/base/yaml_document.h"
#include "sim/base/yaml_map.h"
#include "sim/config/sections.h"

namespace npu::sweep {
namespace {

constexpr std::array<std::string_view, 2> kFileKeys = {"dram.device", "energy.table"};

std::shared_ptr<const SourceFile> source_file(const std::string& path, std::string text) {
  std::string sha256 = sha256_hex(text);
  return std::make_shared<const SourceFile>(SourceFile{path, std::move(sha256), std::move(text)});
}

}  // namespace

const Configurations::Base& Configurations::base(const std::string& npu) {
  const auto known = bases_.find(npu);
  if (known != bases_.end()) return known->second;
  const std::string path = find_(npu);
  const auto file = source_file(path, read_file(path, YamlMap::kMaxFileBytes));
  Base made{ConfigDocument::from_text(file->text, path), {}, file};
  for (const ResolvedSection& section : resolved_values(made.document.parse())) {
    for (const auto& [name, value] : section.values) {
      made.values.emplace(fmt::format("{}.{}", section.name, name), value);
    }
  }
  return bases_.emplace(npu, std::move(made)).first->second;
}

const ConfigDocument& Configurations::document(const std::string& npu) {
  return base(npu).document;
}

std::string Configurations::value(const std::string& npu, const std::string& key) {
  const Base& b = base(npu);
  const auto at = b.values.find(key);
  if (at != b.values.end()) return at->second;
  if (b.document.has(key)) return b.document.get(key);
  std::vector<std::string> known;
  for (const auto& [name, value] : b.values) known.push_back(name);
  fail("{}: {}: the configuration has no such value{}", b.document.path(),
       yaml::shown(std::string_view(key)), did_you_mean(key, known));
}

std::shared_ptr<const SourceFile> Configurations::read(const std::string& path) {
  const auto known = files_.find(path);
  if (known != files_.end()) return known->second;
  std::shared_ptr<const SourceFile> file;
  try {
    file = source_file(path, read_file(path, YamlMap::kMaxFileBytes));
  } catch (const Error&) {
    file = nullptr;  // Reading the configuration says what is wrong with it.
  }
  files_.emplace(path, file);
  return file;
}

std::vector<std::shared_ptr<const SourceFile>> Configurations::files(const std::string& npu,
                                                                     const ConfigDocument& edited) {
  std::vector<std::shared_ptr<const SourceFile>> files = {base(npu).file};
  const std::filesystem::path folder = std::filesystem::path(edited.path()).parent_path();
  for (const std::string_view key : kFileKeys) {
    if (!edited.has(key)) continue;
    if (auto file = read((folder / edited.get(key)).lexically_normal().string())) {
      files.push_back(std::move(file));
    }
  }
  return files;
}

}  // namespace npu::sweep
