#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "isa/instructions.h"

namespace npu {

/// That the result stream of a program adds up: in program order every streamed vec.requantize
/// takes positions of the oldest streamed tile that has some left, of its channels and width, none
/// over the tile's end; at the end nothing is left. Both engines work in order, so nothing else can
/// happen at run time.
class StreamCheck {
 public:
  /// The dynamic instruction, in program order. @return what is wrong with it.
  [[nodiscard]] std::optional<std::string> add(const isa::Instruction& instruction,
                                               std::int32_t index);
  /// The static index of a tile whose results nobody takes.
  [[nodiscard]] std::optional<std::int32_t> left_over() const;

 private:
  struct Tile {
    std::int32_t index;
    std::int64_t positions, channels;
    bool wide;
  };
  std::deque<Tile> tiles_;
};

}  // namespace npu
