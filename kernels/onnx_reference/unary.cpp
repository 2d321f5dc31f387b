// Elementwise operators of one tensor. Float types are computed in double and rounded once.
#include <cmath>
#include <limits>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

/// y = f(x) for a float type.
template <typename F>
void map_float(Call& call, F f) {
  const Value& x = call.in(0);
  if (!is_float(x.type)) fail("expected a float type, got {}", name_of(x.type));
  std::vector<double> elements = to_doubles(x);
  for (double& e : elements) e = f(e);
  call.set(0, from_doubles(x.type, x.shape, elements));
}

/// y = f(x) for float types, y = g(x) for integers.
template <typename F, typename G>
void map_number(Call& call, F f, G g) {
  const Value& x = call.in(0);
  if (is_float(x.type)) return map_float(call, f);
  std::vector<std::int64_t> elements = to_integers(x);
  for (std::int64_t& e : elements) e = g(e);
  call.set(0, from_integers(x.type, x.shape, elements));
}

template <typename F>
void test_float(Call& call, F f) {
  const Value& x = call.in(0);
  if (!is_float(x.type)) fail("expected a float type, got {}", name_of(x.type));
  const std::vector<double> elements = to_doubles(x);
  std::vector<std::int64_t> out(elements.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = f(elements[i]) ? 1 : 0;
  call.set(0, from_integers(ElementType::kBool, x.shape, out));
}

double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : 1 - 1 / (1 + std::exp(x)); }
double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

template <double (*F)(double)>
void run_function(Call& call) {
  map_float(call, F);
}

void run_abs(Call& call) {
  map_number(
      call, [](double x) { return std::fabs(x); }, [](std::int64_t x) { return x < 0 ? -x : x; });
}

void run_neg(Call& call) {
  map_number(
      call, [](double x) { return -x; }, [](std::int64_t x) { return -x; });
}

void run_sign(Call& call) {
  map_number(
      call, [](double x) { return x > 0   ? 1.0
                                  : x < 0 ? -1.0
                                          : x; },
      [](std::int64_t x) { return std::int64_t{x > 0} - std::int64_t{x < 0}; });
}

void run_relu(Call& call) {
  map_number(
      call, [](double x) { return x < 0 ? 0.0 : x; },
      [](std::int64_t x) { return std::max<std::int64_t>(x, 0); });
}

void run_not(Call& call) {
  if (call.in(0).type != ElementType::kBool) fail("expected bool");
  map_number(
      call, [](double x) { return x; }, [](std::int64_t x) { return x == 0 ? 1 : 0; });
}

void run_bitwise_not(Call& call) {
  map_number(
      call, [](double x) -> double { fail("expected integers, got {}", x); },
      [](std::int64_t x) { return ~x; });
}

void run_is_nan(Call& call) {
  test_float(call, [](double x) { return std::isnan(x); });
}

void run_is_inf(Call& call) {
  const bool negative = call.integer("detect_negative", 1) != 0;
  const bool positive = call.integer("detect_positive", 1) != 0;
  test_float(call, [&](double x) { return std::isinf(x) && (x > 0 ? positive : negative); });
}

void run_elu(Call& call) {
  const double alpha = call.real("alpha", 1);
  map_float(call, [=](double x) { return x < 0 ? alpha * std::expm1(x) : x; });
}

void run_celu(Call& call) {
  const double alpha = call.real("alpha", 1);
  map_float(call, [=](double x) { return x < 0 ? alpha * std::expm1(x / alpha) : x; });
}

void run_selu(Call& call) {
  // Klambauer et al., Self-Normalizing Neural Networks, 2017.
  const double alpha = call.real("alpha", 1.6732632423543772);
  const double gamma = call.real("gamma", 1.0507009873554805);
  map_float(call, [=](double x) { return gamma * (x > 0 ? x : alpha * std::expm1(x)); });
}

void run_leaky_relu(Call& call) {
  const double alpha = call.real("alpha", 0.01);
  map_float(call, [=](double x) { return x < 0 ? alpha * x : x; });
}

void run_thresholded_relu(Call& call) {
  const double alpha = call.real("alpha", 1);
  map_float(call, [=](double x) { return x > alpha ? x : 0; });
}

void run_hard_sigmoid(Call& call) {
  const double alpha = call.real("alpha", 0.2);
  const double beta = call.real("beta", 0.5);
  map_float(call, [=](double x) { return std::max(0.0, std::min(1.0, alpha * x + beta)); });
}

void run_hard_swish(Call& call) {
  map_float(call, [](double x) { return x * std::max(0.0, std::min(1.0, x / 6 + 0.5)); });
}

void run_mish(Call& call) {
  map_float(call, [](double x) { return x * std::tanh(softplus(x)); });
}

void run_swish(Call& call) {
  const double alpha = call.real("alpha", 1);
  map_float(call, [=](double x) { return x * sigmoid(alpha * x); });
}

void run_gelu(Call& call) {
  const std::string approximate = call.text("approximate", "none");
  if (approximate == "none") {
    map_float(call, [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); });
  } else if (approximate == "tanh") {
    const double c = std::sqrt(2 / std::acos(-1.0));
    map_float(call,
              [=](double x) { return 0.5 * x * (1 + std::tanh(c * (x + 0.044715 * x * x * x))); });
  } else {
    fail("approximate: expected none or tanh, got \"{}\"", approximate);
  }
}

