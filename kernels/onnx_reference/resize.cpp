// Interpolation.
#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

/// How one axis maps output positions to input positions.
struct Axis {
  std::int64_t in = 0, out = 0;
  double scale = 1;
  double roi_begin = 0, roi_end = 1;
};

/// Position in the input of output position `x`. Source: ONNX operator Resize,
/// coordinate_transformation_mode.
double source_of(const std::string& mode, const Axis& a, std::int64_t x) {
  const auto at = static_cast<double>(x);
  const auto in = static_cast<double>(a.in);
  const auto out = static_cast<double>(a.out);
  if (mode == "half_pixel") return (at + 0.5) / a.scale - 0.5;
  if (mode == "half_pixel_symmetric") {
    const double adjusted = out / (a.scale * in);
    const double centre = in / 2;
    return centre * (1 - adjusted) + (at + 0.5) / a.scale - 0.5;
  }
  if (mode == "pytorch_half_pixel") return a.out > 1 ? (at + 0.5) / a.scale - 0.5 : 0;
  if (mode == "align_corners") return a.out > 1 ? at * (in - 1) / (a.scale * in - 1) : 0;
  if (mode == "asymmetric") return at / a.scale;
  if (mode == "tf_crop_and_resize") {
    if (a.out > 1)
      return a.roi_begin * (in - 1) + at * (a.roi_end - a.roi_begin) * (in - 1) / (out - 1);
    return 0.5 * (a.roi_begin + a.roi_end) * (in - 1);
  }
  fail("coordinate_transformation_mode: unknown \"{}\"", mode);
}

struct Tap {
  std::int64_t index;
  double weight;
};

struct Interpolation {
  std::string mode, nearest_mode;
  double cubic_coefficient = -0.75;
  bool exclude_outside = false, antialias = false;
};

std::int64_t nearest(const std::string& mode, double x) {
  const double down = std::floor(x);
  if (mode == "floor") return static_cast<std::int64_t>(down);
  if (mode == "ceil") return static_cast<std::int64_t>(std::ceil(x));
  const bool is_half = x - down == 0.5;
  if (mode == "round_prefer_floor")
    return static_cast<std::int64_t>(is_half ? down : std::floor(x + 0.5));
  if (mode == "round_prefer_ceil") return static_cast<std::int64_t>(std::floor(x + 0.5));
  fail("nearest_mode: unknown \"{}\"", mode);
}

double cubic(double distance, double a) {
  const double x = std::fabs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

/// Taps that interpolate the input at `x`; positions beyond the edge repeat it.
std::vector<Tap> taps_of(const Interpolation& how, double scale, std::int64_t size, double x) {
  if (how.mode == "nearest") {
    return {{std::clamp<std::int64_t>(nearest(how.nearest_mode, x), 0, size - 1), 1}};
  }
  const bool is_cubic = how.mode == "cubic";
  // Antialiasing stretches the kernel where the output is smaller than the input.
  const double stretch = how.antialias && scale < 1 ? 1 / scale : 1;
  const double reach = (is_cubic ? 2 : 1) * stretch;
  std::vector<Tap> taps;
  double sum = 0;
  const auto first = static_cast<std::int64_t>(std::floor(x - reach)) + 1;
  const auto last = static_cast<std::int64_t>(std::ceil(x + reach)) - 1;
  for (std::int64_t i = std::min(first, static_cast<std::int64_t>(std::floor(x)));
       i <= std::max(last, first); ++i) {
    const double distance = (static_cast<double>(i) - x) / stretch;
    const double weight =
        is_cubic ? cubic(distance, how.cubic_coefficient) : std::max(0.0, 1 - std::fabs(distance));
    const bool is_outside = i < 0 || i >= size;
    if (weight == 0 || (is_outside && how.exclude_outside)) continue;
    taps.push_back({std::clamp<std::int64_t>(i, 0, size - 1), weight});
    sum += weight;
  }
  for (Tap& tap : taps) tap.weight /= sum;
  return taps;
}

/// Interpolates along one axis.
void resize_axis(std::vector<double>& elements, Shape& shape, std::size_t axis, const Axis& a,
                 const Interpolation& how, const std::string& coordinates, double extrapolation) {
  const std::int64_t outer = product(shape, 0, axis);
  const std::int64_t inner = product(shape, axis + 1, shape.size());
  shape[axis] = a.out;
  std::vector<double> out(static_cast<std::size_t>(checked_count(shape)), 0.0);
  for (std::int64_t x = 0; x < a.out; ++x) {
    const double at = source_of(coordinates, a, x);
    const bool is_beyond =
        coordinates == "tf_crop_and_resize" && (at < 0 || at > static_cast<double>(a.in - 1));
    const std::vector<Tap> taps = taps_of(how, a.scale, a.in, at);
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::int64_t i = 0; i < inner; ++i) {
        double& target = out[static_cast<std::size_t>((o * a.out + x) * inner + i)];
        if (is_beyond) target = extrapolation;
        for (const Tap& tap : taps) {
          if (is_beyond) break;
          target +=
              tap.weight * elements[static_cast<std::size_t>((o * a.in + tap.index) * inner + i)];
        }
      }
    }
  }
  elements = std::move(out);
}

