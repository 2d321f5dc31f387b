#pragma once

#include <string>

#include "sim/generate/session.h"

namespace npu::generate {

/// The figures of a generation as text: time to first token, per token, tokens/s, energy, where the
/// time and the energy went, comparison. `clock_hz` of the core.
[[nodiscard]] std::string describe(const Generation& generation, double clock_hz);

/// One line per decode step: sequences, keys, cycles and energy, and both per stage.
[[nodiscard]] std::string decode_csv(const Generation& generation);

/// The same figures as JSON.
[[nodiscard]] std::string generation_json(const Generation& generation, double clock_hz);

/// A piece of text for a terminal: control characters other than line ends and tabs are left out.
[[nodiscard]] std::string printable(const std::string& text);

}  // namespace npu::generate
