#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

namespace npu {

/// The read requests of all requesters that are under way at the NPU's memory port: a place is
/// taken when a request is accepted and free again in the cycle in which its last byte is at the
/// requester.
class ReadWindow {
 public:
  /// @param places  0: no limit.
  explicit ReadWindow(int places) : places_(static_cast<std::size_t>(places)) {}

  [[nodiscard]] bool full() const { return places_ > 0 && taken_ >= places_; }
  void take() {
    if (places_ > 0) ++taken_;
  }
  /// A request that took a place will be answered at `cycle`.
  void answer(std::uint64_t cycle) {
    if (places_ > 0) ends_.push(cycle);
  }
  void release_until(std::uint64_t now) {
    while (!ends_.empty() && ends_.top() <= now) {
      ends_.pop();
      --taken_;
    }
  }
  /// When the next place becomes free, as far as that is known.
  [[nodiscard]] std::optional<std::uint64_t> next_free() const {
    return ends_.empty() ? std::nullopt : std::optional(ends_.top());
  }

 private:
  std::size_t places_, taken_ = 0;
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> ends_;
};

}  // namespace npu
