#include "sim/core/program_layout.h"

#include <algorithm>

#include "isa/encoding.h"
#include "sim/base/error.h"

namespace npu {
namespace {

void check_inside(const std::string& what, std::int64_t address, std::int64_t size,
                  std::string_view memory, std::int64_t capacity) {
  if (address < 0 || size < 0 || size > capacity || address > capacity - size) {
    fail("{}: {} bytes at {:#x} are outside the {} bytes of {}", what, size, address, capacity,
         memory);
  }
}

std::string text(const ConstantRange& r) {
  return fmt::format("{} [{:#x}, {:#x})", r.name, r.low, r.high);
}

bool starts_written(const isa::TensorRecord& t) {
  return t.role == isa::TensorRole::kInput || t.role == isa::TensorRole::kVariable;
}

/// Sorts by address and refuses overlaps. Empty ranges are left out.
void sort_disjoint(std::vector<ConstantRange>& ranges) {
  std::erase_if(ranges, [](const ConstantRange& r) { return r.low == r.high; });
  std::ranges::stable_sort(ranges, {}, &ConstantRange::low);
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].low < ranges[i - 1].high)
      fail("{} overlaps {}", text(ranges[i]), text(ranges[i - 1]));
  }
}

}  // namespace

std::string_view memory_name(isa::Memory memory) {
  switch (memory) {
    case isa::Memory::kDram:
      return "DRAM";
    case isa::Memory::kScratchpad:
      return "scratchpad";
    case isa::Memory::kAccumulator:
      return "accumulator";
  }
  return "?";
}

std::vector<ConstantRange> check_layout(const isa::Program& program, const NpuConfig& config) {
  const std::int64_t dram = config.dram.capacity_bytes();
  if (program.dram_bytes < 0 || program.dram_bytes > dram) {
    fail("the program needs {} bytes of DRAM, {} has {}", program.dram_bytes, config.dram.device,
         dram);
  }
  std::vector<ConstantRange> constants;
  const auto add = [&](const std::string& name, std::int64_t address, std::int64_t size) {
    check_inside(name, address, size, "DRAM that the program uses", program.dram_bytes);
    constants.push_back({address, address + size, name});
  };
  add("code", program.code_address, std::ssize(program.code) * isa::kWordBytes);
  for (const isa::ImageSegment& segment : program.image) {
    add(fmt::format("image '{}'", segment.name), segment.address, segment.size);
    if (!segment.bytes.empty() && std::ssize(segment.bytes) != segment.size) {
      fail("image '{}': size is {}, but it has {} bytes", segment.name, segment.size,
           segment.bytes.size());
    }
  }
  sort_disjoint(constants);

  std::vector<ConstantRange> starting;
  for (const isa::TensorRecord& tensor : program.tensors) {
    const std::string name = fmt::format("tensor {} '{}'", tensor.id, tensor.name);
    const std::int64_t capacity = tensor.memory == isa::Memory::kDram ? program.dram_bytes
                                  : tensor.memory == isa::Memory::kScratchpad
                                      ? config.scratchpad.capacity_bytes
                                      : config.accumulator.capacity_bytes;
    check_inside(name, tensor.address, tensor.bytes(),
                 tensor.memory == isa::Memory::kDram ? "DRAM that the program uses"
                                                     : memory_name(tensor.memory),
                 capacity);
    if (tensor.memory != isa::Memory::kDram) continue;
    const ConstantRange range{tensor.address, tensor.address + tensor.bytes(), name};
    if (starts_written(tensor)) starting.push_back(range);
    if (range.low == range.high || (!starts_written(tensor) && tensor.ready_after < 0)) continue;
    const auto at = std::ranges::upper_bound(constants, range.low, {}, &ConstantRange::high);
    if (at != constants.end() && at->low < range.high)
      fail("{} overlaps {}", text(range), text(*at));
  }
  sort_disjoint(starting);
  return constants;
}

}  // namespace npu
