#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "sim/base/error.h"

namespace npu {

/// @throws Error if `size` bytes at `address` are not all within a DRAM of that capacity.
inline void check_host_access(std::int64_t capacity_bytes, std::int64_t address, std::size_t size) {
  if (address < 0 || std::cmp_greater(size, capacity_bytes) ||
      address > capacity_bytes - static_cast<std::int64_t>(size)) {
    fail("host access of {} bytes at {:#x} is outside the {} bytes of DRAM", size, address,
         capacity_bytes);
  }
}

}  // namespace npu
