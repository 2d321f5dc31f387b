#include "workloads/llm/checkpoint.h"

#include <algorithm>
#include <array>

#include "sim/base/mapped_file.h"

namespace npu::llm {
namespace {

constexpr std::uint32_t kMagic = 0x616b3432;  // "ak42"
constexpr std::int64_t kVersion2HeaderBytes = 256;

/// Takes pieces off a checkpoint from front to back.
class Reader {
 public:
  Reader(std::span<const std::byte> content, const std::string& file)
      : content_(content), file_(file) {}

  template <typename... Args>
  [[noreturn]] void fail_at(std::int64_t offset, fmt::format_string<Args...> format,
                            Args&&... args) const {
    fail("{}: offset {}: {}", file_, offset, fmt::format(format, std::forward<Args>(args)...));
  }

  [[nodiscard]] std::int64_t offset() const { return offset_; }
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(content_.size()); }

  [[nodiscard]] std::span<const std::byte> take(std::int64_t bytes, std::string_view what) {
    if (bytes > size() - offset_) {
      fail_at(offset_, "{} takes {} bytes, the file has {} more", what, bytes, size() - offset_);
    }
    const auto piece =
        content_.subspan(static_cast<std::size_t>(offset_), static_cast<std::size_t>(bytes));
    offset_ += bytes;
    return piece;
  }
  template <typename T>
  [[nodiscard]] T number(std::string_view what) {
    T value{};
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }
  void expect_end() const {
    if (offset_ != size()) {
      fail_at(offset_, "{} bytes are left after the last weight", size() - offset_);
    }
  }

