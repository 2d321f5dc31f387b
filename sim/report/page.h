#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace npu::report {

/// A self-contained HTML page that shows `data` in tables and charts and loads nothing.
///
/// `data` is an object whose "kind" names its view (scripts/page/src/views).
/// No text in it is ever markup or script. Bytes that are not UTF-8 become U+FFFD, figures that
/// are not finite become null.
[[nodiscard]] std::string page(std::string_view title, const nlohmann::json& data);

}  // namespace npu::report
