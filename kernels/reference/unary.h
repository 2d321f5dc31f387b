#pragma once

#include <utility>

#include "kernels/reference/invocation.h"
#include "kernels/reference/operators.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {

/// y[i] = function(x[i] − zero point of x) for integer tensors; `function` returns a value of y's
/// type.
template <typename Function>
void map_integers(Invocation& call, Function&& function) {
  std::vector<std::int32_t> values =
      load_integers(call.input(0), zero_point_of(call.input_tensor(0)));
  for (std::int32_t& value : values) value = function(value);
  store_integers(call.output(), values);
}

/// y[i] = function(x[i]) in float32.
template <typename Function>
void map_floats(Invocation& call, Function&& function) {
  const View x = call.input(0);
  const auto from = x.as<float>();
  const auto to = call.output().as<float>();
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = function(from[i]);
}

}  // namespace npu::reference
