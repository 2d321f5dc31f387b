#include <algorithm>
#include <functional>
#include <numeric>

#include "kernels/lowering/layer_context.h"
#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::kernels {
namespace {

using mapper::Copy;
using mapper::Fill;
using std::int64_t;

/// Copies between DRAM and scratchpad go directly; between two DRAM tensors they bounce through the
/// scratchpad in pieces.
class MoveLowering {
 public:
  explicit MoveLowering(LayerContext& c)
      : c_(c),
        moves_(mapper::moves_of(c.graph, c.node)),
        y_(c.storage(c.node.outputs[0])),
        bounce_(c.plan.buffer("bounce")) {}

  void run() {
    c_.out.begin_step();
    for (const Fill& f : moves_.fills) {
      if (y_.resident) {
        c_.out.fill(f, y_.address, moves_.fill_value, moves_.element_bytes);
      } else {
        fill_dram(f);
      }
    }
    for (const Copy& copy : moves_.copies) {
      if (copy.bytes() == 0) continue;
      const mapper::Storage& x = c_.storage(c_.node.inputs[copy.input]);
      const Transfer t{x.address + copy.src_offset,
                       y_.address + copy.dst_offset,
                       copy.run,
                       copy.count,
                       copy.src_stride,
                       copy.dst_stride};
      if (x.resident && y_.resident) {
        c_.out.copy(t, "move");
      } else if (x.resident) {
        c_.out.store(t, "move out");
      } else if (y_.resident) {
        // In order with the other parts, so that the last one completes the tensor.
        c_.out.load_in_order(t, "move in");
      } else {
        through_scratchpad(t);
      }
    }
  }

 private:
  void through_scratchpad(const Transfer& t) {
    const int64_t slot_bytes = c_.plan.buffer("bounce")->slot_bytes;
    const int64_t bytes =
        std::accumulate(t.count.begin(), t.count.end(), t.run, std::multiplies<>());
    if (bytes <= slot_bytes) {
      piece(t);
      return;
    }
    // Cut along the outermost dimension; a run that is too long is cut itself.
    if (t.count.empty()) {
      for (int64_t at = 0; at < t.run; at += slot_bytes) {
        piece({t.src + at, t.dst + at, std::min(slot_bytes, t.run - at), {}, {}, {}});
      }
      return;
    }
    const int64_t inner = bytes / t.count[0];
    const int64_t units = std::max<int64_t>(1, slot_bytes / inner);
    for (int64_t first = 0; first < t.count[0]; first += units) {
      Transfer part = t;
      part.src += first * t.src_stride[0];
      part.dst += first * t.dst_stride[0];
      part.count[0] = std::min(units, t.count[0] - first);
      if (part.count[0] == 1) {
        part.count.erase(part.count.begin());
        part.src_stride.erase(part.src_stride.begin());
        part.dst_stride.erase(part.dst_stride.begin());
      }
      through_scratchpad(part);
    }
  }

  void piece(const Transfer& t) {
    c_.out.begin_step();
    const int64_t slot = bounce_.next();
    Transfer in = t;
    Transfer out = t;
    in.dst = out.src = slot;
    int64_t dense = t.run;
    for (std::size_t d = t.count.size(); d-- > 0;) {
      in.dst_stride[d] = out.src_stride[d] = dense;
      dense *= t.count[d];
    }
    c_.out.load(in, "move in");
    c_.out.store(out, "move out");
  }

  /// Stores one filled buffer again and again.
  void fill_dram(const Fill& f) {
    const mapper::Buffer& buffer = *c_.plan.buffer("fill");
    const int64_t unit =
        std::min(f.run, buffer.slot_bytes / moves_.element_bytes * moves_.element_bytes);
    if (unit > filled_) {
      c_.out.fill({0, unit, {}, {}}, buffer.address, moves_.fill_value, moves_.element_bytes);
      filled_ = unit;
    }
    const auto store = [&](int64_t offset, int64_t run, int64_t pieces) {
      Transfer t{buffer.address, y_.address + f.dst_offset + offset,      run,
                 f.count,        std::vector<int64_t>(f.count.size(), 0), f.dst_stride};
      t.count.push_back(pieces);
      t.src_stride.push_back(0);
      t.dst_stride.push_back(run);
      c_.out.store(t, "store padding");
    };
    const int64_t pieces = f.run / unit;
    store(0, unit, pieces);
    if (f.run % unit != 0) store(pieces * unit, f.run % unit, 1);
  }

  LayerContext& c_;
  mapper::Moves moves_;
  const mapper::Storage& y_;
  Slots bounce_;
  int64_t filled_ = 0;
};

}  // namespace

void lower_moves(LayerContext& c) { MoveLowering(c).run(); }

}  // namespace npu::kernels
