// The operators of a network description.
#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>

#include "sim/base/error.h"
#include "sim/base/suggest.h"
#include "sim/base/yaml_document.h"
#include "workloads/importers/layer_reader.h"

namespace npu::importers {
namespace {

using graph::OpKind;
using graph::TensorId;

constexpr std::size_t kMaxParts = 1024;

/// What is added to a convolution's sums.
struct Offset {
  bool has_bias = false;
  std::int64_t parameters_per_channel = 0;
};

/// `normalization: batch` is folded into weights and bias; it counts as the two learned values per
/// channel that it has in training.
Offset read_offset(const LayerReader& layer) {
  const YamlMap& map = layer.map();
  static constexpr std::pair<std::string_view, bool> kNames[] = {{"none", false}, {"batch", true}};
  const bool has_bias = map.get<bool>("bias", false);
  const bool is_normalized = map.get_choice<bool>("normalization", false, kNames);
  return {has_bias || is_normalized, (has_bias ? 1 : 0) + (is_normalized ? 2 : 0)};
}

TensorId input(LayerReader& layer) { return layer.builder.input(layer.shape("shape")); }

TensorId conv(LayerReader& layer) {
  const TensorId x = layer.image();
  const std::int64_t depth = layer.shape_of(x)[3];
  const std::int64_t channels = layer.integer("channels", 1, kMaxExtent);
  const std::int64_t groups = layer.integer_or("groups", 1, 1, kMaxExtent);
  if (depth % groups != 0 || channels % groups != 0) {
    layer.fail("groups", fmt::format("must divide {} channels in and {} out, got {}", depth,
                                     channels, groups));
  }
  const graph::Window w = layer.window(x);
  const Offset offset = read_offset(layer);
  layer.parameters = channels * w.kernel_h * w.kernel_w * (depth / groups) +
                     channels * offset.parameters_per_channel;
  return layer.builder.conv(x, channels, w, layer.activation(), static_cast<int>(groups),
                            offset.has_bias);
}

TensorId depthwise(LayerReader& layer) {
  constexpr int kMaxMultiplier = 1024;
  const TensorId x = layer.image();
  const int multiplier = layer.small("multiplier", 1, 1, kMaxMultiplier);
  const std::int64_t channels = layer.shape_of(x)[3] * multiplier;
  const graph::Window w = layer.window(x);
  const Offset offset = read_offset(layer);
  layer.parameters = channels * w.kernel_h * w.kernel_w + channels * offset.parameters_per_channel;
  return layer.builder.depthwise(x, w, layer.activation(), multiplier, offset.has_bias);
}

/// Weights that another layer has as well count there.
void read_tied(LayerReader& layer) {
  if (!layer.map().has("tied") || !layer.map().require<bool>("tied")) return;
  layer.parameters = 0;
}

TensorId linear(LayerReader& layer) {
  const TensorId x = layer.operand();
  const std::int64_t units = layer.integer("units", 1, kMaxExtent);
  const Shape& in = layer.shape_of(x);
  const std::int64_t features = element_count(in) / in[0];
  const Offset offset = read_offset(layer);
  layer.parameters = units * features + units * offset.parameters_per_channel;
  read_tied(layer);
  return layer.builder.fully_connected(x, units, layer.activation(), offset.has_bias);
}

template <OpKind kind>
TensorId pool(LayerReader& layer) {
  const TensorId x = layer.image();
  return layer.builder.pool(x, kind, layer.window(x));
}

TensorId mean(LayerReader& layer) { return layer.builder.global_mean(layer.image()); }

template <OpKind kind>
TensorId binary(LayerReader& layer) {
  const std::vector<TensorId> x = layer.operands(2, 2);
  if (layer.shape_of(x[0]) != layer.shape_of(x[1])) {
    layer.fail("from",
               fmt::format("must name layers of one shape, got {} and {}",
                           to_string(layer.shape_of(x[0])), to_string(layer.shape_of(x[1]))));
  }
  return layer.builder.binary(kind, x[0], x[1], layer.activation());
}

TensorId concatenation(LayerReader& layer) {
  const std::vector<TensorId> parts = layer.operands(2, kMaxParts);
  const Shape& first = layer.shape_of(parts[0]);
  const auto rank = static_cast<std::int64_t>(first.size());
  const std::int64_t axis = layer.integer_or("axis", rank - 1, 0, rank - 1);
  for (const TensorId part : parts) {
    Shape shape = layer.shape_of(part);
    if (shape.size() == first.size()) {
      shape[static_cast<std::size_t>(axis)] = first[static_cast<std::size_t>(axis)];
    }
    if (shape != first) {
      layer.fail("from", fmt::format("must name layers that fit along axis {}, got {} and {}", axis,
                                     to_string(first), to_string(layer.shape_of(part))));
    }
  }
  return layer.builder.concatenation(parts, static_cast<int>(axis));
}

TensorId reshape(LayerReader& layer) {
  const TensorId x = layer.operand();
  Shape shape = layer.shape("shape");
  if (element_count(shape) != element_count(layer.shape_of(x))) {
    layer.fail("shape", fmt::format("must have as many elements as {}, got {}",
                                    to_string(layer.shape_of(x)), to_string(shape)));
  }
  return layer.builder.reshape(x, std::move(shape));
}

TensorId slice(LayerReader& layer) {
  const TensorId x = layer.operand();
  const Shape& in = layer.shape_of(x);
  const auto rank = static_cast<std::int64_t>(in.size());
  const std::int64_t axis = layer.integer_or("axis", 0, 0, rank - 1);
  const std::int64_t extent = in[static_cast<std::size_t>(axis)];
  const std::int64_t count = layer.integer("count", 1, extent);
  const std::int64_t begin = layer.integer("begin", 0, extent - count);
  return layer.builder.slice(x, static_cast<int>(axis), begin, count);
}

TensorId constant(LayerReader& layer) {
  Shape shape = layer.shape("shape");
  const std::int64_t copies = layer.integer_or("copies", 1, 1, kMaxExtent);
  if (element_count(shape) % copies != 0) {
    layer.fail("copies",
               fmt::format("must divide {} elements, got {}", element_count(shape), copies));
  }
  layer.parameters = element_count(shape) / copies;
  return layer.builder.constant(std::move(shape));
}

template <OpKind kind>
TensorId unary(LayerReader& layer) {
  return layer.builder.unary(kind, layer.operand());
}

constexpr std::array kOperators = {
    OperatorRow{"input", input},
    OperatorRow{"conv", conv},
    OperatorRow{"depthwise", depthwise},
    OperatorRow{"linear", linear},
    OperatorRow{"max_pool", pool<OpKind::kMaxPool2d>},
    OperatorRow{"average_pool", pool<OpKind::kAveragePool2d>},
    OperatorRow{"mean", mean},
    OperatorRow{"add", binary<OpKind::kAdd>},
    OperatorRow{"mul", binary<OpKind::kMul>},
    OperatorRow{"concatenation", concatenation},
    OperatorRow{"reshape", reshape},
    OperatorRow{"slice", slice},
    OperatorRow{"constant", constant},
    OperatorRow{"softmax", unary<OpKind::kSoftmax>},
    OperatorRow{"relu", unary<OpKind::kRelu>},
    OperatorRow{"relu6", unary<OpKind::kRelu6>},
    OperatorRow{"leaky_relu", unary<OpKind::kLeakyRelu>},
    OperatorRow{"logistic", unary<OpKind::kLogistic>},
    OperatorRow{"tanh", unary<OpKind::kTanh>},
    OperatorRow{"hard_swish", unary<OpKind::kHardSwish>},
};

}  // namespace

TensorId read_operator(LayerReader& layer) {
  const auto op = layer.map().require<std::string>("op");
  std::vector<std::string> known;
  for (const std::span<const OperatorRow> rows :
       {std::span<const OperatorRow>(kOperators), transformer_operators()}) {
    for (const OperatorRow& row : rows) {
      known.emplace_back(row.name);
      if (row.name != op) continue;
      const TensorId y = row.read(layer);
      layer.map().finish();
      return y;
    }
  }
  layer.fail("op", fmt::format("must be an operator, got {}{}", yaml::shown(std::string_view(op)),
                               did_you_mean(op, known)));
}

}  // namespace npu::importers
