// ONNXim, one core: layers of its own logs, and the DRAM requests of its networks of one layer.
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "sim/base/error.h"
#include "sim/config/npu_config.h"
#include "sim/validation/peer_suites.h"
#include "sim/validation/resnet_layers.h"
#include "sim/validation/simulate.h"
#include "workloads/graph/network_builder.h"

namespace npu::validation {
namespace {

constexpr std::string_view kConfigs = "tpuv4_c1, edge32_c1, tpuv4_c4";

/// The numbers of "gemm_128_3072_768" or "conv_h56_c64_m64_k3_s1", whatever letters precede them.
/// @throws Error where a part is no number from 1 to kMaxChannels.
std::vector<std::int64_t> numbers_of(const CsvTable& rows, std::size_t row, std::size_t count) {
  const std::string& model = rows.text(row, "model");
  std::vector<std::int64_t> numbers;
  for (std::size_t at = model.find('_'); at != std::string::npos;) {
    const std::size_t end = std::min(model.find('_', at + 1), model.size());
    std::string_view part = std::string_view(model).substr(at + 1, end - at - 1);
    if (!part.empty() && part.front() >= 'a' && part.front() <= 'z') part.remove_prefix(1);
    std::int64_t value = 0;
    const auto [rest, code] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (code != std::errc() || rest != part.data() + part.size() || value < 1 ||
        value > kMaxChannels) {
      break;
    }
    numbers.push_back(value);
    at = end == model.size() ? std::string::npos : end;
  }
  if (numbers.size() != count ||
      static_cast<std::size_t>(std::count(model.begin(), model.end(), '_')) != count) {
    fail(
        "{}: model: expected gemm_M_N_K or conv_hH_cC_mM_kK_sS with numbers from 1 to {}, got "
        "\"{}\"",
        rows.place(row), kMaxChannels, model);
  }
  return numbers;
}

/// A network of one layer, named by its extents.
PeerLayer single_layer(const CsvTable& rows, std::size_t row) {
  if (rows.text(row, "model").starts_with("gemm_")) {
    const std::vector<std::int64_t> n = numbers_of(rows, row, 3);
    return product_layer(n[0], n[1], n[2]);
  }
  const std::vector<std::int64_t> n = numbers_of(rows, row, 5);
  if (n[0] > kMaxImage || n[3] > kMaxKernel || n[4] > kMaxStride) {
    fail("{}: model: image above {}, kernel above {} or stride above {}", rows.place(row),
         kMaxImage, kMaxKernel, kMaxStride);
  }
  PeerLayer layer;
  layer.height = layer.width = n[0];
  layer.channels = n[1];
  layer.filters = n[2];
  const auto kernel = static_cast<int>(n[3]);
  layer.window = graph::square_window(kernel, static_cast<int>(n[4]), kernel / 2);
  return layer;
}

bool is_single(const std::string& model) {
  return model.starts_with("gemm_") || model.starts_with("conv_");
}

/// ONNXim's order: a projection comes after the convolutions that lie beside it and before the one
/// that adds it, in stage 1 of ResNet-50 first of all; identified by its name, "Conv" without the
/// fused activation.
class ResnetCursor {
 public:
  explicit ResnetCursor(std::vector<ResnetLayer> layers) : layers_(std::move(layers)) {}

  /// Nullopt when there is no such layer any more.
  std::optional<PeerLayer> next(bool is_projection) {
    std::size_t& at = is_projection ? projection_ : other_;
    while (at < layers_.size() && layers_[at].is_projection != is_projection) ++at;
    if (at == layers_.size()) return std::nullopt;
    return layers_[at++].layer;
  }

