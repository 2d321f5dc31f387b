#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/config/npu_config.h"

namespace npu::interchange {

/// The values of an NPU that importers fill in, each with its source; the rest is the same for all.
struct NpuDraft {
  struct Memory {
    std::int64_t bytes = 0;
    std::string source;
  };

  std::string name, description;
  double frequency_mhz = 1000;
  std::string clock_source;
  Dataflow dataflow = Dataflow::kWeightStationary;
  std::int64_t rows = 0, cols = 0;
  bool double_buffered_weights = true;
  std::string array_source;
  Memory scratchpad, accumulator;
  std::int64_t vector_lanes = 0, vector_latency_cycles = 0;
  double requantize_cycles = 1;
  std::string vector_source;
  std::int64_t interconnect_latency_cycles = 0;
  std::string interconnect_source;
  std::string dram_keys;  ///< Lines of the section.
  std::string dram_source;

  /// As a file of the folder `configs/npu`.
  [[nodiscard]] std::string yaml() const;
};

/// "imported from scale.cfg (SCALE-Sim)", for sources.
[[nodiscard]] std::string origin_of(const std::string& file, std::string_view simulator);

/// A name that a configuration may have: letters, digits, - and _.
[[nodiscard]] std::string plain_name(const std::string& text, const std::string& otherwise);

}  // namespace npu::interchange
