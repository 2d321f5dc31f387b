#include "kernels/mapper/window_tiling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "sim/base/error.h"

namespace npu::mapper {
namespace {

using testing::HasSubstr;

NpuConfig edge() {
  return load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/edge.yaml");
}

WindowProblem conv_3x3(std::int64_t size, std::int64_t channels) {
  WindowProblem p;
  p.out_h = p.out_w = p.in_h = p.in_w = size;
  p.in_c = p.out_c = channels;
  p.window = {
      .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_bottom = 1, .pad_left = 1, .pad_right = 1};
  p.param_bytes = 12;
  return p;
}

TEST(InputSpan, EqualsThePositionsThatTapsTouch) {
  std::mt19937_64 rng(1);
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(high - low + 1));
  };
  for (int i = 0; i < 5000; ++i) {
    const auto first = pick(0, 9), count = pick(1, 6), stride = pick(1, 3), kernel = pick(1, 5),
               dilation = pick(1, 3), pad = pick(0, 4), up = pick(1, 3), in_size = pick(1, 20);
    std::int64_t low = in_size;
    std::int64_t high = -1;
    for (std::int64_t o = first; o < first + count; ++o) {
      for (std::int64_t k = 0; k < kernel; ++k) {
        const std::int64_t at = o * stride - pad + k * dilation;
        if (at < 0 || at % up != 0 || at / up >= in_size) continue;
        low = std::min(low, at / up);
        high = std::max(high, at / up);
      }
    }
    const InputSpan span = input_span(first, count, stride, kernel, dilation, pad, up, in_size);
    if (high >= low) {
      EXPECT_LE(span.begin, low);
      EXPECT_GE(span.begin + span.size, high + 1);
    }
    EXPECT_GE(span.begin, 0);
    EXPECT_GE(span.size, 1);
    for (std::int64_t at = 0; high < low && at < count * kernel; ++at) {
      const std::int64_t position =
          span.origin + at / kernel * stride + at % kernel * dilation;  // Relative to the span.
      EXPECT_FALSE(position >= 0 && position % up == 0 && position / up < span.size);
    }
    EXPECT_LE(span.begin + span.size, in_size);
    EXPECT_EQ(span.origin + span.begin * up, first * stride - pad);
  }
}

TEST(WindowTiling, TileFitsAndSmallestFitIsTheBoundary) {
  const NpuConfig config = edge();
  const WindowProblem p = conv_3x3(32, 64);
  std::int64_t least = 1 << 20;
  while (least > 0) {
    try {
      EXPECT_LE(choose_window_tile(p, config, least, "CONV_2D #0").scratchpad_bytes(), least);
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr("CONV_2D #0: scratchpad: the smallest tile needs"));
      EXPECT_THAT(e.what(), HasSubstr(fmt::format("{} are there", least)));
      break;
    }
    least = choose_window_tile(p, config, least, "CONV_2D #0").scratchpad_bytes() - kAlignment;
  }
  EXPECT_LT(least, 2048);  // one output channel, one pixel, one input channel slice
}

TEST(WindowTiling, AccumulatorThatCannotHoldOnePixelIsAnError) {
  NpuConfig config = edge();
  config.accumulator.capacity_bytes = 32;
  try {
    static_cast<void>(choose_window_tile(conv_3x3(8, 8), config, 1 << 18, "CONV_2D #7"));
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_THAT(
        e.what(),
        HasSubstr("CONV_2D #7: accumulator: the smallest tile needs 64 bytes, 32 are there"));
  }
}

std::string error_of(const WindowProblem& p, const NpuConfig& config, std::int64_t bytes,
                     const WindowDecision& decided) {
  try {
    static_cast<void>(choose_window_tile(p, config, bytes, "layer", decided));
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(WindowTiling, DecidedExtentsFitTheInstructions) {
  WindowProblem p;
  p.kind = WindowKind::kGemm;
  p.out_w = p.in_w = 70000;
  p.param_bytes = 12;
  EXPECT_EQ(error_of(p, edge(), 1 << 20, {.out_w = 65536}),
            "layer: tile.out_w: 65536: a tile has at most 65535");
  EXPECT_EQ(error_of(p, edge(), 1 << 20, {.out_w = 70001}),
            "layer: tile.out_w: 70001: the layer allows 1 to 70000");
}

TEST(WindowTiling, ATileThatMustStreamAndDoesNotFitSaysWhatItNeeds) {
  const NpuConfig config =
      load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/nvdla_small.yaml");
  const std::string error = error_of(conv_3x3(8, 16), config, 512, {.acc_slots = 0});
  EXPECT_THAT(error, HasSubstr("layer: scratchpad: the smallest tile needs"));
  EXPECT_THAT(error, testing::Not(HasSubstr("needs 0 bytes")));
  EXPECT_EQ(error, error_of(conv_3x3(8, 16), config, 512, {.streamed = true}));
}

TEST(WindowTiling, MoreScratchpadNeverCostsCycles) {
  const NpuConfig config = edge();
  const WindowProblem p = conv_3x3(56, 96);
  std::int64_t before = 0;
  for (std::int64_t bytes = 16 << 10; bytes <= 4 << 20; bytes *= 2) {
    const std::int64_t cycles = choose_window_tile(p, config, bytes, "c").predicted_cycles;
    if (before > 0) {
      EXPECT_LE(cycles, before) << bytes;
    }
    before = cycles;
  }
}

TEST(WindowTiling, InputChannelsAreSplitWhereThatPaysAQuarter) {
  NpuConfig config = edge();
  WindowProblem p;
  p.kind = WindowKind::kGemm;
  p.out_w = 128;
  p.out_c = 768;
  p.in_c = p.in_w = 3072;
  p.param_bytes = 12;
  // Small enough to hold few output channels with all input channels.
  const WindowTile split = choose_window_tile(p, config, 512 << 10, "c");
  p.in_c = 64;
  const WindowTile whole = choose_window_tile(p, config, 512 << 10, "c");
  EXPECT_LT(split.in_c, 3072);
  EXPECT_EQ(whole.in_c, 64);
}

TEST(WindowTiling, WeightsThatFitAreLoadedOnce) {
  const NpuConfig config = edge();
  const WindowProblem p = conv_3x3(32, 32);
  const WindowTile t = choose_window_tile(p, config, 512 << 10, "c");
  const std::int64_t input = 32 * 32 * 32;
  const std::int64_t weights = 32 * (9 * 32 + 12);
  EXPECT_GE(t.work.load_bytes, input + weights);
  EXPECT_LT(t.work.load_bytes, 2 * input + 2 * weights);  // halo rows between tiles are read twice
  EXPECT_EQ(t.work.store_bytes, 32 * 32 * 32);
}

TEST(ChooseWindowTile, RunsOfAFewChannelsCostWholeBursts) {
  // One channel per tile would fit best and is what the vector unit does not mind; each of its
  // bytes is a burst of its own.
  NpuConfig config = edge();
  config.scratchpad.capacity_bytes = 65536;
  WindowProblem p;
  p.kind = WindowKind::kPool;
  p.in_h = p.in_w = 112;
  p.out_h = p.out_w = 56;
  p.in_c = p.out_c = 64;
  p.window = {
      .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_left = 1};
  const WindowTile t = choose_window_tile(p, config, config.scratchpad.capacity_bytes, "pool");
  EXPECT_GE(t.out_c, config.dram.burst_bytes());
  EXPECT_EQ(t.work.store_bytes, 56 * 56 * 64);
}

}  // namespace
}  // namespace npu::mapper
