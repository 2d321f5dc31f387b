#include "sim/core/stream_check.h"

#include <fmt/format.h>

namespace npu {

using isa::Opcode;
using isa::Opd;

std::optional<std::string> StreamCheck::add(const isa::Instruction& in, std::int32_t index) {
  switch (in.opcode) {
    case Opcode::kConv:
      if (in[Opd::kStream] != 0) {
        tiles_.push_back(
            {index, in[Opd::kOutH] * in[Opd::kOutW], in[Opd::kOutC], in[Opd::kWide] != 0});
      }
      return std::nullopt;
    case Opcode::kGemm:
      if (in[Opd::kStream] != 0) {
        tiles_.push_back({index, in[Opd::kM], in[Opd::kN], in[Opd::kWide] != 0});
      }
      return std::nullopt;
    case Opcode::kRequantize:
      break;
    default:
      return std::nullopt;
  }
  if (in[Opd::kStream] == 0) return std::nullopt;
  if (tiles_.empty()) return "stream: no streamed tile before it has results left";
  Tile& tile = tiles_.front();
  if (tile.channels != in[Opd::kOutC] || tile.wide != (in[Opd::kWide] != 0)) {
    return fmt::format("stream: takes {} {} channels, but instruction {} streams {} {} ones",
                       in[Opd::kOutC], in[Opd::kWide] != 0 ? "wide" : "narrow", tile.index,
                       tile.channels, tile.wide ? "wide" : "narrow");
  }
  const std::int64_t positions = in[Opd::kOutH] * in[Opd::kOutW];
  if (positions > tile.positions) {
    return fmt::format("stream: takes {} positions, but instruction {} has {} left", positions,
                       tile.index, tile.positions);
  }
  tile.positions -= positions;
  if (tile.positions == 0) tiles_.pop_front();
  return std::nullopt;
}

std::optional<std::int32_t> StreamCheck::left_over() const {
  return tiles_.empty() ? std::nullopt : std::optional(tiles_.front().index);
}

}  // namespace npu
