#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace npu::importers {

/// Named integers of a network description.
using Dimensions = std::map<std::string, std::int64_t, std::less<>>;

/// Results and intermediate values stay within ± this.
inline constexpr std::int64_t kLargestDimension = std::int64_t{1} << 40;

/// An integer as a network description writes it: decimal numbers, names of dimensions, `+ - * /`
/// with the usual precedence, parentheses (at most 16 deep), blanks between them. A division must
/// leave no remainder. At most 200 characters.
/// @throws Error without a place, ending in ", got …".
[[nodiscard]] std::int64_t evaluate(std::string_view text, const Dimensions& dimensions);

/// True for a name of a dimension: lower case letters, digits and `_`, a letter first.
[[nodiscard]] bool is_dimension_name(std::string_view text);

}  // namespace npu::importers
