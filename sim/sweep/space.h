#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/sweep/configurations.h"
#include "sim/sweep/sweep_file.h"

namespace npu::sweep {

/// One point: a model and a value of every parameter.
struct Point {
  std::size_t model = 0;
  std::vector<std::string> values;  ///< In the order of SweepFile::parameters.
};

/// The candidates of a sweep, numbered: models outside, then the axes in the order of the file,
/// the last one fastest.
class Space {
 public:
  /// @throws Error for more candidates than 2^53 and for names in expressions that are neither a
  /// parameter nor a value of any point's configuration.
  Space(const SweepFile& sweep, Configurations& configurations);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// The candidate's point; nullopt where a condition excludes it.
  /// @throws Error for an expression that has no value there, naming the point.
  [[nodiscard]] std::optional<Point> point(std::uint64_t candidate) const;

  [[nodiscard]] std::uint64_t candidates_per_model() const { return per_model_; }
  /// The candidate of a model and an index into each axis.
  [[nodiscard]] std::uint64_t candidate(std::size_t model,
                                        const std::vector<std::size_t>& indices) const;

 private:
  /// Throws unless every name is one of the sweep or a value of some point's configuration.
  void check_names(const Expression& e) const;
  /// The value under a name of the sweep; nothing for one that its configuration may have.
  [[nodiscard]] std::optional<std::string> value_of_sweep(const std::string& name,
                                                          const Point& point) const;
  /// The value under a name at a point.
  [[nodiscard]] std::string look_up(const std::string& name, const Point& point) const;
  /// Sets the parameters that expressions make; false where a condition excludes the point.
  [[nodiscard]] bool derive(Point& point) const;
  [[nodiscard]] std::string description_of(const Point& point) const;
  [[nodiscard]] std::string npu_of(const Point& point) const;

  const SweepFile& sweep_;
  Configurations& configurations_;
  std::uint64_t per_model_ = 1, size_ = 0;
};

/// The candidates that a grid or a random search takes, in the order of the table: all that no
/// condition excludes, or as many of them as the search asks for, drawn without repetition (fewer
/// where there are no more).
/// @throws Error for more points than the limits allow, and if there is none.
[[nodiscard]] std::vector<std::uint64_t> chosen_candidates(const SweepFile& sweep,
                                                           const Space& space);

}  // namespace npu::sweep
