// The unit MacArray against the PE-level model: programs of tiles and mac.load_weights back to
// back. When each instruction is complete, when the engine may go on to the next, and what is in
// the accumulators.

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "sim/base/error.h"
#include "sim/compute/mac_array.h"
#include "tests/golden/mac_array/bench.h"

namespace npu::test {
namespace {

using isa::Opcode;
using isa::Opd;

/// A program of the same tiles in both forms.
struct Step {
  bool is_load = false;
  PeTile tile;
  isa::Instruction instruction;
};

isa::Instruction load_of(const PeTile& t, const timing::Fold& fold, const TileMaker& make) {
  isa::Instruction i;
  i.opcode = Opcode::kLoadWeights;
  i.set(Opd::kW, make.address_of(t.w, t.shape.wide_weights));
  i.set(Opd::kWStride, t.weight_stride * t.w_bytes());
  i.set(Opd::kN, fold.n);
  i.set(Opd::kK, fold.k);
  i.set(Opd::kWType, t.shape.wide_weights ? 2 : 0);
  return i;
}

isa::Instruction tile_of(const PeTile& t, const TileMaker& make) {
  isa::Instruction i;
  const bool is_gemm = t.taps() == 1 && t.pixels.out == 1 && t.pixel_stride == 0;
  i.opcode = t.shape.depthwise ? Opcode::kDepthwise : is_gemm ? Opcode::kGemm : Opcode::kConv;
  i.set(Opd::kX, make.address_of(t.x, t.shape.wide));
  i.set(Opd::kW, make.address_of(t.w, t.shape.wide_weights));
  i.set(Opd::kAcc, 0);
  i.set(Opd::kRowStride, t.row_stride * t.x_bytes());
  i.set(t.shape.depthwise ? Opd::kWTapStride : Opd::kWStride, t.weight_stride * t.w_bytes());
  i.set(Opd::kAccPitch, t.n());
  i.set(Opd::kXType, t.shape.wide ? 2 : 0);
  i.set(Opd::kWType, t.shape.wide_weights ? 2 : 0);
  i.set(Opd::kWide, t.shape.wide ? 1 : 0);
  i.set(Opd::kAccumulate, t.shape.accumulate ? 1 : 0);
  if (!t.shape.depthwise) i.set(Opd::kWeightsLoaded, t.shape.weights_loaded ? 1 : 0);
  if (is_gemm) {
    i.set(Opd::kM, t.m());
    i.set(Opd::kN, t.n());
    i.set(Opd::kK, t.k());
    return i;
  }
  i.set(Opd::kPixelStride, t.pixel_stride * t.x_bytes());
  i.set(Opd::kInH, t.rows.in);
  i.set(Opd::kInW, t.pixels.in);
  i.set(Opd::kY0, t.rows.origin);
  i.set(Opd::kX0, t.pixels.origin);
  i.set(Opd::kKernelH, t.rows.kernel);
  i.set(Opd::kKernelW, t.pixels.kernel);
  i.set(Opd::kStrideH, t.rows.stride);
  i.set(Opd::kStrideW, t.pixels.stride);
  i.set(Opd::kDilationH, t.rows.dilation);
  i.set(Opd::kDilationW, t.pixels.dilation);
  i.set(Opd::kOutH, t.rows.out);
  i.set(Opd::kOutW, t.pixels.out);
  i.set(Opd::kOutC, t.n());
  if (t.shape.depthwise) {
    i.set(Opd::kMultiplier, t.multiplier);
  } else {
    i.set(Opd::kUpH, 1);
    i.set(Opd::kUpW, 1);
    i.set(Opd::kInC, t.in_c());
  }
  return i;
}

class Composition : public testing::TestWithParam<unsigned> {
 protected:
  static constexpr int kArrays = 60, kTiles = 30;

