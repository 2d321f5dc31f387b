// Convolutions over any number of spatial dimensions.
#include <algorithm>
#include <cmath>

#include "kernels/onnx_reference/gemm.h"
#include "kernels/onnx_reference/requantize.h"
#include "kernels/onnx_reference/window.h"

namespace npu::onnx {
namespace {

constexpr std::string_view kAttributes = "auto_pad dilations group kernel_shape pads strides";

/// y[N,O,…] of x[N,C,…] and w[O,C/groups,…] as doubles.
struct Result {
  Shape shape;
  std::vector<double> elements;
};

Result convolve(const Call& call, const std::vector<double>& x, const Shape& x_shape,
                const std::vector<double>& w, const Shape& w_shape) {
  if (x_shape.size() < 3 || w_shape.size() != x_shape.size()) {
    fail("{} is not convolved by {}", to_string(x_shape), to_string(w_shape));
  }
  const std::int64_t groups = call.integer("group", 1);
  const std::int64_t batch = x_shape[0], channels = x_shape[1], outputs = w_shape[0];
  if (groups < 1 || groups > std::max<std::int64_t>(channels, 1) || w_shape[1] > channels ||
      channels != w_shape[1] * groups || outputs % groups != 0) {
    fail("{} channels, {} filters of {} channels and {} groups do not fit", channels, outputs,
         w_shape[1], groups);
  }
  const std::vector<std::int64_t> kernel(w_shape.begin() + 2, w_shape.end());
  if (call.integers("kernel_shape", kernel) != kernel) fail("kernel_shape is not the weights'");
  const SpatialWindow window =
      window_of(call, Shape(x_shape.begin() + 2, x_shape.end()), kernel, false);
  const std::int64_t taps = element_count(kernel);
  const std::int64_t in_size = element_count(window.in);
  const std::int64_t out_size = element_count(window.out);
  const std::int64_t depth = w_shape[1] * taps;
  const std::int64_t per_group = outputs / groups;

  Result r;
  r.shape = {batch, outputs};
  r.shape.insert(r.shape.end(), window.out.begin(), window.out.end());
  r.elements.resize(static_cast<std::size_t>(checked_count(r.shape)));
  // Columns [C/groups · taps, outputs positions] of one image and group, then one product.
  std::vector<double> columns(static_cast<std::size_t>(depth * out_size));
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t g = 0; g < groups; ++g) {
      std::fill(columns.begin(), columns.end(), 0.0);
      const std::int64_t first = (n * channels + g * w_shape[1]) * in_size;
      window.for_each_tap([&](std::int64_t out, std::int64_t from, std::int64_t tap) {
        for (std::int64_t c = 0; c < w_shape[1]; ++c) {
          columns[static_cast<std::size_t>((c * taps + tap) * out_size + out)] =
              x[static_cast<std::size_t>(first + c * in_size + from)];
        }
      });
      multiply(std::span(w).subspan(static_cast<std::size_t>(g * per_group * depth)), columns,
               std::span(r.elements)
                   .subspan(static_cast<std::size_t>((n * outputs + g * per_group) * out_size)),
               per_group, out_size, depth);
    }
  }
  return r;
}

/// Adds one value per channel (dimension 1).
void add_bias(Result& r, const Value& bias) {
  if (bias.rank() != 1 || bias.shape[0] != r.shape[1]) {
    fail("a bias of {} for {} channels", to_string(bias.shape), r.shape[1]);
  }
  const std::vector<double> b = to_doubles(bias);
  const auto inner = static_cast<std::size_t>(product(r.shape, 2, r.shape.size()));
  for (std::size_t i = 0; i < r.elements.size(); ++i) r.elements[i] += b[i / inner % b.size()];
}

void run_conv(Call& call) {
  const Value& x = call.in(0);
  same_type(x, call.in(1));
  Result r = convolve(call, to_doubles(x), x.shape, to_doubles(call.in(1)), call.in(1).shape);
  if (call.has(2)) add_bias(r, call.in(2));
  call.set(0, from_doubles(x.type, r.shape, r.elements));
}

/// Elements minus a zero point: one, or one per filter (dimension 0).
std::vector<double> centred(const Value& x, const Value* zero_point) {
  std::vector<double> elements = to_doubles(x);
  if (zero_point == nullptr) return elements;
  const std::vector<double> zero = to_doubles(*zero_point);
  if (zero.empty()) fail("a zero point without elements");
  if (zero.size() != 1 &&
      (x.shape.empty() || static_cast<std::int64_t>(zero.size()) != x.shape[0])) {
    fail("{} zero points for {}", zero.size(), to_string(x.shape));
  }
  const std::size_t slice = elements.size() / zero.size();
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] -= zero[i / slice];
  return elements;
}

void run_conv_integer(Call& call) {
  const Value& x = call.in(0);
  const Value& w = call.in(1);
  const Result r = convolve(call, centred(x, call.has(2) ? &call.in(2) : nullptr), x.shape,
                            centred(w, call.has(3) ? &call.in(3) : nullptr), w.shape);
  call.set(0, from_doubles(ElementType::kInt32, r.shape, r.elements));
}

