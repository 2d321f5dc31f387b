#pragma once

#include <cstdint>
#include <optional>

namespace npu {

/// High-water mark of this process's resident memory [KiB]; nothing where the system does not tell.
/// getrusage would tell the parent's if that was larger.
[[nodiscard]] std::optional<std::int64_t> peak_memory_kib();

}  // namespace npu
