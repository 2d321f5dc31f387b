#include "tests/golden/mac_array/bench.h"

#include <algorithm>

namespace npu::test {

namespace {
constexpr std::size_t kPool = 1 << 16;
}

TileMaker::TileMaker(unsigned seed) : random_(seed) {
  for (std::size_t i = 0; i < kPool; ++i) {
    narrow_.push_back(pick(-128, 127));
    wide_.push_back(pick(-4095, 4095));  // Sums of 48 · 9 products stay within 32 bits.
  }
}

MacArrayConfig TileMaker::array(int least) {
  MacArrayConfig c;
  c.kind = pick(0, 1) != 0 ? ArrayKind::kDotProduct : ArrayKind::kSystolic;
  c.dataflow = static_cast<Dataflow>(pick(0, 2));
  c.rows = pick(least, 16);
  c.cols = pick(least, 16);
  c.pixels = c.kind == ArrayKind::kDotProduct ? pick(1, 4) : 1;
  c.double_buffered_weights = pick(0, 2) != 0;
  c.int16_cycles = pick(1, 4);
  draw_port(c);
  return c;
}

void TileMaker::draw_port(MacArrayConfig& config) {
  config.pipeline_latency_cycles = pick(0, 5);
  switch (pick(0, 3)) {
    case 0:
      config.weight_load_bytes_per_cycle = pick(1, config.cols);
      break;
    case 1:
      config.weight_load_bytes_per_cycle = config.cols;
      break;
    case 2:
      config.weight_load_bytes_per_cycle = config.rows * config.cols;
      break;
    default:
      config.weight_load_bytes_per_cycle = pick(1, 3 * config.cols);
  }
}

PeTile TileMaker::gemm(int m, int n, int k, bool wide, bool wide_weights) {
  PeTile t;
  t.shape.m = m;
  t.shape.n = n;
  t.shape.k = k;
  t.shape.wide = wide;
  t.shape.wide_weights = wide_weights;
  t.rows.in = t.rows.out = m;
  t.row_stride = t.weight_stride = k;
  t.x = (wide ? wide_ : narrow_).data() + pick(0, kPool / 4);
  t.w = (wide_weights ? wide_ : narrow_).data() + pick(0, kPool / 4);
  t.sums.resize(static_cast<std::size_t>(m) * static_cast<std::size_t>(n));
  return t;
}

PeTile TileMaker::any(const MacArrayConfig& config) {
  const bool wide = pick(0, 3) == 0;
  const bool wide_weights = pick(0, 5) == 0;
  const int extent = std::max({config.rows, config.cols, config.pixels});
  const int m = pick(1, 3 * extent);
  const int n = pick(1, 3 * config.cols);
  PeTile t;
  if (pick(0, 3) == 0) {
    t = gemm(m, n, pick(1, 3 * config.rows), wide, wide_weights);
  } else {
    const bool depthwise = pick(0, 2) == 0;
    const bool dot = config.kind == ArrayKind::kDotProduct;
    t = gemm(m, n, 1, wide, wide_weights);
    const auto axis = [&](int out) {
      return PeAxis{.in = pick(1, 8),
                    .origin = pick(-3, 0),
                    .kernel = pick(1, dot ? 3 : 4),
                    .stride = pick(1, 3),
                    .dilation = pick(1, 3),
                    .out = out};
    };
    std::vector<int> widths;
    for (int w = 1; w <= m; ++w) {
      if (m % w == 0) widths.push_back(w);
    }
    const int width =
        widths[static_cast<std::size_t>(pick(0, static_cast<int>(widths.size()) - 1))];
    t.rows = axis(m / width);
    t.pixels = axis(width);
    const int taps = t.rows.kernel * t.pixels.kernel;
    const int most = dot ? 3 * config.rows : std::max(1, 3 * config.rows / taps);
    const int in_c = depthwise ? 1 : pick(1, most);
    t.shape.taps = taps;
    t.shape.depthwise = depthwise;
    t.shape.k = taps * in_c;
    t.multiplier = depthwise ? pick(1, 2) : 1;
    t.pixel_stride = depthwise ? n : in_c;
    t.row_stride = t.pixel_stride * t.pixels.in;
    t.weight_stride = depthwise ? n : t.shape.k;
  }
  t.shape.accumulate = pick(0, 1) != 0;
  for (std::int32_t& sum : t.sums) sum = pick(-1000, 1000);
  return t;
}

std::vector<std::byte> TileMaker::memory() const {
  std::vector<std::byte> bytes;
  for (const std::int32_t v : narrow_) bytes.push_back(static_cast<std::byte>(v & 0xff));
  for (const std::int32_t v : wide_) {
    bytes.push_back(static_cast<std::byte>(v & 0xff));
    bytes.push_back(static_cast<std::byte>((v >> 8) & 0xff));
  }
  return bytes;
}

std::int64_t TileMaker::address_of(const std::int32_t* operand, bool wide) const {
  return wide ? static_cast<std::int64_t>(kPool) + 2 * (operand - wide_.data())
              : operand - narrow_.data();
}

std::vector<std::int32_t> product_of(const PeTile& tile) {
  std::vector<std::int32_t> sums(tile.sums.size());
  if (tile.shape.accumulate) sums = tile.sums;
  auto place = sums.begin();
  for (int m = 0; m < tile.m(); ++m) {
    for (int n = 0; n < tile.n(); ++n) {
      std::int32_t sum = 0;
      for (int k = 0; k < tile.k(); ++k) {
        const std::int32_t x =
            tile.shape.depthwise ? tile.input(m, k, n / tile.multiplier) : tile.input(m, k);
        sum += x * tile.weight(k, n);
      }
      *place++ += sum;
    }
  }
  return sums;
}

}  // namespace npu::test
