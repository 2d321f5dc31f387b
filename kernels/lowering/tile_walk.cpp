#include "kernels/lowering/tile_walk.h"

#include <algorithm>

#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::kernels {

using std::int64_t;

TileView TileView::stepping(int64_t bytes) const {
  TileView view = *this;
  view.step.back() = bytes;
  return view;
}

TileWalk::TileWalk(LayerContext& c)
    : c_(c),
      space_(mapper::tile_space(c.graph, c.node, c.plan.softmax.block)),
      first_(space_.dims.size(), 0) {
  const std::size_t cut = mapper::tile_cuts(space_).at(c.plan.level);
  extent_ = mapper::tile_extents(space_, cut, c.plan.chunk);
  std::vector<int64_t> sizes;
  for (std::size_t d = 0; d < space_.dims.size(); ++d) {
    sizes.push_back(space_.dims[d].size);
    if (space_.dims[d].block > 0) {
      blocks_.push_back(d);
    } else if (d <= cut) {
      (space_.moves(space_.output(), d) ? kept_ : reduced_).push_back(d);
    }
  }
  for (std::size_t o = 0; o < space_.operands.size(); ++o) {
    const graph::Tensor& t = o == space_.output() ? c.output() : c.input(space_.inputs[o]);
    const graph::TensorId id =
        o == space_.output() ? c.node.outputs[0] : c.node.inputs[space_.inputs[o]];
    places_.push_back({&c.storage(id), strides(o, space_.operands[o].unit_bytes, sizes),
                       Slots(c.plan.buffer(space_.operands[o].buffer)), t.type});
  }
}

/// Steps of a dense array over the dimensions along which operand `like` advances.
std::vector<int64_t> TileWalk::strides(std::size_t like, int64_t unit_bytes,
                                       const std::vector<int64_t>& sizes) const {
  std::vector<int64_t> steps(sizes.size(), 0);
  int64_t stride = unit_bytes;
  for (std::size_t d = sizes.size(); d-- > 0;) {
    if (!space_.moves(like, d)) continue;
    steps[d] = stride;
    stride *= sizes[d];
  }
  return steps;
}

void TileWalk::over(const std::vector<std::size_t>& dims, std::size_t i,
                    const std::function<void()>& visit) {
  if (i == dims.size()) return visit();
  const std::size_t d = dims[i];
  for (first_[d] = 0; first_[d] < space_.dims[d].size; first_[d] += extent_[d])
    over(dims, i + 1, visit);
  first_[d] = 0;
}

int64_t TileWalk::offset(const Place& place) const {
  int64_t sum = 0;
  for (std::size_t d = 0; d < first_.size(); ++d) sum += first_[d] * place.stride[d];
  return sum;
}

Tile TileWalk::make_tile() const {
  Tile tile;
  for (std::size_t d = 0; d < extent_.size(); ++d)
    tile.extent.push_back(std::min(extent_[d], space_.dims[d].size - first_[d]));
  for (std::size_t o = 0; o < places_.size(); ++o) {
    const Place& place = places_[o];
    const int64_t unit = space_.operands[o].unit_bytes;
    TileView view{place.storage->address + offset(place), place.type,
                  place.storage->resident ? place.stride : strides(o, unit, tile.extent)};
    view.step.push_back(size_of(place.type));
    tile.operands.push_back(std::move(view));
  }
  for (const mapper::TileOperand& t : space_.temporaries) {
    const mapper::Buffer* buffer = c_.plan.buffer(t.buffer);
    NPU_CHECK(buffer != nullptr, "a temporary has a buffer");
    TileView view{buffer->address, DType::kFloat32, strides(t.like, t.unit_bytes, tile.extent)};
    view.step.push_back(4);
    tile.temporaries.push_back(std::move(view));
  }
  return tile;
}

void TileWalk::load(std::size_t operand, Tile& tile) {
  Place& place = places_[operand];
  if (place.storage->resident) return;
  TileView& view = tile.operands[operand];
  Transfer t{view.address, 0, space_.operands[operand].unit_bytes, {}, {}, {}};
  std::vector<int64_t> key = {view.address};
  for (std::size_t d = 0; d < tile.extent.size(); ++d) {
    if (!space_.moves(operand, d)) continue;
    t.count.push_back(tile.extent[d]);
    t.src_stride.push_back(place.stride[d]);
    t.dst_stride.push_back(view.step[d]);
    key.push_back(tile.extent[d]);
  }
  const auto [slot, held] = place.slots.get(key);
  t.dst = view.address = slot;
  if (!held) c_.out.load(t, "load operand");
}

void TileWalk::begin_output(Tile& tile, bool is_new) {
  const std::size_t y = space_.output();
  if (places_[y].storage->resident) return;
  if (is_new) output_slot_ = places_[y].slots.next();
  tile.operands[y].address = output_slot_;
}

void TileWalk::store(const Tile& tile) {
  const std::size_t y = space_.output();
  const Place& place = places_[y];
  if (place.storage->resident) return;
  Transfer t{output_slot_,
             place.storage->address + offset(place),
             space_.operands[y].unit_bytes,
             {},
             {},
             {}};
  for (std::size_t d = 0; d < tile.extent.size(); ++d) {
    if (!space_.moves(y, d)) continue;
    t.count.push_back(tile.extent[d]);
    t.src_stride.push_back(tile.operands[y].step[d]);
    t.dst_stride.push_back(place.stride[d]);
  }
  c_.out.store(t, "store output");
}

void TileWalk::parts(const std::vector<std::size_t>& dims,
                     const std::function<void(Tile&)>& visit) {
  int64_t all = 1;
  for (const std::size_t d : dims) all *= ceil_div(space_.dims[d].size, extent_[d]);
  int64_t part = 0;
  over(dims, 0, [&] {
    c_.out.begin_step();
    Tile tile = make_tile();
    tile.first = part == 0;
    tile.last = ++part == all;
    for (std::size_t o = 0; o < space_.output(); ++o) load(o, tile);
    visit(tile);
  });
}

void TileWalk::run(const std::function<void(const Tile&)>& emit) {
  over(kept_, 0, [&] {
    parts(reduced_, [&](Tile& tile) {
      begin_output(tile, tile.first);
      emit(tile);
      if (tile.last) store(tile);
    });
  });
}

void TileWalk::run_twice(const std::function<void(const Tile&)>& first,
                         const std::function<void(const Tile&)>& second) {
  over(kept_, 0, [&] {
    parts(blocks_, [&](Tile& tile) {
      begin_output(tile, true);  // for intermediates
      first(tile);
    });
    parts(blocks_, [&](Tile& tile) {
      begin_output(tile, true);
      second(tile);
      store(tile);
    });
  });
}

}  // namespace npu::kernels
