#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace npu::sweep {

/// An expression over parameters, for derived values and conditions.
///
///     numbers: 2, 0.5, 1e3        texts: 'weight_stationary'        names: mac_array.rows
///     or; and; not; == != < <= > >=; + -; * / %; unary -; ( ); from the weakest to the strongest
///     min(a, b) max(a, b) floor(a) ceil(a) round(a) abs(a) sqrt(a) log2(a)
///
/// Numbers are doubles; / does not round, a % b has the sign of b. Truth is 1 or 0. Texts know ==
/// and != only. At most 1,000 characters and 64 open brackets.
class Expression {
 public:
  using Value = std::variant<double, std::string>;
  /// The value under a name, as it stands in the file. @throws Error for a name that is not known.
  using Lookup = std::function<std::string(const std::string& name)>;

  /// @param place  what messages start with, "file:line:column: key".
  /// @throws Error `place: …` with the column in the expression.
  [[nodiscard]] static Expression parse(std::string_view text, const std::string& place);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& place() const { return place_; }
  /// Every name in it, in order, each once.
  [[nodiscard]] std::vector<std::string> names() const;

  /// @throws Error `place: …` for a division by zero, a text where a number is needed, a result
  /// that is not finite.
  [[nodiscard]] Value evaluate(const Lookup& lookup) const;
  /// Its value as a parameter's.
  [[nodiscard]] std::string value_text(const Lookup& lookup) const;
  /// Whether it is not 0.
  [[nodiscard]] bool holds(const Lookup& lookup) const;

  enum class Op : std::uint8_t {
    kNumber,
    kText,
    kName,
    kOr,
    kAnd,
    kNot,
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kModulo,
    kNegate,
    kMin,
    kMax,
    kFloor,
    kCeil,
    kRound,
    kAbs,
    kSqrt,
    kLog2,
  };
  /// One step of the postfix form.
  struct Step {
    Op op = Op::kNumber;
    double number = 0;
    std::string text;
  };

 private:
  std::string text_, place_;
  std::vector<Step> steps_;
};

}  // namespace npu::sweep
