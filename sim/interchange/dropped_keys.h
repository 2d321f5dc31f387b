#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/interchange/settings_file.h"

namespace npu::interchange {

/// A key of another simulator that has no counterpart here, and why.
struct DroppedKey {
  std::string_view key, why;
};

/// One line for each value that the importer did not use: why it is dropped, or that the key is
/// unknown.
void add_dropped(const SettingsFile& in, std::span<const DroppedKey> known,
                 std::vector<std::string>& notes);

}  // namespace npu::interchange
