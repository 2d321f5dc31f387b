// MAP.
#include "kernels/reference/broadcast.h"
#include "kernels/reference/functions.h"
#include "kernels/reference/numbers.h"
#include "kernels/reference/operators.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {
namespace {

using graph::MapAttrs;

bool always(const graph::Graph& /*graph*/, const graph::Node& /*node*/) { return true; }

template <typename T>
std::vector<T> repeated(const Invocation& call, std::size_t index, const std::vector<T>& values) {
  return broadcast(values, call.input_tensor(index).shape, call.output_tensor().shape);
}

Floats dequantize(const Invocation& call, const MapAttrs& attrs) {
  const Integers q = std::get<Integers>(load_numbers(call, 0, Quantized::kRaw));
  Floats y;
  for (const std::int64_t v : q) {
    const auto difference = static_cast<float>(v - static_cast<std::int64_t>(attrs.imm1));
    y.push_back(difference * static_cast<float>(attrs.imm0));
  }
  return y;
}

/// Into an integer type; a float output takes the sums as they are.
Numbers quantize(const Invocation& call, const MapAttrs& attrs) {
  const Floats x = to_floats(load_numbers(call, 0, Quantized::kRaw));
  const DType type = call.output_tensor().type;
  const auto scale = static_cast<float>(attrs.imm0);
  if (!is_float(type)) {
    Integers y;
    for (const float v : x)
      y.push_back(quantized_value(v, scale, static_cast<std::int32_t>(attrs.imm1), type));
    return y;
  }
  Floats y;
  for (const float v : x)
    y.push_back(static_cast<float>(static_cast<double>(std::nearbyint(v / scale)) + attrs.imm1));
  return y;
}

/// The output's elements, each in the domain that storing it needs.
void select(Invocation& call) {
  const Numbers raw = load_numbers(call, 0, Quantized::kRaw);
  std::vector<std::uint8_t> holds;
  std::visit(
      [&](const auto& values) {
        for (const auto v : values) holds.push_back(v != 0);
      },
      raw);
  holds = repeated(call, 0, holds);
  const Numbers chosen = load_numbers(call, 1);
  const Numbers other = load_numbers(call, 2);
  const auto merge = [&](auto yes, auto no) {
    yes = repeated(call, 1, yes);
    no = repeated(call, 2, no);
    for (std::size_t i = 0; i < yes.size(); ++i) yes[i] = holds[i] != 0 ? yes[i] : no[i];
    store_numbers(call, yes);
  };
  if (std::holds_alternative<Integers>(chosen) && std::holds_alternative<Integers>(other)) {
    merge(std::get<Integers>(chosen), std::get<Integers>(other));
  } else {
    merge(to_floats(chosen), to_floats(other));
  }
}

void elementwise(Invocation& call, const MapAttrs& attrs) {
  const MapFunction f = attrs.function;
  const bool binary = call.input_count() == 2;
  const Numbers a = load_numbers(call, 0);
  const Numbers b = binary ? load_numbers(call, 1) : a;
  const bool integers = std::holds_alternative<Integers>(a) &&
                        std::holds_alternative<Integers>(b) && !is_real_function(f);
  if (integers) {
    const Integers x = repeated(call, 0, std::get<Integers>(a));
    const Integers z = binary ? repeated(call, 1, std::get<Integers>(b)) : Integers();
    const auto imm0 = static_cast<std::int64_t>(attrs.imm0);
    const auto imm1 = static_cast<std::int64_t>(attrs.imm1);
    Integers y(x.size());
    for (std::size_t i = 0; i < y.size(); ++i)
      y[i] = integer_function(f, x[i], binary ? z[i] : imm0, imm0, imm1);
    return store_numbers(call, y);
  }
  const Floats x = repeated(call, 0, to_floats(a));
  const Floats z = binary ? repeated(call, 1, to_floats(b)) : Floats();
  Floats y(x.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float second = binary ? z[i] : static_cast<float>(attrs.imm0);
    y[i] = float_function(f, x[i], second, attrs.imm0, attrs.imm1);
  }
  store_numbers(call, y);
}

void run(Invocation& call) {
  const auto& attrs = call.attrs<MapAttrs>();
  switch (attrs.function) {
    case MapFunction::kSelect:
      return select(call);
    case MapFunction::kDequantize:
      return store_numbers(call, dequantize(call, attrs), Quantized::kRaw);
    case MapFunction::kQuantize:
      return store_numbers(call, quantize(call, attrs), Quantized::kRaw);
    default:
      return elementwise(call, attrs);
  }
}

}  // namespace

const Operator kMap = {always, run, run};

}  // namespace npu::reference
