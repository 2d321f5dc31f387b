// Operators that make tensors out of attributes and shapes.
#include <algorithm>
#include <cmath>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

void run_constant(Call& call) {
  if (call.has_attribute("value")) return call.set(0, call.tensor("value"));
  if (call.has_attribute("value_int")) {
    return call.set(0, from_integers(ElementType::kInt64, {},
                                     std::vector<std::int64_t>{call.integer("value_int", 0)}));
  }
  if (call.has_attribute("value_ints"))
    return call.set(0, int64_list(call.integers("value_ints", {})));
  if (call.has_attribute("value_float")) {
    return call.set(
        0, from_doubles(ElementType::kFloat, {}, std::vector<double>{call.real("value_float", 0)}));
  }
  const std::vector<double> floats = call.reals("value_floats", {});
  if (!call.has_attribute("value_floats")) fail("a value attribute is missing");
  call.set(0,
           from_doubles(ElementType::kFloat, {static_cast<std::int64_t>(floats.size())}, floats));
}

void run_constant_of_shape(Call& call) {
  Shape shape = integer_list(call.in(0));
  const auto count = static_cast<std::size_t>(checked_count(shape));
  Value fill = Value::zeros(ElementType::kFloat, {});
  if (call.has_attribute("value")) fill = call.tensor("value");
  if (fill.size() != 1) fail("value has {} elements", fill.size());
  call.set(0, gather_elements(fill, std::move(shape), std::vector<std::int64_t>(count, 0)));
}

void run_range(Call& call) {
  const Value& start = call.in(0);
  for (std::size_t i = 0; i < 3; ++i) {
    same_type(start, call.in(i));
    if (call.in(i).size() != 1) fail("operand {} is no scalar", i);
  }
  const auto length = [](double count) {
    if (!(count < static_cast<double>(kMaxElements))) fail("more than {} elements", kMaxElements);
    return static_cast<std::size_t>(std::max(0.0, count));
  };
  if (is_float(start.type)) {
    const double begin = to_doubles(start)[0];
    const double step = to_doubles(call.in(2))[0];
    if (step == 0) fail("the step is 0");
    std::vector<double> out(length(std::ceil((to_doubles(call.in(1))[0] - begin) / step)));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = begin + static_cast<double>(i) * step;
    const auto count = static_cast<std::int64_t>(out.size());
    return call.set(0, from_doubles(start.type, {count}, out));
  }
  const std::int64_t begin = to_integers(start)[0];
  const std::int64_t step = to_integers(call.in(2))[0];
  if (step == 0) fail("the step is 0");
  const double span = static_cast<double>(to_integers(call.in(1))[0]) - static_cast<double>(begin);
  std::vector<std::int64_t> out(length(std::ceil(span / static_cast<double>(step))));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = begin + static_cast<std::int64_t>(i) * step;
  const auto count = static_cast<std::int64_t>(out.size());
  call.set(0, from_integers(start.type, {count}, out));
}

void run_eye_like(Call& call) {
  const Value& x = call.in(0);
  if (x.rank() != 2) fail("expected a matrix");
  const auto type =
      static_cast<ElementType>(call.integer("dtype", static_cast<std::int64_t>(x.type)));
  const std::int64_t k = call.integer("k", 0);
  std::vector<std::int64_t> out(static_cast<std::size_t>(x.size()));
  for (std::int64_t row = 0; row < x.shape[0]; ++row) {
    const std::int64_t column = row + k;
    if (column >= 0 && column < x.shape[1]) {
      out[static_cast<std::size_t>(row * x.shape[1] + column)] = 1;
    }
  }
  call.set(0, from_integers(type, x.shape, out));
}

constexpr Operator kOperators[] = {
    {"Constant", 0, 0, "value value_int value_ints value_float value_floats", run_constant},
    {"ConstantOfShape", 1, 1, "value", run_constant_of_shape},
    {"EyeLike", 1, 1, "dtype k", run_eye_like},
    {"Range", 3, 3, "", run_range},
};

}  // namespace

std::span<const Operator> constant_operators() { return kOperators; }

}  // namespace npu::onnx
