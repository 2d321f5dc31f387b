// MATMUL of two activations: products by tiles, or several whole products per step.
#include <algorithm>

#include "kernels/lowering/layer_context.h"
#include "kernels/lowering/output_stage.h"
#include "sim/base/error.h"
#include "sim/base/math.h"
#include "sim/timing/mac_timing.h"

namespace npu::kernels {
namespace {

using isa::Opcode;
using isa::Opd;
using mapper::BroadcastDim;
using std::int64_t;

/// Products that share a step: offsets of the first in elements of a, b and y.
struct Group {
  int64_t count = 1;
  int64_t a = 0, b = 0, y = 0;
};
/// A block of one operand for each product of a group.
struct Block {
  int64_t address = 0, row_stride = 0, image_stride = 0;
};
/// Part of the products' m and n.
struct Part {
  int64_t row = 0, rows = 0, column = 0, columns = 0;
};

class ProductsLowering {
 public:
  explicit ProductsLowering(LayerContext& c)
      : c_(c),
        p_(*c.plan.window),
        t_(c.plan.tile),
        products_(c.plan.products),
        transposed_(!std::get<graph::MatMulAttrs>(c.node.attrs).transpose_b),
        x_slots_(c.plan.buffer("x")),
        w_slots_(c.plan.buffer("w")),
        y_slots_(c.plan.buffer("y")) {}

  void run() { over_lead(0, {}); }

 private:
  [[nodiscard]] int64_t a_size() const { return products_.m * products_.k; }
  [[nodiscard]] int64_t b_size() const { return products_.k * products_.n; }
  [[nodiscard]] int64_t y_size() const { return products_.m * products_.n; }

  /// Elements of an operand, of one product `size`, between neighbours of dimension `d`.
  [[nodiscard]] int64_t stride(std::size_t d, bool BroadcastDim::*advances, int64_t size) const {
    if (advances != nullptr && !(products_.lead[d].*advances)) return 0;
    for (std::size_t i = d + 1; i < products_.lead.size(); ++i) {
      if (advances == nullptr || products_.lead[i].*advances) size *= products_.lead[i].size;
    }
    return size;
  }

  /// Visits groups of products: dimensions from `d` on; the last in steps of the tile's images.
  void over_lead(std::size_t d, Group g) {
    if (d == products_.lead.size()) return group(g);
    const bool last = d + 1 == products_.lead.size();
    const int64_t size = products_.lead[d].size;
    const int64_t step = last ? t_.images : 1;
    for (int64_t i = 0; i < size; i += step) {
      over_lead(d + 1, {std::min(step, size - i), g.a + i * stride(d, &BroadcastDim::a, a_size()),
                        g.b + i * stride(d, &BroadcastDim::b, b_size()),
                        g.y + i * stride(d, nullptr, y_size())});
    }
  }

  void group(const Group& g) {
    const bool columns_outer = t_.order == mapper::LoopOrder::kChannelsOuter;
    const int64_t outer = columns_outer ? products_.n : products_.m;
    const int64_t inner = columns_outer ? products_.m : products_.n;
    const int64_t outer_step = columns_outer ? t_.out_c : t_.out_w;
    const int64_t inner_step = columns_outer ? t_.out_w : t_.out_c;
    for (int64_t o = 0; o < outer; o += outer_step) {
      for (int64_t i = 0; i < inner; i += inner_step) {
        const int64_t row = columns_outer ? i : o;
        const int64_t column = columns_outer ? o : i;
        part(g, {row, std::min(t_.out_w, products_.m - row), column,
                 std::min(t_.out_c, products_.n - column)});
      }
    }
  }

  void part(const Group& g, const Part& at) {
    const int64_t acc = (acc_slot_++ % t_.acc_slots) * t_.acc_bytes;
    for (int64_t k = 0; k < products_.k; k += t_.in_c) {
      c_.out.begin_step();
      const int64_t depth = std::min(t_.in_c, products_.k - k);
      if (params_ < 0) load_params();
      const Block a = load_a(g, at, k, depth);
      const Block b = load_b(g, at, k, depth);
      for (int64_t i = 0; i < g.count; ++i) {
        multiply(a.address + i * a.image_stride, a.row_stride, b.address + i * b.image_stride,
                 b.row_stride, acc + i * at.rows * at.columns * 4, at, depth, k > 0);
      }
    }
    finish(g, at, acc);
  }

  /// Parameters of all columns: once for the layer.
  void load_params() {
    params_ = 0;
    const mapper::Buffer* buffer = c_.plan.buffer("params");
    if (buffer == nullptr) return;
    const int64_t channels = p_.uniform_params ? 1 : products_.n;
    const int64_t bytes = channels * p_.param_bytes;
    const int64_t address = c_.out.constant(
        fmt::format("parameters {}", c_.plan.name), bytes,
        [&](std::vector<std::byte>& to) { write_params(c_, to.data(), 0, channels); });
    params_ = load_constant(c_, "params", address, bytes);
  }

