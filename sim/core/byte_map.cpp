#include "sim/core/byte_map.h"

#include <algorithm>
#include <bit>

#include "sim/base/math.h"

namespace npu {
namespace {

constexpr int kLeastPageBits = 12;

/// Pages of 4 KiB, larger where the memory would have more than 2^18 of them. Smaller ones cost
/// dense tiles more visits, larger ones strided tiles more moves.
int page_bits_for(std::int64_t capacity_bytes) {
  const auto pages = static_cast<std::uint64_t>(
      ceil_div(std::max<std::int64_t>(capacity_bytes, 1), std::int64_t{1} << kLeastPageBits));
  const int excess = static_cast<int>(std::bit_width(pages - 1)) - 18;
  return kLeastPageBits + std::max(excess, 0);
}

}  // namespace

ByteMap::ByteMap(std::int64_t capacity_bytes)
    : capacity_bytes_(capacity_bytes),
      page_bits_(page_bits_for(capacity_bytes)),
      page_bytes_(std::int64_t{1} << page_bits_),
      pages_(static_cast<std::size_t>(ceil_div(capacity_bytes, page_bytes_))) {}

std::size_t ByteMap::segment_count() const {
  std::size_t count = 0;
  for (const auto& page : pages_) count += page.size();
  return count;
}

std::size_t ByteMap::find(const std::vector<Segment>& page, std::uint32_t at) {
  const auto after = std::upper_bound(
      page.begin(), page.end(), at, [](std::uint32_t a, const Segment& s) { return a < s.begin; });
  return static_cast<std::size_t>(after - page.begin()) - 1;
}

void ByteMap::split(std::vector<Segment>& page, std::size_t i, std::uint32_t at) {
  const Segment tail{at, page[i].state};
  page.insert(page.begin() + static_cast<std::ptrdiff_t>(i) + 1, tail);
}

std::size_t ByteMap::cut(std::vector<Segment>& page, std::uint32_t at) {
  const std::size_t i = find(page, at);
  if (page[i].begin == at) return i;
  split(page, i, at);
  return i + 1;
}

void ByteMap::assign(std::vector<Segment>& page, std::size_t first, std::size_t last,
                     std::uint32_t start, std::uint32_t stop, const ByteState& state) const {
  if (segment_end(page, last) > stop) split(page, last, stop);
  if (page[first].begin < start) {
    if (first == last) {
      split(page, first, start);
      ++last;
    }
    ++first;
  }
  page[first] = {start, state};
  if (last > first) {
    page.erase(page.begin() + static_cast<std::ptrdiff_t>(first) + 1,
               page.begin() + static_cast<std::ptrdiff_t>(last) + 1);
  }
}

}  // namespace npu
