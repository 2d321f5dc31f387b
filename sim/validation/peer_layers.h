#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/base/csv.h"
#include "sim/stats/run_stats.h"
#include "workloads/graph/graph.h"

namespace npu::validation {

/// One layer as layer-by-layer simulators take it: a convolution without padding of the input,
/// a product, or a depthwise convolution (then filters = channels).
struct PeerLayer {
  std::int64_t height = 1, width = 1, channels = 1;  ///< Input, without padding.
  std::int64_t filters = 1;                          ///< Output channels.
  graph::Window window;
  bool depthwise = false;

  [[nodiscard]] std::int64_t out_height() const;
  [[nodiscard]] std::int64_t out_width() const;
  /// Of the matrix product: out[M,N] = in[M,K] · w[K,N].
  [[nodiscard]] std::int64_t m() const { return out_height() * out_width(); }
  [[nodiscard]] std::int64_t n() const { return filters; }
  [[nodiscard]] std::int64_t k() const;

  /// Bytes of input, weights and output, each once, at one byte per element; input pixels that no
  /// window reaches are left out.
  [[nodiscard]] std::int64_t input_bytes() const;
  [[nodiscard]] std::int64_t weight_bytes() const;
  [[nodiscard]] std::int64_t output_bytes() const { return m() * filters; }

  /// Identifies the shape.
  [[nodiscard]] std::string key() const;
};

/// in[M,K] · w[K,N]: K channels at M positions of one column, N filters.
[[nodiscard]] PeerLayer product_layer(std::int64_t m, std::int64_t n, std::int64_t k);

/// The layer as a network of one operator, int8.
/// @throws Error where npusim's graphs cannot hold it.
[[nodiscard]] graph::Graph network_of(const PeerLayer& layer);

/// Bytes read from the DRAM for the layers of a run, whole bursts.
[[nodiscard]] std::uint64_t dram_read_bytes(const RunStats& stats);

/// Text that must be one of `names`, separated by ", ".
/// @throws Error `file:line: column: …`.
[[nodiscard]] const std::string& one_of(const CsvTable& rows, std::size_t row,
                                        std::string_view column, std::string_view names);

/// Largest extents of a layer that rows may give.
inline constexpr std::int64_t kMaxImage = 4096, kMaxChannels = 65536, kMaxKernel = 15,
                              kMaxStride = 15;
/// Largest figure of a reference: cycles or bytes.
inline constexpr double kMaxFigure = 1e15;

}  // namespace npu::validation
