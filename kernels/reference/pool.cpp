#include "kernels/reference/pool.h"

#include <algorithm>
#include <limits>

#include "kernels/reference/functions.h"
#include "kernels/reference/numbers.h"
#include "kernels/reference/operators.h"
#include "kernels/reference/patches.h"

namespace npu::reference {

using graph::WindowAttrs;

namespace {

/// y[output] = finish(fold over the taps inside the image, number of taps).
template <typename T, typename Sum, typename Fold, typename Finish>
std::vector<T> pool(const graph::Window& window, std::span<const T> x, const ImageShape& in,
                    const ImageShape& out, Sum start, Fold&& fold, Finish&& finish) {
  const auto channels = static_cast<std::size_t>(in.channels);
  std::vector<T> y;
  y.reserve(static_cast<std::size_t>(out.batch * out.height * out.width) * channels);
  std::vector<Sum> folded(channels);
  for (std::int64_t n = 0; n < out.batch; ++n) {
    for (std::int64_t oy = 0; oy < out.height; ++oy) {
      for (std::int64_t ox = 0; ox < out.width; ++ox) {
        const std::int64_t y0 = oy * window.stride_h - window.pad_top;
        const std::int64_t x0 = ox * window.stride_w - window.pad_left;
        const TapRange rows(y0, window.kernel_h, 1, in.height);
        const TapRange columns(x0, window.kernel_w, 1, in.width);
        const std::int64_t taps = (rows.last - rows.first) * (columns.last - columns.first);
        if (taps == 0) fail("pooling window at output [{}, {}] covers no input", oy, ox);
        std::fill(folded.begin(), folded.end(), start);
        for (std::int64_t iy = y0 + rows.first; iy < y0 + rows.last; ++iy) {
          for (std::int64_t ix = x0 + columns.first; ix < x0 + columns.last; ++ix) {
            const T* pixel = x.data() + ((n * in.height + iy) * in.width + ix) * in.channels;
            for (std::size_t c = 0; c < channels; ++c) folded[c] = fold(folded[c], pixel[c]);
          }
        }
        for (const Sum value : folded) y.push_back(finish(value, taps));
      }
    }
  }
  return y;
}

bool has_integer(const graph::Graph& graph, const graph::Node& node) {
  if (is_float(input_type(graph, node))) return output_type(graph, node) == input_type(graph, node);
  return uniform_quantized(graph, node) &&
         graph::same_quantization(graph.tensor(node.inputs[0]), graph.tensor(node.outputs.at(0)));
}

/// Pooling of a float tensor as the NPU has it: float32, stored to the tensor's type; a NaN passes
/// the clamp.
template <typename Fold, typename Finish>
void pool_floats(Invocation& call, float start, Fold&& fold, Finish&& finish) {
  const auto& attrs = call.attrs<WindowAttrs>();
  const FloatRange range = activation_range(attrs.activation);
  const Floats x = load_reals(call, 0);
  Floats y = pool<float, float>(attrs.window, x, ImageShape(call.input_tensor(0).shape),
                                ImageShape(call.output_tensor().shape), start, fold, finish);
  for (float& v : y) {
    if (v < range.low) v = range.low;
    if (range.high < v) v = range.high;
  }
  store_numbers(call, y);
}

void average_floats(Invocation& call) {
  pool_floats(
      call, 0.0F, [](float sum, float value) { return sum + value; },
      [](float sum, std::int64_t taps) { return sum / static_cast<float>(taps); });
}

void max_floats(Invocation& call) {
  pool_floats(call, -std::numeric_limits<float>::infinity(), larger,
              [](float best, std::int64_t) { return best; });
}

void run_average_float(Invocation& call) {
  const auto& attrs = call.attrs<WindowAttrs>();
  const View x = call.input(0);
  const FloatRange range = activation_range(attrs.activation);
  const std::vector<float> y = pool<float, float>(
      attrs.window, x.as<float>(), ImageShape(*x.shape), ImageShape(call.output().shape), 0.0F,
      [](float sum, float value) { return sum + value; },
      [&](float sum, std::int64_t taps) {
        return std::clamp(sum / static_cast<float>(taps), range.low, range.high);
      });
  std::copy(y.begin(), y.end(), call.output().as<float>().begin());
}

void run_max_float(Invocation& call) {
  const auto& attrs = call.attrs<WindowAttrs>();
  const View x = call.input(0);
  const FloatRange range = activation_range(attrs.activation);
  const std::vector<float> y = pool<float, float>(
      attrs.window, x.as<float>(), ImageShape(*x.shape), ImageShape(call.output().shape),
      std::numeric_limits<float>::lowest(),
      [](float best, float value) { return std::max(best, value); },
      [&](float best, std::int64_t) { return std::clamp(best, range.low, range.high); });
  std::copy(y.begin(), y.end(), call.output().as<float>().begin());
}

}  // namespace

void average_pool_2d(const graph::Window& window, IntegerRange range, const View& x,
                     TensorData& y) {
  store_integers(
      y, pool<std::int32_t, std::int64_t>(
             window, load_integers(x), ImageShape(*x.shape), ImageShape(y.shape), std::int64_t{0},
             [](std::int64_t sum, std::int32_t value) { return sum + value; },
             [&](std::int64_t sum, std::int64_t taps) {
               const std::int64_t half = taps / 2;
               return range.clamp((sum > 0 ? sum + half : sum - half) / taps);
             }));
}

void max_pool_2d(const graph::Window& window, IntegerRange range, const View& x, TensorData& y) {
  store_integers(y, pool<std::int32_t, std::int32_t>(
                        window, load_integers(x), ImageShape(*x.shape), ImageShape(y.shape),
                        range_of(y.type).low,
                        [](std::int32_t best, std::int32_t value) { return std::max(best, value); },
                        [&](std::int32_t best, std::int64_t) { return range.clamp(best); }));
}

const Operator kAveragePool2d = {
    has_integer,
    [](Invocation& call) {
      if (is_float(call.input_tensor(0).type)) return average_floats(call);
      const auto& attrs = call.attrs<WindowAttrs>();
      average_pool_2d(attrs.window, activation_range(attrs.activation, call.output_tensor()),
                      call.input(0), call.output());
    },
    run_average_float};

const Operator kMaxPool2d = {has_integer,
                             [](Invocation& call) {
                               if (is_float(call.input_tensor(0).type)) return max_floats(call);
                               const auto& attrs = call.attrs<WindowAttrs>();
                               max_pool_2d(attrs.window,
                                           activation_range(attrs.activation, call.output_tensor()),
                                           call.input(0), call.output());
                             },
                             run_max_float};

}  // namespace npu::reference
