#include "workloads/importers/network_description.h"

#include <algorithm>
#include <limits>

#include "sim/base/error.h"
#include "sim/base/suggest.h"
#include "sim/base/yaml_document.h"
#include "sim/base/yaml_map.h"
#include "workloads/graph/network_builder.h"
#include "workloads/importers/dimension_expression.h"
#include "workloads/importers/layer_reader.h"

namespace npu::importers {
namespace {

using graph::TensorId;

constexpr std::size_t kMaxLayers = 20'000;
constexpr std::int64_t kMaxRepeat = 1'000;
constexpr std::string_view kEntry = "entry";

bool is_layer_name(std::string_view name) {
  constexpr std::size_t kLongest = 60;
  return !name.empty() && name.size() <= kLongest &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

class DescriptionReader {
 public:
  DescriptionReader(const YamlMap& map, const DescriptionOptions& options)
      : map_(map), options_(options), builder_("") {}

  DescribedNetwork read() {
    const auto name = map_.require<std::string>("name");
    network_.source = map_.require<std::string>("source");
    network_.precision = map_.get_choice<DType>("precision", DType::kInt8, precision_names());
    if (options_.precision) network_.precision = *options_.precision;
    const graph::Payload payload =
        options_.seed ? graph::Payload::kRequired : graph::Payload::kOptional;
    builder_ = graph::NetworkBuilder(name, graph::DrawnNetwork{.type = network_.precision,
                                                               .payload = payload,
                                                               .seed = options_.seed.value_or(0)});
    read_parameters();
    read_constants();
    LayerScope scope;
    read_layers(map_, scope, "");
    finish(read_outputs(scope));
    return std::move(network_);
  }

 private:
  /// The name of a dimension, not taken yet.
  void check_dimension(const YamlMap& section, const std::string& name) const {
    if (!is_dimension_name(name)) {
      section.fail(name, "must be named with lower case letters, digits and _, got " +
                             yaml::shown(std::string_view(name)));
    }
    if (dimensions_.contains(name)) section.fail(name, "must be there once, got it twice");
  }

  void read_parameters() {
    const std::optional<YamlMap> section = map_.get_map("parameters");
    std::vector<std::string> known;
    if (section) {
      for (const std::string& name : section->keys()) {
        check_dimension(*section, name);
        DescribedNetwork::Parameter p = read_parameter(*section, name);
        dimensions_[name] = p.value;
        network_.parameters.push_back(std::move(p));
        known.push_back(name);
      }
      section->finish();
    }
    for (const auto& [name, value] : options_.parameters) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      fail("{}: the network has no parameter {}{}", map_.file(), name, did_you_mean(name, known));
    }
  }

  DescribedNetwork::Parameter read_parameter(const YamlMap& section,
                                             const std::string& name) const {
    const YamlMap map = section.require_map(name);
    DescribedNetwork::Parameter p{.name = name};
    p.low = map.get_int("min", 1, 0, kLargestDimension);
    p.high = map.get_int("max", kMaxExtent, p.low, kLargestDimension);
    p.value = map.require_int("default", p.low, p.high);
    map.finish();
    const auto given = options_.parameters.find(name);
    if (given == options_.parameters.end()) return p;
    if (given->second < p.low || given->second > p.high) {
      fail("{}: parameter {} must be {} to {}, got {}", map_.file(), name, p.low, p.high,
           given->second);
    }
    p.value = given->second;
    return p;
  }

  void read_constants() {
    const std::optional<YamlMap> section = map_.get_map("constants");
    if (!section) return;
    for (const std::string& name : section->keys()) {
      check_dimension(*section, name);
      const auto text = section->require<std::string>(name);
      try {
        dimensions_[name] = evaluate(text, dimensions_);
      } catch (const Error& error) {
        section->fail(name, error.what());
      }
    }
    section->finish();
  }

  /// The layers of the network or of one repetition of a block.
  void read_layers(const YamlMap& map, LayerScope& scope, const std::string& prefix) {
    for (const YamlMap& layer : map.require_maps("layers")) {
      const auto name = layer.require<std::string>("name");
      if (!is_layer_name(name) || name == kEntry) {
        layer.fail("name", "must be letters, digits, `.`, `_` and `-`, and not `entry`, got " +
                               yaml::shown(std::string_view(name)));
      }
      const TensorId y = layer.has("layers") ? read_block(layer, scope, prefix + name)
                                             : read_layer(layer, scope, prefix + name);
      if (!scope.add(name, y)) layer.fail("name", "must be there once in its block, got " + name);
      scope.last = y;
    }
  }

  TensorId read_block(const YamlMap& map, const LayerScope& scope, const std::string& name) {
    const LayerReader fields(map, dimensions_, scope, builder_);
    const bool repeats = map.has("repeat");
    const std::int64_t repeat = fields.integer_or("repeat", 1, 1, kMaxRepeat);
    TensorId y = fields.operand();
    for (std::int64_t i = 0; i < repeat; ++i) {
      LayerScope body(&scope);
      body.last = y;
      static_cast<void>(body.add(std::string(kEntry), y));
      read_layers(map, body, repeats ? fmt::format("{}.{}.", name, i) : name + ".");
      y = body.last;
    }
    map.finish();
    return y;
  }

  TensorId read_layer(const YamlMap& map, const LayerScope& scope, const std::string& name) {
    if (network_.layers.size() == kMaxLayers) {
      map.fail("name", fmt::format("must be one of {} layers, got more", kMaxLayers));
    }
    builder_.set_layer(name);
    LayerReader layer(map, dimensions_, scope, builder_);
    layer.whole_attention = options_.whole_attention;
    const std::size_t first = builder_.graph().nodes.size();
    const TensorId y = checked_operator(layer);
    outputs_.insert(outputs_.end(), layer.extra_outputs.begin(), layer.extra_outputs.end());
    DescribedLayer described{.name = name,
                             .op = map.require<std::string>("op"),
                             .shape = builder_.shape(y),
                             .parameters = layer.parameters};
    const graph::Graph& g = builder_.graph();
    for (std::size_t n = first; n < g.nodes.size(); ++n) {
      described.macs += graph::mac_count(g, g.nodes[n]);
    }
    network_.layers.push_back(std::move(described));
    return y;
  }

  /// The builder's own errors get the layer's place.
  TensorId checked_operator(LayerReader& layer) {
    try {
      const TensorId y = read_operator(layer);
      builder_.check_new_nodes();
      return y;
    } catch (const Error& error) {
      if (std::string_view(error.what()).starts_with(map_.file() + ":")) throw;
      layer.fail("op", error.what());
    }
  }

  std::vector<TensorId> read_outputs(const LayerScope& scope) const {
    if (!map_.has("outputs")) return {scope.last};
    std::vector<TensorId> ids;
    for (const std::string& name : map_.require_texts("outputs")) {
      ids.push_back(scope.find(name));
      if (ids.back() != graph::kAbsent) continue;
      map_.fail("outputs",
                fmt::format("must name layers, got {}{}", yaml::shown(std::string_view(name)),
                            did_you_mean(name, scope.names())));
    }
    return ids;
  }

  void finish(std::vector<TensorId> outputs) {
    outputs.insert(outputs.end(), outputs_.begin(), outputs_.end());
    map_.finish();
    try {
      network_.graph = builder_.finish(std::move(outputs));
    } catch (const Error& error) {
      fail("{}: {}", map_.file(), error.what());
    }
  }

  YamlMap map_;
  const DescriptionOptions& options_;
  graph::NetworkBuilder builder_;
  Dimensions dimensions_;
  std::vector<TensorId> outputs_;  ///< Beside the described ones.
  DescribedNetwork network_;
};

}  // namespace

std::int64_t DescribedNetwork::parameter_count() const {
  std::int64_t sum = 0;
  for (const DescribedLayer& layer : layers) sum += layer.parameters;
  return sum;
}

std::int64_t DescribedNetwork::mac_count() const {
  std::int64_t sum = 0;
  for (const DescribedLayer& layer : layers) sum += layer.macs;
  return sum;
}

const std::vector<PrecisionName>& precision_names() {
  static const std::vector<PrecisionName> kNames = {{"int8", DType::kInt8},
                                                    {"float16", DType::kFloat16},
                                                    {"bfloat16", DType::kBfloat16},
                                                    {"float32", DType::kFloat32}};
  return kNames;
}

DescribedNetwork load_network_description(const std::string& path,
                                          const DescriptionOptions& options) {
  return DescriptionReader(YamlMap::from_file(path), options).read();
}

DescribedNetwork parse_network_description(std::string_view text, const std::string& file,
                                           const DescriptionOptions& options) {
  return DescriptionReader(YamlMap::from_text(text, file), options).read();
}

}  // namespace npu::importers
