// The closed forms of sim/timing/mac_timing.h against the PE-level model, tile by tile.
//
// Every tile: total cycles, cycles in which operands enter, the cycle in which the registers are
// free for the next weights, bytes read and written; and the product itself, so that an order of
// events that the registers do not allow shows as a wrong sum. Enumerated:
//   - every array of 2×2 to 5×5, and within it every tile m, n, k of 1 to 3 times its larger side,
//     its columns and its rows;
//   - every array of 2×2 to 16×16, and within it all m of 1 to 3 times its larger side, all n of 1
//     to 3·cols and all k of 1 to 3·rows, each with three of the 25 combinations in which the
//     others are 1, the array's size, one less, one more, or three times the size; the combinations
//     take turns, so that each array sees all of them;
// each for three dataflows, single and double registers, systolic and dot product; port width,
// output latency, positions, accumulation and weights brought ahead are drawn per array or tile.
//   - every tile as above of arrays of 2×2 to 4×4 that load whole blocks of int8 weights only;
//   - 100,000 tiles drawn with strides, dilation, padding, depthwise and int16 operands on arrays
//     of 1×1 to 16×16.
// With NPUSIM_LARGEST_ARRAY=16 in the environment the first enumeration goes up to 16×16: hours.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ostream>
#include <string>
#include <vector>

#include "sim/base/error.h"
#include "sim/timing/mac_timing.h"
#include "tests/golden/mac_array/bench.h"

namespace npu::test {
namespace {

std::string describe(const MacArrayConfig& c, const PeTile& tile) {
  static constexpr std::array<const char*, 3> kFlows = {"weight", "output", "input"};
  const timing::MacTile& t = tile.shape;
  return fmt::format(
      "{} {}x{}x{} {} stationary, {} registers, port {}, latency {}, int16 {}: m {} n {} k {} taps "
      "{}{}{}{}{}{}",
      c.kind == ArrayKind::kDotProduct ? "dot product" : "systolic", c.rows, c.cols, c.pixels,
      kFlows[static_cast<std::size_t>(c.dataflow)], c.double_buffered_weights ? "double" : "single",
      c.weight_load_bytes_per_cycle, c.pipeline_latency_cycles, c.int16_cycles, t.m, t.n, t.k,
      t.taps, t.depthwise ? " depthwise" : "", t.wide ? " wide" : "",
      t.wide_weights ? " wide weights" : "", t.weights_loaded ? " loaded" : "",
      t.accumulate ? " accumulate" : "");
}

/// Runs one tile, after its mac.load_weights if it wants that, and compares everything.
class Comparison {
 public:
  explicit Comparison(PeArray& array) : array_(array) {}

  void configure(const MacArrayConfig& config) { config_ = config; }

  void operator()(PeTile& tile) {
    array_.configure(config_);
    const std::vector<std::int32_t> expected = product_of(tile);
    if (tile.shape.weights_loaded) array_.load_weights(tile);
    array_.run_tile(tile);
    array_.finish();
    const PeArray::Record& r = array_.records().back();
    const timing::MacTiming t = timing::mac_tile(config_, tile.shape);
    const timing::Fold ahead =
        tile.shape.weights_loaded ? timing::first_fold(config_, tile.shape) : timing::Fold{};
    const std::int64_t sum_bytes = tile.shape.wide ? 8 : 4;
    bool same = true;
    std::string what;
    const auto equal = [&](const char* name, std::int64_t closed, std::int64_t golden) {
      if (closed == golden) return;
      same = false;
      what += fmt::format("\n  {}: closed form {}, registers {}", name, closed, golden);
    };
    equal("total", t.total_cycles, static_cast<std::int64_t>(r.end - r.start));
    equal("busy", t.busy_cycles, r.busy_cycles);
    equal("fill and drain", t.fill_drain_cycles,
          static_cast<std::int64_t>(r.end - r.start) - r.busy_cycles);
    if (config_.dataflow != Dataflow::kOutputStationary) {
      equal("shadow free", t.shadow_free_cycles,
            static_cast<std::int64_t>(r.registers_free) - static_cast<std::int64_t>(r.start));
    }
    equal("input bytes", t.input_read_bytes, r.input_read_bytes);
    equal("weight bytes", t.weight_read_bytes, r.weight_read_bytes);
    equal("register bytes", t.register_write_bytes, r.register_write_bytes);
    equal("sums read", t.accumulator_read_bytes, r.sums_read * sum_bytes);
    equal("sums written", t.accumulator_write_bytes, r.sums_written * sum_bytes);
    if (ahead.k > 0) {
      const PeArray::Record& load = array_.records().front();
      equal("load", timing::weight_load_cycles(config_, ahead.k, ahead.n * tile.w_bytes()),
            static_cast<std::int64_t>(load.end - load.start));
    }
    if (tile.sums != expected) {
      same = false;
      what += "\n  wrong sums";
    }
    ++tiles;
    if (!same && ++failures <= 5) ADD_FAILURE() << describe(config_, tile) << what;
  }

  std::int64_t tiles = 0, failures = 0;

