#include "sim/validation/page_data.h"

#include <nlohmann/json.hpp>

#include "sim/validation/writers.h"

namespace npu::validation {
namespace {

using Json = nlohmann::json;

Json row_data(const RowResult& row) {
  Json json = {{"row", row.row}, {"reference", row.reference}};
  if (row.failure.empty()) {
    json["predicted"] = row.predicted;
    json["error"] = row.error();
  } else {
    json["failure"] = row.failure;
  }
  return json;
}

Json suite_data(const SuiteResult& result) {
  const Suite& suite = *result.suite;
  Json rows = Json::array();
  for (const RowResult& row : result.rows) rows.push_back(row_data(row));
  return {{"name", suite.name},
          {"quantity", suite.quantity},
          {"unit", suite.unit},
          {"reference", suite.reference},
          {"differs", suite.differs},
          {"bound", bound_text(suite.bound)},
          {"verdict", verdict(result)},
          {"mean_error_percent", result.mean_error_percent},
          {"bias_percent", result.bias_percent},
          {"max_error_percent", result.max_error_percent},
          {"worst_row", result.worst_row},
          {"rank_correlation",
           result.rank_correlation ? Json(*result.rank_correlation) : Json(nullptr)},
          {"failures", result.failures},
          {"rows", std::move(rows)}};
}

}  // namespace

nlohmann::json page_data(const std::vector<SuiteResult>& results) {
  Json suites = Json::array();
  for (const SuiteResult& result : results) suites.push_back(suite_data(result));
  return {{"kind", "validation"}, {"suites", std::move(suites)}};
}

}  // namespace npu::validation
