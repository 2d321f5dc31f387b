#include "kernels/mapper/tile_space.h"

#include <algorithm>

#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using graph::Graph;
using graph::Node;
using std::int64_t;

constexpr int64_t kMaxWalk = (1 << 20) - 1;  ///< n1, n2 and r1 of vec.map and vec.reduce.

std::size_t find(const std::vector<TileOperand>& all, std::string_view name) {
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const TileOperand& t) { return t.buffer == name; });
  return static_cast<std::size_t>(it - all.begin());
}

/// Whether the dimensions of a tile cut at `cut` fit the loops of an instruction.
bool can_walk(const TileSpace& space, std::size_t cut) {
  std::size_t kept = 0;
  std::size_t reduced = 0;
  for (std::size_t d = 0; d < space.dims.size(); ++d) {
    const TileDim& dim = space.dims[d];
    if (d < cut && dim.block == 0) continue;
    const bool innermost = dim.block > 0 && d + 1 == space.dims.size();
    if (d != cut && (dim.block > 0 ? dim.block : dim.size) > (innermost ? kMaxRow : kMaxWalk))
      return false;
    ++(space.moves(space.output(), d) ? kept : reduced);
  }
  return kept <= space.kept_dims && reduced <= space.reduced_dims;
}

}  // namespace

bool TileSpace::has_temporary(std::string_view name) const {
  return find(temporaries, name) < temporaries.size();
}

std::size_t TileSpace::temporary(std::string_view name) const {
  const std::size_t i = find(temporaries, name);
  NPU_CHECK(i < temporaries.size(), "the layer has no such temporary");
  return i;
}

std::vector<std::size_t> tile_cuts(const TileSpace& space) {
  std::vector<std::size_t> cuts;
  for (std::size_t d = 0; d < space.dims.size(); ++d) {
    if (space.dims[d].block == 0 && can_walk(space, d)) cuts.push_back(d);
  }
  NPU_CHECK(!cuts.empty(), "no dimension to cut");
  return cuts;
}

std::vector<int64_t> tile_extents(const TileSpace& space, std::size_t cut, int64_t units) {
  std::vector<int64_t> extents;
  for (std::size_t d = 0; d < space.dims.size(); ++d) {
    const TileDim& dim = space.dims[d];
    extents.push_back(dim.block > 0 ? dim.block : d < cut ? 1 : d == cut ? units : dim.size);
  }
  return extents;
}

int64_t tile_bytes(const TileSpace& space, std::size_t like, int64_t unit_bytes,
                   const std::vector<int64_t>& extents) {
  int64_t bytes = unit_bytes;
  for (std::size_t d = 0; d < extents.size(); ++d) bytes *= space.moves(like, d) ? extents[d] : 1;
  return bytes;
}

ChunkProblem tile_problem(const Graph& graph, const Node& node, const Storages& storages,
                          int64_t softmax_block) {
  const TileSpace space = tile_space(graph, node, softmax_block);
  ChunkProblem p;
  for (const TileOperand& o : space.operands) p.streamed.push_back(o.buffer);
  for (const TileOperand& t : space.temporaries) p.streamed.push_back(t.buffer);
  for (const std::size_t cut : tile_cuts(space)) {
    ChunkLevel level;
    level.units = space.dims[cut].size;
    const std::vector<int64_t> extents = tile_extents(space, cut, 1);
    for (std::size_t d = 0; d < space.dims.size(); ++d) {
      if (d < cut || space.dims[d].block > 0)
        level.outer *= ceil_div(space.dims[d].size, extents[d]);
    }
    const auto add = [&](std::size_t like, int64_t unit_bytes, int slots) {
      const int64_t bytes = tile_bytes(space, like, unit_bytes, extents);
      const bool grows = space.moves(like, cut);
      level.bytes_per_unit.push_back(grows ? bytes : 0);
      level.bytes_fixed.push_back(grows ? 0 : bytes);
      level.slots.push_back(slots);
    };
    for (std::size_t o = 0; o < space.operands.size(); ++o) {
      const bool is_output = o == space.output();
      const graph::TensorId id = is_output ? node.outputs[0] : node.inputs[space.inputs[o]];
      bool shared = !space.moves(o, cut);
      for (std::size_t d = 0; d < cut; ++d)
        shared = shared && (space.dims[d].block > 0 || !space.moves(o, d));
      add(o, storages.of(id).resident ? 0 : space.operands[o].unit_bytes, shared ? 1 : 2);
    }
    for (const TileOperand& t : space.temporaries) add(t.like, t.unit_bytes, 1);
    p.levels.push_back(std::move(level));
  }
  return p;
}

}  // namespace npu::mapper
