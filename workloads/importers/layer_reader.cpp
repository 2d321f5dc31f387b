#include "workloads/importers/layer_reader.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "sim/base/error.h"
#include "sim/base/suggest.h"
#include "sim/base/yaml_document.h"

namespace npu::importers {
namespace {

using graph::TensorId;

constexpr int kMaxKernel = 1024;
constexpr std::string_view kSame = "same";

/// Zeros before and after so that the output has ceil(in / stride) places.
std::pair<int, int> same_padding(std::int64_t in, int kernel, int stride) {
  const std::int64_t out = (in + stride - 1) / stride;
  const auto all = static_cast<int>(std::max<std::int64_t>(0, (out - 1) * stride + kernel - in));
  return {all / 2, all - all / 2};
}

}  // namespace

TensorId LayerScope::find(std::string_view name) const {
  const auto found = layers_.find(name);
  if (found != layers_.end()) return found->second;
  return outer_ == nullptr ? graph::kAbsent : outer_->find(name);
}

std::vector<std::string> LayerScope::names() const {
  std::vector<std::string> all;
  if (outer_ != nullptr) all = outer_->names();
  for (const auto& [name, id] : layers_) all.push_back(name);
  return all;
}

bool LayerScope::add(const std::string& name, TensorId id) {
  return layers_.emplace(name, id).second;
}

std::int64_t LayerReader::value(std::string_view key, const std::string& text, std::int64_t low,
                                std::int64_t high) const {
  std::int64_t result = 0;
  try {
    result = evaluate(text, dimensions_);
  } catch (const Error& error) {
    fail(key, error.what());
  }
  if (result < low || result > high) {
    fail(key, fmt::format("must be {} to {}, got {}", low, high, result));
  }
  return result;
}

std::int64_t LayerReader::integer(std::string_view key, std::int64_t low, std::int64_t high) const {
  return value(key, map_.require<std::string>(key), low, high);
}

std::int64_t LayerReader::integer_or(std::string_view key, std::int64_t fallback, std::int64_t low,
                                     std::int64_t high) const {
  return map_.has(key) ? integer(key, low, high) : fallback;
}

std::vector<std::int64_t> LayerReader::integers(std::string_view key, std::int64_t low,
                                                std::int64_t high) const {
  std::vector<std::int64_t> values;
  for (const std::string& text : map_.require_texts(key)) {
    values.push_back(value(key, text, low, high));
  }
  return values;
}

Shape LayerReader::shape(std::string_view key) const {
  Shape shape = integers(key, 1, kMaxExtent);
  if (shape.size() > graph::kMaxRank) {
    fail(key,
         fmt::format("must have at most {} dimensions, got {}", graph::kMaxRank, shape.size()));
  }
  std::int64_t elements = 1;
  for (const std::int64_t d : shape) {
    if (d > graph::kMaxTensorBytes / elements) {
      fail(key, fmt::format("must have at most 2^31 elements, got {}", to_string(shape)));
    }
    elements *= d;
  }
  return shape;
}

std::pair<int, int> LayerReader::pair(std::string_view key, int low, int fallback) const {
  if (!map_.has(key)) return {fallback, fallback};
  const std::vector<std::int64_t> v = integers(key, low, kMaxKernel);
  if (v.size() > 2) {
    fail(key, fmt::format("must be one number or rows and columns, got {} numbers", v.size()));
  }
  return {static_cast<int>(v.front()), static_cast<int>(v.back())};
}

TensorId LayerReader::image() const {
  const TensorId x = operand();
  if (shape_of(x).size() != 4) {
    fail("from", fmt::format("must name an image [batch, rows, columns, channels], got {}",
                             to_string(shape_of(x))));
  }
  return x;
}

graph::Window LayerReader::window(TensorId x) const {
  graph::Window w;
  if (!map_.has("kernel")) fail("kernel", "must be given, got nothing");
  std::tie(w.kernel_h, w.kernel_w) = pair("kernel", 1, 1);
  std::tie(w.stride_h, w.stride_w) = pair("stride", 1, 1);
  std::tie(w.dilation_h, w.dilation_w) = pair("dilation", 1, 1);
  if (map_.has("pad") && map_.require_texts("pad").front() == kSame) {
    const Shape& in = shape_of(x);
    std::tie(w.pad_top, w.pad_bottom) =
        same_padding(in[1], (w.kernel_h - 1) * w.dilation_h + 1, w.stride_h);
    std::tie(w.pad_left, w.pad_right) =
        same_padding(in[2], (w.kernel_w - 1) * w.dilation_w + 1, w.stride_w);
  } else {
    std::tie(w.pad_top, w.pad_left) = pair("pad", 0, 0);
    w.pad_bottom = w.pad_top;
    w.pad_right = w.pad_left;
  }
  return w;
}

graph::Activation LayerReader::activation() const {
  using graph::Activation;
  static constexpr std::pair<std::string_view, Activation> kNames[] = {
      {"none", Activation::kNone}, {"relu", Activation::kRelu}, {"relu6", Activation::kRelu6}};
  return map_.get_choice<Activation>("activation", Activation::kNone, kNames);
}

std::vector<TensorId> LayerReader::operands(std::size_t low, std::size_t high) const {
  std::vector<TensorId> ids;
  if (map_.has("from")) {
    for (const std::string& name : map_.require_texts("from")) {
      ids.push_back(scope_.find(name));
      if (ids.back() != graph::kAbsent) continue;
      fail("from",
           fmt::format("must name layers above this one, got {}{}",
                       yaml::shown(std::string_view(name)), did_you_mean(name, scope_.names())));
    }
  } else if (scope_.last != graph::kAbsent) {
    ids.push_back(scope_.last);
  }
  if (ids.size() < low || ids.size() > high) {
    const std::string wanted =
        low == high ? fmt::format("{}", low) : fmt::format("{} to {}", low, high);
    fail("from",
         fmt::format("must name {} layer{}, got {}", wanted, high == 1 ? "" : "s", ids.size()));
  }
  return ids;
}

}  // namespace npu::importers
