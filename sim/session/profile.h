#pragma once

#include <cstdint>
#include <string>

namespace npu::session {

/// Wall-clock time of the phases of a run, for `--profile`.
class Profile {
 public:
  enum Phase : std::uint8_t { kLoad, kCompile, kElaborate, kSimulate, kReference, kReport, kCount };
  Profile();
  /// Charges the time since the last call to `phase`.
  void charge(Phase phase);
  /// Lines "profile: <phase>_s <seconds>" for stderr, then the process's CPU time (user and system)
  /// and its peak memory.
  [[nodiscard]] std::string text() const;

 private:
  double last_s_;
  double seconds_[kCount] = {};
};

}  // namespace npu::session
