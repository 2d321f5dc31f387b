#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernels/mapper/window_tiling.h"

namespace npu::mapper {

inline constexpr std::int64_t kMaxExtent =
    65535;  ///< Of a tile: what the instructions' fields hold.

/// Whether slots of the decided bytes hold the tile's x, w and y.
[[nodiscard]] bool slots_suffice(const WindowTile& tile, const WindowDecision& decided);
/// @throws MappingError naming a buffer whose decided slots do not suffice.
void require_slots(const WindowTile& tile, const WindowDecision& decided, const std::string& layer);
/// Takes over the decided slots and their bytes; these stay what the tile needs where they would
/// not suffice.
void take_slots(WindowTile& tile, const WindowDecision& decided);

/// Fills in bytes, slots and work of tiles of one layer.
class TileBuilder {
 public:
  TileBuilder(const WindowProblem& problem, const NpuConfig& config, std::int64_t scratchpad_bytes,
              const WindowDecision& decided)
      : p_(problem), config_(config), budget_(scratchpad_bytes), decided_(decided) {}

  /// Nullopt if the tile does not fit.
  std::optional<WindowTile> build(WindowTile t);
  /// The smallest tile that did not fit.
  [[nodiscard]] const WindowTile& least() const { return least_; }

 private:
  struct Extents;
  void layout(WindowTile& t) const;
  [[nodiscard]] bool fits(const WindowTile& t) const;
  void note_least(const WindowTile& t);
  [[nodiscard]] std::int64_t moved_bytes(const Extents& runs, std::int64_t all,
                                         std::int64_t element) const;
  std::optional<WindowTile> stream(WindowTile& t);
  void add_streamed(WindowTile& t, std::int64_t m, std::int64_t n, std::int64_t count) const;
  void estimate(WindowTile& t) const;
  void arithmetic(WindowTile& t, const Extents& h, const Extents& w, const Extents& oc,
                  const Extents& ic, std::int64_t outer) const;
  static Extents split(std::int64_t n, std::int64_t tile);

  const WindowProblem& p_;
  const NpuConfig& config_;
  std::int64_t budget_;
  const WindowDecision& decided_;
  WindowTile least_{.out_h = 0};
};

}  // namespace npu::mapper
