// REDUCE: elements one after the other, in the order of the input.
#include <algorithm>
#include <cmath>

#include "kernels/reference/functions.h"
#include "kernels/reference/numbers.h"
#include "kernels/reference/operators.h"

namespace npu::reference {
namespace {

using graph::ReduceMapAttrs;

bool always(const graph::Graph& /*graph*/, const graph::Node& /*node*/) { return true; }

/// What an output element has taken so far.
template <typename T>
struct Folded {
  T value = 0;
  std::int64_t count = 0;     ///< Elements taken.
  std::int64_t position = 0;  ///< Of the extreme one.
};

float squared(float v) { return v * v; }
float plus(float a, float b) { return a + b; }
float times(float a, float b) { return a * b; }
std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t times(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
std::int64_t squared(std::int64_t v) { return times(v, v); }
using npu::reference::larger;
using npu::reference::smaller;
std::int64_t larger(std::int64_t a, std::int64_t b) { return std::max(a, b); }
std::int64_t smaller(std::int64_t a, std::int64_t b) { return std::min(a, b); }
bool is_nan(float v) { return std::isnan(v); }
bool is_nan(std::int64_t /*v*/) { return false; }

template <typename T>
void take(ReduceFunction function, Folded<T>& f, T v) {
  const bool is_first = f.count++ == 0;
  const auto extreme = [&](bool better) {
    if (!is_first && !better) return;
    f.value = v;
    f.position = f.count - 1;
  };
  switch (function) {
    case ReduceFunction::kSum:
      f.value = plus(is_first ? T{0} : f.value, v);
      break;
    case ReduceFunction::kSumSquares:
      f.value = plus(is_first ? T{0} : f.value, squared(v));
      break;
    case ReduceFunction::kProduct:
      f.value = times(is_first ? T{1} : f.value, v);
      break;
    case ReduceFunction::kMax:
      f.value = is_first ? v : larger(f.value, v);
      break;
    case ReduceFunction::kMin:
      f.value = is_first ? v : smaller(f.value, v);
      break;
    case ReduceFunction::kArgMax:
      extreme(!is_nan(f.value) && (is_nan(v) || f.value < v));
      break;
    case ReduceFunction::kArgMin:
      extreme(!is_nan(f.value) && (is_nan(v) || v < f.value));
      break;
  }
}

/// Position of each input element's result.
std::vector<std::size_t> targets(const Shape& shape, const std::vector<int>& axes) {
  std::vector<std::size_t> stride(shape.size(), 0);
  std::size_t next = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (std::find(axes.begin(), axes.end(), static_cast<int>(d)) != axes.end()) continue;
    stride[d] = next;
    next *= static_cast<std::size_t>(shape[d]);
  }
  std::vector<std::size_t> out(static_cast<std::size_t>(element_count(shape)));
  std::vector<std::int64_t> position(shape.size(), 0);
  std::size_t at = 0;
  for (std::size_t& target : out) {
    target = at;
    for (std::size_t d = shape.size(); d-- > 0;) {
      at += stride[d];
      if (++position[d] < shape[d]) break;
      at -= stride[d] * static_cast<std::size_t>(shape[d]);
      position[d] = 0;
    }
  }
  return out;
}

template <typename T>
void fold(Invocation& call, const std::vector<T>& x) {
  const auto& attrs = call.attrs<ReduceMapAttrs>();
  const std::vector<std::size_t> target = targets(call.input_tensor(0).shape, attrs.axes);
  std::vector<Folded<T>> folded(
      static_cast<std::size_t>(element_count(call.output_tensor().shape)));
  for (std::size_t i = 0; i < x.size(); ++i) take(attrs.function, folded[target[i]], x[i]);
  if (attrs.function >= ReduceFunction::kArgMax) {
    Integers positions;
    for (const Folded<T>& f : folded) positions.push_back(f.position);
    return store_numbers(call, positions, Quantized::kRaw);
  }
  std::vector<T> y;
  for (const Folded<T>& f : folded) y.push_back(f.value);
  store_numbers(call, y);
}

void run(Invocation& call) {
  std::visit([&](const auto& x) { fold(call, x); }, load_numbers(call, 0));
}

}  // namespace

const Operator kReduce = {always, run, run};

}  // namespace npu::reference
