#include "sim/sweep/shard.h"

#include <charconv>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/yaml_document.h"

namespace npu::sweep {
namespace {

constexpr std::string_view kTitle = "npusim sweep points 1: ";
constexpr std::int64_t kMaxListBytes = std::int64_t{1} << 30;
constexpr std::uint64_t kMaxShards = 100'000;
constexpr std::size_t kHashDigits = 64;

/// Drops a leading number; false if there is none.
bool eat_number(std::string_view& text, std::uint64_t& value) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return true;
}

bool eat(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::vector<Pending> all_points(const Planner& planner) {
  if (planner.sweep.search.method == Method::kNsga2) {
    fail("--shard: the points of an nsga2 search are not known beforehand");
  }
  std::vector<Pending> points;
  for (const std::uint64_t c : chosen_candidates(planner.sweep, planner.space)) {
    points.push_back({c, {}});
  }
  return points;
}

}  // namespace

Shard parse_shard(const std::string& text) {
  Shard shard;
  std::string_view rest = text;
  const bool is_shard = eat_number(rest, shard.index) && eat(rest, '/') &&
                        eat_number(rest, shard.count) && rest.empty();
  if (!is_shard || shard.count < 1 || shard.count > kMaxShards || shard.index >= shard.count) {
    fail("--shard: expected I/N with I from 0 to N-1, N at most {}, got {}", kMaxShards,
         yaml::shown(std::string_view(text)));
  }
  return shard;
}

std::string points_text(const std::string& sweep, const std::vector<Pending>& points) {
  std::string text = fmt::format("{}{}\n", kTitle, sweep);
  for (const Pending& p : points) text += fmt::format("{} {}\n", p.candidate, p.hash);
  return text;
}

std::vector<Pending> read_points(const std::string& path, const std::string& sweep) {
  const std::string content = read_file(path, kMaxListBytes);
  std::string_view text = content;
  std::vector<Pending> points;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) fail("{}:{}: the line does not end", path, line);
    std::string_view rest = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line == 1) {
      if (!rest.starts_with(kTitle)) fail("{}: not a list of points", path);
      if (rest.substr(kTitle.size()) != sweep) fail("{}: points of another sweep", path);
      continue;
    }
    Pending point;
    const bool is_point =
        eat_number(rest, point.candidate) && eat(rest, ' ') && rest.size() == kHashDigits;
    if (!is_point) fail("{}:{}: expected a number and a hash", path, line);
    point.hash = rest;
    points.push_back(std::move(point));
  }
  if (content.empty()) fail("{}: not a list of points", path);
  return points;
}

Counts run_shard(const Planner& planner, Store& store, Engine& engine, const SweepOptions& options,
                 const Shard& shard, const std::string& list) {
  const std::vector<Pending> all =
      list.empty() ? all_points(planner) : read_points(list, planner.sweep.name);
  const Limits& limits = planner.sweep.limits;
  const RetryRule rule{.seconds = limits.seconds_per_point,
                       .memory_mib = limits.memory_mib_per_point,
                       .failed = options.retry_failed};
  Counts counts;
  std::vector<Pending> pending;
  std::unordered_set<std::string> hashes;
  for (std::size_t i = shard.index; i < all.size(); i += shard.count) {
    if (all[i].candidate >= planner.space.size()) {
      fail("{}: candidate {} is none of this sweep", list, all[i].candidate);
    }
    std::string hash = planner.job(all[i].candidate).hash;
    if (!all[i].hash.empty() && hash != all[i].hash) {
      fail(
          "{}: candidate {} is another point here: the sweep, a file that it names or npusim has "
          "changed",
          list, all[i].candidate);
    }
    if (!hashes.insert(hash).second) continue;
    ++counts.points;
    if (const auto known = store.find(hash, rule)) {
      ++counts.finished;
      counts.failed += known->is_done() ? 0 : 1;
    } else {
      pending.push_back({all[i].candidate, std::move(hash)});
    }
  }
  engine.run(planner, pending, store, [&](const Result& result) {
    ++counts.finished;
    ++counts.computed;
    counts.failed += result.is_done() ? 0 : 1;
    options.progress(counts);
  });
  return counts;
}

}  // namespace npu::sweep
