// Normalizations and softmax. Statistics in double; the result is rounded once to the tensor's
// type.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

/// Calls f on each line of `axis` (or, before opset 13, of everything from `axis` on), gathered.
template <typename F>
void for_each_line(Call& call, std::int64_t default_axis, F f) {
  const Value& x = call.in(0);
  const bool flattens = call.opset() < 13;
  const std::size_t axis =
      resolve_axis(call.integer("axis", flattens ? 1 : default_axis), x.rank());
  std::vector<double> elements = to_doubles(x);
  const std::int64_t outer = product(x.shape, 0, axis);
  const std::int64_t count = flattens ? product(x.shape, axis, x.shape.size()) : x.shape[axis];
  const std::int64_t inner = flattens ? 1 : product(x.shape, axis + 1, x.shape.size());
  std::vector<double> line(static_cast<std::size_t>(count));
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      const auto at = [&](std::int64_t k) -> double& {
        return elements[static_cast<std::size_t>((o * count + k) * inner + i)];
      };
      for (std::int64_t k = 0; k < count; ++k) line[static_cast<std::size_t>(k)] = at(k);
      f(line);
      for (std::int64_t k = 0; k < count; ++k) at(k) = line[static_cast<std::size_t>(k)];
    }
  }
  call.set(0, from_doubles(x.type, x.shape, elements));
}

double largest(const std::vector<double>& v) {
  double top = -std::numeric_limits<double>::infinity();
  for (const double e : v) top = std::max(top, e);
  return top;
}

void run_softmax(Call& call) {
  for_each_line(call, -1, [](std::vector<double>& v) {
    const double top = largest(v);
    double sum = 0;
    for (double& e : v) sum += e = std::exp(e - top);
    for (double& e : v) e /= sum;
  });
}

void run_log_softmax(Call& call) {
  for_each_line(call, -1, [](std::vector<double>& v) {
    const double top = largest(v);
    double sum = 0;
    for (const double e : v) sum += std::exp(e - top);
    const double shift = top + std::log(sum);
    for (double& e : v) e -= shift;
  });
}

void run_hardmax(Call& call) {
  for_each_line(call, -1, [](std::vector<double>& v) {
    const auto best = std::max_element(v.begin(), v.end()) - v.begin();
    std::fill(v.begin(), v.end(), 0.0);
    if (!v.empty()) v[static_cast<std::size_t>(best)] = 1;
  });
}

void run_lp_normalization(Call& call) {
  const Value& x = call.in(0);
  const std::int64_t p = call.integer("p", 2);
  if (p != 1 && p != 2) fail("p: expected 1 or 2, got {}", p);
  const std::size_t axis = resolve_axis(call.integer("axis", -1), x.rank());
  std::vector<double> elements = to_doubles(x);
  const std::int64_t count = x.shape[axis];
  const std::int64_t inner = product(x.shape, axis + 1, x.shape.size());
  const std::int64_t lines = count > 0 ? x.size() / count : 0;
  for (std::int64_t l = 0; l < lines; ++l) {
    const auto at = [&](std::int64_t k) -> double& {
      return elements[static_cast<std::size_t>((l / inner * count + k) * inner + l % inner)];
    };
    double norm = 0;
    for (std::int64_t k = 0; k < count; ++k) norm += p == 1 ? std::fabs(at(k)) : at(k) * at(k);
    if (p == 2) norm = std::sqrt(norm);
    for (std::int64_t k = 0; k < count; ++k) at(k) = norm == 0 ? 0 : at(k) / norm;
  }
  call.set(0, from_doubles(x.type, x.shape, elements));
}

/// x·scale + bias over the dimensions from `axis` on, scale and bias broadcast to x.
void scale_and_shift(std::vector<double>& elements, const Shape& shape, const Value* scale,
                     const Value* bias) {
  const auto apply = [&](const Value& operand, auto f) {
    const Shape target = broadcast({&shape, &operand.shape});
    if (target != shape)
      fail("{} does not broadcast to {}", to_string(operand.shape), to_string(shape));
    const auto at = broadcast_indices(operand.shape, shape);
    const std::vector<double> values = to_doubles(operand);
    for (std::size_t i = 0; i < at.size(); ++i) {
      elements[i] = f(elements[i], values[static_cast<std::size_t>(at[i])]);
    }
  };
  if (scale != nullptr) apply(*scale, std::multiplies<>());
  if (bias != nullptr) apply(*bias, std::plus<>());
}

struct Moments {
  double mean = 0, inverse_deviation = 1;
};

