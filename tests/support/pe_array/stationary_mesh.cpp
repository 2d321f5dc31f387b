#include "tests/support/pe_array/stationary_mesh.h"

#include "sim/base/error.h"

namespace npu::test {
namespace {

constexpr unsigned kRing = kMaxPes - 1;

}  // namespace

void StationaryMesh::shift_weights(const PeLoad& load) {
  NPU_CHECK(is_idle(), "weights shift under a working PE");
  for (int r = rows_ - 1; r > 0; --r) active_[r] = active_[r - 1];
  active_[0] = load.row;
}

void StationaryMesh::step_row(int r, const PerPe<Row>& loads) {
  // What is on the wires into the row's PEs.
  const Vector& entering = input_skew_[(now_ - static_cast<unsigned>(r)) & kRing];
  Lanes input{};
  Lanes control{};
  Lanes shift{};
  Lanes mask{};
  input[0] = entering.values[r];
  control[0] = entering.control;
  shift[0] = entering.digit.shift;
  mask[0] = entering.digit.mask;
  for (int c = 1; c < kMaxPes; ++c) {
    input[c] = input_[r][c - 1];
    control[c] = control_[r][c - 1];
    shift[c] = shift_[r][c - 1];
    mask[c] = mask_[r][c - 1];
  }
  Lanes above{};
  if (r > 0) above = sum_[r - 1];
  for (int c = 0; c < kMaxPes; ++c) {
    const std::int32_t swap = -((control[c] & kSwap) >> 1);
    const std::int32_t weight = (shadow_[r][c] & swap) | (active_[r][c] & ~swap);
    active_[r][c] = weight;
    sum_[r][c] = above[c] + input[c] * ((weight >> shift[c]) & mask[c]);
  }
  input_[r] = input;
  control_[r] = control;
  shift_[r] = shift;
  mask_[r] = mask;
  if (!double_buffered_) return;
  Lanes pulse{};
  Lanes data{};
  if (r > 0) {
    pulse = pulse_[r - 1];
    data = link_[r - 1];
  } else {
    for (int c = 0; c < cols_; ++c) {
      const Row& row = loads[(now_ - static_cast<unsigned>(c)) & kRing];
      pulse[c] = row.pulse ? -1 : 0;
      data[c] = row.weights[c];
    }
  }
  for (int c = 0; c < kMaxPes; ++c) {
    link_[r][c] = (shadow_[r][c] & pulse[c]) | (link_[r][c] & ~pulse[c]);
    shadow_[r][c] = (data[c] & pulse[c]) | (shadow_[r][c] & ~pulse[c]);
  }
  pulse_[r] = pulse;
}

PeResults StationaryMesh::step(const PeOperands& in, const PeLoad& load) {
  Vector& vector = input_skew_[now_ & kRing];
  vector.control = (in.valid ? kValid : 0) | (in.swap ? kSwap : 0);
  vector.digit = in.stationary_digit;
  vector.values = in.valid ? in.streamed[0] : Lanes{};
  if (double_buffered_) {
    load_skew_[now_ & kRing] = {load.valid, load.row};
  } else if (load.valid) {
    shift_weights(load);
  }
  if (in.valid) ++vectors_inside_;

  // Upwards, so that every row still sees the registers of the row above as they were.
  for (int r = rows_ - 1; r >= 0; --r) step_row(r, load_skew_);

  Sums& leaving = output_skew_[now_ & kRing];
  leaving.values = sum_[rows_ - 1];
  leaving.valid = control_[rows_ - 1];
  if ((leaving.valid[cols_ - 1] & kValid) != 0) --vectors_inside_;

  PeResults& aligned = pipeline_[now_ & kRing];
  for (int c = 0; c < cols_; ++c) {
    const Sums& column = output_skew_[(now_ - static_cast<unsigned>(cols_ - 1 - c)) & kRing];
    const bool valid = (column.valid[c] & kValid) != 0;
    NPU_CHECK(c == 0 || valid == aligned.valid, "the columns of a result are not aligned");
    aligned.valid = valid;
    aligned.sums[0][c] = column.values[c];
  }
  const PeResults out = pipeline_[(now_ - static_cast<unsigned>(latency_)) & kRing];
  ++now_;
  return out;
}

}  // namespace npu::test
