#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/validation/suite.h"

namespace npu::validation {

/// "mean <= 5 %, rank >= 0.9"; "none" where nothing is stated.
[[nodiscard]] std::string bound_text(const Bound& bound);

/// "holds" or "LEFT" for a stated bound, "reported" without one, "FAILED ROWS" if a row failed.
[[nodiscard]] std::string_view verdict(const SuiteResult& result);

/// One line per suite: rows, mean, bias, maximum and rank correlation, the stated bound and whether
/// it holds; then the worst row and the failed rows of each suite.
[[nodiscard]] std::string text_table(const std::vector<SuiteResult>& results);

/// The same table in Markdown, as the README has it, with what each suite compares.
[[nodiscard]] std::string markdown_table(const std::vector<SuiteResult>& results);

/// Columns row, reference, predicted, error; before them suite where there are several. `error` is
/// (predicted − reference) / reference. A failed row has no prediction and no error.
[[nodiscard]] std::string csv(const std::vector<SuiteResult>& results);

}  // namespace npu::validation
