#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/tensor.h"

namespace npu::session {

/// What a network or program takes in.
struct InputSpec {
  std::string name;
  DType type = DType::kInt8;
  Shape shape;
};

/// The inputs of a run: per sample, one tensor for each network input.
class InputSet {
 public:
  /// Reads one .npy file per input. A file has the input's shape, or one leading dimension more:
  /// samples, as many in every file.
  /// @param limit  takes the first so many samples.
  /// @throws Error `file: …` for another number of files, type or shape, or too few samples.
  static InputSet load(const std::vector<std::string>& paths, const std::vector<InputSpec>& specs,
                       std::optional<std::int64_t> limit);

  /// Uniform random values, the same in every run: integers over their whole range, floats in [−1,
  /// 1).
  static InputSet random(const std::vector<InputSpec>& specs, std::int64_t samples);

  [[nodiscard]] std::int64_t samples() const { return samples_; }
  /// True if the files had a leading dimension; outputs then have it, too.
  [[nodiscard]] bool has_sample_dimension() const { return has_sample_dimension_; }
  [[nodiscard]] std::vector<TensorData> sample(std::int64_t index) const;

 private:
  std::vector<InputSpec> specs_;
  std::vector<TensorData> files_;  ///< All samples of each input.
  std::int64_t samples_ = 1;
  bool has_sample_dimension_ = false;
};

/// Sample-wise tensors as one array, with a leading dimension if `has_sample_dimension`.
[[nodiscard]] TensorData stack(const std::vector<TensorData>& samples, bool has_sample_dimension);

}  // namespace npu::session
