#include "kernels/mapper/mapping_error.h"

namespace npu::mapper {

std::string_view name_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::kName:
      return "name";
    case FaultKind::kRange:
      return "range";
    case FaultKind::kUnsupported:
      return "unsupported";
    case FaultKind::kCapacity:
      return "capacity";
    case FaultKind::kOverlap:
      return "overlap";
    case FaultKind::kMisaligned:
      return "alignment";
    case FaultKind::kSlots:
      return "slots";
    case FaultKind::kCoverage:
      return "coverage";
    case FaultKind::kOrder:
      return "order";
  }
  return "?";
}

std::string_view name_of(MemoryLevel level) {
  switch (level) {
    case MemoryLevel::kNone:
      return "";
    case MemoryLevel::kScratchpad:
      return "scratchpad";
    case MemoryLevel::kAccumulator:
      return "accumulator";
    case MemoryLevel::kDram:
      return "dram";
  }
  return "?";
}

}  // namespace npu::mapper