void interpolate(Call& call, const Value& x, const std::vector<Axis>& axes,
                 const Interpolation& how, const std::string& coordinates, double extrapolation) {
  Shape shape = x.shape;
  std::vector<double> elements = to_doubles(x);
  for (std::size_t d = 0; d < axes.size(); ++d) {
    if (axes[d].in < 1) fail("an empty dimension cannot be resized");
    const bool is_identity =
        axes[d].in == axes[d].out && axes[d].scale == 1 && coordinates != "tf_crop_and_resize";
    if (!is_identity) resize_axis(elements, shape, d, axes[d], how, coordinates, extrapolation);
  }
  call.set(0, from_doubles(x.type, std::move(shape), elements));
}

std::int64_t scaled(std::int64_t size, double scale) {
  const double out = std::floor(static_cast<double>(size) * scale);
  if (!(out >= 0) || out > static_cast<double>(kMaxElements))
    fail("scale {} is out of range", scale);
  return static_cast<std::int64_t>(out);
}

void run_resize(Call& call) {
  const Value& x = call.in(0);
  Interpolation how;
  how.mode = call.text("mode", "nearest");
  how.nearest_mode = call.text("nearest_mode", "round_prefer_floor");
  how.cubic_coefficient = call.real("cubic_coeff_a", -0.75);
  how.exclude_outside = call.integer("exclude_outside", 0) != 0;
  how.antialias = call.integer("antialias", 0) != 0;
  if (how.mode != "nearest" && how.mode != "linear" && how.mode != "cubic")
    fail("mode: unknown \"{}\"", how.mode);
  const std::string coordinates = call.text("coordinate_transformation_mode", "half_pixel");
  const std::string policy = call.text("keep_aspect_ratio_policy", "stretch");
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < x.rank(); ++i) chosen.push_back(i);
  chosen = call.integers("axes", chosen);
  std::vector<Axis> axes;
  for (const std::int64_t size : x.shape) axes.push_back({size, size, 1, 0, 1});

  const bool by_scale = call.has(2) && call.in(2).size() > 0;
  if (!by_scale && !call.has(3)) fail("scales or sizes are needed");
  const std::vector<double> figures = to_doubles(call.in(by_scale ? 2 : 3));
  if (figures.size() != chosen.size())
    fail("{} figures for {} axes", figures.size(), chosen.size());
  double common = 0;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    Axis& a = axes[resolve_axis(chosen[i], x.rank())];
    const double ratio = figures[i] / static_cast<double>(a.in);
    if (i == 0 || (policy == "not_larger" ? ratio < common : ratio > common)) common = ratio;
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    Axis& a = axes[resolve_axis(chosen[i], x.rank())];
    if (by_scale) {
      a.scale = figures[i];
      a.out = scaled(a.in, figures[i]);
    } else if (policy == "stretch") {
      a.out = scaled(1, figures[i]);
      a.scale = figures[i] / static_cast<double>(a.in);
    } else if (policy == "not_larger" || policy == "not_smaller") {
      a.out = scaled(1, std::floor(common * static_cast<double>(a.in) + 0.5));
      a.scale = common;
    } else {
      fail("keep_aspect_ratio_policy: unknown \"{}\"", policy);
    }
    if (call.has(1) && call.in(1).size() > 0) {
      const std::vector<double> roi = to_doubles(call.in(1));
      if (roi.size() != 2 * chosen.size()) fail("roi: expected {} figures", 2 * chosen.size());
      a.roi_begin = roi[i];
      a.roi_end = roi[chosen.size() + i];
    }
  }
  interpolate(call, x, axes, how, coordinates, call.real("extrapolation_value", 0));
}

