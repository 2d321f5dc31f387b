#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace npu {

/// SHA-256 of `bytes` as 64 lower-case hex digits. Source: FIPS 180-4.
[[nodiscard]] std::string sha256_hex(std::span<const std::byte> bytes);
[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace npu
