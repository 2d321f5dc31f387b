#include "sim/core/byte_map.h"

#include <algorithm>
#include <bit>

#include "sim/base/math.h"

namespace npu {
namespace {

constexpr int kLeastPageBits = 12;
constexpr std::size_t kLeastCollection = 1 << 14;

/// Pages of 4 KiB, larger where the memory would have more than 2^18 of them. Smaller ones cost
/// dense tiles more visits, larger ones make insertions move more segments.
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
      pages_(static_cast<std::size_t>(ceil_div(capacity_bytes, page_bytes_))),
      collect_at_(kLeastCollection) {}

void ByteMap::begin_access() {
  ++access_;
  if (states_.size() >= collect_at_) collect();
}

void ByteMap::collect() {
  constexpr std::uint32_t kUnused = UINT32_MAX;
  std::vector<std::uint32_t> number(states_.size(), kUnused);
  number[0] = 0;
  for (const auto& page : pages_) {
    for (const Segment& s : page) number[s.state] = 0;
  }
  std::uint32_t used = 0;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (number[i] == kUnused) continue;
    number[i] = used;
    states_[used++] = states_[i];
  }
  for (auto& page : pages_) {
    for (Segment& s : page) s.state = number[s.state];
  }
  states_.resize(used);
  met_.assign(used, {});
  collect_at_ = std::max(kLeastCollection, 2 * states_.size());
}

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

void ByteMap::finish(std::vector<Segment>& page, std::size_t first, Sweep& s) {
  // The rest of a segment that the last run ends in, or a neighbour that has become equal.
  if (s.next < page.size() &&
      (s.at > page[s.next].begin || done_.back().state == page[s.next].state)) {
    s.pass(s.end_of_segment());
  }
  const bool joins = first > 0 && page[first - 1].state == done_.front().state;
  const auto begin = page.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = page.begin() + static_cast<std::ptrdiff_t>(s.next);
  if (joins) done_.erase(done_.begin());
  const auto common = std::min(end - begin, std::ssize(done_));
  std::copy_n(done_.begin(), common, begin);
  if (begin + common < end) {
    page.erase(begin + common, end);
  } else {
    page.insert(end, done_.begin() + common, done_.end());
  }
}

}  // namespace npu
