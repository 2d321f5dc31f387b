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
  /// The latest read of each engine in `readers`; 0 for the others.
  std::array<std::uint32_t, isa::kEngineCount> reader_number{};

  friend bool operator==(const ByteState&, const ByteState&) = default;
};

/// The bytes [base + i·stride, base + i·stride + run), i < count; stride ≥ run where count > 1.
struct Runs {
  std::int64_t base, run, count = 1, stride = 0;
};

/// The state of every byte of one memory, as segments of equal state.
///
/// The address space is cut into pages, each with its sorted segments, which name their state by
/// its number in a table. A strided access rewrites the segments that it touches in one sweep over
/// each page, and judges each state once, however many segments have it.
class ByteMap {
 public:
  explicit ByteMap(std::int64_t capacity_bytes);

  /// Begins an access, which update() or replace() then carry out, runs by runs.
  void begin_access();

  /// Calls visit(state, low, high) for each state that the access has not met yet, with the first
  /// segment of the runs that has it. The visitor may change the state; all segments that the runs
  /// touch follow. The runs lie in the memory.
  template <typename Visit>
  void update(const Runs& runs, Visit&& visit) {
    sweep(runs, [&](Sweep& s, std::uint32_t high) {
      while (s.at < high) {
        const std::uint32_t old = s.page[s.next].state;
        const std::uint32_t low = s.at;
        const std::uint32_t stop = s.advance(high);
        if (met_[old].access != access_) {
          ByteState state = states_[old];
          visit(state, s.base + low, s.base + stop);
          meet(old, state == states_[old] ? old : add(state));
        }
        s.emit(low, met_[old].becomes);
      }
    });
  }

  /// Calls check(state, low, high) as update() does, then gives all bytes of the runs one state,
  /// the same in all calls of an access.
  template <typename Check>
  void replace(const Runs& runs, const ByteState& state, Check&& check) {
    if (replacement_access_ != access_) {
      replacement_access_ = access_;
      replacement_ = add(state);
      meet(replacement_, replacement_);
    }
    sweep(runs, [&](Sweep& s, std::uint32_t high) {
      s.emit(s.at, replacement_);
      while (s.at < high) {
        const std::uint32_t old = s.page[s.next].state;
        const std::uint32_t low = s.at;
        const std::uint32_t stop = s.advance(high);
        if (met_[old].access == access_) continue;
        meet(old, replacement_);
        check(static_cast<const ByteState&>(states_[old]), s.base + low, s.base + stop);
      }
    });
  }

  /// Calls visit(state, low, high) for each segment of [low, high).
  template <typename Visit>
  void for_each(std::int64_t low, std::int64_t high, Visit&& visit) const {
    for (std::int64_t at = low; at < high;) {
      const std::int64_t base = at & ~(page_bytes_ - 1);
      const std::vector<Segment>& page = pages_[static_cast<std::size_t>(base >> page_bits_)];
      const std::size_t i = page.empty() ? 0 : find(page, static_cast<std::uint32_t>(at - base));
      const std::int64_t segment_end =
          base + (i + 1 < page.size() ? std::int64_t{page[i + 1].begin} : page_bytes_);
      const std::int64_t end = segment_end < high ? segment_end : high;
      visit(states_[page.empty() ? 0 : page[i].state], at, end);
      at = end;
    }
  }

  [[nodiscard]] std::int64_t capacity_bytes() const { return capacity_bytes_; }
  [[nodiscard]] std::size_t segment_count() const;
  /// States in the table; those of no segment are dropped now and then.
  [[nodiscard]] std::size_t state_count() const { return states_.size(); }

 private:
  struct Segment {
    std::uint32_t begin;  ///< In the page; the segment ends where the next one begins.
    std::uint32_t state;
  };
  /// What the current access makes of a state.
  struct Met {
    std::uint64_t access = 0;
    std::uint32_t becomes = 0;
  };

  /// A pass over one page from some segment on. What it leaves behind stands in `done`.
  struct Sweep {
    const std::vector<Segment>& page;
    std::int64_t base;  ///< Address of the page.
    std::uint32_t page_bytes;
    std::vector<Segment>& done;
    std::size_t next;  ///< The segment that holds `at`.
    std::uint32_t at;

    [[nodiscard]] std::uint32_t end_of_segment() const {
      return next + 1 < page.size() ? page[next + 1].begin : page_bytes;
    }
    void emit(std::uint32_t begin, std::uint32_t state) {
      if (done.empty() || done.back().state != state) done.push_back({begin, state});
    }
    /// Moves to the end of the segment, not beyond `high`; @return the new position.
    std::uint32_t advance(std::uint32_t high) {
      const std::uint32_t end = end_of_segment();
      if (end > high) return at = high;
      ++next;
      return at = end;
    }
    /// Passes everything up to `low` as it is.
    void pass(std::uint32_t low) {
      while (at < low) {
        emit(at, page[next].state);
        advance(low);
      }
    }
  };

  /// Calls touch(sweep, high) for each run, or part of it in a page, [sweep.at, high).
  template <typename Touch>
  void sweep(const Runs& runs, Touch&& touch) {
    std::int64_t low = runs.base;
    std::int64_t i = 0;
    while (i < runs.count) {
      const std::int64_t base = low & ~(page_bytes_ - 1);
      const std::int64_t page_end = base + page_bytes_;
      std::vector<Segment>& page = pages_[static_cast<std::size_t>(base >> page_bits_)];
      if (page.empty()) page.push_back({});  // state 0: never written
      const std::size_t first = find(page, static_cast<std::uint32_t>(low - base));
      done_.clear();
      Sweep s{page, base, static_cast<std::uint32_t>(page_bytes_), done_, first, page[first].begin};
      while (i < runs.count && low < page_end) {
        s.pass(static_cast<std::uint32_t>(low - base));
        const std::int64_t high = runs.base + i * runs.stride + runs.run;
        const std::int64_t stop = high < page_end ? high : page_end;
        touch(s, static_cast<std::uint32_t>(stop - base));
        low = stop;
        if (stop == high) low = runs.base + ++i * runs.stride;
      }
      finish(page, first, s);
    }
  }

  std::uint32_t add(const ByteState& state) {
    states_.push_back(state);
    met_.emplace_back();
    return static_cast<std::uint32_t>(states_.size() - 1);
  }
  /// The access makes `becomes` of `state`, and leaves that as it is.
  void meet(std::uint32_t state, std::uint32_t becomes) {
    met_[state] = {access_, becomes};
    met_[becomes] = {access_, becomes};
  }
  /// Index of the segment that holds byte `at`.
  static std::size_t find(const std::vector<Segment>& page, std::uint32_t at);
  /// Puts what the sweep has done in the place of the segments that it started from.
  void finish(std::vector<Segment>& page, std::size_t first, Sweep& s);
  /// Drops the states of no segment.
  void collect();

  std::int64_t capacity_bytes_;
  int page_bits_;
  std::int64_t page_bytes_;
  std::vector<std::vector<Segment>> pages_;
  std::vector<ByteState> states_{1};
  std::vector<Met> met_{1};
  std::uint64_t access_ = 0, replacement_access_ = 0;
  std::uint32_t replacement_ = 0;
  std::size_t collect_at_;
  std::vector<Segment> done_;
};

}  // namespace npu
