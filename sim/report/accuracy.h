#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/tensor.h"

namespace npu::report {

/// How far the simulated values of a tensor are from a reference, over all samples seen.
///
/// With error e = x − r over the elements: mean squared error = mean(e²); SQNR = 10·log10(Σr² /
/// Σe²) [dB], infinite where no element differs; cosine similarity = Σxr / √(Σx²·Σr²), 1 where both
/// are all zero, 0 where one is. Against the integer reference an element differs if its bits do;
/// against the float reference if it is off by half a step or more.
struct TensorError {
  std::int64_t elements = 0;
  std::int64_t differing = 0;
  double max_abs_error = 0;  ///< In real (dequantized) units.
  double mean_squared_error = 0;
  /// Infinite where nothing differs; -infinite where there is no ratio (a reference of zeros,
  /// values that are not finite).
  double sqnr_db = 0;
  double cosine_similarity = 1;
  std::int64_t max_lsb_difference = 0;  ///< In steps of the tensor's scale; 0 for float tensors.

  [[nodiscard]] double differing_share() const {
    return elements == 0 ? 0.0 : static_cast<double>(differing) / static_cast<double>(elements);
  }
};

/// real = scale · (q − zero_point), per tensor. scale 0: the tensor is float or has no quantization
/// and its values are taken as they are.
struct RealScale {
  double scale = 0;
  std::int64_t zero_point = 0;
};

/// Real values of a tensor of any type.
[[nodiscard]] std::vector<double> real_values(const TensorData& tensor, RealScale scale);

/// Accumulates a TensorError sample by sample.
class ErrorMeter {
 public:
  explicit ErrorMeter(RealScale scale) : scale_(scale) {}

  /// `value` from the simulated NPU against `reference` of the same type and shape (integer
  /// reference).
  /// @return index of the first element whose bits differ.
  std::optional<std::int64_t> add_exact(const TensorData& value, const TensorData& reference);
  /// `value` against real values of the same shape (float reference).
  void add_float(const TensorData& value, const TensorData& reference);

  [[nodiscard]] TensorError result() const;

 private:
  void add(double value, double reference);

  RealScale scale_;
  TensorError error_;
  double error_squares_ = 0, value_squares_ = 0, reference_squares_ = 0, products_ = 0;
};

/// Counts how often the simulated network and a reference, or the labels, name the same class. The
/// highest value wins, the lowest index among equals.
class ClassMeter {
 public:
  /// `values` and `reference` are class scores; the reference's best class counts as right.
  void add(std::span<const double> values, std::span<const double> reference);
  /// `label` is the right class. @throws Error if it is not a class of `values`.
  void add_label(std::span<const double> values, std::int64_t label);

  [[nodiscard]] std::int64_t samples() const { return samples_; }
  [[nodiscard]] double top1() const;
  [[nodiscard]] double top5() const;

 private:
  void count(std::span<const double> values, std::size_t best);

  std::int64_t samples_ = 0, top1_ = 0, top5_ = 0;
};

/// True for a tensor that holds one score per class: all dimensions 1 but the last, which is ≥ 2.
[[nodiscard]] bool is_class_vector(const Shape& shape);

}  // namespace npu::report
