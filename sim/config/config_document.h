#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sim/config/npu_config.h"

namespace npu {

namespace yaml {
struct Document;
struct Node;
}  // namespace yaml

/// The file of an NPU with values replaced: what sweeps, calibration and saved runs need.
///
/// Edits the parsed document, so that messages still name the places of the file. Nothing is
/// checked but that the path exists: parse() applies every check of a configuration file.
class ConfigDocument {
 public:
  /// @throws Error if the file cannot be read or is not one YAML mapping.
  [[nodiscard]] static ConfigDocument load(const std::string& path);
  [[nodiscard]] static ConfigDocument from_text(std::string_view text, const std::string& path);

  /// Sets the value under a dotted key ("dma.setup_cycles", "dram.timing_cycles.tRFC") to a number
  /// or text. A key that is not there is added to its section, and a mapping on the way to it made.
  /// @throws KeyError `file: key: …` for an empty part of the key, a section of the file that does
  /// not exist, or a path through or to something that is not a value.
  void set(std::string_view key, std::string_view value);
  /// The same for a text whatever it looks like ("12" stays a text).
  void set_text(std::string_view key, std::string_view value);
  /// Adds or replaces a section of the file.
  void set_section(std::string_view name, const yaml::Node& map);
  /// The scalar under a dotted key. @throws Error `file: key: …` where there is none.
  [[nodiscard]] std::string get(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const;
  /// Why the configuration can have no value under a dotted key, whichever: the message of the
  /// KeyError. Nothing where it can.
  [[nodiscard]] std::optional<std::string> fault_of_key(std::string_view key) const;

  /// Makes `path` the document's file: the files that it names are named as they are seen from
  /// there. Nothing is written.
  void move_to(const std::string& path);

  /// The configuration, with all checks. @throws Error as parse_npu_config.
  [[nodiscard]] NpuConfig parse() const;
  /// As a YAML file; comments are lost.
  [[nodiscard]] std::string text() const;
  /// The file that it was read from: the files that it names are relative to it.
  [[nodiscard]] const std::string& path() const;

 private:
  explicit ConfigDocument(std::shared_ptr<const yaml::Document> document)
      : document_(std::move(document)) {}
  void set_scalar(std::string_view key, std::string_view value, bool plain);
  [[nodiscard]] const yaml::Node* find(std::string_view key) const;

  std::shared_ptr<const yaml::Document> document_;  ///< Never changed in place: copies share it.
};

/// A configuration as files that stand by themselves in one folder: `config.yaml` and copies of
/// the files that it names, under names of their own.
struct ConfigBundle {
  struct File {
    std::string name, text;
  };
  std::vector<File> files;  ///< First: config.yaml.
};

/// @throws Error if a file cannot be read.
[[nodiscard]] ConfigBundle bundle_config(const std::string& path);

}  // namespace npu
