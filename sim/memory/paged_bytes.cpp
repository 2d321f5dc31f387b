#include "sim/memory/paged_bytes.h"

#include <algorithm>
#include <cstring>

namespace npu {

PagedBytes::Page* PagedBytes::find(std::int64_t number) const {
  if (number == last_number_) return last_page_;
  const auto found = pages_.find(number);
  if (found == pages_.end()) return nullptr;
  last_number_ = number;
  last_page_ = found->second.get();
  return last_page_;
}

void PagedBytes::write(std::int64_t address, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::int64_t number = address / kPageBytes;
    const auto offset = static_cast<std::size_t>(address % kPageBytes);
    const std::size_t length = std::min(bytes.size(), std::size_t{kPageBytes} - offset);
    Page* page = find(number);
    if (page == nullptr) page = (pages_[number] = std::make_unique<Page>()).get();
    std::memcpy(page->data() + offset, bytes.data(), length);
    bytes = bytes.subspan(length);
    address += static_cast<std::int64_t>(length);
  }
}

void PagedBytes::read(std::int64_t address, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const auto offset = static_cast<std::size_t>(address % kPageBytes);
    const std::size_t length = std::min(bytes.size(), std::size_t{kPageBytes} - offset);
    const Page* page = find(address / kPageBytes);
    if (page == nullptr) {
      std::memset(bytes.data(), 0, length);
    } else {
      std::memcpy(bytes.data(), page->data() + offset, length);
    }
    bytes = bytes.subspan(length);
    address += static_cast<std::int64_t>(length);
  }
}

}  // namespace npu