 private:
  PeArray& array_;
  MacArrayConfig config_;
};

struct ArrayClass {
  ArrayKind kind = ArrayKind::kSystolic;
  Dataflow dataflow = Dataflow::kWeightStationary;
  bool double_buffered = true;
};

std::string name_of(const ArrayClass& a) {
  static constexpr std::array<const char*, 3> kFlows = {"Weight", "Output", "Input"};
  return fmt::format("{}{}{}", a.kind == ArrayKind::kDotProduct ? "DotProduct" : "Systolic",
                     kFlows[static_cast<std::size_t>(a.dataflow)],
                     a.double_buffered ? "Double" : "Single");
}
void PrintTo(const ArrayClass& a, std::ostream* out) { *out << name_of(a); }

std::vector<ArrayClass> classes() {
  std::vector<ArrayClass> all;
  for (const ArrayKind kind : {ArrayKind::kSystolic, ArrayKind::kDotProduct}) {
    for (const Dataflow dataflow :
         {Dataflow::kWeightStationary, Dataflow::kOutputStationary, Dataflow::kInputStationary}) {
      for (const bool double_buffered : {false, true}) {
        all.push_back({kind, dataflow, double_buffered});
      }
    }
  }
  return all;
}

class ClosedForm : public testing::TestWithParam<ArrayClass> {
 protected:
  [[nodiscard]] MacArrayConfig array(TileMaker& make, int rows, int cols) const {
    MacArrayConfig c;
    c.kind = GetParam().kind;
    c.dataflow = GetParam().dataflow;
    c.double_buffered_weights = GetParam().double_buffered;
    c.rows = rows;
    c.cols = cols;
    c.pixels = c.kind == ArrayKind::kDotProduct ? make.pick(1, 4) : 1;
    make.draw_port(c);
    return c;
  }
  static void run(TileMaker& make, Comparison& compare, const MacArrayConfig& config, int m, int n,
                  int k) {
    PeTile tile = make.gemm(m, n, k);
    tile.shape.accumulate = make.pick(0, 1) != 0;
    tile.shape.weights_loaded =
        config.dataflow == Dataflow::kWeightStationary && make.pick(0, 1) != 0;
    compare(tile);
  }
};

TEST_P(ClosedForm, EveryTileOfSmallArrays) {
  PeArray pes("pes");
  Comparison compare(pes);
  simulate_script([&] {
    TileMaker make(1);
    const char* asked = std::getenv("NPUSIM_LARGEST_ARRAY");
    const int largest = asked == nullptr ? 5 : std::clamp(std::atoi(asked), 2, kMaxPes);
    for (int rows = 2; rows <= largest; ++rows) {
      for (int cols = 2; cols <= largest; ++cols) {
        const MacArrayConfig config = array(make, rows, cols);
        compare.configure(config);
        for (int m = 1; m <= 3 * std::max(rows, cols); ++m) {
          for (int n = 1; n <= 3 * cols; ++n) {
            for (int k = 1; k <= 3 * rows; ++k) run(make, compare, config, m, n, k);
          }
        }
      }
    }
  });
  EXPECT_EQ(compare.failures, 0) << "of " << compare.tiles;
}

TEST_P(ClosedForm, EveryExtentOfEveryArray) {
  PeArray pes("pes");
  Comparison compare(pes);
  simulate_script([&] {
    TileMaker make(2);
    const auto edges = [](int size) {
      return std::array<int, 5>{1, size - 1, size, size + 1, 3 * size};
    };
    std::size_t turn = 0;
    for (int rows = 2; rows <= 16; ++rows) {
      for (int cols = 2; cols <= 16; ++cols) {
        const MacArrayConfig config = array(make, rows, cols);
        compare.configure(config);
        const int side = std::max(rows, cols);
        const auto sweep = [&](int size, int first, int second, const auto& tile) {
          for (int extent = 1; extent <= 3 * size; ++extent) {
            for (int i = 0; i < 2; ++i, turn = (turn + 7) % 25) {
              tile(extent, edges(first)[turn % 5], edges(second)[turn / 5]);
            }
          }
        };
        sweep(side, cols, rows, [&](int m, int n, int k) { run(make, compare, config, m, n, k); });
        sweep(cols, side, rows, [&](int n, int m, int k) { run(make, compare, config, m, n, k); });
        sweep(rows, side, cols, [&](int k, int m, int n) { run(make, compare, config, m, n, k); });
      }
    }
  });
  EXPECT_EQ(compare.failures, 0) << "of " << compare.tiles;
}

TEST_P(ClosedForm, EveryTileOfSmallArraysThatLoadWholeBlocks) {
  if (GetParam().dataflow != Dataflow::kWeightStationary) GTEST_SKIP() << "loads no weights";
  PeArray pes("pes");
  Comparison compare(pes);
  simulate_script([&] {
    TileMaker make(3);
    for (int rows = 2; rows <= 4; ++rows) {
      for (int cols = 2; cols <= 4; ++cols) {
        MacArrayConfig config = array(make, rows, cols);
        config.whole_block_loads = true;
        compare.configure(config);
        for (int m = 1; m <= 3 * std::max(rows, cols); ++m) {
          for (int n = 1; n <= 3 * cols; ++n) {
            for (int k = 1; k <= 3 * rows; ++k) run(make, compare, config, m, n, k);
          }
        }
      }
    }
  });
  EXPECT_EQ(compare.failures, 0) << "of " << compare.tiles;
}

INSTANTIATE_TEST_SUITE_P(Arrays, ClosedForm, testing::ValuesIn(classes()),
                         [](const auto& instance) { return name_of(instance.param); });

class RandomTiles : public testing::TestWithParam<unsigned> {};

TEST_P(RandomTiles, OfAllKindsAgree) {
  PeArray pes("pes");
  Comparison compare(pes);
  simulate_script([&] {
    TileMaker make(100 + GetParam());
    for (int i = 0; i < 10000; ++i) {
      const MacArrayConfig config = make.array(1);
      compare.configure(config);
      PeTile tile = make.any(config);
      tile.shape.weights_loaded = config.dataflow == Dataflow::kWeightStationary &&
                                  !tile.shape.depthwise && make.pick(0, 1) != 0;
      compare(tile);
    }
  });
  EXPECT_EQ(compare.failures, 0) << "of " << compare.tiles;
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomTiles, testing::Range(0U, 10U));

}  // namespace
}  // namespace npu::test
