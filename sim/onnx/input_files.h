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

/// Reads inputs from files: one .npy or .pb (a serialized TensorProto) per input, in the network's
/// order, or one .npz with an array of each input's name (else its arrays in their order). A file
/// has the input's shape, or one leading dimension more: samples, as many in every file. Another
/// element type is converted where every element keeps its value.
/// @param limit  takes the first so many samples.
/// @param option  where the paths come from, for messages.
/// @throws Error `file: …` for anything that does not fit.
[[nodiscard]] InputSamples read_inputs(const std::vector<std::string>& paths,
                                       const onnx_import::Network& network,
                                       std::optional<std::int64_t> limit,
                                       std::string_view option = "--input");

/// Uniform values, the same in every run: floats in [−1, 1), integers in [0, 8), bool 0 or 1.
[[nodiscard]] InputSamples random_inputs(const onnx_import::Network& network, std::int64_t samples);

/// A tensor as a value of ONNX, and back in the type that keeps its values (bfloat16 and float64 as
/// float32). @throws Error for types that .npy files do not have here.
[[nodiscard]] onnx::Value value_of(const TensorData& tensor);
[[nodiscard]] TensorData tensor_of(const onnx::Value& value);

}  // namespace npu::onnx_run
