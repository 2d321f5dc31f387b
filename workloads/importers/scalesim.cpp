#include "workloads/importers/scalesim.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <map>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/yaml_document.h"
#include "workloads/graph/network_builder.h"

namespace npu::importers {
namespace {

using graph::TensorId;

constexpr std::int64_t kMaxFileBytes = std::int64_t{4} << 20;
constexpr std::size_t kMaxRows = 10'000;
constexpr std::int64_t kMaxExtent = std::int64_t{1} << 24;
constexpr std::int64_t kMaxFilter = 65'535;  ///< verify()'s bound on a window.
constexpr std::int64_t kMaxBatch = 1'024;

enum class Column : std::uint8_t {
  kLayer,
  kInputHeight,
  kInputWidth,
  kFilterHeight,
  kFilterWidth,
  kChannels,
  kFilters,
  kStride,
  kStrideHeight,
  kStrideWidth,
  kM,
  kN,
  kK,
  kBatch,
};

struct ColumnName {
  std::string_view plain;  ///< Lower case letters alone.
  Column column;
};
constexpr std::array kColumns = {
    ColumnName{"layername", Column::kLayer},
    ColumnName{"layer", Column::kLayer},
    ColumnName{"ifmapheight", Column::kInputHeight},
    ColumnName{"ifmapwidth", Column::kInputWidth},
    ColumnName{"filterheight", Column::kFilterHeight},
    ColumnName{"filterwidth", Column::kFilterWidth},
    ColumnName{"channels", Column::kChannels},
    ColumnName{"numfilter", Column::kFilters},
    ColumnName{"numfilters", Column::kFilters},
    ColumnName{"strides", Column::kStride},
    ColumnName{"stride", Column::kStride},
    ColumnName{"strideheight", Column::kStrideHeight},
    ColumnName{"stridewidth", Column::kStrideWidth},
    ColumnName{"m", Column::kM},
    ColumnName{"n", Column::kN},
    ColumnName{"k", Column::kK},
    ColumnName{"batch", Column::kBatch},
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// Fields without the empty ones at the end.
std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields;
  while (true) {
    const std::size_t end = std::min(line.find(','), line.size());
    fields.emplace_back(trimmed(line.substr(0, end)));
    if (end == line.size()) break;
    line.remove_prefix(end + 1);
  }
  while (!fields.empty() && fields.back().empty()) fields.pop_back();
  return fields;
}

std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0) continue;
    plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return plain;
}

std::string shown(std::string_view text) { return text.empty() ? "nothing" : yaml::shown(text); }

class TopologyReader {
 public:
  TopologyReader(std::string_view text, const std::string& file, const DescriptionOptions& options)
      : text_(text), file_(file), builder_("") {
    if (!options.parameters.empty()) {
      fail("{}: the network has no parameter {}", file, options.parameters.begin()->first);
    }
    DescribedNetwork& network = result_.network;
    network.source = "SCALE-Sim topology";
    network.precision = options.precision.value_or(DType::kInt8);
    builder_ = graph::NetworkBuilder(
        std::filesystem::path(file).stem().string(),
        graph::DrawnNetwork{
            .type = network.precision,
            .payload = options.seed ? graph::Payload::kRequired : graph::Payload::kOptional,
            .seed = options.seed.value_or(0)});
  }

  ScaleSimNetwork read() {
    while (!text_.empty()) {
      const std::size_t end = std::min(text_.find('\n'), text_.size());
      fields_ = fields_of(text_.substr(0, end));
      text_.remove_prefix(std::min(end + 1, text_.size()));
      ++line_;
      if (fields_.empty()) continue;
      if (names_.empty()) {
        read_header();
      } else {
        read_row();
      }
    }
    if (outputs_.empty()) fail("{}: a topology needs a line of columns and layers", file_);
    try {
      result_.network.graph = builder_.finish(outputs_);
    } catch (const Error& error) {
      fail("{}: {}", file_, error.what());
    }
    return std::move(result_);
  }

