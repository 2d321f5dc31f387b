#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <systemc>
#include <utility>

#include "isa/instructions.h"

namespace npu {

/// The counting tokens between engine pairs: count[from][to] given and not yet taken.
///
/// An instruction takes one token of each engine in its wait mask, all at once, and gives one to
/// each engine in its signal mask when it completes. No time passes. Counters do not overflow: each
/// dynamic instruction adds at most one (isa::kMaxDynamicInstructions).
class TokenBoard {
 public:
  /// Forgets every token: the start of a run.
  void clear();

  /// One token from `from` to each engine in `mask`.
  void give(isa::Engine from, std::uint8_t mask);

  /// Engines in `mask` of which `to` holds no token.
  [[nodiscard]] std::uint8_t missing(isa::Engine to, std::uint8_t mask) const;

  /// Takes one token of each engine in `mask`, or none. @return false if one is missing.
  [[nodiscard]] bool take(isa::Engine to, std::uint8_t mask);

  /// Fires when `to` is given a token.
  [[nodiscard]] const sc_core::sc_event& given(isa::Engine to) const {
    return given_[static_cast<std::size_t>(to)];
  }
  /// Called with every change of a counter.
  using OnChange = std::function<void(isa::Engine from, isa::Engine to, std::int64_t by)>;
  void watch(OnChange hook) { on_change_ = std::move(hook); }
  [[nodiscard]] std::uint32_t count(isa::Engine from, isa::Engine to) const {
    return counts_[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
  }

 private:
  void changed(std::size_t from, std::size_t to, std::int64_t by) const {
    if (on_change_) on_change_(static_cast<isa::Engine>(from), static_cast<isa::Engine>(to), by);
  }

  OnChange on_change_;
  std::array<std::array<std::uint32_t, isa::kEngineCount>, isa::kEngineCount> counts_{};
  std::array<sc_core::sc_event, isa::kEngineCount> given_;
};

}  // namespace npu
