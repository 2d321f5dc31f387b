#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::importers {

/// How a network description is made a network.
struct DescriptionOptions {
  std::map<std::string, std::int64_t, std::less<>> parameters = {};  ///< Instead of the defaults.
  std::optional<DType> precision = {};                               ///< Instead of the file's.
  std::optional<std::uint64_t> seed = {};  ///< Of drawn weights; without one they have no values.
  bool whole_attention = false;  ///< Attention is one ATTENTION each, whatever `form` says.
};

/// One layer of the description, or one repetition of it.
struct DescribedLayer {
  std::string name;  ///< With the blocks around it: "layer1.0.conv1".
  std::string op;
  Shape shape;                  ///< Of its output.
  std::int64_t parameters = 0;  ///< Learned values.
  std::int64_t macs = 0;
};

/// A network described in YAML, the format of docs/networks.md.
struct DescribedNetwork {
  struct Parameter {
    std::string name;
    std::int64_t value = 0, low = 0, high = 0;
  };

  graph::Graph graph;  ///< Verified; named as the file says.
  std::string source;
  DType precision = DType::kInt8;
  std::vector<Parameter> parameters;  ///< In the order of the file.
  std::vector<DescribedLayer> layers;

  /// Learned values; a weight that two layers share counts once.
  [[nodiscard]] std::int64_t parameter_count() const;
  [[nodiscard]] std::int64_t mac_count() const;
};

/// @throws Error `file:line:column: key: what, got value` for anything wrong in the file, and
/// `file: …` for parameters that it does not have or that are out of its range.
[[nodiscard]] DescribedNetwork load_network_description(const std::string& path,
                                                        const DescriptionOptions& options);
/// The same from memory.
[[nodiscard]] DescribedNetwork parse_network_description(std::string_view text,
                                                         const std::string& file,
                                                         const DescriptionOptions& options);

/// The words of `precision`.
using PrecisionName = std::pair<std::string_view, DType>;
[[nodiscard]] const std::vector<PrecisionName>& precision_names();

}  // namespace npu::importers
