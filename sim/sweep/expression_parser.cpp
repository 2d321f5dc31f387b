#include "sim/sweep/expression_parser.h"

#include <array>
#include <optional>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/suggest.h"
#include "sim/base/yaml_document.h"
#include "sim/sweep/value.h"

namespace npu::sweep {
namespace {

using Op = Expression::Op;
using Step = Expression::Step;

constexpr std::size_t kMaxCharacters = 1000;
constexpr std::size_t kMaxOpenBrackets = 64;

struct OperatorInfo {
  std::string_view token;
  Op op = Op::kOr;
  int strength = 0;
};
/// Two characters before one: the first match counts.
constexpr std::array<OperatorInfo, 13> kOperators = {{{"or", Op::kOr, 1},
                                                      {"and", Op::kAnd, 2},
                                                      {"==", Op::kEqual, 4},
                                                      {"!=", Op::kNotEqual, 4},
                                                      {"<=", Op::kLessEqual, 4},
                                                      {">=", Op::kGreaterEqual, 4},
                                                      {"<", Op::kLess, 4},
                                                      {">", Op::kGreater, 4},
                                                      {"+", Op::kAdd, 5},
                                                      {"-", Op::kSubtract, 5},
                                                      {"*", Op::kMultiply, 6},
                                                      {"/", Op::kDivide, 6},
                                                      {"%", Op::kModulo, 6}}};
constexpr int kNotStrength = 3;
constexpr int kComparisonStrength = 4;
constexpr int kNegateStrength = 7;

struct FunctionInfo {
  std::string_view name;
  Op op = Op::kMin;
  int operands = 1;
};
constexpr std::array<FunctionInfo, 8> kFunctions = {{{"min", Op::kMin, 2},
                                                     {"max", Op::kMax, 2},
                                                     {"floor", Op::kFloor, 1},
                                                     {"ceil", Op::kCeil, 1},
                                                     {"round", Op::kRound, 1},
                                                     {"abs", Op::kAbs, 1},
                                                     {"sqrt", Op::kSqrt, 1},
                                                     {"log2", Op::kLog2, 1}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_part(char c) { return is_name_start(c) || is_digit(c) || c == '.'; }

/// Dijkstra's shunting yard.
class Parser {
 public:
  Parser(std::string_view text, const std::string& place) : text_(text), place_(place) {}

  std::vector<Step> run() {
    if (text_.size() > kMaxCharacters) {
      fail("{}: an expression has at most {} characters, got {}", place_, kMaxCharacters,
           text_.size());
    }
    for (skip_blanks(); at_ < text_.size(); skip_blanks()) {
      if (wants_operand_) {
        operand();
      } else {
        after_operand();
      }
    }
    if (wants_operand_) refuse("ends where a value is needed");
    while (!open_.empty()) {
      if (open_.back().is_bracket) refuse("a bracket is not closed");
      emit_top();
    }
    return std::move(steps_);
  }

 private:
  /// An operator that waits for its right operand, or an open bracket.
  struct Open {
    Op op = Op::kOr;
    int strength = 0;
    bool is_bracket = false;
    const FunctionInfo* function = nullptr;  ///< Of a bracket.
    int operands = 1;                        ///< Of a bracket, so far.
  };

  [[noreturn]] void refuse(std::string_view what) const {
    fail("{}: {}, column {} of `{}`", place_, what, at_ + 1, yaml::shown(text_));
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) {
      ++at_;
    }
  }

  std::string_view name_here() const {
    std::size_t end = at_;
    while (end < text_.size() && is_name_part(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }

  void operand() {
    const char c = text_[at_];
    if (is_digit(c)) return number();
    if (c == '\'') return quoted();
    if (is_name_start(c)) return name();
    if (c == '-') {
      open_.push_back({.op = Op::kNegate, .strength = kNegateStrength});
      ++at_;
      return;
    }
    if (c == '(') return open_bracket(nullptr);
    refuse(fmt::format("a value is needed, got {}", yaml::shown(text_.substr(at_, 1))));
  }

  void number() {
    std::size_t end = at_;
    while (end < text_.size() && (is_digit(text_[end]) || text_[end] == '.')) ++end;
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      ++end;
      if (end < text_.size() && (text_[end] == '+' || text_[end] == '-')) ++end;
      while (end < text_.size() && is_digit(text_[end])) ++end;
    }
    const std::string_view digits = text_.substr(at_, end - at_);
    const std::optional<double> value = number_of(digits);
    if (!value) refuse(fmt::format("a number is needed, got {}", yaml::shown(digits)));
    steps_.push_back({Op::kNumber, *value, {}});
    at_ = end;
    wants_operand_ = false;
  }

  void quoted() {
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos) refuse("a text is not closed by '");
    steps_.push_back({Op::kText, 0, std::string(text_.substr(at_ + 1, end - at_ - 1))});
    at_ = end + 1;
    wants_operand_ = false;
  }

  void name() {
    const std::string_view word = name_here();
    if (word == "not") {
      open_.push_back({.op = Op::kNot, .strength = kNotStrength});
      at_ += word.size();
      return;
    }
    if (word == "and" || word == "or") refuse(fmt::format("a value is needed, got {}", word));
    const std::size_t begin = at_;
    at_ += word.size();
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '(') {
      for (const FunctionInfo& f : kFunctions) {
        if (f.name == word) return open_bracket(&f);
      }
      at_ = begin;
      std::vector<std::string> known;
      for (const FunctionInfo& f : kFunctions) known.emplace_back(f.name);
      refuse(fmt::format("no function {}{}", yaml::shown(word), did_you_mean(word, known)));
    }
    steps_.push_back({Op::kName, 0, std::string(word)});
    wants_operand_ = false;
  }

  void open_bracket(const FunctionInfo* function) {
    std::size_t brackets = 0;
    for (const Open& o : open_) brackets += o.is_bracket ? 1 : 0;
    if (brackets == kMaxOpenBrackets) {
      refuse(fmt::format("at most {} brackets may be open", kMaxOpenBrackets));
    }
    open_.push_back({.is_bracket = true, .function = function});
    ++at_;
  }

  void after_operand() {
    const char c = text_[at_];
    if (c == ')') return close_bracket();
    if (c == ',') return comma();
    for (const OperatorInfo& o : kOperators) {
      if (!text_.substr(at_).starts_with(o.token)) continue;
      if (is_name_start(o.token.front()) && name_here() != o.token) continue;
      return binary(o);
    }
    refuse(fmt::format("an operator is needed, got {}", yaml::shown(text_.substr(at_, 1))));
  }

  void binary(const OperatorInfo& info) {
    while (!open_.empty() && !open_.back().is_bracket && open_.back().strength >= info.strength) {
      if (info.strength == kComparisonStrength && open_.back().strength == kComparisonStrength) {
        refuse("comparisons are joined by `and`, not chained");
      }
      emit_top();
    }
    open_.push_back({.op = info.op, .strength = info.strength});
    at_ += info.token.size();
    wants_operand_ = true;
  }

  /// Everything above the innermost bracket is complete.
  Open& innermost(std::string_view what) {
    while (!open_.empty() && !open_.back().is_bracket) emit_top();
    if (open_.empty()) refuse(fmt::format("{} without an open bracket", what));
    return open_.back();
  }

  void comma() {
    Open& bracket = innermost("a comma");
    if (bracket.function == nullptr) refuse("a comma outside of a function");
    ++bracket.operands;
    ++at_;
    wants_operand_ = true;
  }

  void close_bracket() {
    const Open bracket = innermost("a closing bracket");
    open_.pop_back();
    if (bracket.function != nullptr) {
      if (bracket.operands != bracket.function->operands) {
        refuse(fmt::format("{} takes {} values, got {}", bracket.function->name,
                           bracket.function->operands, bracket.operands));
      }
      steps_.push_back({bracket.function->op, 0, {}});
    }
    ++at_;
  }

  void emit_top() {
    steps_.push_back({open_.back().op, 0, {}});
    open_.pop_back();
  }

  std::string_view text_;
  const std::string& place_;
  std::size_t at_ = 0;
  bool wants_operand_ = true;
  std::vector<Step> steps_;
  std::vector<Open> open_;
};

}  // namespace

std::vector<Step> parse_postfix(std::string_view text, const std::string& place) {
  return Parser(text, place).run();
}

}  // namespace npu::sweep
