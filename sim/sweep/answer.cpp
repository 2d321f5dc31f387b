#include "sim/sweep/answer.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "sim/base/error.h"

namespace npu::sweep {
namespace {

using nlohmann::json;

Answer parsed(const std::string& text) {
  const json all = json::parse(text);
  Answer answer;
  answer.result.metrics =
      parse_metrics(all.at("metrics").get<std::string>(), "the answer of a point's process");
  answer.result.bound_by = all.at("bound_by").get<std::string>();
  if (all.at("peak_memory_mib").is_number()) {
    answer.peak_memory_mib = all.at("peak_memory_mib").get<double>();
  }
  return answer;
}

}  // namespace

std::string answer_text(const Measured& measured, std::optional<double> peak_memory_mib) {
  return json{{"metrics", metrics_json(measured.metrics)},
              {"bound_by", measured.bound_by},
              {"peak_memory_mib", peak_memory_mib ? json(*peak_memory_mib) : json()}}
      .dump();
}

Answer read_answer(const std::string& text) {
  std::string why;
  try {
    return parsed(text);
  } catch (const Error& error) {
    why = error.what();
  } catch (const json::exception&) {
    why = "the answer of a point's process is none";
  }
  Answer none;
  none.result.status = Status::kInternal;
  none.result.error = std::move(why);
  return none;
}

}  // namespace npu::sweep
