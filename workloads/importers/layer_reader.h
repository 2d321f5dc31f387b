#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/yaml_map.h"
#include "workloads/graph/network_builder.h"
#include "workloads/importers/dimension_expression.h"

namespace npu::importers {

/// The layers that a layer of a network description can name: those above it in its block and in
/// the blocks around that. `entry` is what the block read.
class LayerScope {
 public:
  explicit LayerScope(const LayerScope* outer = nullptr) : outer_(outer) {}

  /// kAbsent if there is no such layer.
  [[nodiscard]] graph::TensorId find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;
  /// False if the block has a layer of that name.
  [[nodiscard]] bool add(const std::string& name, graph::TensorId id);

  graph::TensorId last = graph::kAbsent;  ///< Output of the layer above.

 private:
  const LayerScope* outer_;
  std::map<std::string, graph::TensorId, std::less<>> layers_;
};

/// One layer of a network description while it is read: its keys as operators want them, and the
/// network that it becomes part of. Every error names file, line and key.
class LayerReader {
 public:
  LayerReader(const YamlMap& map, const Dimensions& dimensions, const LayerScope& scope,
              graph::NetworkBuilder& network)
      : builder(network), map_(map), dimensions_(dimensions), scope_(scope) {}

  graph::NetworkBuilder& builder;
  std::int64_t parameters = 0;  ///< Learned values of the layer, as published counts have them.
  std::vector<graph::TensorId> extra_outputs;  ///< Outputs of the network beside its own.
  bool whole_attention = false;                ///< DescriptionOptions::whole_attention

  [[nodiscard]] const YamlMap& map() const { return map_; }
  [[noreturn]] void fail(std::string_view key, std::string_view message) const {
    map_.fail(key, message);
  }

  /// A formula with a value in [low, high].
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t low,
                                     std::int64_t high) const;
  [[nodiscard]] std::int64_t integer_or(std::string_view key, std::int64_t fallback,
                                        std::int64_t low, std::int64_t high) const;
  [[nodiscard]] int small(std::string_view key, int fallback, int low, int high) const {
    return static_cast<int>(integer_or(key, fallback, low, high));
  }
  /// One formula or a list of them, each in [low, high].
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view key, std::int64_t low,
                                                   std::int64_t high) const;
  /// At most 2^31 elements in at most kMaxRank dimensions.
  [[nodiscard]] Shape shape(std::string_view key) const;
  /// kernel, stride, pad of a convolution or pooling over x.
  [[nodiscard]] graph::Window window(graph::TensorId x) const;
  [[nodiscard]] graph::Activation activation() const;

  /// The layers of `from`, or the layer above.
  [[nodiscard]] std::vector<graph::TensorId> operands(std::size_t low, std::size_t high) const;
  [[nodiscard]] graph::TensorId operand() const { return operands(1, 1)[0]; }
  [[nodiscard]] graph::TensorId image() const;
  [[nodiscard]] const Shape& shape_of(graph::TensorId id) const { return builder.shape(id); }

 private:
  [[nodiscard]] std::int64_t value(std::string_view key, const std::string& text, std::int64_t low,
                                   std::int64_t high) const;
  /// Rows and columns.
  [[nodiscard]] std::pair<int, int> pair(std::string_view key, int low, int fallback) const;

  YamlMap map_;
  const Dimensions& dimensions_;
  const LayerScope& scope_;
};

struct OperatorRow {
  std::string_view name;
  graph::TensorId (*read)(LayerReader&);
};
/// Operators of transformers.
[[nodiscard]] std::span<const OperatorRow> transformer_operators();

/// Adds the layer's operator to the network. @return its output.
/// @throws Error `file:line:column: key: …`.
[[nodiscard]] graph::TensorId read_operator(LayerReader& layer);

/// Extent of a dimension of a tensor in a description.
inline constexpr std::int64_t kMaxExtent = std::int64_t{1} << 24;

}  // namespace npu::importers
