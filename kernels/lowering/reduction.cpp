#include <algorithm>
#include <array>
#include <bit>

#include "kernels/lowering/layer_context.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using isa::Opcode;
using isa::Opd;
using mapper::ReduceDim;
using std::int64_t;

/// Bias and multiplier of MEAN and SUM over `count` elements: the division by the count is inside
/// the multiplier. Source: reference/tflite_format.md §14, MEAN.
void write_params(const LayerContext& c, int64_t count, std::byte* to) {
  const PerTensor x = per_tensor(c.input(0));
  const PerTensor y = per_tensor(c.output());
  FixedMultiplier m =
      quantize_multiplier(static_cast<double>(x.scale) / static_cast<double>(y.scale));
  if (c.node.kind == graph::OpKind::kMean) {
    const auto log2_count = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(count))) - 1;
    const int k = std::min({log2_count, 32, 31 + m.shift});
    m.multiplier = static_cast<std::int32_t>((static_cast<int64_t>(m.multiplier) << k) / count);
    m.shift -= k;
  }
  WordWriter w(to);
  w.word(-count * x.zero_point);
  w.multiplier(m);
}

class ReductionLowering {
 public:
  explicit ReductionLowering(LayerContext& c)
      : c_(c),
        dims_(
            mapper::reduce_dims(c.input(0).shape, std::get<graph::ReduceAttrs>(c.node.attrs).axes)),
        x_slots_(c.plan.buffer("x")),
        y_slots_(c.plan.buffer("y")) {
    for (std::size_t d = 0; d < dims_.size(); ++d)
      (dims_[d].reduced ? reduced_ : kept_).push_back(d);
    int64_t stride = size_of(c.input(0).type);
    int64_t out_stride = size_of(c.output().type);
    full_stride_.resize(dims_.size());
    out_stride_.resize(dims_.size(), 0);
    for (std::size_t d = dims_.size(); d-- > 0;) {
      full_stride_[d] = stride;
      stride *= dims_[d].size;
      if (dims_[d].reduced) continue;
      out_stride_[d] = out_stride;
      out_stride *= dims_[d].size;
    }
  }

  void run() {
    int64_t count = 1;
    for (const std::size_t d : reduced_) count *= dims_[d].size;
    c_.out.begin_step();
    const int64_t block = c_.out.constant(
        fmt::format("parameters {}", c_.plan.name), mapper::record_bytes(false),
        [&](std::vector<std::byte>& bytes) { write_params(c_, count, bytes.data()); });
    params_ = load_constant(c_, "params", block, mapper::record_bytes(false));
    std::vector<int64_t> first(dims_.size(), 0);
    over(kept_, 0, first, [&] { reduce_box(first); });
  }

 private:
  /// Visits the chunk origins of the given dimensions, the first one outermost.
  template <typename Visit>
  void over(const std::vector<std::size_t>& dims, std::size_t i, std::vector<int64_t>& first,
            Visit&& visit) {
    if (i == dims.size()) {
      visit();
      return;
    }
    for (int64_t at = 0; at < dims_[dims[i]].size; at += chunk(dims[i])) {
      first[dims[i]] = at;
      over(dims, i + 1, first, visit);
    }
    first[dims[i]] = 0;
  }
  [[nodiscard]] int64_t chunk(std::size_t d) const { return c_.plan.box.chunk[d]; }
  [[nodiscard]] int64_t extent(std::size_t d, const std::vector<int64_t>& first) const {
    return std::min(chunk(d), dims_[d].size - first[d]);
  }

  void reduce_box(std::vector<int64_t>& first) {
    bool accumulate = false;
    over(reduced_, 0, first, [&] {
      if (started_) c_.out.begin_step();
      started_ = true;
      sum(first, accumulate);
      accumulate = true;
    });
    finish(first);
  }

