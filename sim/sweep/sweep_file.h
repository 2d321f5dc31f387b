#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/sweep/expression.h"
#include "sim/sweep/metrics.h"
#include "sim/sweep/settings.h"

namespace npu::sweep {

/// One swept key: values, or an expression over other keys.
struct Parameter {
  std::string key;    ///< Dotted key of the configuration, `npu`, or an option (is_option()).
  std::string place;  ///< "file:line:column: parameters.key"
  std::vector<std::string> values;
  std::optional<Expression> expression;
};

struct Model {
  std::string label;  ///< As the table names it: the file's name and its options.
  RunSettings settings;
};

enum class Method : std::uint8_t { kGrid, kRandom, kNsga2 };
inline constexpr std::array<std::pair<std::string_view, Method>, 3> kMethodNames = {
    {{"grid", Method::kGrid}, {"random", Method::kRandom}, {"nsga2", Method::kNsga2}}};
[[nodiscard]] std::string_view name_of(Method method);

struct Search {
  Method method = Method::kGrid;
  std::int64_t points = 100;                       ///< kRandom.
  std::int64_t population = 40, generations = 10;  ///< kNsga2; the first population is one more.
  std::uint32_t seed = 1;
};

struct Limits {
  unsigned seconds_per_point = 600;
  unsigned memory_mib_per_point = 0;  ///< 0: none.
  std::int64_t points = 100'000;
};

/// A sweep file, checked but for what its configuration and models say.
struct SweepFile {
  std::string path, text, name;
  std::string npu;  ///< Base configuration without a parameter `npu`: a file or a preset.
  std::vector<Model> models;
  std::vector<Parameter> parameters;
  /// What varies independently: parameters that advance together, in the order of the file, each
  /// list of the same length. Derived parameters are in none.
  std::vector<std::vector<std::size_t>> axes;
  std::vector<Expression> conditions;
  std::vector<Metric> objectives;  ///< At least one.
  Search search;
  Limits limits;

  /// The configurations that points start from; none where an expression says which.
  [[nodiscard]] std::vector<std::string> npus() const;
  [[nodiscard]] std::size_t axis_size(std::size_t axis) const {
    return parameters[axes[axis].front()].values.size();
  }
};

/// Reads a sweep file (docs/sweeps.md). Files that it names are relative to its folder.
/// @throws Error `file:line:column: key: …`.
[[nodiscard]] SweepFile load_sweep(const std::string& path);
[[nodiscard]] SweepFile parse_sweep(std::string_view text, const std::string& path);

inline constexpr std::int64_t kMaxPoints = 1'000'000;
inline constexpr std::size_t kMaxValuesPerParameter = 10'000;
inline constexpr std::size_t kMaxParameters = 64;

}  // namespace npu::sweep
