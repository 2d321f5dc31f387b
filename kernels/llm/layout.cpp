#include "kernels/llm/layout.h"

#include <cmath>
#include <limits>

#include "isa/instructions.h"
#include "kernels/llm/small_floats.h"
#include "sim/base/math.h"

namespace npu::llm_kernels {
namespace {

using llm::Llama;
using llm::LlamaConfig;
using llm::WeightFormat;
using std::int64_t;

constexpr int64_t kAlignment = 64;

class Placer {
 public:
  explicit Placer(Precision precision) : precision_(precision) {}

  int64_t take(int64_t bytes) {
    const int64_t at = end_;
    end_ = round_up(end_ + bytes, kAlignment);
    return at;
  }
  /// Room for matrices like `first` with `rows` rows in all.
  PlacedMatrix take_matrix(const llm::Matrix& first, int64_t rows) {
    PlacedMatrix m;
    m.format = first.format;
    m.rows = rows;
    m.columns = first.columns;
    m.group_size = first.group_size;
    m.row_bytes = first.format == WeightFormat::kFloat32
                      ? first.columns * bytes_of(code_of(precision_))
                      : first.row_bytes();
    m.scale_code = first.format == WeightFormat::kQ4 ? Code::kFloat16 : Code::kFloat32;
    m.address = take(rows * m.row_bytes);
    m.scales_address = take(rows * m.groups() * m.scale_bytes());
    return m;
  }
  [[nodiscard]] int64_t end() const { return end_; }

 private:
  const Precision precision_;
  int64_t end_ = 0;
};

void place_caches(ModelLayout& layout, Placer& place) {
  const LlamaConfig& c = layout.model;
  const int64_t entries = layout.options.sequences * layout.options.positions;
  const bool scaled = layout.cache_code() == Code::kInt8;
  const int64_t bytes = entries * c.kv_dim() * bytes_of(layout.cache_code());
  layout.caches_begin = place.end();
  for (PlacedLayer& layer : layout.layers) {
    layer.keys = place.take(bytes);
    layer.values = place.take(bytes);
    layer.key_scales = place.take(scaled ? 4 * entries * c.kv_heads : 0);
    layer.value_scales = place.take(scaled ? 4 * entries * c.kv_heads : 0);
  }
}

/// Float weights as the array takes them.
void append_row(std::vector<std::byte>& bytes, const llm::Matrix& m, int64_t row, Code code) {
  for (int64_t k = 0; k < m.columns; ++k) append_float(bytes, m.at(row, k), code);
}

class Writer {
 public:
  Writer(const ModelLayout& layout, const Write& write) : layout_(layout), write_(write) {}

  /// The matrices under one another.
  void matrices(const PlacedMatrix& to, std::initializer_list<const llm::Matrix*> parts) {
    int64_t first_row = 0;
    for (const llm::Matrix* part : parts) {
      values(to, *part, first_row);
      if (to.is_grouped()) scales(to, *part, first_row);
      first_row += part->rows;
    }
    NPU_CHECK(first_row == to.rows, "the parts make the matrix");
  }
  void vector(int64_t address, const llm::FloatView& floats) { write_(address, floats.bytes()); }
  void floats(int64_t address, const std::vector<float>& values) {
    write_(address, std::as_bytes(std::span(values)));
  }

 private:
  void values(const PlacedMatrix& to, const llm::Matrix& part, int64_t first_row) {
    const int64_t address = to.address + first_row * to.row_bytes;
    const Code code = code_of(layout_.options.numerics.precision);
    if (to.is_grouped() || code == Code::kFloat32) {
      write_(address, part.values);
      return;
    }
    std::vector<std::byte> bytes;
    for (int64_t row = 0; row < part.rows; ++row) {
      bytes.clear();
      append_row(bytes, part, row, code);
      write_(address + row * to.row_bytes, bytes);
    }
  }
  void scales(const PlacedMatrix& to, const llm::Matrix& part, int64_t first_row) {
    std::vector<std::byte> bytes;
    for (int64_t group = 0; group < to.groups(); ++group) {
      bytes.clear();
      for (int64_t row = 0; row < part.rows; ++row) {
        append_float(bytes, part.scale(row, group * to.group_size), to.scale_code);
      }
      write_(to.scales_address + (group * to.rows + first_row) * to.scale_bytes(), bytes);
    }
  }

