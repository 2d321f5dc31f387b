#pragma once

namespace npu::session {

inline constexpr const char* kVersion = "npusim 0.1.0";

}  // namespace npu::session