  void sum(const std::vector<int64_t>& first, bool accumulate) {
    const mapper::Storage& x = c_.storage(c_.node.inputs[0]);
    int64_t address = x.address;
    for (std::size_t d = 0; d < dims_.size(); ++d) address += first[d] * full_stride_[d];
    std::vector<int64_t> stride = full_stride_;
    if (!x.resident) {
      const int64_t element = size_of(c_.input(0).type);
      Transfer t{address, x_slots_.next(), element, {}, full_stride_, {}};
      int64_t dense = element;
      stride.assign(dims_.size(), 0);
      for (std::size_t d = dims_.size(); d-- > 0;) {
        stride[d] = dense;
        dense *= extent(d, first);
      }
      for (std::size_t d = 0; d < dims_.size(); ++d) t.count.push_back(extent(d, first));
      t.dst_stride = stride;
      address = t.dst;
      c_.out.load(t, "load input");
    }
    const auto size = [&](const std::vector<std::size_t>& dims,
                          std::size_t from_inside) -> int64_t {
      return from_inside < dims.size() ? extent(dims[dims.size() - 1 - from_inside], first) : 1;
    };
    const auto step = [&](const std::vector<std::size_t>& dims,
                          std::size_t from_inside) -> int64_t {
      return from_inside < dims.size() ? stride[dims[dims.size() - 1 - from_inside]] : 0;
    };
    c_.out.work(
        Build(Opcode::kReduceSum)(Opd::kSrc, address)(Opd::kAcc, 0)(Opd::kAccPitch, size(kept_, 0))(
            Opd::kN0, size(kept_, 0))(Opd::kSrcStep0, step(kept_, 0))(Opd::kRows, size(kept_, 1))(
            Opd::kSrcStride1, step(kept_, 1))(Opd::kR1, size(reduced_, 0))(
            Opd::kRStride1, step(reduced_, 0))(Opd::kR2, size(reduced_, 1))(
            Opd::kRStride2, step(reduced_, 1))(Opd::kInType, type_code(c_.input(0).type))(
            Opd::kAccumulate, accumulate ? 1 : 0),
        "sum");
  }

  void finish(const std::vector<int64_t>& first) {
    const graph::Tensor& out = c_.output();
    const mapper::Storage& y = c_.storage(c_.node.outputs[0]);
    const int64_t columns = kept_.empty() ? 1 : extent(kept_.back(), first);
    const int64_t rows = kept_.size() < 2 ? 1 : extent(kept_[kept_.size() - 2], first);
    const int64_t element = size_of(out.type);
    const int64_t pitch = (kept_.empty() ? 1 : dims_[kept_.back()].size) * element;
    int64_t at = y.address;
    for (const std::size_t d : kept_) at += first[d] * out_stride_[d];
    const int64_t to = y.resident ? at : y_slots_.next();
    const int64_t to_pitch = y.resident ? pitch : columns * element;
    const Clamp clamp = full_range(out.type);
    c_.out.work(Build(Opcode::kRequantize)(Opd::kAcc, 0)(Opd::kDst, to)(Opd::kParams, params_)(
                    Opd::kAccPitch, columns)(Opd::kOutH, 1)(Opd::kOutW, rows)(Opd::kOutC, columns)(
                    Opd::kDstPixelStride, to_pitch)(Opd::kOutType, type_code(out.type))(
                    Opd::kOutZero, per_tensor(out).zero_point)(Opd::kClampMin, clamp.low)(
                    Opd::kClampMax, clamp.high),
                "requantize");
    if (!y.resident)
      c_.out.store({to, at, columns * element, {rows}, {to_pitch}, {pitch}}, "store output");
  }

  LayerContext& c_;
  std::vector<ReduceDim> dims_;
  std::vector<std::size_t> kept_, reduced_;
  std::vector<int64_t> full_stride_;  ///< Of the input [B].
  std::vector<int64_t> out_stride_;   ///< Of the output, 0 for a reduced dimension [B].
  Slots x_slots_, y_slots_;
  int64_t params_ = 0;
  bool started_ = false;
};

}  // namespace

void lower_reduction(LayerContext& c) { ReductionLowering(c).run(); }

}  // namespace npu::kernels
