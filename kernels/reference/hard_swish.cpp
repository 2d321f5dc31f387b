#include <algorithm>

#include "kernels/reference/unary.h"

namespace npu::reference {

namespace {

/// (a · b + 2^14) / 2^15 rounded down: a 16-bit rounding doubling high multiply.
std::int32_t high_multiply_16(std::int32_t a, std::int32_t b) {
  return std::min((a * b + (1 << 14)) >> 15, 32767);
}

std::int32_t saturate_16(std::int32_t x) { return std::clamp(x, -32768, 32767); }

/// The upper 16 bits of a Q31 multiplier.
std::int32_t reduce(Multiplier m) {
  return static_cast<std::int32_t>(
      std::min((static_cast<std::int64_t>(m.value) + (1 << 15)) >> 16, std::int64_t{32767}));
}

/// y = x · relu6(x + 3) / 6 with x on a high-resolution 16-bit scale s_x / 128. relu6 runs on a
/// scale where ±3 is the int16 range, so that saturation does the clamp.
class HardSwish {
 public:
  HardSwish(const graph::Tensor& x, const graph::Tensor& y, const graph::Node& node)
      : zero_point_(zero_point_of(y)), range_(range_of(y.type)) {
    const float high_resolution = scale_of(x) / 128.0F;
    const Multiplier output = to_multiplier(static_cast<double>(high_resolution / scale_of(y)));
    const Multiplier relu = to_multiplier(static_cast<double>(high_resolution / (3.0F / 32768.0F)));
    if (output.shift > 0 || relu.shift > 15) {
      fail("{}: input scale is too large for the output's", graph::describe(node));
    }
    output_ = reduce(output);
    output_shift_ = output.shift;
    relu_ = reduce(relu);
    relu_shift_ = relu.shift;
  }

  [[nodiscard]] std::int32_t operator()(std::int32_t d) const {
    const std::int32_t high = d * 128;
    const std::int32_t scaled = high_multiply_16(high, output_);
    std::int32_t gate = high;
    if (relu_shift_ > 0) gate = saturate_16(gate * (1 << (relu_shift_ - 1)));
    gate = high_multiply_16(gate, relu_);
    if (relu_shift_ > 0) gate = saturate_16(2 * gate);
    if (relu_shift_ < 0) gate = round_shift(gate, -relu_shift_);
    gate = (gate + 32768) >> 1;  // [−1, 1] to [0, 1]
    const std::int32_t product = (gate * scaled) / 32768;
    return range_.clamp(static_cast<std::int64_t>(round_shift(product, -output_shift_)) +
                        zero_point_);
  }

 private:
  std::int32_t output_ = 0, relu_ = 0;
  int output_shift_ = 0, relu_shift_ = 0;
  std::int32_t zero_point_;
  IntegerRange range_;
};

bool has_integer(const graph::Graph& graph, const graph::Node& node) {
  return uniform_quantized(graph, node) && input_type(graph, node) != DType::kInt16;
}

void run_integer(Invocation& call) {
  const HardSwish function(call.input_tensor(0), call.output_tensor(), call.node());
  map_integers(call, function);
}

void run_float(Invocation& call) {
  map_floats(call, [](float x) { return x * std::clamp(x + 3.0F, 0.0F, 6.0F) / 6.0F; });
}

}  // namespace

const Operator kHardSwish = {has_integer, run_integer, run_float};

}  // namespace npu::reference
