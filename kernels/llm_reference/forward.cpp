#include "kernels/llm_reference/forward.h"

#include <algorithm>
#include <cmath>

namespace npu::llm_reference {
namespace {

using llm::LlamaConfig;
using Floats = std::vector<float>;

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

void normalize(std::span<const float> x, const llm::FloatView& weight, std::span<float> y) {
  float squares = 0;
  for (const float v : x) squares += v * v;
  const float mean = squares / static_cast<float>(x.size()) + 1e-5F;
  const float factor = 1.0F / std::sqrt(mean);
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = weight[static_cast<std::int64_t>(i)] * (factor * x[i]);
  }
}

/// Rotates the pairs of every head of a vector.
void rotate(std::span<float> x, std::int64_t head_dim, std::int64_t position) {
  for (std::size_t i = 0; i < x.size(); i += 2) {
    const auto in_head = static_cast<float>(static_cast<std::int64_t>(i) % head_dim);
    const float frequency = 1.0F / std::pow(10000.0F, in_head / static_cast<float>(head_dim));
    const float angle = static_cast<float>(position) * frequency;
    const float cosine = std::cos(angle);
    const float sine = std::sin(angle);
    const float a = x[i];
    const float b = x[i + 1];
    x[i] = a * cosine - b * sine;
    x[i + 1] = a * sine + b * cosine;
  }
}

float exponential(float x, Rules rules) {
  if (rules == Rules::kLlama2c) return std::exp(x);
  return static_cast<float>(std::exp(static_cast<double>(x)));
}

float silu(float x, Rules rules) {
  if (rules == Rules::kLlama2c) return x * (1.0F / (1.0F + std::exp(-x)));
  const auto wide = static_cast<double>(x);
  return static_cast<float>(wide / (1.0 + std::exp(-wide)));
}

void softmax(std::span<float> x, Rules rules) {
  const float largest = *std::ranges::max_element(x);
  float sum = 0;
  for (float& v : x) {
    v = exponential(v - largest, rules);
    sum += v;
  }
  for (float& v : x) v /= sum;
}

}  // namespace

Sequence::Sequence(const llm::Llama& model, const llm::Numerics& numerics, Rules rules)
    : model_(model),
      numerics_(numerics),
      rules_(rules),
      caches_(model.layers.size()),
      stream_(index(model.config.dim)),
      normed_(index(model.config.dim)),
      mixed_(index(model.config.dim)),
      logits_(index(model.config.vocabulary)) {}

Floats Sequence::product(const llm::Matrix& matrix, std::span<const float> x) const {
  Floats y(index(matrix.rows));
  multiply(matrix, x, y, numerics_.precision, rules_);
  return y;
}

llm::Precision Sequence::attention_precision() const {
  switch (numerics_.cache) {
    case llm::CacheType::kFloat32:
      return llm::Precision::kFloat32;
    case llm::CacheType::kFloat16:
      return llm::Precision::kFloat16;
    case llm::CacheType::kBfloat16:
      return llm::Precision::kBfloat16;
    case llm::CacheType::kInt8:
      break;
  }
  return numerics_.precision;
}

/// A key or value as the cache gives it back.
void Sequence::append(std::span<const float> vector, Floats& cache) const {
  const std::size_t head_dim = index(model_.config.head_dim());
  for (std::size_t head = 0; head < vector.size(); head += head_dim) {
    float most = 0;
    for (std::size_t i = 0; i < head_dim; ++i) most = std::max(most, std::fabs(vector[head + i]));
    const float scale = most / 127.0F;
    for (std::size_t i = 0; i < head_dim; ++i) {
      float stored = vector[head + i];
      if (numerics_.cache == llm::CacheType::kInt8) {
        stored = scale > 0 ? std::nearbyint(stored / scale) * scale : 0.0F;
      }
      cache.push_back(rounded(stored, attention_precision()));
    }
  }
}

