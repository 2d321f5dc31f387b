#include "workloads/llm/group_quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace npu::llm {

float round_to_binary16(float x) {
  if (!std::isfinite(x) || x == 0) return x;
  constexpr int kFractionBits = 11;       // With the leading one.
  constexpr int kSmallestExponent = -24;  // Of the last bit of a subnormal.
  constexpr float kLargest = 65504;
  const int exponent = std::max(std::ilogb(x) + 1 - kFractionBits, kSmallestExponent);
  const float rounded = std::ldexp(std::nearbyint(std::ldexp(x, -exponent)), exponent);
  if (std::fabs(rounded) <= kLargest) return rounded;
  return std::copysign(std::numeric_limits<float>::infinity(), x);
}

float quantize_q8(std::span<const float> x, std::span<std::int8_t> q) {
  NPU_CHECK(x.size() == q.size(), "one value per element");
  float largest = 0;
  for (const float v : x) largest = std::max(largest, std::fabs(v));
  const float scale = largest / 127.0F;
  for (std::size_t i = 0; i < x.size(); ++i) {
    // Below the smallest normal number the quotient of two floats may leave the range.
    const float quotient = scale == 0 ? 0 : std::clamp(x[i] / scale, -127.0F, 127.0F);
    q[i] = static_cast<std::int8_t>(std::lround(quotient));
  }
  return scale;
}

float quantize_q4(std::span<const float> x, std::span<std::int8_t> q) {
  NPU_CHECK(x.size() == q.size(), "one value per element");
  float largest = 0;
  for (const float v : x) {
    if (std::fabs(v) > std::fabs(largest)) largest = v;
  }
  const float d = largest / -8.0F;
  const float inverse = d == 0 ? 0 : 1.0F / d;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float shifted = std::clamp(x[i] * inverse + 8.5F, 0.0F, 15.0F);
    q[i] = static_cast<std::int8_t>(static_cast<int>(shifted) - 8);
  }
  return round_to_binary16(d);
}

namespace {

void append(std::vector<std::byte>& bytes, float value) {
  const std::size_t at = bytes.size();
  bytes.resize(at + 4);
  std::memcpy(bytes.data() + at, &value, 4);
}

/// Appends a row's int8 or packed int4 values.
void append(std::vector<std::byte>& bytes, std::span<const std::int8_t> row, WeightFormat format) {
  if (format == WeightFormat::kQ8) {
    for (const std::int8_t q : row) bytes.push_back(static_cast<std::byte>(q));
    return;
  }
  for (std::size_t i = 0; i < row.size(); i += 2) {
    const unsigned low = static_cast<std::uint8_t>(row[i]) & 15U;
    const unsigned high = i + 1 < row.size() ? static_cast<std::uint8_t>(row[i + 1]) & 15U : 0U;
    bytes.push_back(static_cast<std::byte>(low | high << 4U));
  }
}

class GroupQuantizer {
 public:
  GroupQuantizer(const Matrix& from, OwnedMatrix& to, const std::string& what)
      : from_(from),
        to_(to),
        what_(what),
        row_(static_cast<std::size_t>(from.columns)),
        quantized_(static_cast<std::size_t>(from.columns)) {}

  void run() {
    const Matrix& m = to_.matrix;
    to_.values.reserve(static_cast<std::size_t>(m.rows * m.row_bytes()));
    to_.scales.reserve(static_cast<std::size_t>(4 * m.rows * m.groups()));
    for (std::int64_t row = 0; row < m.rows; ++row) quantize_row(row);
  }

 private:
  void quantize_row(std::int64_t row) {
    const auto columns = static_cast<std::size_t>(from_.columns);
    for (std::size_t i = 0; i < columns; ++i) {
      row_[i] = from_.at(row, static_cast<std::int64_t>(i));
      if (!std::isfinite(row_[i])) {
        fail("{}: row {}, column {}: {} cannot be quantized", what_, row, i, row_[i]);
      }
    }
    const auto group = static_cast<std::size_t>(to_.matrix.group_size);
    for (std::size_t at = 0; at < columns; at += group) {
      const std::size_t size = std::min(group, columns - at);
      const auto x = std::span<const float>(row_).subspan(at, size);
      const auto q = std::span(quantized_).subspan(at, size);
      const float scale =
          to_.matrix.format == WeightFormat::kQ8 ? quantize_q8(x, q) : quantize_q4(x, q);
      if (!std::isfinite(scale)) {
        fail("{}: row {}, column {}: the scale of the group is beyond binary16", what_, row, at);
      }
      append(to_.scales, scale);
    }
    append(to_.values, quantized_, to_.matrix.format);
  }

  const Matrix& from_;
  OwnedMatrix& to_;
  const std::string& what_;
  std::vector<float> row_;
  std::vector<std::int8_t> quantized_;
};

/// The same weights, or the matrix in another format with its storage in the model.
void convert(Matrix& matrix, Llama& model, WeightFormat format, std::int64_t group_size,
             std::string_view name) {
  const auto owned = quantize(matrix, format, group_size, fmt::format("{}: {}", model.file, name));
  matrix = owned->matrix;
  model.storage.emplace_back(owned);
}

}  // namespace

std::shared_ptr<const OwnedMatrix> quantize(const Matrix& from, WeightFormat format,
                                            std::int64_t group_size, const std::string& what) {
  NPU_CHECK(format != WeightFormat::kFloat32 && group_size >= 1, "a format with groups");
  auto to = std::make_shared<OwnedMatrix>();
  to->matrix.format = format;
  to->matrix.rows = from.rows;
  to->matrix.columns = from.columns;
  to->matrix.group_size = group_size;
  GroupQuantizer(from, *to, what).run();
  to->matrix.values = to->values;
  to->matrix.scales = FloatView(to->scales);
  return to;
}

Llama with_weights(const Llama& model, WeightFormat format, std::int64_t group_size) {
  if (model.embedding.format == format) return model;
  Llama to = model;
  convert(to.embedding, to, format, group_size, "embedding");
  if (to.config.shared_classifier) {
    to.classifier = to.embedding;
  } else {
    convert(to.classifier, to, format, group_size, "classifier");
  }
  for (std::size_t i = 0; i < to.layers.size(); ++i) {
    LlamaLayer& layer = to.layers[i];
    const auto name = [i](std::string_view part) { return fmt::format("layer {} {}", i, part); };
    convert(layer.query, to, format, group_size, name("wq"));
    convert(layer.key, to, format, group_size, name("wk"));
    convert(layer.value, to, format, group_size, name("wv"));
    convert(layer.output, to, format, group_size, name("wo"));
    convert(layer.gate, to, format, group_size, name("w1"));
    convert(layer.down, to, format, group_size, name("w2"));
    convert(layer.up, to, format, group_size, name("w3"));
  }
  return to;
}

}  // namespace npu::llm
