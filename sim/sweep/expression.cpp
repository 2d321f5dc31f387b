#include "sim/sweep/expression.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/yaml_document.h"
#include "sim/sweep/expression_parser.h"
#include "sim/sweep/value.h"

namespace npu::sweep {
namespace {

using Op = Expression::Op;
using Value = Expression::Value;

bool is_unary(Op op) {
  return op == Op::kNot || op == Op::kNegate || (op >= Op::kFloor && op <= Op::kLog2);
}

double truth(bool b) { return b ? 1.0 : 0.0; }

/// The postfix form on a stack.
class Evaluator {
 public:
  Evaluator(const Expression& expression, const Expression::Lookup& lookup)
      : expression_(expression), lookup_(lookup) {}

  void take(const Expression::Step& step) {
    switch (step.op) {
      case Op::kNumber:
        stack_.emplace_back(step.number);
        return;
      case Op::kText:
        stack_.emplace_back(step.text);
        return;
      case Op::kName: {
        std::string text = lookup_(step.text);
        if (const auto number = number_of(text)) {
          stack_.emplace_back(*number);
        } else {
          stack_.emplace_back(std::move(text));
        }
        return;
      }
      default:
        is_unary(step.op) ? unary(step.op) : binary(step.op);
    }
  }

  Value result() { return std::move(stack_.back()); }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    fail("{}: {}, in `{}`", expression_.place(), what, yaml::shown(expression_.text()));
  }

  double pop_number() {
    const Value value = pop();
    if (const auto* number = std::get_if<double>(&value)) return *number;
    refuse(fmt::format("a number is needed, got the text {}",
                       yaml::shown(std::get<std::string>(value))));
  }
  Value pop() {
    Value value = std::move(stack_.back());
    stack_.pop_back();
    return value;
  }
  void push(double value) {
    if (!std::isfinite(value)) refuse("the result is not a finite number");
    stack_.emplace_back(value);
  }

  void unary(Op op) {
    const double a = pop_number();
    switch (op) {
      case Op::kNot:
        return push(truth(a == 0));
      case Op::kNegate:
        return push(-a);
      case Op::kFloor:
        return push(std::floor(a));
      case Op::kCeil:
        return push(std::ceil(a));
      case Op::kRound:
        return push(std::round(a));
      case Op::kAbs:
        return push(std::abs(a));
      case Op::kSqrt:
        return push(std::sqrt(a));
      case Op::kLog2:
        return push(std::log2(a));
      default:
        NPU_CHECK(false, "an operator with one operand");
    }
  }

  void binary(Op op) {
    if (op == Op::kEqual || op == Op::kNotEqual) {
      const Value b = pop();
      const Value a = pop();
      return push(truth((a == b) == (op == Op::kEqual)));
    }
    const double b = pop_number();
    const double a = pop_number();
    if ((op == Op::kDivide || op == Op::kModulo) && b == 0) refuse("a division by zero");
    push(of_numbers(op, a, b));
  }

  static double of_numbers(Op op, double a, double b) {
    switch (op) {
      case Op::kOr:
        return truth(a != 0 || b != 0);
      case Op::kAnd:
        return truth(a != 0 && b != 0);
      case Op::kLess:
        return truth(a < b);
      case Op::kLessEqual:
        return truth(a <= b);
      case Op::kGreater:
        return truth(a > b);
      case Op::kGreaterEqual:
        return truth(a >= b);
      case Op::kAdd:
        return a + b;
      case Op::kSubtract:
        return a - b;
      case Op::kMultiply:
        return a * b;
      case Op::kDivide:
        return a / b;
      case Op::kModulo:
        return a - b * std::floor(a / b);
      case Op::kMin:
        return std::min(a, b);
      case Op::kMax:
        return std::max(a, b);
      default:
        NPU_CHECK(false, "an operator with two operands");
    }
  }

  const Expression& expression_;
  const Expression::Lookup& lookup_;
  std::vector<Value> stack_;
};

}  // namespace

Expression Expression::parse(std::string_view text, const std::string& place) {
  Expression e;
  e.text_ = text;
  e.place_ = place;
  e.steps_ = parse_postfix(text, place);
  return e;
}

std::vector<std::string> Expression::names() const {
  std::vector<std::string> names;
  for (const Step& step : steps_) {
    if (step.op == Op::kName && std::ranges::find(names, step.text) == names.end()) {
      names.push_back(step.text);
    }
  }
  return names;
}

Value Expression::evaluate(const Lookup& lookup) const {
  Evaluator evaluator(*this, lookup);
  for (const Step& step : steps_) evaluator.take(step);
  return evaluator.result();
}

std::string Expression::value_text(const Lookup& lookup) const {
  const Value value = evaluate(lookup);
  const auto* number = std::get_if<double>(&value);
  return number != nullptr ? text_of(*number) : std::get<std::string>(value);
}

bool Expression::holds(const Lookup& lookup) const {
  const Value value = evaluate(lookup);
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr) {
    fail("{}: a condition must be true or false, got the text {}", place_,
         yaml::shown(std::get<std::string>(value)));
  }
  return *number != 0;
}

}  // namespace npu::sweep
