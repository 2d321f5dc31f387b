#include "sim/base/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <unordered_map>

#include "sim/base/error.h"
#include "sim/base/yaml_map.h"

namespace npu::yaml {
namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxValues = 100'000;
constexpr std::size_t kMaxShownBytes = 60;

/// Length of the well-formed UTF-8 sequence at `at`, or 0. Control characters other than tab and
/// line ends are not text either.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return (first >= 0x20 && first != 0x7f) || first == '\n' || first == '\t' || first == '\r' ? 1
                                                                                               : 0;
  }
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  if (first >= 0xc2 && first <= 0xdf && continues(1)) return 2;
  if (first >= 0xe0 && first <= 0xef && continues(1) && continues(2)) {
    const unsigned code = ((first & 0x0fU) << 6) | (byte(1) & 0x3fU);
    const bool surrogate_or_overlong = code < 0x20 || (code >= 0x360 && code <= 0x37f);
    return surrogate_or_overlong ? 0 : 3;
  }
  if (first >= 0xf0 && first <= 0xf4 && continues(1) && continues(2) && continues(3)) {
    const unsigned code = ((first & 0x07U) << 6) | (byte(1) & 0x3fU);
    return code < 0x10 || code > 0x10f ? 0 : 4;
  }
  return 0;
}

void check_text(std::string_view text, const std::string& file) {
  std::size_t line = 1, line_start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) {
      fail("{}:{}:{}: text must be UTF-8 without control characters, got byte 0x{:02x}", file, line,
           at - line_start + 1, static_cast<unsigned char>(text[at]));
    }
    if (text[at] == '\n') {
      ++line;
      line_start = at + 1;
    }
    at += length;
  }
}

/// Builds the tree from yaml-cpp's events and refuses what npusim does not allow.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const std::string& file) : file_(file) {}

  Node take_root(const std::string& file) {
    if (root_.kind != Kind::kMap) {
      fail("{}:{}:{}: must hold a mapping of keys to values, got {}", file, std::max(root_.line, 1),
           std::max(root_.column, 1), shown(root_));
    }
    return std::move(root_);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) refuse(mark, "only one document is allowed, got a second one");
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    refuse(mark, fmt::format("anchors are not allowed, got &{}", shown(std::string_view(name))));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases are not allowed, got one");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    add(make(mark, Kind::kNull), mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    refuse_tag(mark, tag);
    Node node = make(mark, Kind::kScalar);
    node.plain = tag == "?";
    node.text = value;
    add(std::move(node), mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, Kind::kSequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, Kind::kMap);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    bool has_key = false;
    std::string key;
    int key_line = 0, key_column = 0;
    std::unordered_map<std::string, int> line_of_key;
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string_view message) const {
    fail("{}:{}:{}: {}", file_, mark.line + 1, mark.column + 1, message);
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    refuse(mark, fmt::format("tags are not allowed, got {}", shown(std::string_view(tag))));
  }
  Node make(const YAML::Mark& mark, Kind kind) {
    if (++values_ > kMaxValues) {
      refuse(mark, fmt::format("at most {} values are read, got more", kMaxValues));
    }
    Node node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }
  void open(const YAML::Mark& mark, const std::string& tag, Kind kind) {
    refuse_tag(mark, tag);
    if (expects_key()) refuse(mark, "keys must be plain words, got a list or mapping");
    if (stack_.size() >= kMaxDepth) {
      refuse(mark, fmt::format("at most {} levels may be nested, got more", kMaxDepth));
    }
    stack_.push_back(Frame{make(mark, kind), false, {}, 0, 0, {}});
  }
  void close() {
    Node node = std::move(stack_.back().node);
    stack_.pop_back();
    attach(std::move(node));
  }
  [[nodiscard]] bool expects_key() const {
    return !stack_.empty() && stack_.back().node.kind == Kind::kMap && !stack_.back().has_key;
  }
  void add(Node node, const YAML::Mark& mark) {
    if (expects_key()) {
      set_key(node, mark);
    } else {
      attach(std::move(node));
    }
  }
  void set_key(const Node& node, const YAML::Mark& mark) {
    Frame& frame = stack_.back();
    if (node.kind != Kind::kScalar || node.text.empty()) {
      refuse(mark, fmt::format("keys must be plain words, got {}", shown(node)));
    }
    if (node.plain && node.text == "<<") refuse(mark, "merge keys are not allowed, got <<");
    const auto [earlier, is_new] = frame.line_of_key.emplace(node.text, node.line);
    if (!is_new) {
      refuse(mark, fmt::format("{}: key must be given once, got it already in line {}",
                               shown(std::string_view(node.text)), earlier->second));
    }
    frame.has_key = true;
    frame.key = node.text;
    frame.key_line = node.line;
    frame.key_column = node.column;
  }
  void attach(Node node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.kind == Kind::kSequence) {
      frame.node.elements.push_back(std::move(node));
      return;
    }
    frame.node.entries.push_back(
        {std::move(frame.key), frame.key_line, frame.key_column, std::move(node)});
    frame.has_key = false;
  }

  const std::string& file_;
  Node root_;
  std::vector<Frame> stack_;
  std::size_t values_ = 0;
  int documents_ = 0;
};

}  // namespace

const Node::Entry* Node::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

std::shared_ptr<const Document> parse(std::string_view text, const std::string& file) {
  if (text.size() > static_cast<std::size_t>(YamlMap::kMaxFileBytes)) {
    fail("{}: at most {} bytes are read, got {}", file, YamlMap::kMaxFileBytes, text.size());
  }
  check_text(text, file);
  Builder builder(file);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    fail("{}:{}:{}: not valid YAML: {}", file, std::max(error.mark.line, 0) + 1,
         std::max(error.mark.column, 0) + 1, error.msg);
  }
  auto document = std::make_shared<Document>();
  document->file = file;
  document->root = builder.take_root(file);
  return document;
}

std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxShownBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return text.size() > kMaxShownBytes ? out + "..." : out;
}

std::string shown(const Node& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kSequence:
      return "a list";
    case Kind::kMap:
      return "a mapping";
    case Kind::kScalar:
      break;
  }
  return node.plain ? shown(std::string_view(node.text))
                    : fmt::format("\"{}\"", shown(std::string_view(node.text)));
}

}  // namespace npu::yaml
