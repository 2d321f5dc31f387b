#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/onnx_import/network.h"
#include "kernels/onnx_reference/run.h"

namespace npu::onnx_run {

/// Inputs of a network, sample by sample.
struct InputSamples {
  std::vector<onnx::Values> samples;
  bool has_sample_dimension = false;  ///< The files had one dimension more.
};

/// What a file holds for an input.
struct InputArray {
  std::string place;  ///< File and array, for messages.
  onnx::Value value;
};

/// Reads inputs from files: one .npy or .pb (a serialized TensorProto) per input, in the model's
/// order, or one .npz with an array of each input's name (else its arrays in their order).
/// @param option  where the paths come from, for messages.
/// @return one array per input of the model. @throws Error `file: …`.
[[nodiscard]] std::vector<InputArray> read_arrays(const std::vector<std::string>& paths,
                                                  const onnx::Model& model,
                                                  std::string_view option);

/// Takes the arrays out of which shapes follow (bindable_inputs) and that hold one value for the
/// whole run, not one per sample: values for SimplifyOptions::input_values, of the input's type.
[[nodiscard]] onnx::Values take_bound(std::vector<InputArray>& arrays, const onnx::Model& model);

/// Ranges for SimplifyOptions::input_ranges: int8, else uint8, where all elements are whole numbers
/// that it holds, else the elements' own range; none for an array with fractions.
[[nodiscard]] onnx_import::Ranges ranges_of(const std::vector<InputArray>& arrays,
                                            const onnx::Model& model);

/// The samples in the arrays. An array has the input's shape, or one leading dimension more:
/// samples, as many in every array. Another element type is converted where every element keeps its
/// value.
/// @param limit  takes the first so many samples.
/// @throws Error `file: …` for anything that does not fit.
[[nodiscard]] InputSamples samples_of(std::vector<InputArray> arrays,
                                      const onnx_import::Network& network,
                                      std::optional<std::int64_t> limit);

/// Uniform values, the same in every run: floats in [−1, 1), integers (and the whole numbers of
/// integer networks) in [0, 8), bool 0 or 1.
[[nodiscard]] InputSamples random_inputs(const onnx_import::Network& network, std::int64_t samples);

/// A tensor as a value of ONNX, and back in the type that keeps its values (bfloat16 and float64 as
/// float32). @throws Error for types that .npy files do not have here.
[[nodiscard]] onnx::Value value_of(const TensorData& tensor);
[[nodiscard]] TensorData tensor_of(const onnx::Value& value);

}  // namespace npu::onnx_run
