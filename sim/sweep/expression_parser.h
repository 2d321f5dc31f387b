#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/sweep/expression.h"

namespace npu::sweep {

/// The postfix form of an expression: operands before their operator.
/// @throws Error as Expression::parse().
[[nodiscard]] std::vector<Expression::Step> parse_postfix(std::string_view text,
                                                          const std::string& place);

}  // namespace npu::sweep
