#include "tests/support/pe_array/fold_schedule.h"

#include <algorithm>

namespace npu::test {

FoldSchedule::FoldSchedule(const MacArrayConfig& config, PeTile& tile)
    : config_(config),
      tile_(tile),
      is_dot_(config.kind == ArrayKind::kDotProduct),
      depthwise_(tile.shape.depthwise) {
  if (is_dot_) {
    cut_dot_product();
  } else {
    cut_systolic();
  }
}

void FoldSchedule::add(PeFold fold) {
  const bool is_weight = config_.dataflow == Dataflow::kWeightStationary;
  // Of a diagonal block only the diagonal comes from memory.
  const bool diagonal = depthwise_ && is_weight && (is_dot_ || tile_.k() <= config_.rows);
  fold.block_bytes = (diagonal ? fold.rows : fold.rows * fold.cols) *
                     (is_weight ? tile_.w_bytes() : tile_.x_bytes());
  const bool is_first = fold.k0 == 0 && fold.tap == 0;
  fold.reads_sums = tile_.shape.accumulate || !is_first;
  folds_.push_back(fold);
}

void FoldSchedule::cut_systolic() {
  const int R = config_.rows, C = config_.cols;
  const int M = tile_.m(), N = tile_.n(), K = tile_.k();
  switch (config_.dataflow) {
    case Dataflow::kWeightStationary: {
      const bool packs = depthwise_ && K <= R;
      const int columns = !depthwise_ ? C : packs ? std::min(C, R / K) : 1;
      for (int n0 = 0; n0 < N; n0 += columns) {
        const int cols = std::min(columns, N - n0);
        if (packs) {
          add({.n0 = n0, .rows = cols * K, .cols = cols, .steps = M});
          continue;
        }
        for (int k0 = 0; k0 < K; k0 += R) {
          add({.k0 = k0, .n0 = n0, .rows = std::min(R, K - k0), .cols = cols, .steps = M});
        }
      }
      break;
    }
    case Dataflow::kInputStationary:
      for (int n0 = 0; n0 < (depthwise_ ? N : 1); ++n0) {
        for (int m0 = 0; m0 < M; m0 += C) {
          for (int k0 = 0; k0 < K; k0 += R) {
            add({.k0 = k0,
                 .n0 = n0,
                 .m0 = m0,
                 .rows = std::min(R, K - k0),
                 .cols = std::min(C, M - m0),
                 .steps = depthwise_ ? 1 : N});
          }
        }
      }
      break;
    case Dataflow::kOutputStationary:
      // Full columns first: the last fold of depthwise channels may have a shorter stream.
      for (int n0 = 0; n0 < N; n0 += C) {
        const int cols = std::min(C, N - n0);
        for (int m0 = 0; m0 < M; m0 += R) {
          add({.n0 = n0,
               .m0 = m0,
               .rows = std::min(R, M - m0),
               .cols = cols,
               .steps = depthwise_ ? cols * K : K});
        }
      }
      break;
  }
}

void FoldSchedule::cut_dot_product() {
  const int R = config_.rows, P = config_.pixels;
  const int M = tile_.m(), N = tile_.n();
  const int channels = depthwise_ ? std::min(R, config_.cols) : config_.cols;
  const int in_c = depthwise_ ? 1 : tile_.in_c();
  const int k_blocks = (in_c + R - 1) / R;
  switch (config_.dataflow) {
    case Dataflow::kWeightStationary:
      for (int tap = 0; tap < tile_.taps(); ++tap) {
        for (int k0 = 0; k0 < in_c; k0 += R) {
          for (int n0 = 0; n0 < N; n0 += channels) {
            const int cols = std::min(channels, N - n0);
            add({.k0 = k0,
                 .n0 = n0,
                 .tap = tap,
                 .rows = depthwise_ ? cols : std::min(R, in_c - k0),
                 .cols = cols,
                 .steps = (M + P - 1) / P});
          }
        }
      }
      break;
    case Dataflow::kInputStationary:
      for (int tap = 0; tap < tile_.taps(); ++tap) {
        for (int k0 = 0; k0 < in_c; k0 += R) {
          for (int n0 = 0; n0 < (depthwise_ ? N : 1); n0 += channels) {
            for (int m0 = 0; m0 < M; m0 += P) {
              add({.k0 = k0,
                   .n0 = n0,
                   .m0 = m0,
                   .tap = tap,
                   .rows = depthwise_ ? std::min(channels, N - n0) : std::min(R, in_c - k0),
                   .cols = std::min(P, M - m0),
                   .steps = depthwise_ ? 1 : (N + channels - 1) / channels});
            }
          }
        }
      }
      break;
    case Dataflow::kOutputStationary:
      for (int m0 = 0; m0 < M; m0 += P) {
        for (int n0 = 0; n0 < N; n0 += channels) {
          add({.n0 = n0,
               .m0 = m0,
               .rows = std::min(P, M - m0),
               .cols = std::min(channels, N - n0),
               .steps = tile_.taps() * k_blocks});
        }
      }
      break;
  }
}

std::int32_t FoldSchedule::stationary(const PeFold& f, int row, int col) const {
  const bool is_weight = config_.dataflow == Dataflow::kWeightStationary;
  if (is_dot_) {
    if (is_weight) {  // row: lane, col: channel
      if (depthwise_) return row == col ? tile_.weight(f.tap, f.n0 + col) : 0;
      return tile_.weight(f.tap * tile_.in_c() + f.k0 + row, f.n0 + col);
    }
    if (depthwise_) return tile_.input(f.m0 + col, f.tap, (f.n0 + row) / tile_.multiplier);
    return tile_.input(f.m0 + col, f.tap, f.k0 + row);
  }
  if (is_weight) {
    if (!depthwise_) return tile_.weight(f.k0 + row, f.n0 + col);
    if (tile_.k() > config_.rows) return tile_.weight(f.k0 + row, f.n0);
    return row / tile_.k() == col ? tile_.weight(row % tile_.k(), f.n0 + col) : 0;
  }
  if (depthwise_) return tile_.input(f.m0 + col, f.k0 + row, f.n0 / tile_.multiplier);
  return tile_.input(f.m0 + col, f.k0 + row);
}

std::int32_t FoldSchedule::streamed(const PeFold& f, int step, int row, int col) const {
  const int K = tile_.k();
  switch (config_.dataflow) {
    case Dataflow::kWeightStationary:
      if (is_dot_) {  // row: lane, col: position of the step
        const int position = step * config_.pixels + col;
        if (position >= tile_.m()) return 0;
        if (depthwise_) return tile_.input(position, f.tap, (f.n0 + row) / tile_.multiplier);
        return tile_.input(position, f.tap, f.k0 + row);
      }
      if (!depthwise_) return tile_.input(step, f.k0 + row);
      if (K > config_.rows) return tile_.input(step, f.k0 + row, f.n0 / tile_.multiplier);
      return tile_.input(step, row % K, (f.n0 + row / K) / tile_.multiplier);
    case Dataflow::kInputStationary:
      if (is_dot_) {  // row: lane, col: channel of the step
        if (depthwise_) return row == col ? tile_.weight(f.tap, f.n0 + row) : 0;
        const int channel = step * config_.cols + col;
        if (channel >= tile_.n()) return 0;
        return tile_.weight(f.tap * tile_.in_c() + f.k0 + row, channel);
      }
      return tile_.weight(f.k0 + row, depthwise_ ? f.n0 : step);
    case Dataflow::kOutputStationary: {
      if (is_dot_) {  // row: lane, col: position
        if (depthwise_) {
          return row < f.cols ? tile_.input(f.m0 + col, step, (f.n0 + row) / tile_.multiplier) : 0;
        }
        const int blocks = (tile_.in_c() + config_.rows - 1) / config_.rows;
        const int channel = step % blocks * config_.rows + row;
        return channel < tile_.in_c() ? tile_.input(f.m0 + col, step / blocks, channel) : 0;
      }
      if (!depthwise_) return tile_.input(f.m0 + row, step);
      return tile_.input(f.m0 + row, step % K, (f.n0 + step / K) / tile_.multiplier);
    }
  }
  return 0;
}

std::int32_t FoldSchedule::streamed_weight(const PeFold& f, int step, int row, int col) const {
  if (is_dot_) {
    if (depthwise_) return row == col ? tile_.weight(step, f.n0 + col) : 0;
    const int blocks = (tile_.in_c() + config_.rows - 1) / config_.rows;
    const int channel = step % blocks * config_.rows + row;
    if (channel >= tile_.in_c()) return 0;
    return tile_.weight(step / blocks * tile_.in_c() + channel, f.n0 + col);
  }
  const int K = tile_.k();
  if (!depthwise_) return tile_.weight(step, f.n0 + col);
  return step / K == col ? tile_.weight(step % K, f.n0 + col) : 0;
}

std::int32_t* FoldSchedule::result(const PeFold& f, int step, int row, int col) {
  int m = 0;
  int n = 0;
  switch (config_.dataflow) {
    case Dataflow::kWeightStationary:
      m = is_dot_ ? step * config_.pixels + row : step;
      if (col >= f.cols) return nullptr;
      n = f.n0 + col;
      break;
    case Dataflow::kInputStationary:
      m = f.m0 + (is_dot_ ? row : col);
      if ((is_dot_ ? row : col) >= f.cols) return nullptr;
      if (is_dot_) {
        if (depthwise_ && col >= f.rows) return nullptr;
        n = depthwise_ ? f.n0 + col : step * config_.cols + col;
      } else {
        n = depthwise_ ? f.n0 : step;
      }
      break;
    case Dataflow::kOutputStationary:
      m = f.m0 + row;
      n = f.n0 + col;
      if (row >= f.rows || col >= f.cols) return nullptr;
      break;
  }
  if (m >= tile_.m() || n >= tile_.n()) return nullptr;
  return &tile_.sums[static_cast<std::size_t>(m) * static_cast<std::size_t>(tile_.n()) +
                     static_cast<std::size_t>(n)];
}

FoldSchedule::Reads FoldSchedule::reads_of_step(const PeFold& f, int step) const {
  switch (config_.dataflow) {
    case Dataflow::kWeightStationary:
      return {.inputs = is_dot_ ? std::int64_t{f.rows} *
                                      std::min(config_.pixels, tile_.m() - step * config_.pixels)
                                : f.rows};
    case Dataflow::kInputStationary:
      if (!is_dot_ || depthwise_) return {.weights = f.rows};
      return {.weights =
                  std::int64_t{f.rows} * std::min(config_.cols, tile_.n() - step * config_.cols)};
    case Dataflow::kOutputStationary: {
      if (!is_dot_) return {.inputs = f.rows, .weights = depthwise_ ? 1 : f.cols};
      if (depthwise_) return {.inputs = std::int64_t{f.rows} * f.cols, .weights = f.cols};
      const int blocks = (tile_.in_c() + config_.rows - 1) / config_.rows;
      const std::int64_t lanes =
          std::min(config_.rows, tile_.in_c() - step % blocks * config_.rows);
      return {.inputs = lanes * f.rows, .weights = lanes * f.cols};
    }
  }
  return {};
}

bool FoldSchedule::is_last_step(const PeFold& f, int step) const {
  return config_.dataflow != Dataflow::kOutputStationary || step + 1 == f.steps;
}

}  // namespace npu::test
