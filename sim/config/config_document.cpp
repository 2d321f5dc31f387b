#include "sim/config/config_document.h"

#include <array>
#include <filesystem>
#include <utility>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/key_error.h"
#include "sim/base/yaml_map.h"
#include "sim/base/yaml_text.h"

namespace npu {
namespace {

/// Keys that name a file, and what a bundle calls its copy.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kNamedFiles = {
    {{"dram.device", "config_dram.yaml"}, {"energy.table", "config_energy.yaml"}}};

std::vector<std::string_view> parts_of(std::string_view key) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t dot = key.find('.');
    parts.push_back(key.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    key.remove_prefix(dot + 1);
  }
}

yaml::Node::Entry* find_entry(yaml::Node& map, std::string_view key) {
  for (yaml::Node::Entry& entry : map.entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

/// A new entry with the place of its mapping.
yaml::Node::Entry& add_entry(yaml::Node& map, std::string_view key, yaml::Kind kind) {
  yaml::Node value;
  value.kind = kind;
  value.line = map.line;
  value.column = map.column;
  map.entries.push_back({std::string(key), map.line, map.column, std::move(value)});
  return map.entries.back();
}

}  // namespace

ConfigDocument ConfigDocument::load(const std::string& path) {
  return from_text(read_file(path, YamlMap::kMaxFileBytes), path);
}

ConfigDocument ConfigDocument::from_text(std::string_view text, const std::string& path) {
  return ConfigDocument(yaml::parse(text, path));
}

void ConfigDocument::set(std::string_view key, std::string_view value) {
  set_scalar(key, value, true);
}

void ConfigDocument::set_text(std::string_view key, std::string_view value) {
  set_scalar(key, value, false);
}

void ConfigDocument::set_scalar(std::string_view key, std::string_view value, bool plain) {
  auto edited = std::make_shared<yaml::Document>(*document_);
  const std::vector<std::string_view> parts = parts_of(key);
  const auto refuse = [&](const std::string& why) {
    throw KeyError(fmt::format("{}: {}: {}", path(), yaml::shown(key), why), std::string(key));
  };
  yaml::Node* map = &edited->root;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool is_last = i + 1 == parts.size();
    if (parts[i].empty()) refuse("a part of the key is empty");
    yaml::Node::Entry* entry = find_entry(*map, parts[i]);
    if (entry == nullptr) {
      if (i == 0 && !is_last) {
        refuse(fmt::format("the file has no section {}", yaml::shown(parts[i])));
      }
      entry = &add_entry(*map, parts[i], is_last ? yaml::Kind::kScalar : yaml::Kind::kMap);
    }
    const bool is_scalar =
        entry->value.kind == yaml::Kind::kScalar || entry->value.kind == yaml::Kind::kNull;
    if (is_last ? !is_scalar : entry->value.kind != yaml::Kind::kMap) {
      refuse(fmt::format("{} is {}, not a {}", yaml::shown(parts[i]), yaml::shown(entry->value),
                         is_last ? "value" : "section"));
    }
    map = &entry->value;
  }
  map->kind = yaml::Kind::kScalar;
  map->plain = plain;
  map->text = value;
  document_ = std::move(edited);
}

void ConfigDocument::set_section(std::string_view name, const yaml::Node& section) {
  auto edited = std::make_shared<yaml::Document>(*document_);
  yaml::Node::Entry* entry = find_entry(edited->root, name);
  if (entry == nullptr) entry = &add_entry(edited->root, name, yaml::Kind::kMap);
  entry->value = section;
  document_ = std::move(edited);
}

const yaml::Node* ConfigDocument::find(std::string_view key) const {
  const yaml::Node* node = &document_->root;
  for (const std::string_view part : parts_of(key)) {
    if (node->kind != yaml::Kind::kMap) return nullptr;
    const yaml::Node::Entry* entry = node->find(part);
    if (entry == nullptr) return nullptr;
    node = &entry->value;
  }
  return node;
}

bool ConfigDocument::has(std::string_view key) const { return find(key) != nullptr; }

std::string ConfigDocument::get(std::string_view key) const {
  const yaml::Node* node = find(key);
  if (node == nullptr || node->kind != yaml::Kind::kScalar) {
    fail("{}: {}: the file has no such value", path(), yaml::shown(key));
  }
  return node->text;
}

NpuConfig ConfigDocument::parse() const {
  return parse_npu_config(YamlMap::from_document(document_));
}

std::optional<std::string> ConfigDocument::fault_of_key(std::string_view key) const {
  ConfigDocument edited = *this;
  try {
    edited.set(key, "1");
    (void)edited.parse();
  } catch (const KeyError& error) {
    // Another key's is this value's fault.
    if (key == error.key() || key.starts_with(error.key() + ".")) return error.what();
  } catch (const Error&) {
    return std::nullopt;  // Of the value.
  }
  return std::nullopt;
}

void ConfigDocument::move_to(const std::string& new_path) {
  namespace fs = std::filesystem;
  const fs::path from = fs::absolute(path()).parent_path();
  const fs::path to = fs::absolute(new_path).lexically_normal().parent_path();
  for (const auto& [key, name] : kNamedFiles) {
    if (!has(key)) continue;
    const fs::path named = (from / get(key)).lexically_normal();
    set_text(key, named.lexically_relative(to).string());
  }
  auto moved = std::make_shared<yaml::Document>(*document_);
  moved->file = new_path;
  document_ = std::move(moved);
}

std::string ConfigDocument::text() const { return yaml::to_text(document_->root); }

const std::string& ConfigDocument::path() const { return document_->file; }

ConfigBundle bundle_config(const std::string& path) {
  ConfigDocument document = ConfigDocument::load(path);
  ConfigBundle bundle;
  bundle.files.push_back({"config.yaml", ""});
  for (const auto& [key, name] : kNamedFiles) {
    if (!document.has(key)) continue;
    const std::filesystem::path named =
        std::filesystem::path(path).parent_path() / document.get(key);
    bundle.files.push_back(
        {std::string(name), read_file(named.lexically_normal().string(), YamlMap::kMaxFileBytes)});
    document.set_text(key, name);
  }
  bundle.files.front().text = document.text();
  return bundle;
}

}  // namespace npu
