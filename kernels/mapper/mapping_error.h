#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "sim/base/error.h"

namespace npu::mapper {

/// What is wrong with a mapping.
enum class FaultKind : std::uint8_t {
  kName,         ///< A layer, tensor or buffer that is not there.
  kRange,        ///< A value outside of what the layer has.
  kUnsupported,  ///< Nothing that the hardware or the lowering does.
  kCapacity,     ///< More bytes than a memory has.
  kOverlap,      ///< Bytes that something else holds at the same time.
  kMisaligned,
  kSlots,     ///< Fewer slots, or smaller ones, than the layer's loop uses.
  kCoverage,  ///< A multiplication left out or done twice.
  kOrder,     ///< A value read before it is written.
};
[[nodiscard]] std::string_view name_of(FaultKind kind);

enum class MemoryLevel : std::uint8_t { kNone, kScratchpad, kAccumulator, kDram };
[[nodiscard]] std::string_view name_of(MemoryLevel level);

struct Fault {
  FaultKind kind = FaultKind::kRange;
  std::string layer = {};  ///< Empty where a tensor is at fault.
  std::string key =
      {};  ///< "tile.out_h", "scratchpad.w.address", "tensors.12.memory"; empty: none.
  MemoryLevel level = MemoryLevel::kNone;
  std::string object = {};               ///< Buffer or tensor.
  std::int64_t needed = -1, there = -1;  ///< Bytes; −1: not about bytes.
};

/// A mapping that is not legal, by the user's decisions or because a layer fits nowhere.
class MappingError : public Error {
 public:
  MappingError(Fault fault, const std::string& message)
      : Error(message), fault_(std::move(fault)) {}
  [[nodiscard]] const Fault& fault() const { return fault_; }

 private:
  Fault fault_;
};

template <typename... Args>
[[noreturn]] void fail_mapping(Fault fault, fmt::format_string<Args...> format, Args&&... args) {
  throw MappingError(std::move(fault), fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace npu::mapper