  /// Rows of a: in place if resident, else loaded for each product of the group.
  Block load_a(const Group& g, const Part& at, int64_t k, int64_t depth) {
    const mapper::Storage& s = c_.storage(c_.node.inputs[0]);
    const bool advances = products_.lead.empty() || products_.lead.back().a;
    const int64_t image = advances ? a_size() * p_.x_size : 0;
    const int64_t row = products_.k * p_.x_size;
    const int64_t address = s.address + (g.a + at.row * products_.k + k) * p_.x_size;
    if (s.resident) return {address, row, image};
    const int64_t run = depth * p_.x_size;
    const auto [slot, there] = x_slots_.get({g.a, at.row, k});
    if (!there) {
      c_.out.load({address,
                   slot,
                   run,
                   {advances ? g.count : 1, at.rows},
                   {image, row},
                   {at.rows * run, run},
                   false},
                  "load a");
    }
    return {slot, run, advances ? at.rows * run : 0};
  }

  /// b, by rows of k where it is not transposed.
  Block load_b(const Group& g, const Part& at, int64_t k, int64_t depth) {
    const mapper::Storage& s = c_.storage(c_.node.inputs[1]);
    const bool advances = products_.lead.empty() || products_.lead.back().b;
    const int64_t image = advances ? b_size() * p_.w_size : 0;
    const int64_t row = (transposed_ ? products_.n : products_.k) * p_.w_size;
    const int64_t first = transposed_ ? k * products_.n + at.column : at.column * products_.k + k;
    const int64_t address = s.address + (g.b + first) * p_.w_size;
    if (s.resident) return {address, row, image};
    const int64_t run = (transposed_ ? at.columns : depth) * p_.w_size;
    const int64_t rows = transposed_ ? depth : at.columns;
    const auto [slot, there] = w_slots_.get({g.b, at.column, k});
    if (!there) {
      c_.out.load_weights({address,
                           slot,
                           run,
                           {advances ? g.count : 1, rows},
                           {image, row},
                           {rows * run, run},
                           false},
                          "load b");
    }
    return {slot, run, advances ? rows * run : 0};
  }

  void multiply(int64_t a, int64_t a_stride, int64_t b, int64_t b_stride, int64_t acc,
                const Part& at, int64_t depth, bool accumulate) {
    const graph::Tensor& w = c_.input(1);
    const bool preload = c_.config.mac_array.dataflow == Dataflow::kWeightStationary;
    if (preload) {
      const timing::Fold fold = timing::first_fold(
          c_.config.mac_array, {.m = at.rows, .n = at.columns, .k = depth, .wide = p_.wide});
      c_.out.work(Build(Opcode::kLoadWeights)(Opd::kW, b)(Opd::kWStride, b_stride)(Opd::kN, fold.n)(
                      Opd::kK, fold.k)(Opd::kWType, type_code(w.type))(Opd::kWTransposed,
                                                                       transposed_ ? 1 : 0),
                  "preload b");
    }
    c_.out.work(
        Build(Opcode::kGemm)(Opd::kX, a)(Opd::kW, b)(Opd::kAcc, acc)(Opd::kRowStride, a_stride)(
            Opd::kWStride, b_stride)(Opd::kAccPitch, at.columns)(Opd::kM, at.rows)(
            Opd::kN, at.columns)(Opd::kK, depth)(Opd::kXZero, zero_point_or_0(c_.input(0)))(
            Opd::kWZero, zero_point_or_0(w))(Opd::kXType, type_code(c_.input(0).type))(
            Opd::kWType, type_code(w.type))(Opd::kAccumulate, accumulate ? 1 : 0)(
            Opd::kWeightsLoaded, preload ? 1 : 0)(Opd::kWTransposed, transposed_ ? 1 : 0),
        "multiply");
  }

  void finish(const Group& g, const Part& at, int64_t acc) {
    const mapper::Storage& s = c_.storage(c_.node.outputs[0]);
    const int64_t column = p_.uniform_params ? 0 : at.column;
    const Sums sums{.acc = acc,
                    .rows = g.count,
                    .columns = at.rows,
                    .channels = at.columns,
                    .params = params_ + column * mapper::kScaleRecordBytes,
                    .bias = params_ + bias_offset(p_, products_.n) + column * mapper::kBiasBytes,
                    .per_channel = !p_.uniform_params};
    const int64_t pixel = products_.n * p_.y_size;
    const Placed y{s.address + (g.y + at.row * products_.n + at.column) * p_.y_size,
                   products_.m * pixel, pixel};
    if (s.resident) return emit_output(c_, sums, y);
    const int64_t run = at.columns * p_.y_size;
    const Placed slot{y_slots_.next(), at.rows * run, run};
    emit_output(c_, sums, slot);
    c_.out.store({slot.address,
                  y.address,
                  run,
                  {g.count, at.rows},
                  {slot.row_stride, run},
                  {y.row_stride, y.pixel_stride},
                  false},
                 "store output");
  }

  LayerContext& c_;
  const mapper::WindowProblem& p_;
  const mapper::WindowTile& t_;
  const mapper::Products& products_;
  bool transposed_;  ///< b lies as [k][n]: transposed for the array.
  Slots x_slots_, w_slots_, y_slots_;
  int64_t acc_slot_ = 0;
  int64_t params_ = -1;
};

}  // namespace

void lower_matmul(LayerContext& c) {
  if (mapper::has_packed_weights(c.graph, c.node)) return lower_window(c);
  ProductsLowering(c).run();
}

}  // namespace npu::kernels
