#include <cmath>

#include "kernels/reference/interpolation.h"
#include "kernels/reference/unary.h"

namespace npu::reference {

namespace {

enum class Curve : std::uint8_t { kLogistic, kTanh };

float real_value(Curve curve, float x) {
  return curve == Curve::kTanh ? std::tanh(x) : 1.0F / (1.0F + std::exp(-x));
}

/// Difference from the zero point in Q4.27: multiplier s_x · 2^27, and the size from which the
/// function is saturated.
struct FixedInput {
  Multiplier multiplier;
  std::int32_t radius = 0;

  explicit FixedInput(float scale)
      : multiplier(to_multiplier(static_cast<double>(scale) * (1 << 27))) {
    if (multiplier.shift < 0) fail("input scale of LOGISTIC or TANH is too small, got {}", scale);
    radius = static_cast<std::int32_t>(
        std::floor(15.0 * (1 << 27) / static_cast<double>(std::int64_t{1} << multiplier.shift)));
  }
};

/// int8: a fixed-point function of Q4.27 with a result in Q0.31, brought to y.
void run_int8(Invocation& call, Curve curve) {
  const FixedInput input(scale_of(call.input_tensor(0)));
  const IntegerRange range = range_of(call.output().type);
  const bool tanh = curve == Curve::kTanh;
  map_integers(call, [&](std::int32_t d) {
    if (d <= -input.radius) return range.low;
    if (d >= input.radius) return range.high;
    const std::int32_t x = rescale(d, input.multiplier);
    return range.clamp(tanh ? round_shift(fixed_tanh(x), 24)
                            : round_shift(fixed_logistic(x), 23) - 128);
  });
}

/// uint8: the real function in float32, rounded to the nearest output.
void run_uint8(Invocation& call, Curve curve) {
  const float scale = scale_of(call.input_tensor(0));
  const float steps_per_unit = 1.0F / scale_of(call.output_tensor());
  const std::int32_t zero_point = zero_point_of(call.output_tensor());
  const IntegerRange range = range_of(DType::kUint8);
  map_integers(call, [&](std::int32_t d) {
    const float y = real_value(curve, static_cast<float>(d) * scale);
    return range.clamp(std::lround(y * steps_per_unit) + zero_point);
  });
}

void run_integer(Invocation& call, Curve curve) {
  switch (call.input(0).type) {
    case DType::kInt8:
      return run_int8(call, curve);
    case DType::kUint8:
      return run_uint8(call, curve);
    default:
      break;
  }
  const InterpolatedLogistic logistic;
  const float scale = scale_of(call.input_tensor(0));
  if (curve == Curve::kTanh) {
    const CurveArgument argument(scale, {-12, -11});
    map_integers(call, [&](std::int32_t q) { return logistic.tanh(argument(q)); });
  } else {
    const CurveArgument argument(scale, {-12});
    map_integers(call, [&](std::int32_t q) { return logistic.logistic(argument(q)); });
  }
}

/// The formats of y that the types fix. uint8 and int16 do not compute with y's scale: it may be as
/// far off as verify() lets it.
bool has_integer(const graph::Graph& graph, const graph::Node& node, float scale,
                 std::int32_t zero_point) {
  const graph::Tensor& y = graph.tensor(node.outputs.at(0));
  if (input_type(graph, node) != y.type || !y.quantization || y.quantization->scale.size() != 1) {
    return false;
  }
  switch (y.type) {
    case DType::kInt8:
      return y.quantization->scale[0] == scale && y.quantization->zero_point.at(0) == zero_point;
    case DType::kUint8:
      return y.quantization->zero_point.at(0) == zero_point + 128;
    case DType::kInt16:
      return y.quantization->zero_point.at(0) == 0;
    default:
      return false;
  }
}

}  // namespace

const Operator kLogistic = {[](const graph::Graph& graph, const graph::Node& node) {
                              return has_integer(graph, node, 1.0F / 256, -128);
                            },
                            [](Invocation& call) { run_integer(call, Curve::kLogistic); },
                            [](Invocation& call) {
                              map_floats(call,
                                         [](float x) { return real_value(Curve::kLogistic, x); });
                            }};

const Operator kTanh = {[](const graph::Graph& graph, const graph::Node& node) {
                          return has_integer(graph, node, 1.0F / 128, 0);
                        },
                        [](Invocation& call) { run_integer(call, Curve::kTanh); },
                        [](Invocation& call) {
                          map_floats(call, [](float x) { return real_value(Curve::kTanh, x); });
                        }};

}  // namespace npu::reference
