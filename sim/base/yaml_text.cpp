#include "sim/base/yaml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "sim/base/error.h"

namespace npu::yaml {
namespace {

constexpr std::size_t kIndent = 2;

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '/' || c == '-' || c == '+';
}

/// Numbers and words that need no quotes.
bool is_plain_word(std::string_view text) {
  const bool is_word = !text.empty() && std::ranges::all_of(text, is_word_character);
  return is_word && text != "-" && !text.starts_with("---") && !text.starts_with("...");
}

/// A word that is a text to every reader of YAML.
bool is_plain_text(std::string_view text) {
  return is_plain_word(text) && std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
         text != "null" && text != "Null" && text != "NULL";
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\':
        out += '\\';
        out += c;
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out += c;
    }
  }
  return out + '"';
}

/// A value that stands behind its key or inside brackets.
std::string inline_text(const Node& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "null";
    case Kind::kScalar:
      return node.plain && is_plain_word(node.text) ? node.text : in_quotes(node.text);
    case Kind::kSequence: {
      std::string out = "[";
      for (const Node& element : node.elements) {
        out += (out.size() > 1 ? ", " : "") + inline_text(element);
      }
      return out + "]";
    }
    case Kind::kMap: {
      std::string out = "{";
      for (const Node::Entry& entry : node.entries) {
        out += (out.size() > 1 ? ", " : "") + quoted(entry.key) + ": " + inline_text(entry.value);
      }
      return out + "}";
    }
  }
  NPU_CHECK(false, "a kind of YAML node");
}

void append(const Node& map, std::size_t indent, std::string& out) {
  for (const Node::Entry& entry : map.entries) {
    out += std::string(indent, ' ') + quoted(entry.key) + ":";
    if (entry.value.kind == Kind::kMap && !entry.value.entries.empty()) {
      out += '\n';
      append(entry.value, indent + kIndent, out);
    } else {
      out += " " + inline_text(entry.value) + "\n";
    }
  }
}

}  // namespace

std::string to_text(const Node& map) {
  NPU_CHECK(map.kind == Kind::kMap, "a YAML file holds a mapping");
  std::string out;
  append(map, 0, out);
  return out;
}

std::string quoted(std::string_view text) {
  return is_plain_text(text) ? std::string(text) : in_quotes(text);
}

}  // namespace npu::yaml