void run_shrink(Call& call) {
  const double bias = call.real("bias", 0);
  const double lambda = call.real("lambd", 0.5);
  const auto shrink = [=](double x) {
    return x < -lambda ? x + bias : x > lambda ? x - bias : 0.0;
  };
  map_number(call, shrink, [&](std::int64_t x) {
    return static_cast<std::int64_t>(shrink(static_cast<double>(x)));
  });
}

void run_clip(Call& call) {
  const Value& x = call.in(0);
  const bool by_attribute = call.opset() < 11;
  const auto bound = [&](std::size_t index, std::string_view name, double none) {
    if (by_attribute) return call.real(name, none);
    if (!call.has(index)) return none;
    same_type(x, call.in(index));
    if (call.in(index).size() != 1) fail("{} is no scalar", name);
    return to_doubles(call.in(index))[0];
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double low = bound(1, "min", -kInfinity);
  const double high = bound(2, "max", kInfinity);
  const auto clip = [=](double e) { return std::min(std::max(e, low), high); };
  map_number(call, clip, [&](std::int64_t e) {
    const auto wide = static_cast<double>(e);
    return clip(wide) == wide ? e : static_cast<std::int64_t>(clip(wide));
  });
}

void run_identity(Call& call) { call.set(0, call.in(0)); }

void run_dropout(Call& call) {
  // Inference. Training mode draws random numbers, which is no reference.
  if (call.has(2) && to_integers(call.in(2)).at(0) != 0) fail("training mode is not supported");
  call.set(0, call.in(0));
  if (call.wants(1)) {
    const std::vector<std::int64_t> ones(static_cast<std::size_t>(call.in(0).size()), 1);
    call.set(1, from_integers(ElementType::kBool, call.in(0).shape, ones));
  }
}

double reciprocal(double x) { return 1 / x; }
double softsign(double x) { return x / (1 + std::fabs(x)); }

constexpr Operator kOperators[] = {
    {"Abs", 1, 1, "", run_abs},
    {"Acos", 1, 1, "", run_function<std::acos>},
    {"Acosh", 1, 1, "", run_function<std::acosh>},
    {"Asin", 1, 1, "", run_function<std::asin>},
    {"Asinh", 1, 1, "", run_function<std::asinh>},
    {"Atan", 1, 1, "", run_function<std::atan>},
    {"Atanh", 1, 1, "", run_function<std::atanh>},
    {"BitwiseNot", 1, 1, "", run_bitwise_not},
    {"Ceil", 1, 1, "", run_function<std::ceil>},
    {"Celu", 1, 1, "alpha", run_celu},
    {"Clip", 1, 3, "min max", run_clip},
    {"Cos", 1, 1, "", run_function<std::cos>},
    {"Cosh", 1, 1, "", run_function<std::cosh>},
    {"Dropout", 1, 3, "seed ratio", run_dropout},
    {"Elu", 1, 1, "alpha", run_elu},
    {"Erf", 1, 1, "", run_function<std::erf>},
    {"Exp", 1, 1, "", run_function<std::exp>},
    {"Floor", 1, 1, "", run_function<std::floor>},
    {"Gelu", 1, 1, "approximate", run_gelu},
    {"HardSigmoid", 1, 1, "alpha beta", run_hard_sigmoid},
    {"HardSwish", 1, 1, "", run_hard_swish},
    {"Identity", 1, 1, "", run_identity},
    {"IsInf", 1, 1, "detect_negative detect_positive", run_is_inf},
    {"IsNaN", 1, 1, "", run_is_nan},
    {"LeakyRelu", 1, 1, "alpha", run_leaky_relu},
    {"Log", 1, 1, "", run_function<std::log>},
    {"Mish", 1, 1, "", run_mish},
    {"Neg", 1, 1, "", run_neg},
    {"Not", 1, 1, "", run_not},
    {"Reciprocal", 1, 1, "", run_function<reciprocal>},
    {"Relu", 1, 1, "", run_relu},
    {"Round", 1, 1, "", run_function<std::nearbyint>},
    {"Selu", 1, 1, "alpha gamma", run_selu},
    {"Shrink", 1, 1, "bias lambd", run_shrink},
    {"Sigmoid", 1, 1, "", run_function<sigmoid>},
    {"Sign", 1, 1, "", run_sign},
    {"Sin", 1, 1, "", run_function<std::sin>},
    {"Sinh", 1, 1, "", run_function<std::sinh>},
    {"Softplus", 1, 1, "", run_function<softplus>},
    {"Softsign", 1, 1, "", run_function<softsign>},
    {"Sqrt", 1, 1, "", run_function<std::sqrt>},
    {"Swish", 1, 1, "alpha", run_swish},
    {"Tan", 1, 1, "", run_function<std::tan>},
    {"Tanh", 1, 1, "", run_function<std::tanh>},
    {"ThresholdedRelu", 1, 1, "alpha", run_thresholded_relu},
};

}  // namespace

std::span<const Operator> unary_operators() { return kOperators; }

}  // namespace npu::onnx
