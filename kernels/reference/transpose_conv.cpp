#include <algorithm>

#include "kernels/reference/dot.h"
#include "kernels/reference/float_mac.h"
#include "kernels/reference/mac.h"
#include "kernels/reference/mac_kernels.h"
#include "kernels/reference/patches.h"
#include "sim/base/math.h"

namespace npu::reference {

using graph::WindowAttrs;

namespace {

/// Calls visit(input pixel, tap, output pixel) for every pair of input position and tap that lands
/// inside the output.
template <typename Visit>
void for_each_landing(const graph::Window& window, const ImageShape& in, const ImageShape& out,
                      Visit&& visit) {
  for (std::int64_t n = 0; n < in.batch; ++n) {
    for (std::int64_t iy = 0; iy < in.height; ++iy) {
      for (std::int64_t ix = 0; ix < in.width; ++ix) {
        const std::int64_t y0 = iy * window.stride_h - window.pad_top;
        const std::int64_t x0 = ix * window.stride_w - window.pad_left;
        const TapRange rows(y0, window.kernel_h, 1, out.height);
        const TapRange columns(x0, window.kernel_w, 1, out.width);
        const std::int64_t from = (n * in.height + iy) * in.width + ix;
        for (std::int64_t ky = rows.first; ky < rows.last; ++ky) {
          for (std::int64_t kx = columns.first; kx < columns.last; ++kx) {
            const std::int64_t to = (n * out.height + y0 + ky) * out.width + x0 + kx;
            visit(static_cast<std::size_t>(from),
                  static_cast<std::size_t>(ky * window.kernel_w + kx),
                  static_cast<std::size_t>(to));
          }
        }
      }
    }
  }
}

void run_float(Invocation& call) {
  const auto& attrs = call.attrs<WindowAttrs>();
  TensorData& y = call.output();
  const View x = call.input(0);
  const ImageShape in(*x.shape);
  const ImageShape out(y.shape);
  const auto inputs = static_cast<std::size_t>(in.channels);
  const auto outputs = static_cast<std::size_t>(out.channels);
  const auto taps =
      static_cast<std::size_t>(std::int64_t{attrs.window.kernel_h} * attrs.window.kernel_w);

  // Weights as [taps, C, O].
  const auto w = call.input(1).as<float>();
  std::vector<float> columns(w.size());
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t k = 0; k < taps * inputs; ++k) {
      columns[k * outputs + o] = w[o * taps * inputs + k];
    }
  }
  const std::vector<float> bias = float_bias(call, outputs);
  const auto values = y.as<float>();
  for (std::size_t to = 0; to < values.size(); to += outputs) {
    std::copy_n(bias.data(), outputs, values.data() + to);
  }
  for_each_landing(attrs.window, in, out, [&](std::size_t from, std::size_t tap, std::size_t to) {
    accumulate_columns(x.as<float>().data() + from * inputs,
                       columns.data() + tap * inputs * outputs, inputs, outputs,
                       values.data() + to * outputs);
  });
  const FloatRange range = activation_range(attrs.activation);
  for (float& value : values) value = std::clamp(value, range.low, range.high);
}

void run_exact(Invocation& call) {
  if (is_float(call.input(0).type)) return run_float_mac(call, run_float);
  const auto& attrs = call.attrs<WindowAttrs>();
  const MacOperands operands =
      mac_operands(call, attrs.activation, ScaleProduct::kDouble, call.input_tensor(1).shape.at(0));
  transpose_conv(attrs.window, operands, call.output());
}

}  // namespace

void transpose_conv(const graph::Window& window, const MacOperands& operands, TensorData& y) {
  const std::vector<std::int16_t> x = load_int16(operands.x, operands.x_zero_point);
  const std::vector<std::int16_t> w = load_int16(operands.w, operands.w_zero_point);
  const ImageShape in(*operands.x.shape);
  const ImageShape out(y.shape);
  const auto inputs = static_cast<std::size_t>(in.channels);
  const auto outputs = static_cast<std::size_t>(out.channels);
  const auto taps = static_cast<std::size_t>(std::int64_t{window.kernel_h} * window.kernel_w);
  const auto depth =
      static_cast<std::size_t>(round_up(in.channels, static_cast<std::int64_t>(kRowUnit)));

  // Weights as [taps, O, depth].
  std::vector<std::int16_t> rows(taps * outputs * depth);
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t tap = 0; tap < taps; ++tap) {
      std::copy_n(w.data() + (o * taps + tap) * inputs, inputs,
                  rows.data() + (tap * outputs + o) * depth);
    }
  }

  std::vector<std::int64_t> sums(static_cast<std::size_t>(element_count(y.shape)));
  std::vector<std::int64_t> products(outputs);
  std::vector<std::int16_t> pixel(depth);
  const std::size_t run = operands.x.type == DType::kInt16 ? kWideRun : kNarrowRun;
  for_each_landing(window, in, out, [&](std::size_t from, std::size_t tap, std::size_t to) {
    std::copy_n(x.data() + from * inputs, inputs, pixel.data());
    dot_rows(pixel.data(), rows.data() + tap * outputs * depth, outputs, depth, run,
             products.data());
    for (std::size_t o = 0; o < outputs; ++o) sums[to * outputs + o] += products[o];
  });
  MacWriter writer(operands, outputs, y);
  for (std::size_t offset = 0; offset < sums.size(); offset += outputs) {
    writer.write(offset, 0, std::span<const std::int64_t>(sums).subspan(offset, outputs));
  }
}

const Operator kTransposeConv = {has_mac, run_exact, run_float};

}  // namespace npu::reference
