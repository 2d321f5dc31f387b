#include "kernels/onnx_reference/window.h"

#include <algorithm>

namespace npu::onnx {
namespace {

std::vector<std::int64_t> per_axis(const Call& call, std::string_view name, std::size_t rank,
                                   std::int64_t fallback) {
  auto values = call.integers(name, std::vector<std::int64_t>(rank, fallback));
  if (values.size() != rank) fail("{}: expected {} values, got {}", name, rank, values.size());
  return values;
}

}  // namespace

SpatialWindow window_of(const Call& call, const Shape& spatial, std::vector<std::int64_t> kernel,
                        bool ceil_mode) {
  const std::size_t rank = spatial.size();
  if (kernel.size() != rank) fail("a kernel of {} dimensions over {}", kernel.size(), rank);
  SpatialWindow w;
  w.kernel = std::move(kernel);
  w.strides = per_axis(call, "strides", rank, 1);
  w.dilations = per_axis(call, "dilations", rank, 1);
  const auto pads = per_axis(call, "pads", 2 * rank, 0);
  w.in = spatial;
  const std::string auto_pad = call.text("auto_pad", "NOTSET");
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  if (!same && auto_pad != "NOTSET" && auto_pad != "VALID")
    fail("auto_pad: unknown \"{}\"", auto_pad);
  for (std::size_t d = 0; d < rank; ++d) {
    for (const std::int64_t value : {w.kernel[d], w.strides[d], w.dilations[d]}) {
      if (value < 1 || value > (std::int64_t{1} << 24))
        fail("window value {} is out of range", value);
    }
    const std::int64_t span = (w.kernel[d] - 1) * w.dilations[d] + 1;
    std::int64_t begin = auto_pad == "NOTSET" ? pads[d] : 0;
    std::int64_t end = auto_pad == "NOTSET" ? pads[rank + d] : 0;
    if (same) {
      const std::int64_t outputs = (spatial[d] + w.strides[d] - 1) / w.strides[d];
      const std::int64_t total =
          std::max<std::int64_t>(0, (outputs - 1) * w.strides[d] + span - spatial[d]);
      begin = auto_pad == "SAME_UPPER" ? total / 2 : (total + 1) / 2;
      end = total - begin;
    }
    if (begin < 0 || end < 0 || begin > kMaxElements || end > kMaxElements)
      fail("pads are out of range");
    const std::int64_t free = spatial[d] + begin + end - span;
    if (free < 0) fail("the window of {} exceeds the padded input of {}", span, free + span);
    std::int64_t outputs = free / w.strides[d] + 1;
    if (ceil_mode && free % w.strides[d] != 0 && outputs * w.strides[d] < spatial[d] + begin)
      ++outputs;
    w.pads_begin.push_back(begin);
    w.pads_end.push_back(end);
    w.out.push_back(outputs);
  }
  checked_count(w.out);
  return w;
}

void SpatialWindow::for_each_tap(
    const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& f) const {
  const auto out_strides = strides_of(out);
  const auto in_strides = strides_of(in);
  const auto tap_strides = strides_of(kernel);
  const std::int64_t outputs = element_count(out);
  const std::int64_t taps = element_count(kernel);
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t t = 0; t < taps; ++t) {
      std::int64_t from = 0;
      bool is_inside = true;
      for (std::size_t d = 0; d < out.size() && is_inside; ++d) {
        const std::int64_t at = o / out_strides[d] % out[d] * strides[d] - pads_begin[d] +
                                t / tap_strides[d] % kernel[d] * dilations[d];
        is_inside = at >= 0 && at < in[d];
        from += at * in_strides[d];
      }
      if (is_inside) f(o, from, t);
    }
  }
}

}  // namespace npu::onnx
