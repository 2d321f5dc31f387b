// ZigZag on its own architectures, layer by layer.
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "sim/base/error.h"
#include "sim/config/npu_config.h"
#include "sim/validation/peer_suites.h"
#include "sim/validation/simulate.h"

namespace npu::validation {
namespace {

using Dims = std::map<std::string, std::int64_t, std::less<>>;

/// "{'B': 1, 'K': 64}", as ZigZag prints a layer's loop bounds.
Dims parse_dims(const CsvTable& rows, std::size_t row) {
  const std::string& text = rows.text(row, "dims");
  const auto bad = [&] [[noreturn]] () {
    fail("{}: dims: expected loop bounds as {{'K': 64, 'C': 3}} from 1 to {}, got \"{}\"",
         rows.place(row), kMaxChannels, text.substr(0, 60));
  };
  Dims dims;
  std::size_t at = 0;
  const auto take = [&](std::string_view token) {
    if (text.compare(at, token.size(), token) != 0) bad();
    at += token.size();
  };
  take("{");
  while (true) {
    take("'");
    const std::size_t end = text.find('\'', at);
    if (end == std::string::npos) bad();
    std::string name = text.substr(at, end - at);
    at = end;
    take("': ");
    std::int64_t value = 0;
    const auto [rest, code] = std::from_chars(text.data() + at, text.data() + text.size(), value);
    if (code != std::errc() || value < 1 || value > kMaxChannels) bad();
    at = static_cast<std::size_t>(rest - text.data());
    if (!dims.emplace(std::move(name), value).second) bad();
    if (at < text.size() && text[at] == '}') break;
    take(", ");
  }
  if (at + 1 != text.size()) bad();
  return dims;
}

/// The rows do not give strides; those of ResNet-18 are 2 where it has three input channels or
/// twice as many output as input channels.
PeerLayer layer_of(const CsvTable& rows, std::size_t row, const Dims& dims) {
  const auto dim = [&](std::string_view name, std::int64_t most) {
    const auto it = dims.find(name);
    if (it == dims.end()) fail("{}: dims: no bound \"{}\"", rows.place(row), name);
    if (it->second > most) {
      fail("{}: dims: {} must be at most {}, got {}", rows.place(row), name, most, it->second);
    }
    return it->second;
  };
  PeerLayer layer;
  layer.channels = dim("C", kMaxChannels);
  layer.filters = dim("K", kMaxChannels);
  graph::Window& w = layer.window;
  w.kernel_h = static_cast<int>(dim("FY", kMaxKernel));
  w.kernel_w = static_cast<int>(dim("FX", kMaxKernel));
  const bool halves = layer.channels == 3 || layer.filters == 2 * layer.channels;
  w.stride_h = w.stride_w = halves ? 2 : 1;
  w.pad_top = w.kernel_h / 2;
  w.pad_left = w.kernel_w / 2;
  w.pad_bottom = (w.kernel_h - 1) / 2;
  w.pad_right = (w.kernel_w - 1) / 2;
  // Stride 2 halves an even extent.
  layer.height = dim("OY", kMaxImage) * w.stride_h;
  layer.width = dim("OX", kMaxImage) * w.stride_w;
  return layer;
}

std::vector<Case> cases(const CsvTable& rows, const SuiteContext& context) {
  std::vector<Case> out;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const std::string& tag = rows.text(i, "tag");
    const Dims dims = parse_dims(rows, i);
    const double latency = rows.number(i, "latency_total", 1, kMaxFigure);
    const std::string_view text(tag);
    const bool is_edge = text.find("_edge_tpu_like") != std::string_view::npos;
    const bool is_tpu = !is_edge && text.find("_tpu_like") != std::string_view::npos;
    // Pooling and additions have groups and no channels to reduce.
    if (!(is_edge || is_tpu) || dims.contains("G")) continue;
    const PeerLayer layer = layer_of(rows, i, dims);
    if (!seen.insert(fmt::format("{} {} {}", is_edge, layer.key(), latency)).second) continue;
    out.push_back(
        {fmt::format("{}/{}", tag, rows.text(i, "layer")), latency, [context, is_edge, layer] {
           const NpuConfig config = load_npu_config(
               context.npu(is_edge ? "peers/zigzag_edge_tpu_like" : "peers/zigzag_tpu_like"));
           return static_cast<double>(simulate(config, network_of(layer)).total_cycles);
         }});
  }
  return out;
}

}  // namespace

void add_zigzag_suites(std::vector<Suite>& suites) {
  Suite layers;
  layers.name = "zigzag_layers";
  layers.quantity = "cycles";
  layers.unit = "cycles";
  layers.reference =
      "ZigZag 3.8.5, total latency of convolutions and products, tpu_like and edge_tpu_like";
  layers.rows = "zigzag_layers";
  layers.bound = {.rank_correlation = 0.8};
  layers.differs =
      "there: the first layer's three channels use 3 of 32 rows; weights move into the PEs at 64 "
      "bits per cycle straight from the DRAM; left out: pooling, additions, the eyeriss-like and "
      "the gemm architectures";
  layers.cases = cases;
  suites.push_back(std::move(layers));
}

}  // namespace npu::validation