void run_upsample(Call& call) {
  const Value& x = call.in(0);
  Interpolation how;
  how.mode = call.text("mode", "nearest");
  how.nearest_mode = "floor";
  if (how.mode != "nearest" && how.mode != "linear") fail("mode: unknown \"{}\"", how.mode);
  const std::vector<double> scales =
      call.has(1) ? to_doubles(call.in(1)) : call.reals("scales", {});
  if (static_cast<std::int64_t>(scales.size()) != x.rank())
    fail("{} scales for rank {}", scales.size(), x.rank());
  std::vector<Axis> axes;
  for (std::size_t d = 0; d < scales.size(); ++d) {
    axes.push_back({x.shape[d], scaled(x.shape[d], scales[d]), scales[d], 0, 1});
  }
  interpolate(call, x, axes, how, "asymmetric", 0);
}

/// Reads an image at a position that may lie between elements and outside.
class Sampler {
 public:
  Sampler(std::string mode, std::string padding, bool align)
      : mode_(std::move(mode)), padding_(std::move(padding)), align_(align) {}

  /// Normalized coordinate −1…1 to a position, as align_corners says.
  [[nodiscard]] double position(double x, std::int64_t size) const {
    const auto n = static_cast<double>(size);
    return align_ ? (x + 1) / 2 * (n - 1) : ((x + 1) * n - 1) / 2;
  }

  /// Taps along one axis for position x; index −1 reads zero.
  [[nodiscard]] std::vector<Tap> taps(double x, std::int64_t size) const {
    x = bound(x, size);
    std::vector<Tap> taps;
    if (mode_ == "nearest") {
      taps = {{static_cast<std::int64_t>(std::nearbyint(x)), 1}};
    } else {
      const double down = std::floor(x);
      const int reach = mode_ == "cubic" ? 2 : 1;
      for (int i = 1 - reach; i <= reach; ++i) {
        const double distance = x - (down + i);
        const double weight = reach == 2 ? cubic(distance, -0.75) : 1 - std::fabs(distance);
        taps.push_back({static_cast<std::int64_t>(down) + i, weight});
      }
    }
    for (Tap& tap : taps) {
      if (tap.index >= 0 && tap.index < size) continue;
      if (padding_ == "zeros") {
        tap.index = -1;
      } else if (padding_ == "border") {
        tap.index = std::clamp<std::int64_t>(tap.index, 0, size - 1);
      } else {
        tap.index =
            static_cast<std::int64_t>(std::nearbyint(bound(static_cast<double>(tap.index), size)));
        tap.index = std::clamp<std::int64_t>(tap.index, 0, size - 1);
      }
    }
    return taps;
  }

