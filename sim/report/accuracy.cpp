#include "sim/report/accuracy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/half.h"

namespace npu::report {
namespace {

template <typename T>
void append_real(std::span<const T> values, RealScale scale, std::vector<double>& out) {
  out.reserve(values.size());
  for (const T v : values) {
    const auto x = static_cast<double>(v);
    out.push_back(scale.scale == 0 ? x : scale.scale * (x - static_cast<double>(scale.zero_point)));
  }
}

/// Position of the highest value, the first among equals.
std::size_t best_of(std::span<const double> values) {
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace

std::vector<double> real_values(const TensorData& tensor, RealScale scale) {
  std::vector<double> out;
  switch (tensor.type) {
    case DType::kInt8:
      append_real(tensor.as<std::int8_t>(), scale, out);
      break;
    case DType::kUint8:
    case DType::kBool:
      append_real(tensor.as<std::uint8_t>(), scale, out);
      break;
    case DType::kInt16:
      append_real(tensor.as<std::int16_t>(), scale, out);
      break;
    case DType::kInt32:
      append_real(tensor.as<std::int32_t>(), scale, out);
      break;
    case DType::kInt64:
      append_real(tensor.as<std::int64_t>(), scale, out);
      break;
    case DType::kFloat32:
      append_real(tensor.as<float>(), RealScale{}, out);
      break;
    case DType::kFloat16:
      for (const std::uint16_t bits : tensor.as<std::uint16_t>())
        out.push_back(static_cast<double>(half_to_float(bits)));
      break;
    case DType::kBfloat16:
      for (const std::uint16_t bits : tensor.as<std::uint16_t>())
        out.push_back(static_cast<double>(bfloat_to_float(bits)));
      break;
  }
  return out;
}

void ErrorMeter::add(double value, double reference) {
  const bool are_same = value == reference || (std::isnan(value) && std::isnan(reference));
  const double error = are_same ? 0 : value - reference;
  const double magnitude = std::abs(error);
  ++error_.elements;
  if (std::isnan(magnitude) || magnitude > error_.max_abs_error) error_.max_abs_error = magnitude;
  error_squares_ += error * error;
  value_squares_ += value * value;
  reference_squares_ += reference * reference;
  products_ += value * reference;
}

std::optional<std::int64_t> ErrorMeter::add_exact(const TensorData& value,
                                                  const TensorData& reference) {
  NPU_CHECK(value.type == reference.type && value.bytes.size() == reference.bytes.size(),
            "compared tensors have one type and size");
  const std::vector<double> x = real_values(value, scale_);
  const std::vector<double> r = real_values(reference, scale_);
  const auto size = static_cast<std::size_t>(size_of(value.type));
  std::optional<std::int64_t> first;
  for (std::size_t i = 0; i < x.size(); ++i) {
    add(x[i], r[i]);
    const auto at = static_cast<std::ptrdiff_t>(i * size);
    if (std::equal(value.bytes.begin() + at,
                   value.bytes.begin() + at + static_cast<std::ptrdiff_t>(size),
                   reference.bytes.begin() + at)) {
      continue;
    }
    ++error_.differing;
    if (!first) first = static_cast<std::int64_t>(i);
    if (!is_float(value.type)) {
      const double step = scale_.scale == 0 ? 1.0 : scale_.scale;
      error_.max_lsb_difference = std::max<std::int64_t>(
          error_.max_lsb_difference, std::llround(std::abs(x[i] - r[i]) / step));
    }
  }
  return first;
}

void ErrorMeter::add_float(const TensorData& value, const TensorData& reference) {
  NPU_CHECK(reference.type == DType::kFloat32 && value.size() == reference.size(),
            "the float reference has the tensor's shape");
  const std::vector<double> x = real_values(value, scale_);
  const std::span<const float> r = reference.as<float>();
  const bool integer = !is_float(value.type);
  const double step = scale_.scale == 0 ? 1.0 : scale_.scale;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto expected = static_cast<double>(r[i]);
    add(x[i], expected);
    if (!integer) {
      if (x[i] != expected) ++error_.differing;
      continue;
    }
    const double steps = std::min(std::abs(x[i] - expected) / step, 1e15);
    const std::int64_t lsb = std::isfinite(steps) ? std::llround(steps) : 0;
    if (lsb != 0) ++error_.differing;
    error_.max_lsb_difference = std::max(error_.max_lsb_difference, lsb);
  }
}

TensorError ErrorMeter::result() const {
  TensorError out = error_;
  if (out.elements == 0) return out;
  out.mean_squared_error = error_squares_ / static_cast<double>(out.elements);
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  const double ratio_db = 10.0 * std::log10(reference_squares_ / error_squares_);
  out.sqnr_db = error_squares_ == 0 ? kInfinite : std::isfinite(ratio_db) ? ratio_db : -kInfinite;
  if (value_squares_ > 0 && reference_squares_ > 0) {
    out.cosine_similarity =
        std::min(1.0, products_ / (std::sqrt(value_squares_) * std::sqrt(reference_squares_)));
  } else {
    out.cosine_similarity = value_squares_ == reference_squares_ ? 1.0 : 0.0;
  }
  return out;
}

void ClassMeter::count(std::span<const double> values, std::size_t best) {
  // Classes that come before `best`: a higher value, or the same and a lower index.
  std::size_t ahead = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] > values[best] || (values[i] == values[best] && i < best)) ++ahead;
  }
  ++samples_;
  if (ahead == 0) ++top1_;
  if (ahead < 5) ++top5_;
}

void ClassMeter::add(std::span<const double> values, std::span<const double> reference) {
  NPU_CHECK(!values.empty() && values.size() == reference.size(), "one score per class");
  count(values, best_of(reference));
}

void ClassMeter::add_label(std::span<const double> values, std::int64_t label) {
  if (label < 0 || label >= static_cast<std::int64_t>(values.size())) {
    fail("labels: {} is not one of the {} classes", label, values.size());
  }
  count(values, static_cast<std::size_t>(label));
}

double ClassMeter::top1() const {
  return samples_ == 0 ? 0.0 : static_cast<double>(top1_) / static_cast<double>(samples_);
}

double ClassMeter::top5() const {
  return samples_ == 0 ? 0.0 : static_cast<double>(top5_) / static_cast<double>(samples_);
}

bool is_class_vector(const Shape& shape) {
  return !shape.empty() && shape.back() >= 2 && element_count(shape) == shape.back();
}

}  // namespace npu::report