 private:
  std::span<const std::byte> content_;
  const std::string& file_;
  std::int64_t offset_ = 0;
};

/// A size of the header and its bounds, which keep products of sizes far below 2^63.
std::int64_t take_size(Reader& in, std::string_view name, std::int64_t most) {
  const std::int64_t at = in.offset();
  const std::int64_t value = in.number<std::int32_t>("the header");
  if (value < 1 || value > most) in.fail_at(at, "{} must be 1 to {}, got {}", name, most, value);
  return value;
}

constexpr std::int64_t kMaxVocabulary = std::int64_t{1} << 22;

LlamaConfig take_config(Reader& in, bool sign_unshares) {
  LlamaConfig config;
  const std::int64_t at = in.offset();
  config.dim = take_size(in, "dim", 1 << 16);
  config.hidden_dim = take_size(in, "hidden_dim", 1 << 18);
  config.layers = take_size(in, "n_layers", 1 << 10);
  config.heads = take_size(in, "n_heads", 1 << 10);
  config.kv_heads = take_size(in, "n_kv_heads", 1 << 10);
  const std::int64_t vocabulary_at = in.offset();
  std::int64_t vocabulary = in.number<std::int32_t>("the header");
  if (sign_unshares) {
    config.shared_classifier = vocabulary > 0;
    vocabulary = std::abs(vocabulary);
  }
  if (vocabulary < 1 || vocabulary > kMaxVocabulary) {
    in.fail_at(vocabulary_at, "vocab_size must be 1 to {}, got {}", kMaxVocabulary, vocabulary);
  }
  config.vocabulary = vocabulary;
  config.max_positions = take_size(in, "seq_len", 1 << 22);
  if (config.dim % config.heads != 0) {
    in.fail_at(at, "n_heads {} does not divide dim {}", config.heads, config.dim);
  }
  if (config.head_dim() % 2 != 0) {
    in.fail_at(at, "a head has {} elements, rotary embedding needs pairs", config.head_dim());
  }
  if (config.heads % config.kv_heads != 0) {
    in.fail_at(at, "n_kv_heads {} does not divide n_heads {}", config.kv_heads, config.heads);
  }
  return config;
}

FloatView take_floats(Reader& in, std::int64_t count, std::string_view what) {
  return FloatView(in.take(4 * count, what));
}

/// One matrix of every layer, or one for the model.
Matrix take_matrix(Reader& in, std::int64_t rows, std::int64_t columns, std::int64_t group_size,
                   std::string_view what) {
  Matrix matrix;
  matrix.rows = rows;
  matrix.columns = columns;
  matrix.group_size = group_size;
  matrix.format = group_size == 0 ? WeightFormat::kFloat32 : WeightFormat::kQ8;
  matrix.values = in.take(rows * matrix.row_bytes(), what);
  matrix.scales = take_floats(in, rows * matrix.groups(), what);
  return matrix;
}

using MatrixOfLayer = Matrix LlamaLayer::*;
using NormOfLayer = FloatView LlamaLayer::*;

void take_matrices(Reader& in, Llama& model, MatrixOfLayer member, std::int64_t rows,
                   std::int64_t columns, std::int64_t group_size, std::string_view what) {
  for (LlamaLayer& layer : model.layers) {
    layer.*member = take_matrix(in, rows, columns, group_size, what);
  }
}

void take_norms(Reader& in, Llama& model, NormOfLayer member, std::string_view what) {
  for (LlamaLayer& layer : model.layers) layer.*member = take_floats(in, model.config.dim, what);
}

void take_attention(Reader& in, Llama& model, std::int64_t group_size) {
  const LlamaConfig& c = model.config;
  take_matrices(in, model, &LlamaLayer::query, c.dim, c.dim, group_size, "wq");
  take_matrices(in, model, &LlamaLayer::key, c.kv_dim(), c.dim, group_size, "wk");
  take_matrices(in, model, &LlamaLayer::value, c.kv_dim(), c.dim, group_size, "wv");
  take_matrices(in, model, &LlamaLayer::output, c.dim, c.dim, group_size, "wo");
}

void take_feed_forward(Reader& in, Llama& model, std::int64_t group_size) {
  const LlamaConfig& c = model.config;
  take_matrices(in, model, &LlamaLayer::gate, c.hidden_dim, c.dim, group_size, "w1");
  take_matrices(in, model, &LlamaLayer::down, c.dim, c.hidden_dim, group_size, "w2");
  take_matrices(in, model, &LlamaLayer::up, c.hidden_dim, c.dim, group_size, "w3");
}

void take_classifier(Reader& in, Llama& model, std::int64_t group_size) {
  const LlamaConfig& c = model.config;
  model.classifier = c.shared_classifier
                         ? model.embedding
                         : take_matrix(in, c.vocabulary, c.dim, group_size, "the classifier");
  in.expect_end();
}

void take_float_weights(Reader& in, Llama& model) {
  const LlamaConfig& c = model.config;
  model.embedding = take_matrix(in, c.vocabulary, c.dim, 0, "the embedding");
  take_norms(in, model, &LlamaLayer::attention_norm, "the attention norm");
  take_attention(in, model, 0);
  take_norms(in, model, &LlamaLayer::ffn_norm, "the ffn norm");
  take_feed_forward(in, model, 0);
  model.final_norm = take_floats(in, c.dim, "the final norm");
  // Sines and cosines of the rotary embedding, of older exports; run.c computes them.
  (void)take_floats(in, c.max_positions * c.head_dim(), "the table of angles");
  take_classifier(in, model, 0);
}

void take_q8_weights(Reader& in, Llama& model, std::int64_t group_size) {
  const LlamaConfig& c = model.config;
  take_norms(in, model, &LlamaLayer::attention_norm, "the attention norm");
  take_norms(in, model, &LlamaLayer::ffn_norm, "the ffn norm");
  model.final_norm = take_floats(in, c.dim, "the final norm");
  model.embedding = take_matrix(in, c.vocabulary, c.dim, group_size, "the embedding");
  take_attention(in, model, group_size);
  take_feed_forward(in, model, group_size);
  take_classifier(in, model, group_size);
}

/// The smallest file that a header can describe: no layer is made for a header alone.
void check_size(const Reader& in, const LlamaConfig& c) {
  const std::int64_t elements =
      c.layers * (2 * c.dim * (c.dim + c.kv_dim()) + 3 * c.dim * c.hidden_dim) +
      c.vocabulary * c.dim * (c.shared_classifier ? 1 : 2);
  if (elements > in.size()) {
    in.fail_at(in.offset(), "the header describes {} weights, the file has {} bytes", elements,
               in.size());
  }
}

void parse_q8(Reader& in, Llama& model) {
  (void)in.number<std::uint32_t>("the magic number");
  const auto version = in.number<std::uint32_t>("the version");
  if (version != 2) in.fail_at(4, "version {} of the format is not supported, 2 is", version);
  model.config = take_config(in, false);
  const auto shared = in.number<std::uint8_t>("the header");
  if (shared > 1) in.fail_at(in.offset() - 1, "shared classifier must be 0 or 1, got {}", shared);
  model.config.shared_classifier = shared == 1;
  const std::int64_t group_at = in.offset();
  const std::int64_t group_size = take_size(in, "the group size", 1 << 16);
  for (const std::int64_t columns : {model.config.dim, model.config.hidden_dim}) {
    if (columns % group_size != 0) {
      in.fail_at(group_at, "the group size {} does not divide {}", group_size, columns);
    }
  }
  const auto padding = in.take(kVersion2HeaderBytes - in.offset(), "the header");
  if (std::ranges::any_of(padding, [](std::byte b) { return b != std::byte{0}; })) {
    in.fail_at(kVersion2HeaderBytes - static_cast<std::int64_t>(padding.size()),
               "the rest of the header must be zero");
  }
  check_size(in, model.config);
  model.layers.resize(static_cast<std::size_t>(model.config.layers));
  take_q8_weights(in, model, group_size);
}

void parse_float(Reader& in, Llama& model) {
  model.config = take_config(in, true);
  check_size(in, model.config);
  model.layers.resize(static_cast<std::size_t>(model.config.layers));
  take_float_weights(in, model);
}

}  // namespace

Llama parse_checkpoint(std::span<const std::byte> content, const std::string& file) {
  Llama model;
  model.file = file;
  Reader in(content, file);
  const auto first = Reader(content, file).number<std::uint32_t>("the header");
  if (first == kMagic) {
    parse_q8(in, model);
  } else {
    parse_float(in, model);
  }
  return model;
}

Llama read_checkpoint(const std::string& path) {
  const auto mapped = std::make_shared<const MappedFile>(path, kMaxCheckpointBytes);
  Llama model = parse_checkpoint(mapped->bytes(), path);
  model.storage.emplace_back(mapped);
  return model;
}

}  // namespace npu::llm
