#include "tests/support/pe_array/dot_product_array.h"

namespace npu::test {
namespace {

constexpr unsigned kRing = kMaxPes - 1;

std::int32_t tree(const Lanes& kept, const Digit& digit, const Lanes& streamed) {
  std::int32_t sum = 0;
  for (int lane = 0; lane < kMaxPes; ++lane) sum += digit.of(kept[lane]) * streamed[lane];
  return sum;
}

}  // namespace

void DotProductArray::write_registers(Grid& target, const PeLoad& load) const {
  for (int i = load.first; i < load.first + load.count; ++i) {
    if (load.lanes == 0) {
      target[i] = (*load.block)[i];
    } else {
      target[i / load.lanes][i % load.lanes] = (*load.block)[i / load.lanes][i % load.lanes];
    }
  }
}

PeResults DotProductArray::step(const PeOperands& in, const PeLoad& load) {
  if (in.valid && in.swap) active_ = shadow_;
  PeResults& stage = pipeline_[now_ & kRing];
  stage.valid = in.valid;
  for (int p = 0; in.valid && p < pixels_; ++p) {
    for (int c = 0; c < cols_; ++c) {
      switch (dataflow_) {
        case Dataflow::kWeightStationary:
          stage.sums[p][c] = tree(active_[c], in.stationary_digit, in.streamed[p]);
          break;
        case Dataflow::kInputStationary:
          stage.sums[p][c] = tree(active_[p], in.stationary_digit, in.streamed[c]);
          break;
        case Dataflow::kOutputStationary:
          stage.sums[p][c] = tree(in.weights[c], Digit{}, in.streamed[p]);
          break;
      }
    }
  }
  if (load.valid) write_registers(double_buffered_ ? shadow_ : active_, load);
  const PeResults out = pipeline_[(now_ - static_cast<unsigned>(latency_)) & kRing];
  ++now_;
  return out;
}

}  // namespace npu::test
