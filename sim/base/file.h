#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace npu {

/// The whole content of a regular file.
/// @throws Error `file: …` if it cannot be read, is not a regular file or is longer than
/// `max_bytes`.
[[nodiscard]] std::string read_file(const std::string& path, std::int64_t max_bytes);

/// Writes a file beside its final place and renames it: readers see the old content or the new,
/// never a part. @throws Error `file: …` if that fails; nothing is left behind.
void write_file(const std::string& path, std::span<const std::byte> bytes);
void write_file(const std::string& path, std::string_view text);

}  // namespace npu
