#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace npu::publish {

/// Text for a cell or a line of Markdown: no line ends, no separators, no markup.
[[nodiscard]] std::string markdown_text(std::string_view text);

/// The head of a table. Columns whose names begin with '>' are numbers.
[[nodiscard]] std::string markdown_head(const std::vector<std::string>& names);

}  // namespace npu::publish
