// ATTENTION: row by row, either the scores of all keys at once or block by block with a running
// maximum and sum (key_block). The softmax of all scores is that of SOFTMAX, in three or two
// passes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/reference/dot.h"
#include "kernels/reference/floats.h"
#include "kernels/reference/normalization.h"
#include "kernels/reference/operators.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {

using graph::AttentionAttrs;
using std::size_t;

namespace {

/// int8 and uint8 weights: 0 … 1 in 255 steps.
constexpr float kWeightStep = 1.0F / 255.0F;

struct Sizes {
  size_t batch, heads, key_heads, rows, keys, depth, values;

  explicit Sizes(const Invocation& call) {
    const auto dim = [&](size_t operand, size_t axis) {
      return static_cast<size_t>(call.input(operand).dim(axis));
    };
    batch = dim(0, 0);
    heads = dim(0, 1);
    key_heads = dim(1, 1);
    rows = dim(0, 2);
    keys = dim(1, 2);
    depth = dim(0, 3);
    values = dim(2, 3);
  }
};

float exponential(float x) { return static_cast<float>(std::exp(static_cast<double>(x))); }

/// Integers widened; sums of their products are exact modulo 2^32.
struct IntegerSums {
  using Value = std::int32_t;
  static std::vector<Value> load(const Invocation& call, size_t operand) {
    return load_integers(call.input(operand), zero_point_of(call.input_tensor(operand)));
  }
  static void accumulate(const Value* x, const Value* columns, size_t depth, size_t count,
                         Value* sums) {
    for (size_t k = 0; k < depth; ++k) {
      for (size_t c = 0; c < count; ++c) {
        sums[c] = static_cast<Value>(static_cast<std::uint32_t>(sums[c]) +
                                     static_cast<std::uint32_t>(x[k]) *
                                         static_cast<std::uint32_t>(columns[k * count + c]));
      }
    }
  }
};
/// Floats: sums in fp32, in order.
struct FloatSums {
  using Value = float;
  static std::vector<Value> load(const Invocation& call, size_t operand) {
    return load_floats(call.input(operand));
  }
  static void accumulate(const Value* x, const Value* columns, size_t depth, size_t count,
                         Value* sums) {
    accumulate_columns(x, columns, depth, count, sums);
  }
};

/// What a weight is worth in the type of v: rounded to it, or its number of steps.
void as_value(float weight, DType type, float& to) {
  TensorData one = TensorData::zeros(type, {1});
  store_floats(one, std::span(&weight, 1));
  to = load_floats(one)[0];
}
void as_value(float weight, DType /*type*/, std::int32_t& to) {
  to = static_cast<std::int32_t>(std::clamp(std::nearbyint(weight / kWeightStep), 0.0F, 255.0F));
}

template <typename Sums>
class Attention {
 public:
  using Value = typename Sums::Value;

  explicit Attention(Invocation& call)
      : call_(call),
        sizes_(call),
        attrs_(call.attrs<AttentionAttrs>()),
        q_(Sums::load(call, 0)),
        k_(Sums::load(call, 1)),
        v_(Sums::load(call, 2)),
        y_(call.output().size()) {
    if (call.has_input(3)) mask_ = load_floats(call.input(3));
    if constexpr (std::is_same_v<Value, float>) {
      score_scale_ = attrs_.scale;
    } else {
      const float product = scale_of(call.input_tensor(0)) * scale_of(call.input_tensor(1));
      score_scale_ = product * attrs_.scale;
    }
  }

  void run() {
    const size_t group = sizes_.heads / sizes_.key_heads;
    for (size_t b = 0; b < sizes_.batch; ++b) {
      for (size_t g = 0; g < sizes_.key_heads; ++g) {
        const size_t matrix = b * sizes_.key_heads + g;
        transpose_keys(k_.data() + matrix * sizes_.keys * sizes_.depth);
        values_ = v_.data() + matrix * sizes_.keys * sizes_.values;
        for (size_t h = g * group; h < (g + 1) * group; ++h) {
          for (size_t r = 0; r < sizes_.rows; ++r) row(b, h, r);
        }
      }
    }
    store();
  }

 private:
  void transpose_keys(const Value* keys) {
    columns_.resize(sizes_.keys * sizes_.depth);
    for (size_t t = 0; t < sizes_.keys; ++t) {
      for (size_t d = 0; d < sizes_.depth; ++d)
        columns_[d * sizes_.keys + t] = keys[t * sizes_.depth + d];
    }
  }

  float mask_at(size_t b, size_t h, size_t r, size_t t) const {
    const Shape& shape = *call_.input(3).shape;
    const size_t at[4] = {t, r, h, b};
    size_t index = 0, step = 1;
    for (size_t back = 0; back < shape.size(); ++back) {
      const auto size = static_cast<size_t>(shape[shape.size() - 1 - back]);
      if (size > 1) index += at[back] * step;
      step *= size;
    }
    return mask_[index];
  }

  void row(size_t b, size_t h, size_t r) {
    const size_t position = (b * sizes_.heads + h) * sizes_.rows + r;
    const size_t seen = attrs_.causal ? r + sizes_.keys - sizes_.rows + 1 : sizes_.keys;
    std::vector<Value> sums(sizes_.keys);
    Sums::accumulate(q_.data() + position * sizes_.depth, columns_.data(), sizes_.depth,
                     sizes_.keys, sums.data());
    std::vector<float> scores(seen);
    for (size_t t = 0; t < seen; ++t) {
      const float scaled = static_cast<float>(sums[t]) * score_scale_;
      scores[t] = scaled + 0.0F;
      if (!mask_.empty()) scores[t] += mask_at(b, h, r, t);
    }
    float* y = y_.data() + position * sizes_.values;
    if (attrs_.key_block > 0) {
      online(scores, y);
    } else {
      whole(scores, y);
    }
  }

