#pragma once

#include <string>
#include <string_view>

#include "sim/base/yaml_document.h"

namespace npu::yaml {

/// A mapping as block-style YAML that parse() reads back to the same values: one key per line,
/// two spaces per level, lists of scalars in brackets. Comments and the layout of the file that it
/// was read from are not kept.
[[nodiscard]] std::string to_text(const Node& map);

/// A text as a YAML scalar: plain where it is a plain word, else in double quotes.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace npu::yaml
