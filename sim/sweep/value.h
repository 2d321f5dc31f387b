#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace npu::sweep {

/// The number that a value of a sweep file stands for: a finite plain decimal ("8", "-0.5",
/// "1e-3"); nothing for any other text.
[[nodiscard]] std::optional<double> number_of(std::string_view text);

/// A number as a value: whole numbers below 2^53 without point or exponent, others with twelve
/// significant digits, the same on every machine.
[[nodiscard]] std::string text_of(double number);

}  // namespace npu::sweep
