#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "kernels/llm/areas.h"
#include "kernels/llm/step.h"
#include "kernels/llm/tile_code.h"

namespace npu::llm_kernels {

/// Where a matrix product goes.
struct Target {
  std::int64_t address = 0, row_stride = 0;  ///< float32 in the scratchpad …
  bool accumulate = false;                   ///< … added to what is there, or
  std::int64_t dram = -1;                    ///< float32 in DRAM, rows of the matrix's rows.
};

/// Rows of a matrix's input, in input_code.
struct InputRows {
  std::int64_t address = 0, rows = 1;
};

/// Builds one step's program layer by layer.
class StepBuilder {
 public:
  StepBuilder(const ModelLayout& layout, const NpuConfig& config, const Step& step);

  /// Everything; then the emitter holds the program.
  void build();
  [[nodiscard]] kernels::Emitter& emitter() { return out_; }

 private:
  // step_builder.cpp
  void begin(Stage stage, int layer, std::int64_t macs);
  void load_tables();
  void embed();
  void dequantize_rows();
  void normalize(std::int64_t from, std::int64_t rows, std::int64_t weights_address, Walk to);
  void feed_forward(const PlacedLayer& layer, int index);
  void head();

  // projections.cpp
  void project(const PlacedLayer& layer, int index);
  void rotate();
  void append_to_cache(const PlacedLayer& layer);
  void quantize_cache_rows();
  void project_output(const PlacedLayer& layer, int index);
  void convert_query();
  void add_product(const PlacedMatrix& m, std::int64_t input);

  // attention.cpp
  void attention(const PlacedLayer& layer, int index);

  // multiply.cpp
  void multiply(const PlacedMatrix& m, const InputRows& x, const Target& to);
  void multiply_floats(const PlacedMatrix& m, const InputRows& x, const Target& to);
  void multiply_groups(const PlacedMatrix& m, const InputRows& x, const Target& to);
  void quantize_rows(const PlacedMatrix& m, const InputRows& x);
  void store_tile(const Target& to, std::int64_t tile, std::int64_t rows, std::int64_t first,
                  std::int64_t columns, std::int64_t all_columns);

  /// The next of the two halves of the accumulators.
  [[nodiscard]] std::int64_t next_sums();
  [[nodiscard]] std::int64_t sums_capacity() const;  ///< Of a half [float32].
  void require(Code code) const;

  const ModelLayout& layout_;
  const NpuConfig& config_;
  const Step& step_;
  const llm::LlamaConfig& model_;
  const std::int64_t rows_;
  const Areas areas_;
  const Code input_;
  kernels::Emitter out_;
  TileCode code_;
  std::int64_t tiles_ = 0;  ///< Weight tiles so far: picks the slot.
  std::int64_t norms_ = 0;
  std::int64_t sums_ = 0;
  std::int64_t chunks_ = 0;  ///< Of keys and values.
};

/// A dense float32 walk over n0 elements per row.
[[nodiscard]] inline Walk floats(std::int64_t address, std::int64_t stride1 = 0,
                                 std::int64_t stride2 = 0) {
  return {address, Code::kFloat32, 4, stride1, stride2};
}
/// A dense walk of another type.
[[nodiscard]] inline Walk elements(std::int64_t address, Code code, std::int64_t stride1 = 0,
                                   std::int64_t stride2 = 0) {
  return {address, code, bytes_of(code), stride1, stride2};
}
/// One float32 for all n0 elements.
[[nodiscard]] inline Walk repeated(std::int64_t address, std::int64_t stride1,
                                   std::int64_t stride2 = 0) {
  return {address, Code::kFloat32, 0, stride1, stride2};
}

}  // namespace npu::llm_kernels