void run_qlinear_conv(Call& call) {
  const Value& x = call.in(0);
  const Value& w = call.in(3);
  const Value& zero = call.in(7);
  for (const std::size_t single :
       {std::size_t{1}, std::size_t{2}, std::size_t{6}, std::size_t{7}}) {
    if (call.in(single).size() != 1) fail("operand {} must be a scalar", single);
  }
  Result r = convolve(call, centred(x, &call.in(2)), x.shape, centred(w, &call.in(5)), w.shape);
  if (call.has(8)) add_bias(r, call.in(8));
  const std::vector<double> w_scale = to_doubles(call.in(4));
  const auto channels = static_cast<std::size_t>(r.shape[1]);
  if (w_scale.size() != 1 && w_scale.size() != channels) fail("{} weight scales", w_scale.size());
  const Requantization to_output(call.in(6), zero);
  const double x_scale = to_doubles(call.in(1))[0];
  const auto inner = static_cast<std::size_t>(product(r.shape, 2, r.shape.size()));
  for (std::size_t i = 0; i < r.elements.size(); ++i) {
    const double ws = w_scale.size() == 1 ? w_scale[0] : w_scale[i / inner % channels];
    r.elements[i] = to_output(r.elements[i], x_scale, ws);
  }
  call.set(0, from_doubles(zero.type, r.shape, r.elements));
}

/// Each input element spreads its products over the output.
void run_conv_transpose(Call& call) {
  const Value& x = call.in(0);
  const Value& w = call.in(1);
  same_type(x, w);
  if (x.rank() < 3 || w.rank() != x.rank())
    fail("{} and {} do not fit", to_string(x.shape), to_string(w.shape));
  const std::size_t rank = x.shape.size() - 2;
  const std::int64_t groups = call.integer("group", 1);
  if (groups < 1 || groups > std::max<std::int64_t>(w.shape[0], 1) || x.shape[1] != w.shape[0] ||
      w.shape[0] % groups != 0)
    fail("channels and groups do not fit");
  const Shape in(x.shape.begin() + 2, x.shape.end());
  const Shape kernel(w.shape.begin() + 2, w.shape.end());
  if (call.integers("kernel_shape", kernel) != kernel) fail("kernel_shape is not the weights'");
  const auto axes = [&](std::string_view name, std::size_t count, std::int64_t fallback) {
    auto v = call.integers(name, std::vector<std::int64_t>(count, fallback));
    if (v.size() != count) fail("{}: expected {} values", name, count);
    for (const std::int64_t e : v) {
      if (e < 0 || e > (std::int64_t{1} << 24)) fail("{}: {} is out of range", name, e);
    }
    return v;
  };
  const auto strides = axes("strides", rank, 1);
  const auto dilations = axes("dilations", rank, 1);
  const auto extra = axes("output_padding", rank, 0);
  auto pads = axes("pads", 2 * rank, 0);
  const std::string auto_pad = call.text("auto_pad", "NOTSET");
  Shape out(rank);
  for (std::size_t d = 0; d < rank; ++d) {
    if (strides[d] < 1 || dilations[d] < 1) fail("strides and dilations start at 1");
    const std::int64_t full =
        strides[d] * (in[d] - 1) + extra[d] + (kernel[d] - 1) * dilations[d] + 1;
    out[d] = full - pads[d] - pads[rank + d];
    const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
    if (call.has_attribute("output_shape")) {
      out[d] = axes("output_shape", rank, 0)[d];
    } else if (same) {
      out[d] = in[d] * strides[d];
    } else {
      continue;
    }
    const std::int64_t total = full - out[d];
    pads[d] = auto_pad == "SAME_UPPER" || total < 0 ? total / 2 : total - total / 2;
  }
  const std::int64_t per_group = w.shape[1];
  Shape shape = {x.shape[0], per_group * groups};
  shape.insert(shape.end(), out.begin(), out.end());
  Result r{shape, std::vector<double>(static_cast<std::size_t>(checked_count(shape)), 0.0)};
  const std::vector<double> xs = to_doubles(x);
  const std::vector<double> ws = to_doubles(w);
  const std::int64_t in_size = element_count(in), taps = element_count(kernel),
                     out_size = element_count(out);
  const auto in_strides = strides_of(in), tap_strides = strides_of(kernel),
             out_strides = strides_of(out);
  const std::int64_t in_per_group = w.shape[0] / groups;
  for (std::int64_t i = 0; i < in_size; ++i) {
    for (std::int64_t t = 0; t < taps; ++t) {
      std::int64_t to = 0;
      bool is_inside = true;
      for (std::size_t d = 0; d < rank && is_inside; ++d) {
        const std::int64_t at = i / in_strides[d] % in[d] * strides[d] - pads[d] +
                                t / tap_strides[d] % kernel[d] * dilations[d];
        is_inside = at >= 0 && at < out[d];
        to += at * out_strides[d];
      }
      if (!is_inside) continue;
      for (std::int64_t n = 0; n < x.shape[0]; ++n) {
        for (std::int64_t c = 0; c < w.shape[0]; ++c) {
          const double value = xs[static_cast<std::size_t>((n * w.shape[0] + c) * in_size + i)];
          for (std::int64_t o = 0; o < per_group; ++o) {
            const std::int64_t channel = c / in_per_group * per_group + o;
            r.elements[static_cast<std::size_t>((n * shape[1] + channel) * out_size + to)] +=
                value * ws[static_cast<std::size_t>((c * per_group + o) * taps + t)];
          }
        }
      }
    }
  }
  if (call.has(2)) add_bias(r, call.in(2));
  call.set(0, from_doubles(x.type, r.shape, r.elements));
}

constexpr Operator kOperators[] = {
    {"Conv", 2, 3, kAttributes, run_conv},
    {"ConvInteger", 2, 4, kAttributes, run_conv_integer},
    {"ConvTranspose", 2, 3,
     "auto_pad dilations group kernel_shape output_padding output_shape pads strides",
     run_conv_transpose},
    {"QLinearConv", 8, 9, kAttributes, run_qlinear_conv},
};

}  // namespace

std::span<const Operator> conv_operators() { return kOperators; }

}  // namespace npu::onnx
