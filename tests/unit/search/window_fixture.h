#pragma once

#include <algorithm>
#include <functional>
#include <random>

#include "kernels/mapper/tile_builder.h"
#include "kernels/search/window_search.h"
#include "tests/support/random_config.h"

namespace npu::search {

/// A small layer of a random kind in a small part of a random NPU's scratchpad.
struct SmallCase {
  NpuConfig config;
  WindowLayer layer;
};

inline SmallCase random_case(std::mt19937_64& rng, std::int64_t size) {
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(rng);
  };
  SmallCase c{test::random_config(rng), {}};
  mapper::WindowProblem& p = c.layer.problem;
  p.kind = static_cast<mapper::WindowKind>(draw(0, 3));
  const int kernel = p.kind == mapper::WindowKind::kGemm ? 1 : static_cast<int>(draw(1, 3));
  p.window.kernel_h = p.window.kernel_w = kernel;
  p.window.stride_h = p.window.stride_w =
      static_cast<int>(p.kind == mapper::WindowKind::kGemm ? 1 : draw(1, 2));
  p.window.pad_top = p.window.pad_left = kernel / 2;
  p.out_h = p.kind == mapper::WindowKind::kGemm ? 1 : draw(1, size);
  p.out_w = draw(1, size);
  p.in_h = (p.out_h - 1) * p.window.stride_h + std::max(1, kernel - 2 * p.window.pad_top);
  p.in_w = (p.out_w - 1) * p.window.stride_w + std::max(1, kernel - 2 * p.window.pad_left);
  p.in_c = draw(1, size + 1);
  const bool tied = p.kind == mapper::WindowKind::kDepthwise || p.kind == mapper::WindowKind::kPool;
  p.multiplier = p.kind == mapper::WindowKind::kDepthwise ? draw(1, 2) : 1;
  p.out_c = tied ? p.in_c * p.multiplier : draw(1, size + 2);
  p.batch = draw(0, 5) == 0 ? 2 : 1;
  p.groups = p.kind == mapper::WindowKind::kConv && draw(0, 4) == 0 ? 2 : 1;
  p.param_bytes = p.kind == mapper::WindowKind::kPool ? 0 : 12;
  p.x_resident = draw(0, 2) == 0;
  p.y_resident = draw(0, 2) == 0;
  c.layer.area.free.high =
      std::min<std::int64_t>(c.config.scratchpad.capacity_bytes, std::int64_t{1} << draw(9, 14));
  c.layer.area.from_the_top = draw(0, 1) == 1;
  return c;
}

/// Calls visit(tile) for every tile of the layer that fits: all extents, orders and slots.
inline void visit_every_tile(const SmallCase& c,
                             const std::function<void(const mapper::WindowTile&)>& visit) {
  const mapper::WindowProblem& p = c.layer.problem;
  const bool reduces = mapper::has_channel_input(p);
  const bool streams = reduces && c.config.mac_array.result_stream_entries > 0;
  const auto build = [&](const mapper::WindowTile& wanted, const mapper::WindowDecision& d) {
    mapper::TileBuilder builder(p, c.config, c.layer.area.bytes(), d);
    if (const auto tile = builder.build(wanted)) visit(*tile);
  };
  for (std::int64_t h = 1; h <= p.out_h; ++h) {
    for (std::int64_t w = 1; w <= p.out_w; ++w) {
      for (std::int64_t oc = 1; oc <= p.out_c; ++oc) {
        if (oc % p.multiplier != 0) continue;
        for (std::int64_t ic = 1; ic <= p.in_c; ++ic) {
          if (!reduces && ic != oc / p.multiplier) continue;
          for (const auto order :
               {mapper::LoopOrder::kChannelsOuter, mapper::LoopOrder::kSpaceOuter}) {
            const mapper::WindowTile tile{
                .out_h = h, .out_w = w, .out_c = oc, .in_c = ic, .order = order};
            for (int slots = 0; slots < 16; ++slots) {
              mapper::WindowDecision d;
              if ((slots & 1) != 0) d.x_slots = 1;
              if ((slots & 2) != 0) d.w_slots = 1;
              if ((slots & 4) != 0) d.y_slots = 1;
              if ((slots & 8) != 0) d.acc_slots = 1;
              build(tile, d);
            }
            if (!streams || ic < p.in_c || oc > c.config.mac_array.cols) continue;
            mapper::WindowTile streamed = tile;
            streamed.streamed = true;
            build(streamed, {});
          }
        }
      }
    }
  }
}

}  // namespace npu::search