  /// Tiles one after the other; weights come ahead of every second one that can take them, and now
  /// and then for nothing.
  static std::vector<Step> program(TileMaker& make, const MacArrayConfig& config) {
    std::vector<Step> steps;
    for (int i = 0; i < kTiles; ++i) {
      Step step{.tile = make.any(config), .instruction = {}};
      const timing::Fold fold = first_fold(config, step.tile.shape);
      const int loads = fold.k == 0 ? 0 : std::max(0, make.pick(-1, 4) / 2);
      for (int l = 0; l < loads; ++l) {
        steps.push_back({true, step.tile, load_of(step.tile, fold, make)});
      }
      step.tile.shape.weights_loaded = loads > 0 && make.pick(0, 5) != 0;
      step.instruction = tile_of(step.tile, make);
      steps.push_back(std::move(step));
    }
    return steps;
  }

  /// Puts the sums of a tile into the accumulators, or compares them.
  static void put(std::span<std::byte> memory, const PeTile& t) {
    for (std::size_t i = 0; i < t.sums.size(); ++i) {
      const std::int64_t sum = t.sums[i];
      const std::size_t bytes = t.shape.wide ? 8 : 4;
      std::memcpy(memory.data() + i * bytes, &sum, bytes);
    }
  }
  static bool holds(std::span<std::byte> memory, const PeTile& t) {
    for (std::size_t i = 0; i < t.sums.size(); ++i) {
      const std::size_t bytes = t.shape.wide ? 8 : 4;
      std::int32_t low = 0;
      std::memcpy(&low, memory.data() + i * bytes, 4);
      if (low != t.sums[i]) return false;
    }
    return true;
  }
};

TEST_P(Composition, BackToBackTilesEqualTheRegisters) {
  TileMaker make(500 + GetParam());
  const CoreClock clock(1000);
  Recorder recorder(1);
  const std::vector<std::byte> operands = make.memory();
  // Wide enough never to be waited for.
  const SramConfig memory{
      .capacity_bytes = 1 << 18, .banks = 64, .port_width_bytes = 1 << 14, .ports = 2};
  Sram scratchpad("scratchpad", memory, true);
  Sram accumulator("accumulator", memory, true);
  std::memcpy(scratchpad.data().data(), operands.data(), operands.size());

  PeArray pes("pes");
  std::vector<MacArrayConfig> configs;
  std::vector<std::unique_ptr<MacArray>> arrays;
  for (int i = 0; i < kArrays; ++i) {
    configs.push_back(make.array(1));
    arrays.push_back(std::make_unique<MacArray>(fmt::format("mac{}", i).c_str(), configs.back(),
                                                clock, scratchpad, accumulator, recorder));
  }
  simulate_script([&] {
    for (std::size_t a = 0; a < configs.size(); ++a) {
      std::vector<Step> steps = program(make, configs[a]);
      const std::vector<Step> before = steps;  // with the sums as they were
      pes.configure(configs[a]);
      for (Step& step : steps) {
        if (step.is_load) {
          pes.load_weights(step.tile);
        } else {
          pes.run_tile(step.tile);
        }
      }
      pes.finish();

      const std::uint64_t origin = clock.now();
      std::uint64_t latest = 0;
      for (std::size_t i = 0; i < steps.size(); ++i) {
        const PeArray::Record& golden = pes.records()[i];
        if (!steps[i].is_load) put(accumulator.data(), before[i].tile);
        const std::uint64_t end =
            arrays[a]->execute(steps[i].instruction, static_cast<std::int32_t>(i), 0);
        latest = std::max(latest, golden.end);
        ASSERT_EQ(end - origin, latest) << "array " << a << " instruction " << i;
        const std::uint64_t next = steps[i].is_load ? golden.start : golden.registers_free;
        ASSERT_EQ(clock.now() - origin, next) << "array " << a << " instruction " << i;
        if (!steps[i].is_load) {
          ASSERT_TRUE(holds(accumulator.data(), steps[i].tile))
              << "array " << a << " instruction " << i;
        }
      }
      clock.wait_until(origin + latest);
    }
  });
}
INSTANTIATE_TEST_SUITE_P(Seeds, Composition, testing::Range(0U, 3U));

}  // namespace
}  // namespace npu::test
