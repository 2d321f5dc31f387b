#include "sim/publish/sweep_report.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "sim/publish/markdown.h"

namespace npu::publish {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxFailed = 50;

bool is_front(const Json& point) { return point.value("pareto", false); }

/// A parameter's or metric's value for a cell; nothing where there is none.
std::string shown(const Json& values, const std::string& key) {
  const auto at = values.find(key);
  if (at == values.end() || at->is_null()) return "";
  if (at->is_number()) return fmt::format("{:.6g}", at->get<double>());
  return markdown_text(at->is_string() ? at->get<std::string>() : at->dump());
}

class SweepWriter {
 public:
  explicit SweepWriter(const Json& data) : data_(data) {}

  std::string write() {
    out_ = fmt::format("# npusim sweep {}\n\n", markdown_text(data_["name"].get<std::string>()));
    std::size_t done = 0, failed = 0;
    for (const Json& point : data_["points"]) {
      done += point["status"] == "done" ? 1 : 0;
      failed += point["status"] == "failed" ? 1 : 0;
    }
    line("{} points, {} done, {} failed.\n\n## Pareto front", data_["points"].size(), done, failed);
    front();
    sensitivity();
    if (failed > 0) failures(failed);
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }
  void parameters(const Json& point) {
    for (const Json& parameter : data_["parameters"]) {
      out_ += fmt::format(" {} |", shown(point["parameters"], parameter["key"].get<std::string>()));
    }
  }
  std::vector<std::string> titles() const {
    std::vector<std::string> out = {">point", "model"};
    for (const Json& parameter : data_["parameters"]) {
      out.push_back(parameter["key"].get<std::string>());
    }
    return out;
  }

  void front() {
    std::vector<std::string> names = titles();
    for (const Json& metric : data_["metrics"]) {
      const auto unit = metric["unit"].get<std::string>();
      names.push_back(">" + metric["label"].get<std::string>() +
                      (unit.empty() ? "" : " [" + unit + "]"));
    }
    names.emplace_back("bound by");
    out_ += markdown_head(names);
    for (const Json& point : data_["points"]) {
      if (!is_front(point)) continue;
      out_ += fmt::format("| {} | {} |", shown(point, "id"), shown(point, "model"));
      parameters(point);
      for (const Json& metric : data_["metrics"]) {
        out_ += fmt::format(" {} |", shown(point["metrics"], metric["name"].get<std::string>()));
      }
      line(" {} |", shown(point, "bound_by"));
    }
  }

  void sensitivity() {
    if (data_["sensitivity"].empty()) return;
    line("\n## Sensitivity");
    out_ += markdown_head({"metric", "parameter", ">share of the spread [%]"});
    for (const Json& row : data_["sensitivity"]) {
      line("| {} | {} | {:.1f} |", shown(row, "metric"), shown(row, "parameter"),
           100 * row["share"].get<double>());
    }
  }

  void failures(std::size_t failed) {
    line("\n## Failed points{}",
         failed > kMaxFailed ? fmt::format(", the first {} of {}", kMaxFailed, failed) : "");
    std::vector<std::string> names = titles();
    names.emplace_back("error");
    out_ += markdown_head(names);
    std::size_t written = 0;
    for (const Json& point : data_["points"]) {
      if (point["status"] != "failed" || written++ >= kMaxFailed) continue;
      out_ += fmt::format("| {} | {} |", shown(point, "id"), shown(point, "model"));
      parameters(point);
      line(" {} |", shown(point, "error"));
    }
  }

  const Json& data_;
  std::string out_;
};

}  // namespace

void thin_out_points(Json& data, std::size_t max_points) {
  Json& points = data["points"];
  const std::size_t all = points.size();
  if (all <= max_points) return;
  std::size_t front = 0;
  for (const Json& point : points) front += is_front(point) ? 1 : 0;
  const std::size_t room = max_points > front ? max_points - front : 1;
  const std::size_t each = (all - front + room - 1) / room;
  Json kept = Json::array();
  std::size_t others = 0;
  for (Json& point : points) {
    if (is_front(point) || others++ % each == 0) kept.push_back(std::move(point));
  }
  points = std::move(kept);
  data["all_points"] = all;
}

std::string sweep_markdown(const Json& data) { return SweepWriter(data).write(); }

}  // namespace npu::publish
