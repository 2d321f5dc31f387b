#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isa/instructions.h"

namespace npu {

/// Who last touched a byte: an instruction as its engine and its number among that engine's
/// instructions.
struct ByteState {
  static constexpr std::uint8_t kNobody = 0xff;   ///< Never written.
  static constexpr std::uint8_t kInitial = 0xfe;  ///< Written before the program starts.
  static constexpr std::uint8_t kConstant =
      0xfd;  ///< The same, and not to be overwritten: code and image.

  std::uint8_t writer = kNobody;  ///< An engine, or one of the above.
  std::uint8_t readers = 0;       ///< Engines that have read since the write.
  std::uint32_t writer_number = 0;
  std::array<std::uint32_t, isa::kEngineCount>
      reader_number;  ///< The latest read of each engine in `readers`.
};

/// The state of every byte of one memory, as segments of equal state.
///
/// The address space is cut into pages, each with its sorted segments: tiles that come back to the
/// same buffers find their segments without a search through the whole memory, and a split moves
/// only one page's entries.
class ByteMap {
 public:
  explicit ByteMap(std::int64_t capacity_bytes);

  /// Calls visit(state, low, high) for each segment of [low, high), which lies in the memory; the
  /// visitor may change the state.
  template <typename Visit>
  void update(std::int64_t low, std::int64_t high, Visit&& visit) {
    for (std::int64_t at = low; at < high;) {
      const std::int64_t base = at & ~(page_bytes_ - 1);
      const std::int64_t end = base + page_bytes_ < high ? base + page_bytes_ : high;
      std::vector<Segment>& page = page_at(base);
      std::size_t i = cut(page, offset(at - base));
      const std::uint32_t stop = offset(end - base);
      for (; i < page.size() && page[i].begin < stop; ++i) {
        if (segment_end(page, i) > stop) split(page, i, stop);
        visit(page[i].state, base + page[i].begin, base + segment_end(page, i));
      }
      at = end;
    }
  }

  /// Calls check(state, low, high) for each segment of [low, high), then gives the whole range one
  /// state.
  template <typename Check>
  void replace(std::int64_t low, std::int64_t high, const ByteState& state, Check&& check) {
    for (std::int64_t at = low; at < high;) {
      const std::int64_t base = at & ~(page_bytes_ - 1);
      const std::int64_t end = base + page_bytes_ < high ? base + page_bytes_ : high;
      std::vector<Segment>& page = page_at(base);
      const std::uint32_t start = offset(at - base);
      const std::uint32_t stop = offset(end - base);
      const std::size_t first = find(page, start);
      std::size_t last = first;
      for (std::size_t i = first; i < page.size() && page[i].begin < stop; ++i) {
        const std::uint32_t from = page[i].begin > start ? page[i].begin : start;
        const std::uint32_t to = segment_end(page, i) < stop ? segment_end(page, i) : stop;
        check(static_cast<const ByteState&>(page[i].state), base + from, base + to);
        last = i;
      }
      assign(page, first, last, start, stop, state);
      at = end;
    }
  }

  [[nodiscard]] std::int64_t capacity_bytes() const { return capacity_bytes_; }
  [[nodiscard]] std::size_t segment_count() const;

 private:
  struct Segment {
    std::uint32_t begin;  ///< In the page; the segment ends where the next one begins.
    ByteState state;
  };

  static std::uint32_t offset(std::int64_t bytes) { return static_cast<std::uint32_t>(bytes); }
  std::vector<Segment>& page_at(std::int64_t base) {
    std::vector<Segment>& page = pages_[static_cast<std::size_t>(base >> page_bits_)];
    if (page.empty()) page.push_back({});
    return page;
  }
  [[nodiscard]] std::uint32_t segment_end(const std::vector<Segment>& page, std::size_t i) const {
    return i + 1 < page.size() ? page[i + 1].begin : static_cast<std::uint32_t>(page_bytes_);
  }
  /// Index of the segment that holds byte `at`.
  static std::size_t find(const std::vector<Segment>& page, std::uint32_t at);
  /// Makes a segment begin at `at`; @return its index.
  static std::size_t cut(std::vector<Segment>& page, std::uint32_t at);
  /// Splits segment i at `at`, inside it.
  static void split(std::vector<Segment>& page, std::size_t i, std::uint32_t at);
  /// Replaces [start, stop), which lies in segments first to last, by one segment.
  void assign(std::vector<Segment>& page, std::size_t first, std::size_t last, std::uint32_t start,
              std::uint32_t stop, const ByteState& state) const;

  std::int64_t capacity_bytes_;
  int page_bits_;
  std::int64_t page_bytes_;
  std::vector<std::vector<Segment>> pages_;
};

}  // namespace npu
