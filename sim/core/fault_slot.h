#pragma once

#include <exception>
#include <systemc>
#include <utility>

namespace npu {

/// Carries the first exception of a SystemC process to whoever called sc_start. Left to itself the
/// kernel would turn it into an sc_report and lose its type.
class FaultSlot {
 public:
  /// Runs `body` as part of a process; keeps what it throws and pauses the simulation.
  template <typename Body>
  void guard(Body&& body) {
    try {
      std::forward<Body>(body)();
    } catch (const sc_core::sc_unwind_exception&) {
      throw;
    } catch (...) {
      if (!fault_) fault_ = std::current_exception();
      sc_core::sc_pause();
    }
  }

  [[nodiscard]] bool empty() const { return fault_ == nullptr; }
  void rethrow() const {
    if (fault_) std::rethrow_exception(fault_);
  }

 private:
  std::exception_ptr fault_;
};

}  // namespace npu
