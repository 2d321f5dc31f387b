// docs/configuration.md names every key that a configuration can have.

#include <functional>
#include <set>

#include "sim/base/yaml_document.h"
#include "tests/unit/config/config_text.h"

namespace npu {
namespace {

std::string documentation() {
  return read_file(std::string(NPUSIM_SOURCE_DIR) + "/docs/configuration.md",
                   YamlMap::kMaxFileBytes);
}

/// The part of the text under the heading of that name, without its subheadings' siblings.
std::string part(const std::string& text, const std::string& heading) {
  const std::size_t begin = text.find("\n## " + heading + "\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find("\n## ", begin + 1) - begin);
}

/// Rows of key tables start with it: "| `key` |".
bool has_row(const std::string& text, std::string_view key) {
  return text.find("\n| `" + std::string(key) + "` |") != std::string::npos;
}

/// Dotted keys of a mapping that are not in the text. Keys of `sources` are data.
void find_missing(const yaml::Node& node, const std::string& prefix, const std::string& text,
                  std::set<std::string>& missing) {
  for (const yaml::Node::Entry& entry : node.entries) {
    const std::string key = prefix + entry.key;
    if (entry.key == "sources") continue;
    if (entry.value.kind == yaml::Kind::kMap) {
      find_missing(entry.value, key + ".", text, missing);
    } else if (entry.key != "source" && !has_row(text, key)) {
      missing.insert(key);
    }
  }
}

TEST(Documentation, EveryKeyOfThePresetsHasARow) {
  const std::string text = documentation();
  std::set<std::string> missing;
  for (const std::string& file : yaml_files("npu")) {
    const auto document = yaml::parse(read_file(file, YamlMap::kMaxFileBytes), file);
    for (const yaml::Node::Entry& section : document->root.entries) {
      if (section.value.kind != yaml::Kind::kMap) {
        if (!has_row(part(text, "The file"), section.key)) missing.insert(section.key);
        continue;
      }
      const std::string name = "`" + section.key + "`";
      std::set<std::string> in_section;
      find_missing(section.value, "", part(text, name), in_section);
      for (const std::string& key : in_section) missing.insert(section.key + ": " + key);
    }
  }
  EXPECT_THAT(missing, ::testing::IsEmpty());
}

TEST(Documentation, EveryKeyOfTheDevicesAndEnergyTablesHasARow) {
  const std::string text = documentation();
  std::set<std::string> missing;
  for (const std::string& file : yaml_files("dram")) {
    const auto document = yaml::parse(read_file(file, YamlMap::kMaxFileBytes), file);
    find_missing(document->root, "", part(text, "`dram`"), missing);
  }
  EXPECT_THAT(missing, ::testing::IsEmpty());

  const std::string energy = part(text, "Energy tables");
  for (const std::string_view key : kEnergyEventKeys) EXPECT_TRUE(has_row(energy, key)) << key;
  for (const std::string_view key : kLeakageComponents) EXPECT_TRUE(has_row(energy, key)) << key;
}

TEST(Documentation, EveryResolvedValueHasARow) {
  const std::string text = documentation();
  const NpuConfig config = load_npu_config(configs_folder() + "npu/edge.yaml");
  for (const ResolvedSection& section : resolved_values(config)) {
    const std::string here = part(text, "`" + std::string(section.name) + "`");
    for (const auto& [key, value] : section.values) {
      const bool timing = section.name == "dram" && key.front() == 't';
      const std::string row = timing ? "timing_cycles." + std::string(key) : std::string(key);
      EXPECT_TRUE(has_row(here, row)) << section.name << ": " << key;
    }
  }
}

/// First and second cell of every row of a part's tables, "| `key` | value |".
std::vector<std::pair<std::string, std::string>> rows_of(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (std::size_t at = text.find("\n| `"); at != std::string::npos;
       at = text.find("\n| `", at + 1)) {
    const std::size_t key_end = text.find("` | ", at);
    const std::size_t value_end = text.find(" | ", key_end + 4);
    rows.emplace_back(text.substr(at + 4, key_end - at - 4),
                      text.substr(key_end + 4, value_end - key_end - 4));
  }
  return rows;
}

/// edge.yaml with one key of a section set to a value that no key takes.
std::string with_bad_value(const std::string& section, const std::string& key) {
  constexpr const char* kBad = "-7";
  std::string text = text_of("npu/edge.yaml");
  const std::size_t dot = key.find('.');
  const std::string first = key.substr(0, dot);
  const std::size_t begin = text.find("\n" + section + ":\n") + section.size() + 3;
  const std::size_t there = text.find("  " + first + ":", begin);
  const std::size_t source = text.find("  source:", begin);
  if (there < source) text.erase(there, text.find('\n', there) + 1 - there);
  return text.insert(begin, dot == std::string::npos
                                ? "  " + first + ": " + kBad + "\n"
                                : "  " + first + ": {" + key.substr(dot + 1) + ": " + kBad + "}\n");
}

TEST(Documentation, RowsNameKeysAndTheirRanges) {
  const std::string text = documentation();
  std::size_t checked = 0;
  for (const char* const section :
       {"clock", "mac_array", "scratchpad", "accumulator", "vector_unit", "dma", "sequencer",
        "interconnect", "dram", "energy"}) {
    for (const auto& [key, value] : rows_of(part(text, "`" + std::string(section) + "`"))) {
      if (value == "text" || value == "file") continue;
      const std::string config = with_bad_value(section, key);
      EXPECT_THAT(
          error_of([&] { (void)parse_npu_config(config, configs_folder() + "npu/test.yaml"); }),
          ::testing::HasSubstr(std::string(section) + "." + key + ": must be " + value +
                               ", got -7"));
      ++checked;
    }
  }
  EXPECT_GT(checked, 70U);
}

}  // namespace
}  // namespace npu
