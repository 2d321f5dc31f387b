#pragma once

#include "kernels/reference/invocation.h"

namespace npu::reference {

/// True for a convolution or FULLY_CONNECTED over floats of one width: float16, bfloat16 or
/// float32, bias float32.
[[nodiscard]] bool has_float_mac(const graph::Graph& graph, const graph::Node& node);

/// … or over integers (has_integer_mac).
[[nodiscard]] bool has_mac(const graph::Graph& graph, const graph::Node& node);

/// Runs it exactly: products and sums in fp32, each rounded, from 0 in the order that
/// `sum_products` has (the operator's run_float); then sum + bias, the activation's bounds, the
/// output's type.
void run_float_mac(Invocation& call, void (*sum_products)(Invocation& call));

}  // namespace npu::reference
