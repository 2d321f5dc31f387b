#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.h"

namespace npu::llm {

/// How the elements of a matrix are stored.
enum class WeightFormat : std::uint8_t {
  kFloat32,
  kQ8,  ///< int8 in groups along the row, one float scale per group: x = scale · q.
  kQ4,  ///< int4 (-8 … 7) in groups, two to a byte, even columns in the low half: x = scale · q.
};

/// "float32", "q8_0", "q4_0"
[[nodiscard]] std::string_view name_of(WeightFormat format);

/// A vector of little-endian floats somewhere in memory, at any alignment.
class FloatView {
 public:
  FloatView() = default;
  explicit FloatView(std::span<const std::byte> bytes) : bytes_(bytes) {}
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(bytes_.size() / 4); }
  [[nodiscard]] float operator[](std::int64_t index) const {
    float value = 0;
    std::memcpy(&value, bytes_.data() + 4 * index, 4);
    return value;
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

/// A matrix [rows, columns] of weights, row-major: y[row] = Σ w[row, column] · x[column]. A view of
/// memory that the model keeps alive. Every row starts a new group; the last group of a row is
/// shorter where the group size does not divide the columns. Rows of kQ4 start at a byte.
struct Matrix {
  WeightFormat format = WeightFormat::kFloat32;
  std::int64_t rows = 0, columns = 0;
  std::int64_t group_size = 0;        ///< Elements that share a scale; 0 for kFloat32.
  std::span<const std::byte> values;  ///< [rows, row_bytes()]
  FloatView scales;                   ///< [rows, groups()]; empty for kFloat32.

  [[nodiscard]] std::int64_t groups() const {  ///< Of a row.
    return group_size == 0 ? 0 : (columns + group_size - 1) / group_size;
  }
  [[nodiscard]] std::int64_t row_bytes() const;
  /// The stored integer of a quantized matrix.
  [[nodiscard]] int quantized(std::int64_t row, std::int64_t column) const {
    const std::byte byte = values[static_cast<std::size_t>(
        row * row_bytes() + (format == WeightFormat::kQ4 ? column / 2 : column))];
    if (format == WeightFormat::kQ8) return static_cast<std::int8_t>(byte);
    const unsigned shift = column % 2 == 0 ? 4U : 0U;
    return static_cast<std::int8_t>(std::to_integer<unsigned>(byte) << shift & 0xF0U) / 16;
  }
  [[nodiscard]] float scale(std::int64_t row, std::int64_t column) const {
    return scales[row * groups() + column / group_size];
  }
  /// The weight as a float: q · scale, rounded once, for quantized formats.
  [[nodiscard]] float at(std::int64_t row, std::int64_t column) const {
    if (format == WeightFormat::kFloat32) return FloatView(values)[row * columns + column];
    return static_cast<float>(quantized(row, column)) * scale(row, column);
  }
};

/// Sizes of a decoder-only transformer of the Llama family.
struct LlamaConfig {
  std::int64_t dim = 0;         ///< Of the residual stream.
  std::int64_t hidden_dim = 0;  ///< Of the feed-forward layer.
  std::int64_t layers = 0;
  std::int64_t heads = 0;     ///< Of the queries; divides dim.
  std::int64_t kv_heads = 0;  ///< Of keys and values; divides heads.
  std::int64_t vocabulary = 0;
  std::int64_t max_positions = 0;  ///< Longest sequence the model was made for.
  bool shared_classifier = true;   ///< The head multiplies by the embedding table.

  [[nodiscard]] std::int64_t head_dim() const { return dim / heads; }
  [[nodiscard]] std::int64_t kv_dim() const { return head_dim() * kv_heads; }
};

struct LlamaLayer {
  FloatView attention_norm, ffn_norm;  ///< [dim]
  Matrix query, key, value, output;    ///< [dim,dim], [kv_dim,dim], [kv_dim,dim], [dim,dim]
  Matrix gate, up, down;               ///< w1 and w3 [hidden_dim,dim], w2 [dim,hidden_dim]
};

/// A model: sizes, and views of the weights in memory that `storage` keeps alive.
struct Llama {
  std::string file;
  LlamaConfig config;
  Matrix embedding;   ///< [vocabulary, dim]
  Matrix classifier;  ///< [vocabulary, dim]; the embedding where it is shared.
  FloatView final_norm;
  std::vector<LlamaLayer> layers;
  std::vector<std::shared_ptr<const void>> storage;
};

}  // namespace npu::llm
