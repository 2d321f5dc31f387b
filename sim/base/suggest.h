#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace npu {

/// The candidate nearest to `name` by edit distance (insert, delete, replace, swap of neighbours),
/// if it is near enough to be a slip of the pen: at most max(1, length / 3) edits. The first wins
/// among equals. Names longer than 64 characters have no suggestion.
[[nodiscard]] std::optional<std::string> closest_name(std::string_view name,
                                                      std::span<const std::string> candidates);

/// " (did you mean `x`?)", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view name,
                                       std::span<const std::string> candidates);

}  // namespace npu