void Sequence::attend(std::span<const float> query, const LayerCache& cache, std::int64_t head) {
  const LlamaConfig& c = model_.config;
  const std::int64_t head_dim = c.head_dim();
  const std::size_t first = index(head / (c.heads / c.kv_heads) * head_dim);
  const auto vector_at = [&](const Floats& of, std::size_t time) {
    return std::span(of).subspan(time * index(c.kv_dim()) + first, index(head_dim));
  };
  scores_.resize(index(position_) + 1);
  for (std::size_t t = 0; t < scores_.size(); ++t) {
    const auto key = vector_at(cache.keys, t);
    float score = 0;
    for (std::size_t i = 0; i < key.size(); ++i) score += query[i] * key[i];
    const float root = std::sqrt(static_cast<float>(head_dim));
    scores_[t] = rules_ == Rules::kNpu ? score * (1.0F / root) : score / root;
  }
  softmax(scores_, rules_);
  for (float& score : scores_) score = rounded(score, attention_precision());
  const auto mixed = std::span(mixed_).subspan(index(head * head_dim), index(head_dim));
  std::ranges::fill(mixed, 0.0F);
  for (std::size_t t = 0; t < scores_.size(); ++t) {
    const auto value = vector_at(cache.values, t);
    for (std::size_t i = 0; i < value.size(); ++i) mixed[i] += scores_[t] * value[i];
  }
}

void Sequence::attention(const llm::LlamaLayer& layer, LayerCache& cache) {
  const LlamaConfig& c = model_.config;
  normalize(stream_, layer.attention_norm, normed_);
  Floats query = product(layer.query, normed_);
  Floats key = product(layer.key, normed_);
  const Floats value = product(layer.value, normed_);
  rotate(query, c.head_dim(), position_);
  rotate(key, c.head_dim(), position_);
  for (float& q : query) q = rounded(q, attention_precision());
  append(key, cache.keys);
  append(value, cache.values);
  for (std::int64_t head = 0; head < c.heads; ++head) {
    attend(std::span(query).subspan(index(head * c.head_dim()), index(c.head_dim())), cache, head);
  }
  const Floats output = product(layer.output, mixed_);
  for (std::size_t i = 0; i < stream_.size(); ++i) stream_[i] += output[i];
}

void Sequence::feed_forward(const llm::LlamaLayer& layer) {
  normalize(stream_, layer.ffn_norm, normed_);
  Floats hidden = product(layer.gate, normed_);
  const Floats up = product(layer.up, normed_);
  for (std::size_t i = 0; i < hidden.size(); ++i) {
    hidden[i] = silu(hidden[i], rules_) * up[i];
  }
  const Floats down = product(layer.down, hidden);
  for (std::size_t i = 0; i < stream_.size(); ++i) stream_[i] += down[i];
}

std::span<const float> Sequence::forward(llm::Token token) {
  const LlamaConfig& c = model_.config;
  if (position_ >= c.max_positions) {
    fail("{}: the longest sequence of the model is {} tokens", model_.file, c.max_positions);
  }
  if (token < 0 || token >= c.vocabulary) {
    fail("{}: token {} is not in the vocabulary of {}", model_.file, token, c.vocabulary);
  }
  const bool is_float = model_.embedding.format == llm::WeightFormat::kFloat32;
  for (std::int64_t i = 0; i < c.dim; ++i) {
    const float element = model_.embedding.at(token, i);
    stream_[index(i)] = is_float ? rounded(element, numerics_.precision) : element;
  }
  for (std::size_t i = 0; i < model_.layers.size(); ++i) {
    attention(model_.layers[i], caches_[i]);
    feed_forward(model_.layers[i]);
  }
  normalize(stream_, model_.final_norm, stream_);
  multiply(model_.classifier, stream_, logits_, numerics_.precision, rules_);
  ++position_;
  return logits_;
}

}  // namespace npu::llm_reference