 private:
  std::vector<ResnetLayer> layers_;
  std::size_t projection_ = 0, other_ = 0;
};

/// Matrix products of a BERT-base layer over 128 tokens by their names; attention is one layer
/// there.
std::optional<PeerLayer> bert_layer(const std::string& layer) {
  constexpr std::int64_t kTokens = 128, kHidden = 768, kInner = 3072;
  if (layer == "MatMul_2") return product_layer(kTokens, kHidden, kHidden);
  if (layer == "MatMul_4") return product_layer(kTokens, kInner, kHidden);
  if (layer == "MatMul_6") return product_layer(kTokens, kHidden, kInner);
  return std::nullopt;
}

NpuConfig config_of(const SuiteContext& context, const std::string& config) {
  return load_npu_config(
      context.npu(config == "edge32_c1" ? "peers/onnxim_edge32" : "peers/onnxim_tpuv4"));
}

std::vector<Case> layer_cases(const CsvTable& rows, const SuiteContext& context) {
  std::vector<Case> out;
  std::string network;  // Of the row before: layers of a network follow one another.
  std::optional<ResnetCursor> resnet;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const std::string& config = one_of(rows, i, "config", kConfigs);
    const std::string& model = rows.text(i, "model");
    const std::string& name = rows.text(i, "layer");
    const double cycles = rows.number(i, "compute_time_cycles", 0, kMaxFigure);
    if (std::string now = fmt::format("{} {}", config, model); network != now) {
      network = std::move(now);
      resnet.reset();
      if (model == "resnet18_gen") resnet.emplace(resnet18_layers());
      if (model == "resnet50_gen") resnet.emplace(resnet50_layers());
    }
    if (config == "tpuv4_c4") continue;
    std::optional<PeerLayer> layer;
    if (resnet) {
      if (name.starts_with("Conv_")) layer = resnet->next(true);
      if (name.starts_with("FusedConv_") || name.starts_with("Gemm_")) layer = resnet->next(false);
      const bool is_window = name.find("Conv_") != std::string::npos || name.starts_with("Gemm_");
      if (is_window && !layer) {
        fail("{}: layer: {} has fewer layers, got \"{}\"", rows.place(i), model, name);
      }
    } else if (is_single(model)) {
      layer = single_layer(rows, i);
    } else if (model == "bert_base_s128_l1") {
      layer = bert_layer(name);
    } else {
      fail(
          "{}: model: expected resnet18_gen, resnet50_gen, bert_base_s128_l1, gemm_… or conv_…, "
          "got \"{}\"",
          rows.place(i), model);
    }
    if (!layer) continue;
    out.push_back(
        {fmt::format("{} {}/{}", config, model, name), cycles, [context, config, shape = *layer] {
           return static_cast<double>(
               simulate(config_of(context, config), network_of(shape)).total_cycles);
         }});
  }
  return out;
}

std::vector<Case> dram_cases(const CsvTable& rows, const SuiteContext& context) {
  constexpr double kRequestBytes = 32;
  std::vector<Case> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const std::string& config = one_of(rows, i, "config", kConfigs);
    const std::string& model = rows.text(i, "model");
    const double requests =
        rows.number(i, "dram_reads", 0, kMaxFigure) + rows.number(i, "dram_writes", 0, kMaxFigure);
    if (config == "tpuv4_c4" || !is_single(model)) continue;
    const double element_bytes = config == "edge32_c1" ? 1 : 2;
    out.push_back({fmt::format("{} {}", config, model), requests * kRequestBytes / element_bytes,
                   [context, config, shape = single_layer(rows, i)] {
                     return static_cast<double>(
                         dram_bytes(simulate(config_of(context, config), network_of(shape))));
                   }});
  }
  return out;
}

}  // namespace

void add_onnxim_suites(std::vector<Suite>& suites) {
  Suite layers;
  layers.name = "onnxim_layers";
  layers.quantity = "cycles";
  layers.unit = "cycles";
  layers.reference = "ONNXim, convolutions and matrix products on one core of 128x128 or 32x32";
  layers.rows = "onnxim_layers";
  layers.bound = {.rank_correlation = 0.9};
  layers.differs =
      "there: kernel taps are not folded into the array's rows (first layers up to 16 times "
      "longer), "
      "convolution weights alias in the DRAM; left out: several cores, attention, normalization, "
      "GELU and pooling";
  layers.cases = layer_cases;
  suites.push_back(std::move(layers));

  Suite dram;
  dram.name = "onnxim_dram";
  dram.quantity = "DRAM traffic";
  dram.unit = "bytes";
  dram.reference = "ONNXim, requests of networks of one layer, elements";
  dram.rows = "onnxim";
  dram.bound = {.rank_correlation = 0.9};
  dram.differs = "there: tiles of its own heuristic; convolution weights alias, reads are too low";
  dram.cases = dram_cases;
  suites.push_back(std::move(dram));
}

}  // namespace npu::validation