  /// Σ weights · v from key `first` on: what the accumulators hold.
  std::vector<Value> weighted(const std::vector<Value>& weights, size_t first) const {
    std::vector<Value> sums(sizes_.values);
    Sums::accumulate(weights.data(), values_ + first * sizes_.values, weights.size(), sizes_.values,
                     sums.data());
    return sums;
  }

  void whole(std::vector<float>& scores, float* y) const {
    softmax_row(scores, 1.0F, attrs_.softmax_block);
    std::vector<Value> weights(scores.size());
    for (size_t t = 0; t < scores.size(); ++t) as_value(scores[t], call_.input(2).type, weights[t]);
    const std::vector<Value> sums = weighted(weights, 0);
    for (size_t e = 0; e < sums.size(); ++e) {
      if constexpr (std::is_same_v<Value, float>) {
        y[e] = sums[e] + 0.0F;
      } else {
        float scale = kWeightStep * scale_of(call_.input_tensor(2));
        if (!is_float(call_.output_tensor().type)) scale = scale / scale_of(call_.output_tensor());
        y[e] = static_cast<float>(sums[e]) * scale;
      }
    }
  }

  void online(const std::vector<float>& scores, float* y) const {
    float highest = 0;
    float sum = 0;
    std::vector<float> out(sizes_.values);
    const auto block = static_cast<size_t>(attrs_.key_block);
    for (size_t first = 0; first < scores.size(); first += block) {
      const size_t count = std::min(block, scores.size() - first);
      const bool begins = first == 0;
      float next = begins ? scores[0] : highest;
      for (size_t t = 0; t < count; ++t) next = next < scores[first + t] ? scores[first + t] : next;
      constexpr float kLowest = std::numeric_limits<float>::lowest();
      if (begins && next < kLowest) next = kLowest;
      const float shrink = begins ? 0.0F : exponential(highest - next);
      highest = next;
      if (!begins) sum *= shrink;
      std::vector<Value> weights(count);
      for (size_t t = 0; t < count; ++t) {
        const float weight = exponential(scores[first + t] - highest);
        as_value(weight, call_.input(2).type, weights[t]);
        if constexpr (std::is_same_v<Value, float>) {
          sum += weights[t];
        } else {
          sum += weight;
        }
      }
      const std::vector<Value> sums = weighted(weights, first);
      for (size_t e = 0; e < out.size(); ++e) {
        float value = static_cast<float>(sums[e]);
        if constexpr (!std::is_same_v<Value, float>)
          value *= scale_of(call_.input_tensor(2)) * kWeightStep;
        value += 0.0F;
        if (begins) {
          out[e] = value;
        } else {
          const float kept = out[e] * shrink;
          out[e] = value + kept;
        }
      }
    }
    const float factor = 1.0F / sum;
    for (size_t e = 0; e < out.size(); ++e) {
      y[e] = out[e] * factor;
      // Quantized outputs count steps from here on.
      if (!is_float(call_.output_tensor().type)) y[e] = y[e] / scale_of(call_.output_tensor());
    }
  }

  void store() {
    TensorData& out = call_.output();
    if (is_float(out.type)) return store_floats(out, y_);
    const IntegerRange range = range_of(out.type);
    const std::int32_t zero = zero_point_of(call_.output_tensor());
    std::vector<std::int32_t> steps(y_.size());
    for (size_t i = 0; i < y_.size(); ++i) {
      const double rounded = std::nearbyint(static_cast<double>(y_[i])) + zero;
      steps[i] =
          std::isnan(rounded)
              ? 0
              : static_cast<std::int32_t>(std::clamp<double>(rounded, range.low, range.high));
    }
    store_integers(out, steps);
  }

  Invocation& call_;
  Sizes sizes_;
  const AttentionAttrs& attrs_;
  std::vector<Value> q_, k_, v_, columns_;
  const Value* values_ = nullptr;
  std::vector<float> mask_, y_;
  float score_scale_ = 1;
};

bool has_exact(const graph::Graph& graph, const graph::Node& node) {
  const DType q = input_type(graph, node);
  return is_float(q) || q == DType::kInt8 || q == DType::kUint8;
}

void run_exact(Invocation& call) {
  if (is_float(call.input(0).type)) return Attention<FloatSums>(call).run();
  Attention<IntegerSums>(call).run();
}

/// Real numbers: rows as a whole, in fp32.
void run_float(Invocation& call) {
  graph::Graph graph;
  std::vector<TensorData> values;
  graph::Node node = call.node();
  node.inputs.clear();
  const auto add = [&](TensorData data) {
    graph::Tensor tensor;
    tensor.type = DType::kFloat32;
    tensor.shape = data.shape;
    graph.tensors.push_back(std::move(tensor));
    values.push_back(std::move(data));
    return static_cast<graph::TensorId>(values.size() - 1);
  };
  for (size_t i = 0; i < call.input_count(); ++i) {
    if (!call.has_input(i)) continue;
    const View view = call.input(i);
    node.inputs.push_back(add({view.type, *view.shape, {view.bytes.begin(), view.bytes.end()}}));
  }
  node.outputs = {add(TensorData::zeros(DType::kFloat32, call.output().shape))};
  auto& attrs = std::get<AttentionAttrs>(node.attrs);
  attrs.key_block = attrs.softmax_block = 0;
  Invocation plain(graph, node, values);
  Attention<FloatSums>(plain).run();
  call.output().bytes = values.back().bytes;
}

}  // namespace

const Operator kAttention = {has_exact, run_exact, run_float};

}  // namespace npu::reference