  const ModelLayout& layout_;
  const Write& write_;
};

void write_tables(const ModelLayout& layout, Writer& out) {
  const int64_t head_dim = layout.model.head_dim();
  std::vector<float> cosines;
  std::vector<float> sines;
  for (int64_t p = 0; p < layout.options.positions; ++p) {
    for (int64_t i = 0; i < head_dim; i += 2) {
      const float frequency =
          1.0F / std::pow(10000.0F, static_cast<float>(i) / static_cast<float>(head_dim));
      const float angle = static_cast<float>(p) * frequency;
      cosines.push_back(std::cos(angle));
      sines.push_back(std::sin(angle));
    }
  }
  out.floats(layout.cosines, cosines);
  out.floats(layout.sines, sines);
  std::vector<float> mask;
  for (int64_t row = 0; row < layout.options.mask_rows; ++row) {
    for (int64_t key = 0; key < layout.options.mask_rows; ++key) {
      mask.push_back(key > row ? -std::numeric_limits<float>::infinity() : 0.0F);
    }
  }
  out.floats(layout.mask, mask);
  out.floats(layout.constants, {1.0F, 0.0F, 1.0F / std::sqrt(static_cast<float>(head_dim)), 0.0F});
}

}  // namespace

Code code_of(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return Code::kFloat32;
    case Precision::kFloat16:
      return Code::kFloat16;
    case Precision::kBfloat16:
      return Code::kBfloat16;
  }
  return Code::kFloat32;
}

int64_t bytes_of(Code code) { return isa::element_bytes(static_cast<int64_t>(code)); }

Code ModelLayout::cache_code() const {
  switch (options.numerics.cache) {
    case CacheType::kFloat32:
      return Code::kFloat32;
    case CacheType::kFloat16:
      return Code::kFloat16;
    case CacheType::kBfloat16:
      return Code::kBfloat16;
    case CacheType::kInt8:
      return Code::kInt8;
  }
  return Code::kFloat32;
}

Code ModelLayout::attention_code() const {
  return cache_code() == Code::kInt8 ? code_of(options.numerics.precision) : cache_code();
}

ModelLayout place_model(const Llama& model, const LayoutOptions& options, const NpuConfig& config) {
  ModelLayout layout;
  layout.model = model.config;
  layout.options = options;
  const LlamaConfig& c = model.config;
  NPU_CHECK(options.sequences >= 1 && options.mask_rows >= 1 && options.positions >= 1 &&
                options.positions <= c.max_positions,
            "a sequence that the model was made for");
  Placer place(options.numerics.precision);
  layout.embedding = place.take_matrix(model.embedding, c.vocabulary);
  layout.classifier =
      c.shared_classifier ? layout.embedding : place.take_matrix(model.classifier, c.vocabulary);
  for (const llm::LlamaLayer& from : model.layers) {
    PlacedLayer to;
    to.attention_norm = place.take(4 * c.dim);
    to.ffn_norm = place.take(4 * c.dim);
    to.qkv = place.take_matrix(from.query, c.dim + 2 * c.kv_dim());
    to.output = place.take_matrix(from.output, c.dim);
    to.gate_up = place.take_matrix(from.gate, 2 * c.hidden_dim);
    to.down = place.take_matrix(from.down, c.dim);
    layout.layers.push_back(to);
  }
  layout.final_norm = place.take(4 * c.dim);
  layout.cosines = place.take(2 * options.positions * c.head_dim());
  layout.sines = place.take(2 * options.positions * c.head_dim());
  layout.mask = place.take(4 * options.mask_rows * options.mask_rows);
  layout.constants = place.take(16);
  layout.weights_end = place.end();
  place_caches(layout, place);
  layout.logits = place.take(0);
  place.take(4 * options.sequences * c.vocabulary);
  layout.end = place.end();
  if (layout.end > config.dram.capacity_bytes()) {
    fail("{}: weights, tables and KV cache need {} bytes of DRAM, {} has {}", model.file,
         layout.end, config.dram.device, config.dram.capacity_bytes());
  }
  return layout;
}

void write_weights(const ModelLayout& layout, const Llama& model, const Write& write) {
  Writer out(layout, write);
  out.matrices(layout.embedding, {&model.embedding});
  if (!layout.model.shared_classifier) out.matrices(layout.classifier, {&model.classifier});
  for (std::size_t i = 0; i < layout.layers.size(); ++i) {
    const PlacedLayer& to = layout.layers[i];
    const llm::LlamaLayer& from = model.layers[i];
    out.vector(to.attention_norm, from.attention_norm);
    out.vector(to.ffn_norm, from.ffn_norm);
    out.matrices(to.qkv, {&from.query, &from.key, &from.value});
    out.matrices(to.output, {&from.output});
    out.matrices(to.gate_up, {&from.gate, &from.up});
    out.matrices(to.down, {&from.down});
  }
  out.vector(layout.final_norm, model.final_norm);
  write_tables(layout, out);
}

}  // namespace npu::llm_kernels
