#pragma once

#include <optional>
#include <string>

#include "sim/sweep/engine.h"

namespace npu::sweep {

/// What a point's process tells the one that started it.
[[nodiscard]] std::string answer_text(const Measured& measured,
                                      std::optional<double> peak_memory_mib);

struct Answer {
  Result result;  ///< Status::kInternal where the text is no answer.
  std::optional<double> peak_memory_mib;
};
[[nodiscard]] Answer read_answer(const std::string& text);

}  // namespace npu::sweep
