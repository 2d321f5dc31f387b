#pragma once

#include <cstdint>
#include <string>

#include "sim/stats/activity_log.h"

namespace npu::vcd {

/// A value change dump (IEEE 1364-2005, clause 18) of one run, for GTKWave and the like.
///
/// Written by sc_trace: a small simulation of its own, with no model in it, goes through what was
/// recorded. Signals of `unit`: `unit.state`, the number of the Bucket that its cycle is in, and
/// `unit.busy`, one bit; of each count of the log its level. Times in picoseconds from the begin of
/// the run, one change per core cycle. A comment in the header names the states. Nothing in the
/// file depends on the day.
class VcdFile {
 public:
  /// Makes sure that the file can be written, under another name beside it.
  /// @throws Error `path: …`.
  explicit VcdFile(std::string path);
  VcdFile(const VcdFile&) = delete;
  VcdFile& operator=(const VcdFile&) = delete;
  ~VcdFile();  ///< Leaves nothing unless committed.

  /// Takes the place of the simulation: no Machine may be alive, and none be used afterwards.
  /// @throws Error if it cannot be written whole.
  void write(const ActivityLog& log, std::int64_t clock_period_ps);
  /// Puts it in place. @throws Error.
  void commit();

 private:
  std::string path_;
  std::string trunk_;  ///< Of the other name; sc_trace adds ".vcd".
  [[nodiscard]] std::string other_name() const { return trunk_ + ".vcd"; }
};

}  // namespace npu::vcd
