#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace npu::sweep {

/// What a point runs and how, beside the configuration: the options of `npusim run`.
struct RunSettings {
  std::string model;  ///< File or name of a shipped network.
  std::vector<std::pair<std::string, std::int64_t>> dims;
  std::string precision, weights;
  bool fuse = true;
  bool timing_only = true;
  bool simulate_all = false;
  std::string attention = "auto";  ///< auto, fused, unfused.
  std::string references;          ///< all, integer, none; empty: all, of a timing-only run none.
  std::optional<std::int64_t> samples;
  std::vector<std::string> inputs, calibrate;  ///< Files.
  std::string labels, calibration;
};

/// Whether a parameter's key is one of set_option().
[[nodiscard]] bool is_option(const std::string& key);
/// Sets an option to a value as a sweep file has it: model.dim.NAME, model.precision,
/// model.weights, model.fuse, run.timing_only, run.simulate_all, run.attention, run.references,
/// run.samples, run.calibration.
/// @throws Error `place: …` for a key that is none and a value that it does not take.
void set_option(RunSettings& settings, const std::string& key, const std::string& value,
                const std::string& place);

}  // namespace npu::sweep
