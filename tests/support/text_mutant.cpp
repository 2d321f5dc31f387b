#include "tests/support/text_mutant.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace npu::test {
namespace {

std::size_t line_start(const std::string& text, std::size_t at) {
  const std::size_t end = text.rfind('\n', at);
  return end == std::string::npos ? 0 : end + 1;
}
std::string take_line(std::string& text, std::size_t at) {
  const std::size_t start = line_start(text, at);
  const std::size_t end = std::min(text.find('\n', start), text.size() - 1);
  std::string line = text.substr(start, end - start + 1);
  text.erase(start, end - start + 1);
  return line;
}

}  // namespace

std::string text_mutant(std::string text, std::span<const std::string> inserts,
                        std::mt19937& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  const std::size_t edits = 1 + below(3);
  const std::size_t kind = below(8);
  for (std::size_t i = 0; i < edits && !text.empty(); ++i) {
    const std::size_t at = below(text.size());
    switch (kind) {
      case 0:
        text.resize(at);
        break;
      case 1:
        text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 2:
        text[at] = static_cast<char>(random() & 255U);
        break;
      case 3:
        text.insert(at, inserts[below(inserts.size())]);
        break;
      case 4:
        take_line(text, at);
        break;
      case 5:
        text.erase(at, 1 + below(20));
        break;
      case 6:
        text.insert(below(text.size()), text.substr(at, below(40)));
        break;
      default: {
        const std::string line = take_line(text, at);
        text.insert(line_start(text, below(text.size())), line);
      }
    }
  }
  return text;
}

std::string yaml_mutant(std::string text, std::mt19937& random) {
  static const std::vector<std::string> kInserts = {"[",
                                                    "{",
                                                    "}",
                                                    "&a ",
                                                    "*a",
                                                    "<<: ",
                                                    "!!int ",
                                                    ": ",
                                                    "- ",
                                                    "\"",
                                                    "'",
                                                    "\n",
                                                    "\n---\n",
                                                    "#",
                                                    "99999999999999999999",
                                                    "-1",
                                                    ".nan",
                                                    "1e999",
                                                    "~",
                                                    "? ",
                                                    "|\n",
                                                    ">\n",
                                                    "%YAML 9.9\n",
                                                    std::string(300, '['),
                                                    std::string(300, '{'),
                                                    "\xff\xfe",
                                                    std::string(1, '\0'),
                                                    "\t",
                                                    "0"};
  return text_mutant(std::move(text), kInserts, random);
}

}  // namespace npu::test
