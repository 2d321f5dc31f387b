#include <fmt/format.h>

#include "sim/config/sections.h"

namespace npu {

CalibrationRecord read_calibration(const YamlMap& in) {
  constexpr std::int64_t kMaxRows = 1'000'000;
  constexpr double kMaxPercent = 1e6;
  CalibrationRecord r;
  r.rows = in.require_int("rows", 1, kMaxRows);
  r.held_out_rows = in.require_int("held_out_rows", 0, kMaxRows);
  r.mean_error_percent = in.require_number("mean_error_percent", 0, kMaxPercent);
  r.interval_low_percent = in.require_number("interval_low_percent", -100, kMaxPercent);
  r.interval_high_percent = in.require_number("interval_high_percent", -100, kMaxPercent);
  r.level_percent = in.require_number("level_percent", 0, 100);
  r.source = in.require<std::string>("source");
  in.finish();
  if (r.interval_high_percent < r.interval_low_percent) {
    in.fail("interval_high_percent",
            fmt::format("must be at least interval_low_percent = {}, got {}",
                        r.interval_low_percent, r.interval_high_percent));
  }
  return r;
}

}  // namespace npu
