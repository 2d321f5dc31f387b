#pragma once

#include <string>

namespace npu::publish {

/// The charts of a page (sim/report/page.h) as a PNG, 1280 pixels wide: what a headless Chromium
/// shows of the page under the fragment #picture. It runs twice, for the height and for the
/// picture, with a profile of its own in a temporary folder that is removed.
/// @throws Error if no Chromium is in the PATH, if it takes longer than 120 s, or fails.
[[nodiscard]] std::string picture(const std::string& page);

}  // namespace npu::publish
