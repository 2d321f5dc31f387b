#include <algorithm>

#include "kernels/reference/dot.h"
#include "kernels/reference/float_mac.h"
#include "kernels/reference/mac.h"
#include "kernels/reference/mac_kernels.h"
#include "kernels/reference/patches.h"
#include "sim/base/math.h"

namespace npu::reference {

using graph::WindowAttrs;

void conv_2d(const graph::Window& window, const MacOperands& operands, TensorData& y) {
  const std::vector<std::int16_t> x = load_int16(operands.x, operands.x_zero_point);
  const std::vector<std::int16_t> w = load_int16(operands.w, operands.w_zero_point);
  const ImageShape image(*operands.x.shape);
  const ImageShape out(y.shape);
  const std::int64_t group_inputs = operands.w.dim(3);
  const std::int64_t groups = image.channels / group_inputs;
  const std::int64_t group_outputs = out.channels / groups;

  // Weights as [O, depth]: rows padded with zeros to whole units.
  const std::int64_t taps = window.kernel_h * window.kernel_w * group_inputs;
  const auto depth = static_cast<std::size_t>(round_up(taps, static_cast<std::int64_t>(kRowUnit)));
  std::vector<std::int16_t> rows(static_cast<std::size_t>(out.channels) * depth);
  for (std::int64_t o = 0; o < out.channels; ++o) {
    std::copy_n(w.begin() + o * taps, taps, rows.begin() + o * static_cast<std::int64_t>(depth));
  }

  std::vector<std::int16_t> patch(depth);
  std::vector<std::int64_t> sums(static_cast<std::size_t>(group_outputs));
  MacWriter writer(operands, static_cast<std::size_t>(out.channels), y);
  const std::size_t run = operands.x.type == DType::kInt16 ? kWideRun : kNarrowRun;
  std::size_t offset = 0;
  for (std::int64_t n = 0; n < out.batch; ++n) {
    for (std::int64_t oy = 0; oy < out.height; ++oy) {
      for (std::int64_t ox = 0; ox < out.width; ++ox) {
        for (std::int64_t g = 0; g < groups; ++g) {
          gather_patch<std::int16_t>(x, image, window, n, oy, ox, g * group_inputs, group_inputs,
                                     patch.data());
          const auto first = static_cast<std::size_t>(g * group_outputs);
          dot_rows(patch.data(), rows.data() + first * depth, sums.size(), depth, run, sums.data());
          writer.write(offset, first, sums);
          offset += sums.size();
        }
      }
    }
  }
}

namespace {

void run_float(Invocation& call) {
  const auto& attrs = call.attrs<WindowAttrs>();
  TensorData& y = call.output();
  const View x = call.input(0);
  const View w = call.input(1);
  const ImageShape image(*x.shape);
  const ImageShape out(y.shape);
  const std::int64_t group_inputs = w.dim(3);
  const std::int64_t groups = image.channels / group_inputs;
  const auto group_outputs = static_cast<std::size_t>(out.channels / groups);
  const auto depth =
      static_cast<std::size_t>(attrs.window.kernel_h * attrs.window.kernel_w * group_inputs);

  // Weights as [groups, depth, O/groups].
  std::vector<float> columns(static_cast<std::size_t>(w.size()));
  const auto weights = w.as<float>();
  for (std::size_t o = 0; o < static_cast<std::size_t>(out.channels); ++o) {
    const std::size_t g = o / group_outputs;
    for (std::size_t k = 0; k < depth; ++k) {
      columns[(g * depth + k) * group_outputs + o % group_outputs] = weights[o * depth + k];
    }
  }

  const FloatRange range = activation_range(attrs.activation);
  const std::vector<float> bias = float_bias(call, static_cast<std::size_t>(out.channels));
  std::vector<float> patch(depth);
  float* to = y.as<float>().data();
  for (std::int64_t n = 0; n < out.batch; ++n) {
    for (std::int64_t oy = 0; oy < out.height; ++oy) {
      for (std::int64_t ox = 0; ox < out.width; ++ox) {
        for (std::size_t g = 0; g < static_cast<std::size_t>(groups); ++g, to += group_outputs) {
          gather_patch<float>(x.as<float>(), image, attrs.window, n, oy, ox,
                              static_cast<std::int64_t>(g) * group_inputs, group_inputs,
                              patch.data());
          std::copy_n(bias.data() + g * group_outputs, group_outputs, to);
          accumulate_columns(patch.data(), columns.data() + g * depth * group_outputs, depth,
                             group_outputs, to);
          for (std::size_t o = 0; o < group_outputs; ++o) {
            to[o] = std::clamp(to[o], range.low, range.high);
          }
        }
      }
    }
  }
}

void run_exact(Invocation& call) {
  if (is_float(call.input(0).type)) return run_float_mac(call, run_float);
  const auto& attrs = call.attrs<WindowAttrs>();
  const MacOperands operands =
      mac_operands(call, attrs.activation, ScaleProduct::kDouble, call.input_tensor(1).shape.at(0));
  conv_2d(attrs.window, operands, call.output());
}

}  // namespace

const Operator kConv2d = {has_mac, run_exact, run_float};

}  // namespace npu::reference
