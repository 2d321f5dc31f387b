#include "kernels/lowering/tile_walk.h"

#include <algorithm>

#include "sim/base/error.h"

namespace npu::kernels {

using std::int64_t;

TileView TileView::stepping(int64_t bytes) const {
  TileView view = *this;
  view.step.back() = bytes;
  return view;
}

TileWalk::TileWalk(LayerContext& c)
    : c_(c),
      space_(mapper::tile_space(c.graph, c.node)),
      cut_(mapper::tile_cuts(space_).at(c.plan.level)),
      first_(space_.dims.size(), 0) {
  std::vector<int64_t> sizes;
  for (const mapper::TileDim& d : space_.dims) sizes.push_back(d.size);
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
  const int64_t step = d == cut_ ? c_.plan.chunk : 1;
  for (first_[d] = 0; first_[d] < space_.dims[d].size; first_[d] += step) over(dims, i + 1, visit);
  first_[d] = 0;
}

int64_t TileWalk::offset(const Place& place) const {
  int64_t sum = 0;
  for (std::size_t d = 0; d < first_.size(); ++d) sum += first_[d] * place.stride[d];
  return sum;
}

Tile TileWalk::make_tile() const {
  Tile tile;
  const int64_t units = std::min(c_.plan.chunk, space_.dims[cut_].size - first_[cut_]);
  tile.extent = mapper::tile_extents(space_, cut_, units);
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

void TileWalk::begin_output(Tile& tile) {
  const std::size_t y = space_.output();
  if (places_[y].storage->resident) return;
  if (tile.first) output_slot_ = places_[y].slots.next();
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

void TileWalk::run(const std::function<void(const Tile&)>& emit) {
  std::vector<std::size_t> kept;
  std::vector<std::size_t> reduced;
  int64_t parts = 1;
  for (std::size_t d = 0; d <= cut_; ++d) {
    if (space_.dims[d].whole) continue;
    const bool keeps = space_.moves(space_.output(), d);
    (keeps ? kept : reduced).push_back(d);
    const int64_t step = d == cut_ ? c_.plan.chunk : 1;
    if (!keeps) parts *= (space_.dims[d].size + step - 1) / step;
  }
  over(kept, 0, [&] {
    int64_t part = 0;
    over(reduced, 0, [&] {
      c_.out.begin_step();
      Tile tile = make_tile();
      tile.first = part == 0;
      tile.last = ++part == parts;
      for (std::size_t o = 0; o < space_.output(); ++o) load(o, tile);
      begin_output(tile);
      emit(tile);
      if (tile.last) store(tile);
    });
  });
}

}  // namespace npu::kernels
