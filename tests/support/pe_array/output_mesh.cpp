#include "tests/support/pe_array/output_mesh.h"

#include "sim/base/error.h"

namespace npu::test {
namespace {

constexpr unsigned kRing = kMaxPes - 1;

}  // namespace

bool OutputMesh::can_finish() const {
  // Down column 0 in the cycle that begins: a register is free after it if it is empty or its
  // content moves on.
  bool free_below = true;
  for (int r = rows_ - 1; r >= 0; --r) {
    const bool leaves = holds_[r][0] != 0 && free_below;
    const bool is_free = holds_[r][0] == 0 || leaves;
    if (r == 0) return is_free;
    // The operand that reaches PE (r, 0) in this cycle entered r cycles ago.
    free_below = is_free && (entered(r).control & kLast) == 0;
  }
  return true;
}

void OutputMesh::multiply_row(int r, Lanes& finishing) {
  const Vector& entering = entered(r);
  Lanes input{};
  Lanes control{};
  Lanes shift{};
  Lanes weight{};
  input[0] = entering.inputs[r];
  control[0] = entering.control;
  shift[0] = entering.shift;
  for (int c = 1; c < kMaxPes; ++c) {
    input[c] = input_[r][c - 1];
    control[c] = control_[r][c - 1];
    shift[c] = shift_[r][c - 1];
  }
  if (r > 0) {
    weight = weight_[r - 1];
  } else {
    for (int c = 0; c < cols_; ++c) weight[c] = entered(c).weights[c];
  }
  for (int c = 0; c < kMaxPes; ++c) {
    const std::int32_t first = -((control[c] & kFirst) >> 1);
    const std::int32_t product =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(input[c] * weight[c]) << shift[c]);
    sum_[r][c] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum_[r][c] & ~first) +
                                           static_cast<std::uint32_t>(product));
    finishing[c] = (control[c] & kLast) >> 2;
  }
  if (!double_buffered_) {
    for (int c = 0; c < cols_; ++c) {
      NPU_CHECK((control[c] & kValid) == 0 || holds_[r][c] == 0, "a sum is in its result's way");
    }
  }
  input_[r] = input;
  control_[r] = control;
  shift_[r] = shift;
  weight_[r] = weight;
}

PeResults OutputMesh::step(const PeOperands& in, const PeLoad& /*load*/) {
  Vector& vector = skew_[now_ & kRing];
  vector.control = in.valid ? kValid | (in.first ? kFirst : 0) | (in.last ? kLast : 0) : 0;
  vector.shift = in.shift;
  vector.inputs = in.valid ? in.streamed[0] : Lanes{};
  vector.weights = in.valid ? in.weights[0] : Lanes{};
  if (in.valid) ++operands_inside_;
  if (in.valid && in.last) results_ += rows_;

  Sums& leaving = output_skew_[now_ & kRing];
  leaving.values = result_[rows_ - 1];
  leaving.valid = holds_[rows_ - 1];
  Lanes below_is_free{};
  for (int c = 0; c < kMaxPes; ++c) below_is_free[c] = 1;
  for (int r = rows_ - 1; r >= 0; --r) {
    Lanes finishing{};
    multiply_row(r, finishing);
    for (int c = 0; c < cols_; ++c) {
      const bool moves = holds_[r][c] != 0 && below_is_free[c] != 0;
      const bool is_free = holds_[r][c] == 0 || moves;
      NPU_CHECK(finishing[c] == 0 || is_free, "a result register is overwritten");
      if (moves && r + 1 < rows_) {
        result_[r + 1][c] = result_[r][c];
        holds_[r + 1][c] = 1;
      }
      if (moves) holds_[r][c] = 0;
      if (finishing[c] != 0) {
        result_[r][c] = sum_[r][c];
        holds_[r][c] = 1;
      }
      below_is_free[c] = is_free && finishing[c] == 0 ? 1 : 0;
    }
  }
  if ((control_[rows_ - 1][cols_ - 1] & kValid) != 0) --operands_inside_;
  if (leaving.valid[cols_ - 1] != 0) --results_;

  PeResults& aligned = pipeline_[now_ & kRing];
  for (int c = 0; c < cols_; ++c) {
    const Sums& column = output_skew_[(now_ - static_cast<unsigned>(cols_ - 1 - c)) & kRing];
    const bool valid = column.valid[c] != 0;
    NPU_CHECK(c == 0 || valid == aligned.valid, "the columns of a result are not aligned");
    aligned.valid = valid;
    aligned.sums[0][c] = column.values[c];
  }
  const PeResults out = pipeline_[(now_ - static_cast<unsigned>(latency_)) & kRing];
  ++now_;
  return out;
}

}  // namespace npu::test
