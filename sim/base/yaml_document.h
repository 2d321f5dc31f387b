#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace npu::yaml {

enum class Kind : std::uint8_t { kNull, kScalar, kSequence, kMap };

/// One value of a YAML file with its place. Built by parse(); no anchors, aliases or tags exist in
/// it.
struct Node {
  Kind kind = Kind::kNull;
  bool plain = false;        ///< Scalars: not quoted.
  int line = 0, column = 0;  ///< From 1.
  std::string text;          ///< Scalars.
  struct Entry;
  std::vector<Entry> entries;  ///< Maps, in the order of the file.
  std::vector<Node> elements;  ///< Sequences.

  /// The entry of a key, or nullptr.
  [[nodiscard]] const Entry* find(std::string_view key) const;
};
struct Node::Entry {
  std::string key;
  int line = 0, column = 0;  ///< Of the key.
  Node value;
};

struct Document {
  std::string file;
  Node root;
};

/// Parses one document under YamlMap's rules. @throws Error `file:line:column: …`.
[[nodiscard]] std::shared_ptr<const Document> parse(std::string_view text, const std::string& file);

/// A value as messages show it: one line, at most 60 bytes; "a mapping", "a list", "nothing".
[[nodiscard]] std::string shown(const Node& node);
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace npu::yaml
