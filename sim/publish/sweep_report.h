#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace npu::publish {

/// What a page of a sweep can draw of its data (docs/reports.md; kind "sweep"): where there are
/// more than `max_points` points, those on the front, and of the others every n-th with the least n
/// that suffices. "all_points" then says how many there are.
void thin_out_points(nlohmann::json& data, std::size_t max_points);

/// The data of a sweep's page as Markdown: the front, the sensitivities, the failed points.
[[nodiscard]] std::string sweep_markdown(const nlohmann::json& data);

}  // namespace npu::publish
