#include "isa/footprint_builder.h"

#include <algorithm>
#include <array>

namespace npu::isa {
namespace {

constexpr std::size_t kMaxDims = 4;

}  // namespace

void add_box(std::vector<Region>& out, Memory memory, std::int64_t base, std::int64_t run,
             std::span<const Dim> dims) {
  if (run <= 0) return;
  std::array<Dim, kMaxDims> kept{};
  std::size_t n = 0;
  for (Dim d : dims) {
    if (d.count <= 0) return;
    if (d.count == 1 || d.stride == 0) continue;
    if (d.stride < 0) {
      base += d.stride * (d.count - 1);
      d.stride = -d.stride;
    }
    std::size_t at = n++;
    for (; at > 0 && kept[at - 1].stride > d.stride; --at) kept[at] = kept[at - 1];
    kept[at] = d;
  }
  std::size_t used = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Dim& d = kept[i];
    if (used == 0 && d.stride <= run) {
      run += d.stride * (d.count - 1);
      continue;
    }
    if (used > 0) {
      Dim& inner = kept[used - 1];
      const std::int64_t ratio = d.stride / inner.stride;
      if (d.stride % inner.stride == 0 && ratio <= inner.count) {
        inner.count += ratio * (d.count - 1);
        continue;
      }
    }
    kept[used++] = d;
  }
  Region region{memory, base, run, {1, 1, 1}, {0, 0, 0}};
  for (std::size_t i = 0; i < std::min<std::size_t>(used, 3); ++i) {
    region.count[i] = kept[i].count;
    region.stride[i] = kept[i].stride;
  }
  if (used <= 3) {
    out.push_back(region);
    return;
  }
  for (std::int64_t i = 0; i < kept[3].count; ++i) {
    out.push_back(region);
    region.base += kept[3].stride;
  }
}

}  // namespace npu::isa
