// LAYER_NORM, RMS_NORM and SOFTMAX over floats: rows in float32, step by step.
#include "kernels/reference/normalization.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/reference/functions.h"
#include "kernels/reference/numbers.h"
#include "kernels/reference/operators.h"

namespace npu::reference {
namespace {

using graph::NormAttrs;

bool always(const graph::Graph& /*graph*/, const graph::Node& /*node*/) { return true; }

/// 1 / √(sum of squares / n + epsilon).
float deviation(std::span<const float> values, float epsilon) {
  float squares = 0.0F;
  for (const float v : values) squares += v * v;
  const float variance = squares / static_cast<float>(values.size()) + epsilon;
  return float_function(MapFunction::kReciprocalSqrt, variance, 0, 0, 0);
}

void layer_norm(Invocation& call) {
  Floats x = load_reals(call, 0);
  const Floats scale = load_reals(call, 1);
  const Floats bias = call.has_input(2) ? load_reals(call, 2) : Floats();
  const float epsilon = call.attrs<NormAttrs>().epsilon;
  for (std::size_t first = 0; first < x.size(); first += scale.size()) {
    const std::span<float> row = std::span(x).subspan(first, scale.size());
    float sum = 0.0F;
    for (const float v : row) sum += v;
    const float mean = sum / static_cast<float>(row.size());
    for (float& v : row) v -= mean;
    const float factor = deviation(row, epsilon);
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = row[i] * factor * scale[i];
      if (!bias.empty()) row[i] += bias[i];
    }
  }
  store_numbers(call, x);
}

void rms_norm(Invocation& call) {
  Floats x = load_reals(call, 0);
  const Floats scale = load_reals(call, 1);
  const float epsilon = call.attrs<NormAttrs>().epsilon;
  for (std::size_t first = 0; first < x.size(); first += scale.size()) {
    const std::span<float> row = std::span(x).subspan(first, scale.size());
    const float factor = deviation(row, epsilon);
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = row[i] * factor * scale[i];
  }
  store_numbers(call, x);
}

float exponential(float difference, float beta) {
  if (beta != 1.0F) difference *= beta;
  return float_function(MapFunction::kExp, difference, 0, 0, 0);
}

void three_passes(std::span<float> row, float beta) {
  float highest = row[0];
  for (const float v : row.subspan(1)) highest = larger(highest, v);
  float sum = 0.0F;
  for (float& v : row) {
    v = exponential(v - highest, beta);
    sum += v;
  }
  const float factor = 1.0F / sum;
  for (float& v : row) v *= factor;
}

void two_passes(std::span<float> row, float beta, std::size_t block) {
  float highest = row[0];
  float sum = 0.0F;
  for (std::size_t first = 0; first < row.size(); first += block) {
    const auto part = row.subspan(first, std::min(block, row.size() - first));
    const float before = highest;
    for (const float v : part) highest = larger(highest, v);
    if (first == 0) {
      // Differences from it are numbers even if all elements of the block are −∞.
      highest = larger(highest, std::numeric_limits<float>::lowest());
    } else {
      sum *= exponential(before - highest, beta);
    }
    for (const float v : part) sum += exponential(v - highest, beta);
  }
  const float factor = 1.0F / sum;
  for (float& v : row) v = exponential(v - highest, beta) * factor;
}

}  // namespace

void softmax_row(std::span<float> row, float beta, std::int64_t block) {
  if (block == 0) return three_passes(row, beta);
  two_passes(row, beta, static_cast<std::size_t>(block));
}

void softmax_of_floats(Invocation& call) {
  Floats x = load_reals(call, 0);
  const Shape& shape = call.input_tensor(0).shape;
  const auto length = static_cast<std::size_t>(shape.empty() ? 1 : shape.back());
  const auto& attrs = call.attrs<graph::SoftmaxAttrs>();
  for (std::size_t first = 0; first < x.size(); first += length)
    softmax_row(std::span(x).subspan(first, length), attrs.beta, attrs.block);
  store_numbers(call, x);
}

const Operator kLayerNorm = {always, layer_norm, layer_norm};
const Operator kRmsNorm = {always, rms_norm, rms_norm};

}  // namespace npu::reference