 private:
  void read_header() {
    names_ = fields_;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const std::string plain = plain_name(names_[i]);
      const auto* const known = std::find_if(kColumns.begin(), kColumns.end(),
                                             [&](const ColumnName& c) { return c.plain == plain; });
      if (known == kColumns.end()) {
        result_.notes.push_back(
            fmt::format("{}: column {} has no meaning here", file_, shown(names_[i])));
      } else if (!columns_.emplace(known->column, i).second) {
        fail("{}:{}: column {} is there twice", file_, line_, shown(names_[i]));
      }
    }
    is_product_ = columns_.contains(Column::kM);
    const auto need = [&](Column column, const char* name) {
      if (columns_.contains(column)) return;
      fail(
          "{}:{}: no column {}: expected those of a SCALE-Sim topology, convolutions (Layer name, "
          "IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides) "
          "or products (Layer, M, N, K)",
          file_, line_, name);
    };
    need(Column::kLayer, "Layer name");
    if (is_product_) {
      need(Column::kN, "N");
      need(Column::kK, "K");
      return;
    }
    need(Column::kInputHeight, "IFMAP Height");
    need(Column::kInputWidth, "IFMAP Width");
    need(Column::kFilterHeight, "Filter Height");
    need(Column::kFilterWidth, "Filter Width");
    need(Column::kChannels, "Channels");
    need(Column::kFilters, "Num Filter");
    if (columns_.contains(Column::kStride)) return;
    need(Column::kStrideHeight, "Strides");
    need(Column::kStrideWidth, "Stride width");
  }

  [[nodiscard]] std::string key(Column column) const {
    return fmt::format("{}:{}: {}", file_, line_, names_[columns_.at(column)]);
  }

  [[nodiscard]] std::string_view text(Column column) const {
    const std::size_t at = columns_.at(column);
    return at < fields_.size() ? std::string_view(fields_[at]) : std::string_view{};
  }

  [[nodiscard]] std::int64_t number(Column column, std::int64_t high) const {
    const std::string_view field = text(column);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc{} || end != field.data() + field.size() || value < 1 || value > high) {
      fail("{}: must be an integer from 1 to {}, got {}", key(column), high, shown(field));
    }
    return value;
  }

  void read_row() {
    const std::string name(text(Column::kLayer));
    if (name.empty()) fail("{}: must be a name, got nothing", key(Column::kLayer));
    if (outputs_.size() == kMaxRows) fail("{}: more than {} layers", file_, kMaxRows);
    if (fields_.size() > names_.size() && !has_surplus_) {
      has_surplus_ = true;
      result_.notes.push_back(
          fmt::format("{}: column {} has no name and no meaning here", file_, names_.size() + 1));
    }
    if (!is_product_) {
      add(name, "conv", [&] { return convolution(name); });
      return;
    }
    const bool has_batch = columns_.contains(Column::kBatch) && !text(Column::kBatch).empty();
    const std::int64_t batch = has_batch ? number(Column::kBatch, kMaxBatch) : 1;
    for (std::int64_t i = 0; i < batch; ++i) {
      add(batch == 1 ? name : fmt::format("{}.{}", name, i), "linear", [&] { return product(); });
    }
  }

  template <typename Build>
  void add(const std::string& name, const std::string& op, Build&& build) {
    builder_.set_layer(name);
    TensorId y = graph::kAbsent;
    try {
      y = build();
      builder_.check_new_nodes();
    } catch (const Error& error) {
      const std::string_view what = error.what();
      if (what.starts_with(file_)) throw;
      fail("{}:{}: {}", file_, line_, what);
    }
    outputs_.push_back(y);
    const graph::Graph& g = builder_.graph();
    const graph::Node& node = g.nodes.back();
    result_.network.layers.push_back(
        {.name = name,
         .op = op,
         .shape = builder_.shape(y),
         .parameters = element_count(builder_.shape(node.inputs.at(1))),
         .macs = graph::mac_count(g, node)});
  }

  /// At most 2^31 elements.
  [[nodiscard]] TensorId input(Shape shape) {
    std::int64_t elements = 1;
    for (const std::int64_t d : shape) {
      if (d > graph::kMaxTensorBytes / elements) {
        fail("{}:{}: an input of more than 2^31 elements, {}", file_, line_, to_string(shape));
      }
      elements *= d;
    }
    return builder_.input(std::move(shape));
  }

  TensorId product() {
    const TensorId x = input({number(Column::kM, kMaxExtent), number(Column::kK, kMaxExtent)});
    return builder_.fully_connected(x, number(Column::kN, kMaxExtent));
  }

  struct Axis {
    int kernel = 1, stride = 1, pad_after = 0;
  };
  [[nodiscard]] Axis axis(std::int64_t in, Column filter, Column stride_column) const {
    const Column column = columns_.contains(Column::kStride) ? Column::kStride : stride_column;
    const std::int64_t kernel = number(filter, kMaxFilter);
    const std::int64_t stride = number(column, kMaxFilter);
    if (kernel > in) fail("{}: must fit an input of {}, got {}", key(filter), in, kernel);
    const std::int64_t out = (in - kernel + 2 * stride - 1) / stride;
    const std::int64_t reach = (out - 1) * stride + kernel;
    return {static_cast<int>(kernel), static_cast<int>(stride),
            static_cast<int>(std::max<std::int64_t>(0, reach - in))};
  }

  TensorId convolution(const std::string& name) {
    const std::int64_t height = number(Column::kInputHeight, kMaxExtent);
    const std::int64_t width = number(Column::kInputWidth, kMaxExtent);
    const std::int64_t channels = number(Column::kChannels, kMaxExtent);
    const std::int64_t filters = number(Column::kFilters, kMaxExtent);
    const Axis rows = axis(height, Column::kFilterHeight, Column::kStrideHeight);
    const Axis columns = axis(width, Column::kFilterWidth, Column::kStrideWidth);
    const graph::Window window{.kernel_h = rows.kernel,
                               .kernel_w = columns.kernel,
                               .stride_h = rows.stride,
                               .stride_w = columns.stride,
                               .pad_bottom = rows.pad_after,
                               .pad_right = columns.pad_after};
    const TensorId x = input({1, height, width, channels});
    if (name.find("DP") == std::string::npos) return builder_.conv(x, filters, window);
    return builder_.depthwise(x, window, graph::Activation::kNone, static_cast<int>(filters));
  }

  std::string_view text_;
  std::string file_;
  graph::NetworkBuilder builder_;
  std::size_t line_ = 0;
  std::vector<std::string> names_, fields_;
  std::map<Column, std::size_t> columns_;
  bool is_product_ = false;
  bool has_surplus_ = false;
  std::vector<TensorId> outputs_;
  ScaleSimNetwork result_;
};

}  // namespace

ScaleSimNetwork load_scalesim(const std::string& path, const DescriptionOptions& options) {
  return parse_scalesim(read_file(path, kMaxFileBytes), path, options);
}

ScaleSimNetwork parse_scalesim(std::string_view text, const std::string& file,
                               const DescriptionOptions& options) {
  return TopologyReader(text, file, options).read();
}

}  // namespace npu::importers