 private:
  /// border clamps, reflection mirrors at the edges (of elements, or their centres if aligned).
  [[nodiscard]] double bound(double x, std::int64_t size) const {
    const double low = align_ ? 0 : -0.5;
    const double high = static_cast<double>(size) - (align_ ? 1 : 0.5);
    if (padding_ == "border") return std::clamp(x, 0.0, static_cast<double>(size - 1));
    if (padding_ != "reflection" || (x >= low && x <= high)) return x;
    const double span = high - low;
    if (span <= 0) return 0;
    const double distance = x < low ? low - x : x - high;
    const double rest = std::fmod(distance, span);
    const bool is_even = static_cast<std::int64_t>(distance / span) % 2 == 0;
    if (x < low) return is_even ? low + rest : high - rest;
    return is_even ? high - rest : low + rest;
  }

  std::string mode_, padding_;
  bool align_;
};

void run_grid_sample(Call& call) {
  const Value& x = call.in(0);
  const Value& grid = call.in(1);
  std::string mode = call.text("mode", "linear");
  if (mode == "bilinear") mode = "linear";
  if (mode == "bicubic") mode = "cubic";
  if (mode != "linear" && mode != "nearest" && mode != "cubic") fail("mode: unknown \"{}\"", mode);
  const std::string padding = call.text("padding_mode", "zeros");
  if (padding != "zeros" && padding != "border" && padding != "reflection")
    fail("padding_mode: unknown \"{}\"", padding);
  const Sampler sampler(mode, padding, call.integer("align_corners", 0) != 0);
  const std::size_t rank = x.shape.size() - 2;
  if (x.rank() < 3 || grid.rank() != x.rank() ||
      grid.shape.back() != static_cast<std::int64_t>(rank) || grid.shape[0] != x.shape[0]) {
    fail("a grid of {} for {}", to_string(grid.shape), to_string(x.shape));
  }
  Shape shape = {x.shape[0], x.shape[1]};
  shape.insert(shape.end(), grid.shape.begin() + 1, grid.shape.end() - 1);
  const std::int64_t points = product(shape, 2, shape.size());
  const Shape image(x.shape.begin() + 2, x.shape.end());
  const auto strides = strides_of(image);
  const std::int64_t plane = element_count(image);
  const std::vector<double> in = to_doubles(x), at = to_doubles(grid);
  std::vector<double> out(static_cast<std::size_t>(checked_count(shape)), 0.0);
  for (std::int64_t n = 0; n < x.shape[0]; ++n) {
    for (std::int64_t p = 0; p < points; ++p) {
      std::vector<Tap> all = {{0, 1}};
      for (std::size_t d = 0; d < rank; ++d) {
        // The grid names the last dimension first.
        const double c = at[static_cast<std::size_t>((n * points + p)) * rank + (rank - 1 - d)];
        std::vector<Tap> next;
        for (const Tap& outer : all) {
          for (const Tap& tap : sampler.taps(sampler.position(c, image[d]), image[d])) {
            if (tap.index < 0) continue;
            next.push_back({outer.index + tap.index * strides[d], outer.weight * tap.weight});
          }
        }
        all = std::move(next);
      }
      for (std::int64_t c = 0; c < x.shape[1]; ++c) {
        double& target = out[static_cast<std::size_t>((n * x.shape[1] + c) * points + p)];
        for (const Tap& tap : all) {
          target +=
              tap.weight * in[static_cast<std::size_t>((n * x.shape[1] + c) * plane + tap.index)];
        }
      }
    }
  }
  call.set(0, from_doubles(x.type, std::move(shape), out));
}

constexpr Operator kOperators[] = {
    {"GridSample", 2, 2, "align_corners mode padding_mode", run_grid_sample},
    {"Resize", 1, 4,
     "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside "
     "extrapolation_value keep_aspect_ratio_policy mode nearest_mode",
     run_resize},
    {"Upsample", 1, 2, "mode scales", run_upsample},
};

}  // namespace

std::span<const Operator> resize_operators() { return kOperators; }

}  // namespace npu::onnx