Moments moments_of(std::span<const double> v, double epsilon, bool centre) {
  Moments m;
  const auto count = static_cast<double>(v.size());
  if (centre) {
    for (const double e : v) m.mean += e;
    m.mean /= count;
  }
  double square = 0;
  for (const double e : v) square += (e - m.mean) * (e - m.mean);
  m.inverse_deviation = 1 / std::sqrt(square / count + epsilon);
  return m;
}

template <bool kCentres>
void run_layer_norm(Call& call) {
  const Value& x = call.in(0);
  const std::size_t axis = resolve_axis(call.integer("axis", -1), x.rank());
  const double epsilon = call.real("epsilon", static_cast<double>(1e-5F));
  const auto stash = call.integer("stash_type", 1);
  if (stash != 1) fail("stash_type: only float32 is supported");
  std::vector<double> elements = to_doubles(x);
  const std::int64_t lines = product(x.shape, 0, axis);
  const auto width = static_cast<std::size_t>(product(x.shape, axis, x.shape.size()));
  std::vector<double> means, deviations;
  for (std::int64_t l = 0; l < lines; ++l) {
    const auto line = std::span(elements).subspan(static_cast<std::size_t>(l) * width, width);
    const Moments m = moments_of(line, epsilon, kCentres);
    for (double& e : line) e = (e - m.mean) * m.inverse_deviation;
    means.push_back(m.mean);
    deviations.push_back(m.inverse_deviation);
  }
  scale_and_shift(elements, x.shape, &call.in(1), kCentres && call.has(2) ? &call.in(2) : nullptr);
  call.set(0, from_doubles(x.type, x.shape, elements));
  Shape statistics = x.shape;
  std::fill(statistics.begin() + static_cast<std::ptrdiff_t>(axis), statistics.end(), 1);
  if (kCentres) {
    call.set(1, from_doubles(ElementType::kFloat, statistics, means));
    call.set(2, from_doubles(ElementType::kFloat, statistics, deviations));
  }
}

/// A per-channel operand as [C,1,…,1], to broadcast over [N,C,…].
Value per_channel(const Value& v, const Value& x) {
  if (x.rank() < 2 || v.rank() != 1 || v.shape[0] != x.shape[1]) {
    fail("{} for the channels of {}", to_string(v.shape), to_string(x.shape));
  }
  Value out = v;
  out.shape.resize(x.shape.size() - 1, 1);
  return out;
}

/// Normalizes `groups` spans of each image.
void normalize_groups(Call& call, std::int64_t groups) {
  const Value& x = call.in(0);
  if (x.rank() < 3) fail("expected [N,C,...], got {}", to_string(x.shape));
  if (groups < 1 || x.shape[1] % groups != 0) fail("{} channels in {} groups", x.shape[1], groups);
  const double epsilon = call.real("epsilon", static_cast<double>(1e-5F));
  std::vector<double> elements = to_doubles(x);
  const std::int64_t spans = x.shape[0] * groups;
  const std::size_t width = spans > 0 ? elements.size() / static_cast<std::size_t>(spans) : 0;
  for (std::size_t i = 0; i < elements.size(); i += width) {
    const auto span = std::span(elements).subspan(i, width);
    const Moments m = moments_of(span, epsilon, true);
    for (double& e : span) e = (e - m.mean) * m.inverse_deviation;
  }
  const Value scale = per_channel(call.in(1), x);
  const Value bias = per_channel(call.in(2), x);
  scale_and_shift(elements, x.shape, &scale, &bias);
  call.set(0, from_doubles(x.type, x.shape, elements));
}

void run_instance_norm(Call& call) {
  if (call.in(0).rank() < 2) fail("expected [N,C,...]");
  normalize_groups(call, call.in(0).shape[1]);
}

void run_group_norm(Call& call) {
  if (call.opset() < 21) fail("opset {} gives scale and bias per group; it needs 21", call.opset());
  normalize_groups(call, call.integer("num_groups", 0));
}

