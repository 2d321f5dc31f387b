#pragma once

#include <random>

#include "sim/config/npu_config.h"

namespace npu::test {

/// A valid NPU: a preset with random array (4×4 to 128×128, both kinds, all dataflows), scratchpad
/// (16 KiB to 4 MiB), accumulators, vector unit, DMA, sequencer and interconnect. DRAM and energy
/// tables are the preset's.
[[nodiscard]] NpuConfig random_config(std::mt19937_64& rng);

}  // namespace npu::test
