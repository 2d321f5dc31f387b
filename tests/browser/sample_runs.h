#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sim/publish/run_folder.h"

namespace npu::test {

/// A made-up run of `layers` layers with `spans` spans on each of four engines, with everything
/// that a page shows. Where `complete` is false, the parts that a run may lack are absent.
[[nodiscard]] publish::RunFolder sample_run(const std::string& name, std::size_t layers,
                                            std::size_t spans, bool complete = true);

/// The same with `text` wherever a run holds text.
[[nodiscard]] publish::RunFolder hostile_run(const std::string& text);

/// Data of a sweep's page: two models, three parameters, two metrics, 48 points of which 4 failed.
[[nodiscard]] nlohmann::json sample_sweep();
/// A sweep with `text` wherever it holds text.
[[nodiscard]] nlohmann::json hostile_sweep(const std::string& text);

}  // namespace npu::test
