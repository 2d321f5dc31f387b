#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/csv.h"
#include "workloads/graph/graph.h"

namespace npu::calibration {

/// A layer or network whose cycles were measured on the chip.
struct Measurement {
  std::string place;     ///< "rows.csv:7"
  graph::Graph network;  ///< Passes applied.
  std::uint64_t cycles = 0;
};

/// Rows with `cycles` (measured, one inference) and either `model` (a .tflite file, relative to the
/// table's folder) or `type` with a layer's shape, int8:
///
///     conv             in_h in_w in_c out_c kernel_h kernel_w stride pad
///     depthwise        the same; out_c a multiple of in_c
///     fully_connected  in_c out_c
///
/// `pad` stands on each side. Columns that a row does not use may be empty; a table may have more
/// columns.
/// @throws Error `file:line: column: …`.
[[nodiscard]] std::vector<Measurement> read_measurements(const CsvTable& table,
                                                         const std::string& path);

/// Which rows a fit may see.
struct Split {
  std::vector<std::size_t> fitted, held_out;  ///< Ascending.
};
/// Holds out round(share · rows) rows, chosen by the seed alone.
/// @throws Error if either part would have fewer than two rows.
[[nodiscard]] Split split_rows(std::size_t rows, double held_out_share, std::uint64_t seed);

}  // namespace npu::calibration
