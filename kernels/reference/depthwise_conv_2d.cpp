#include <algorithm>

#include "kernels/reference/dot.h"
#include "kernels/reference/float_mac.h"
#include "kernels/reference/mac.h"
#include "kernels/reference/mac_kernels.h"
#include "kernels/reference/patches.h"

namespace npu::reference {

using graph::WindowAttrs;

namespace {

/// Calls visit(x offset, tap index) for every tap of output position (oy, ox) that lies inside the
/// image.
template <typename Visit>
void for_each_tap(const graph::Window& window, const ImageShape& image, std::int64_t n,
                  std::int64_t oy, std::int64_t ox, Visit&& visit) {
  const std::int64_t y0 = oy * window.stride_h - window.pad_top;
  const std::int64_t x0 = ox * window.stride_w - window.pad_left;
  const TapRange rows(y0, window.kernel_h, window.dilation_h, image.height);
  const TapRange columns(x0, window.kernel_w, window.dilation_w, image.width);
  for (std::int64_t ky = rows.first; ky < rows.last; ++ky) {
    const std::int64_t row = (n * image.height + y0 + ky * window.dilation_h) * image.width;
    for (std::int64_t kx = columns.first; kx < columns.last; ++kx) {
      visit(static_cast<std::size_t>((row + x0 + kx * window.dilation_w) * image.channels),
            static_cast<std::size_t>(ky * window.kernel_w + kx));
    }
  }
}

/// Input pixels with every channel repeated `multiplier` times: then output channel o reads element
/// o.
template <typename T>
std::vector<T> repeat_channels(std::span<const T> x, std::int64_t multiplier) {
  std::vector<T> out;
  out.reserve(x.size() * static_cast<std::size_t>(multiplier));
  for (const T value : x) out.insert(out.end(), static_cast<std::size_t>(multiplier), value);
  return out;
}

template <typename Sum>
void accumulate(const graph::Window& window, const MacOperands& operands, TensorData& y) {
  ImageShape image(*operands.x.shape);
  const ImageShape out(y.shape);
  std::vector<std::int16_t> x = load_int16(operands.x, operands.x_zero_point);
  const std::vector<std::int16_t> w = load_int16(operands.w, operands.w_zero_point);
  if (image.channels != out.channels) {
    x = repeat_channels<std::int16_t>(x, out.channels / image.channels);
    image.channels = out.channels;
  }
  const auto channels = static_cast<std::size_t>(out.channels);
  std::vector<Sum> sums(channels);
  MacWriter writer(operands, channels, y);
  std::size_t offset = 0;
  for (std::int64_t n = 0; n < out.batch; ++n) {
    for (std::int64_t oy = 0; oy < out.height; ++oy) {
      for (std::int64_t ox = 0; ox < out.width; ++ox) {
        std::fill(sums.begin(), sums.end(), Sum{0});
        for_each_tap(window, image, n, oy, ox, [&](std::size_t from, std::size_t tap) {
          multiply_accumulate(x.data() + from, w.data() + tap * channels, channels, sums.data());
        });
        writer.write(offset, 0, sums);
        offset += channels;
      }
    }
  }
}

void run_float(Invocation& call) {
  const auto& attrs = call.attrs<WindowAttrs>();
  TensorData& y = call.output();
  const View input = call.input(0);
  const auto w = call.input(1).as<float>();
  ImageShape image(*input.shape);
  const ImageShape out(y.shape);
  const std::vector<float> x = repeat_channels(input.as<float>(), out.channels / image.channels);
  image.channels = out.channels;

  const FloatRange range = activation_range(attrs.activation);
  const auto channels = static_cast<std::size_t>(out.channels);
  const std::vector<float> bias = float_bias(call, channels);
  float* to = y.as<float>().data();
  for (std::int64_t n = 0; n < out.batch; ++n) {
    for (std::int64_t oy = 0; oy < out.height; ++oy) {
      for (std::int64_t ox = 0; ox < out.width; ++ox, to += channels) {
        std::copy(bias.begin(), bias.end(), to);
        for_each_tap(attrs.window, image, n, oy, ox, [&](std::size_t from, std::size_t tap) {
          multiply_accumulate(x.data() + from, w.data() + tap * channels, channels, to);
        });
        for (std::size_t c = 0; c < channels; ++c) to[c] = std::clamp(to[c], range.low, range.high);
      }
    }
  }
}

void run_exact(Invocation& call) {
  if (is_float(call.input(0).type)) return run_float_mac(call, run_float);
  const auto& attrs = call.attrs<WindowAttrs>();
  const MacOperands operands =
      mac_operands(call, attrs.activation, ScaleProduct::kDouble, call.input_tensor(1).shape.at(3));
  depthwise_conv_2d(attrs.window, operands, call.output());
}

}  // namespace

void depthwise_conv_2d(const graph::Window& window, const MacOperands& operands, TensorData& y) {
  // 64-bit sums for int16 activations even where the accumulator has 32 bits: it wraps at the end.
  if (operands.x.type == DType::kInt16) {
    accumulate<std::int64_t>(window, operands, y);
  } else {
    accumulate<std::int32_t>(window, operands, y);
  }
}

const Operator kDepthwiseConv2d = {has_mac, run_exact, run_float};

}  // namespace npu::reference