void run_batch_norm(Call& call) {
  const Value& x = call.in(0);
  const double epsilon = call.real("epsilon", static_cast<double>(1e-5F));
  const double momentum = call.real("momentum", static_cast<double>(0.9F));
  const bool training = call.integer("training_mode", 0) != 0;
  std::vector<double> mean = to_doubles(call.in(3));
  std::vector<double> variance = to_doubles(call.in(4));
  (void)per_channel(call.in(3), x);
  (void)per_channel(call.in(4), x);
  std::vector<double> elements = to_doubles(x);
  const std::size_t channels = mean.size();
  if (channels == 0) fail("a tensor without channels");
  const auto inner = static_cast<std::size_t>(product(x.shape, 2, x.shape.size()));
  if (training) {
    std::vector<double> sum(channels, 0), square(channels, 0);
    const auto channel = [&](std::size_t i) { return i / inner % channels; };
    const double count = static_cast<double>(elements.size()) / static_cast<double>(channels);
    for (std::size_t i = 0; i < elements.size(); ++i) sum[channel(i)] += elements[i] / count;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const double d = elements[i] - sum[channel(i)];
      square[channel(i)] += d * d / count;
    }
    std::vector<double> running_mean(channels), running_variance(channels);
    for (std::size_t c = 0; c < channels; ++c) {
      running_mean[c] = mean[c] * momentum + sum[c] * (1 - momentum);
      running_variance[c] = variance[c] * momentum + square[c] * (1 - momentum);
    }
    call.set(1, from_doubles(call.in(3).type, call.in(3).shape, running_mean));
    call.set(2, from_doubles(call.in(4).type, call.in(4).shape, running_variance));
    mean = sum;
    variance = square;
  }
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const std::size_t c = i / inner % channels;
    elements[i] = (elements[i] - mean[c]) / std::sqrt(variance[c] + epsilon);
  }
  const Value scale = per_channel(call.in(1), x);
  const Value bias = per_channel(call.in(2), x);
  scale_and_shift(elements, x.shape, &scale, &bias);
  call.set(0, from_doubles(x.type, x.shape, elements));
}

void run_mean_variance(Call& call) {
  const Value& x = call.in(0);
  Shape kept = x.shape;
  for (const std::int64_t axis : call.integers("axes", {0, 2, 3}))
    kept[resolve_axis(axis, x.rank())] = 1;
  const auto to = broadcast_indices(kept, x.shape);
  std::vector<std::vector<double>> groups(static_cast<std::size_t>(element_count(kept)));
  std::vector<double> elements = to_doubles(x);
  for (std::size_t i = 0; i < to.size(); ++i)
    groups[static_cast<std::size_t>(to[i])].push_back(elements[i]);
  std::vector<Moments> moments;
  constexpr double kEpsilon = 1e-9;
  for (const auto& group : groups) {
    Moments m = moments_of(group, 0, true);
    m.inverse_deviation = 1 / (1 / m.inverse_deviation + kEpsilon);
    moments.push_back(m);
  }
  for (std::size_t i = 0; i < to.size(); ++i) {
    const Moments& m = moments[static_cast<std::size_t>(to[i])];
    elements[i] = (elements[i] - m.mean) * m.inverse_deviation;
  }
  call.set(0, from_doubles(x.type, x.shape, elements));
}

void run_lrn(Call& call) {
  const Value& x = call.in(0);
  if (x.rank() < 2) fail("expected [N,C,...]");
  const double alpha = call.real("alpha", 1e-4), beta = call.real("beta", 0.75),
               bias = call.real("bias", 1);
  const std::int64_t size = call.integer("size", 0);
  if (size < 1) fail("size: must be at least 1");
  const std::vector<double> in = to_doubles(x);
  std::vector<double> out(in.size());
  const std::int64_t channels = x.shape[1], inner = product(x.shape, 2, x.shape.size());
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const std::int64_t c = i / inner % channels;
    double square = 0;
    for (std::int64_t k = std::max<std::int64_t>(0, c - (size - 1) / 2);
         k <= std::min(channels - 1, c + size / 2); ++k) {
      const double e = in[static_cast<std::size_t>(i + (k - c) * inner)];
      square += e * e;
    }
    out[static_cast<std::size_t>(i)] =
        in[static_cast<std::size_t>(i)] /
        std::pow(bias + alpha / static_cast<double>(size) * square, beta);
  }
  call.set(0, from_doubles(x.type, x.shape, out));
}

// GroupNormalization's stash_type asks for statistics in float32 or better: they are in double.
constexpr Operator kOperators[] = {
    {"BatchNormalization", 5, 5, "epsilon momentum training_mode", run_batch_norm},
    {"GroupNormalization", 3, 3, "epsilon num_groups stash_type", run_group_norm},
    {"Hardmax", 1, 1, "axis", run_hardmax},
    {"InstanceNormalization", 3, 3, "epsilon", run_instance_norm},
    {"LRN", 1, 1, "alpha beta bias size", run_lrn},
    {"LayerNormalization", 2, 3, "axis epsilon stash_type", run_layer_norm<true>},
    {"LogSoftmax", 1, 1, "axis", run_log_softmax},
    {"LpNormalization", 1, 1, "axis p", run_lp_normalization},
    {"MeanVarianceNormalization", 1, 1, "axes", run_mean_variance},
    {"RMSNormalization", 2, 2, "axis epsilon stash_type", run_layer_norm<false>},
    {"Softmax", 1, 1, "axis", run_softmax},
};

}  // namespace

std::span<const Operator> normalization_operators() { return kOperators; }

}  // namespace npu::onnx
