#include "sim/interchange/import_config.h"

#include <algorithm>
#include <cctype>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/suggest.h"
#include "sim/interchange/dropped_keys.h"

namespace npu::interchange {
namespace {

bool are_equal(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

void add_dropped(const SettingsFile& in, std::span<const DroppedKey> known,
                 std::vector<std::string>& notes) {
  std::vector<std::string> names;
  for (const DroppedKey& key : known) names.emplace_back(key.key);
  for (const Setting* setting : in.unused()) {
    const auto at = std::ranges::find_if(
        known, [&](const DroppedKey& key) { return are_equal(key.key, setting->key); });
    notes.push_back(fmt::format("{}: dropped: {}", in.place(*setting),
                                at != known.end()
                                    ? std::string(at->why)
                                    : "the key is not known" + did_you_mean(setting->key, names)));
  }
}

bool is_importable(std::string_view path) {
  return path.ends_with(".cfg") || path.ends_with(".json");
}

ImportedConfig import_config(const std::string& path) {
  if (!is_importable(path)) {
    fail("{}: must be a SCALE-Sim configuration (.cfg) or one of ONNXim (.json)", path);
  }
  const std::string text = read_file(path, SettingsFile::kMaxFileBytes);
  return path.ends_with(".cfg") ? import_scalesim_config(text, path)
                                : import_onnxim_config(text, path);
}

}  // namespace npu::interchange
