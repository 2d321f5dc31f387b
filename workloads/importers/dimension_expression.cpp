#include "workloads/importers/dimension_expression.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/suggest.h"
#include "sim/base/yaml_document.h"

namespace npu::importers {
namespace {

constexpr std::size_t kMaxLength = 200;
constexpr int kMaxDepth = 16;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

/// Recursive descent: sum := product (+|- product)*, product := atom (*|/ atom)*.
class Evaluator {
 public:
  Evaluator(std::string_view text, const Dimensions& dimensions)
      : text_(text), rest_(text), dimensions_(dimensions) {}

  std::int64_t whole() {
    if (text_.size() > kMaxLength) reject("must be a formula of at most 200 characters");
    const std::int64_t value = sum();
    if (!rest_.empty()) reject("must be an integer or a formula of dimensions");
    return value;
  }

 private:
  [[noreturn]] void reject(std::string_view what) const {
    fail("{}, got {}", what, yaml::shown(text_));
  }

  void skip_blanks() {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_blanks();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    skip_blanks();
    return true;
  }

  [[nodiscard]] std::int64_t bounded(std::int64_t value) const {
    if (value > kLargestDimension || value < -kLargestDimension) {
      reject("must stay within 2^40");
    }
    return value;
  }

  std::int64_t sum() {
    std::int64_t value = product();
    while (true) {
      if (take('+')) {
        value = bounded(value + product());
      } else if (take('-')) {
        value = bounded(value - product());
      } else {
        return value;
      }
    }
  }

  std::int64_t product() {
    std::int64_t value = atom();
    while (true) {
      if (take('*')) {
        std::int64_t result = 0;
        if (__builtin_mul_overflow(value, atom(), &result)) reject("must stay within 2^40");
        value = bounded(result);
      } else if (take('/')) {
        const std::int64_t divisor = atom();
        if (divisor == 0 || value % divisor != 0) {
          reject(fmt::format("must divide without remainder ({} / {})", value, divisor));
        }
        value /= divisor;
      } else {
        return value;
      }
    }
  }

  std::int64_t atom() {
    skip_blanks();
    if (take('(')) {
      if (++depth_ > kMaxDepth) reject("must have at most 16 parentheses within each other");
      const std::int64_t value = sum();
      if (!take(')')) reject("must close its parentheses");
      --depth_;
      return value;
    }
    std::size_t length = 0;
    while (length < rest_.size() && (is_digit(rest_[length]) || is_letter(rest_[length]))) ++length;
    const std::string_view word = rest_.substr(0, length);
    if (word.empty()) reject("must be an integer or a formula of dimensions");
    rest_.remove_prefix(length);
    skip_blanks();
    return is_digit(word[0]) ? number(word) : named(word);
  }

  [[nodiscard]] std::int64_t number(std::string_view word) const {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size() ||
        (word.size() > 1 && word[0] == '0')) {
      reject("must be an integer in plain decimal digits");
    }
    return bounded(value);
  }

  [[nodiscard]] std::int64_t named(std::string_view word) const {
    const auto found = dimensions_.find(word);
    if (found != dimensions_.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& [name, value] : dimensions_) known.push_back(name);
    reject(fmt::format("has no dimension {}{}", yaml::shown(word), did_you_mean(word, known)));
  }

  std::string_view text_, rest_;
  const Dimensions& dimensions_;
  int depth_ = 0;
};

}  // namespace

std::int64_t evaluate(std::string_view text, const Dimensions& dimensions) {
  return Evaluator(text, dimensions).whole();
}

bool is_dimension_name(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  return !text.empty() && text.size() <= kLongest && !is_digit(text[0]) && text[0] != '_' &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || is_letter(c); });
}

}  // namespace npu::importers
