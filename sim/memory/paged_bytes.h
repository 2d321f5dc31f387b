#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>

namespace npu {

/// Bytes of a large address space, in 64 KiB pages that exist from their first write on. Unwritten
/// bytes read 0.
class PagedBytes {
 public:
  static constexpr std::int64_t kPageBytes = 64 * 1024;

  void write(std::int64_t address, std::span<const std::byte> bytes);
  void read(std::int64_t address, std::span<std::byte> bytes) const;
  [[nodiscard]] std::size_t page_count() const { return pages_.size(); }

 private:
  using Page = std::array<std::byte, kPageBytes>;
  [[nodiscard]] Page* find(std::int64_t number) const;

  std::unordered_map<std::int64_t, std::unique_ptr<Page>> pages_;
  mutable std::int64_t last_number_ = -1;  ///< The page found last: accesses are mostly local.
  mutable Page* last_page_ = nullptr;
};

}  // namespace npu
