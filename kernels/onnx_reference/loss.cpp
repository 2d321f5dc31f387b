// Losses over class scores.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

/// Reduces −w[t]·log p[t] over [N,D…] of log-probabilities [N,C,D…] and targets [N,D…].
void negative_log_likelihood(Call& call, const std::vector<double>& log_p, const Value& input,
                             const Value* weight) {
  const Value& target = call.in(1);
  if (input.rank() < 2) fail("expected [N,C,...], got {}", to_string(input.shape));
  Shape shape = input.shape;
  shape.erase(shape.begin() + 1);
  if (target.shape != shape)
    fail("targets {} for {}", to_string(target.shape), to_string(input.shape));
  const std::string reduction = call.text("reduction", "mean");
  if (reduction != "mean" && reduction != "sum" && reduction != "none")
    fail("reduction: unknown \"{}\"", reduction);
  const bool ignores = call.has_attribute("ignore_index");
  const std::int64_t ignored = call.integer("ignore_index", 0);
  const std::int64_t classes = input.shape[1];
  const std::int64_t inner = product(input.shape, 2, input.shape.size());
  std::vector<double> weights(static_cast<std::size_t>(classes), 1.0);
  if (weight != nullptr) weights = to_doubles(*weight);
  if (static_cast<std::int64_t>(weights.size()) != classes)
    fail("{} weights for {} classes", weights.size(), classes);
  const std::vector<std::int64_t> targets = to_integers(target);
  std::vector<double> loss(targets.size(), 0.0);
  double sum = 0;
  double weight_sum = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (ignores && targets[i] == ignored) continue;
    if (targets[i] < 0 || targets[i] >= classes)
      fail("target {} is no class of {}", targets[i], classes);
    const auto flat = static_cast<std::int64_t>(i);
    const double w = weights[static_cast<std::size_t>(targets[i])];
    loss[i] = -w * log_p[static_cast<std::size_t>((flat / inner * classes + targets[i]) * inner +
                                                  flat % inner)];
    sum += loss[i];
    weight_sum += w;
  }
  if (reduction == "none") return call.set(0, from_doubles(input.type, shape, loss));
  call.set(0, from_doubles(input.type, {},
                           std::vector<double>{reduction == "sum" ? sum : sum / weight_sum}));
}

void run_nll(Call& call) {
  negative_log_likelihood(call, to_doubles(call.in(0)), call.in(0),
                          call.has(2) ? &call.in(2) : nullptr);
}

void run_softmax_cross_entropy(Call& call) {
  const Value& scores = call.in(0);
  if (scores.rank() < 2) fail("expected [N,C,...], got {}", to_string(scores.shape));
  std::vector<double> log_p = to_doubles(scores);
  const std::int64_t classes = scores.shape[1];
  const std::int64_t inner = product(scores.shape, 2, scores.shape.size());
  for (std::int64_t n = 0; n < scores.shape[0]; ++n) {
    for (std::int64_t i = 0; i < inner; ++i) {
      const auto at = [&](std::int64_t c) -> double& {
        return log_p[static_cast<std::size_t>((n * classes + c) * inner + i)];
      };
      double top = -std::numeric_limits<double>::infinity();
      for (std::int64_t c = 0; c < classes; ++c) top = std::max(top, at(c));
      double sum = 0;
      for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(at(c) - top);
      for (std::int64_t c = 0; c < classes; ++c) at(c) -= top + std::log(sum);
    }
  }
  negative_log_likelihood(call, log_p, scores, call.has(2) ? &call.in(2) : nullptr);
  call.set(1, from_doubles(scores.type, scores.shape, log_p));
}

constexpr Operator kOperators[] = {
    {"NegativeLogLikelihoodLoss", 2, 3, "ignore_index reduction", run_nll},
    {"SoftmaxCrossEntropyLoss", 2, 3, "ignore_index reduction", run_softmax_cross_entropy},
};

}  // namespace

std::span<const Operator> loss_operators() { return kOperators; }

}  // namespace npu::onnx
